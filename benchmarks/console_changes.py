"""What happens while the console is measured: answers of workers and overloads that begin and end.

All of it is stored as the other processes store it and decided by the alerts process. Half of it happens to
incidents on the board, so that it has something to show, half anywhere (chosen).
"""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import OperationalError

from alerts.acts import record_act
from alerts.case import Act
from alerts.schema import incident_change
from benchmarks.console_town import store_overload, worker_of
from devices.database import ChangeNotice, reading, writing
from gengfu.clock import now_us
from rules.transition import To

SECOND_RULE: Final = "O1"
"""The overload that comes and goes; the one that opened the incidents stands."""
ALARM_EVERY: Final = 5
"""Each so many changes one is an alarm, the others are answers (chosen)."""
LOOK_S: Final = 0.002
"""Between two looks for what was committed: the error of a commit's time."""
_CHUNK: Final = 1_000


@dataclass(frozen=True, slots=True)
class Committed:
    """A row of `incident_change`. `at_us` is the last moment at which it was looked for and not yet there:
    at most LOOK_S and a look before its commit. `by` is who answered, as the page names them."""

    id: int
    incident_id: int
    by: str
    at_us: int


class Changes:
    """A thread that makes `rate` changes a second from `start` to `close`, each in a transaction of its own.

    `incidents` are all that are open with the dwelling of each; `shown` are those on the board.
    """

    def __init__(
        self, engine: Engine, rate: float, incidents: dict[int, int], shown: Sequence[int], seed: int = 1
    ) -> None:
        self.made = 0
        self.failed = ""
        self._engine, self._rate, self._incidents, self._shown = engine, rate, incidents, shown
        self._all = list(incidents)
        self._dice = random.Random(seed)  # noqa: S311 - a load, no secret
        self._answers: dict[int, int] = {}
        self._standing: set[int] = set()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="changes")

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def close(self) -> None:
        """Ends. May be called twice, and without a start."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        start = time.monotonic()
        while not self._ending.wait(max(0.0, start + self.made / self._rate - time.monotonic())):
            try:
                with writing(self._engine) as connection:
                    self._change(connection)
            except OperationalError as error:
                self.failed = str(error)
                return
            self.made += 1

    def _change(self, connection: Connection) -> None:
        incident = self._dice.choice(self._shown if self._dice.random() < 0.5 else self._all)
        dwelling = self._incidents[incident]
        if self.made % ALARM_EVERY == 0:
            self._alarm(connection, dwelling)
            return
        self._answers[incident] = n = self._answers.get(incident, -1) + 1
        actor = f"contact:{worker_of(dwelling, n)}"
        once = secrets.token_hex(16)
        record_act(connection, once, incident, actor, "grid_worker", Act.ACKNOWLEDGE, "", "link", now_us())

    def _alarm(self, connection: Connection, dwelling: int) -> None:
        to = To.CLEARED if dwelling in self._standing else To.RAISED
        self._standing ^= {dwelling}
        store_overload(connection, dwelling, SECOND_RULE, to, now_us())


class CommitWatch:
    """A thread that notes every change from `start` on, and when it was committed."""

    def __init__(self, engine: Engine) -> None:
        self.seen: list[Committed] = []
        self.failed = ""
        self._engine = engine
        self._newest = newest_change(engine)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="commit-watch")

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def close(self) -> None:
        """Ends. May be called twice, and without a start."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        notice = ChangeNotice(self._engine)
        before_us = now_us()
        try:
            while not self._ending.wait(LOOK_S):
                looked_us = now_us()
                if notice.changed():
                    self._note(before_us)
                before_us = looked_us
        except OperationalError as error:
            self.failed = str(error)
        finally:
            notice.close()

    def _note(self, at_us: int) -> None:
        c = incident_change.c
        fresh = select(c.id, c.incident_id, c.by).where(c.id > self._newest).order_by(c.id).limit(_CHUNK)
        with reading(self._engine) as connection:
            rows = connection.execute(fresh).all()
        for row in rows:
            self.seen.append(Committed(row.id, row.incident_id, row.by.partition(":")[2], at_us))
            self._newest = row.id


def newest_change(engine: Engine) -> int:
    """The largest id of a change, 0 before the first."""
    with reading(engine) as connection:
        return int(connection.scalar(select(func.max(incident_change.c.id))) or 0)
