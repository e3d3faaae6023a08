"""From the journal to an InfluxDB server: a reader of the journal with its own position, in its own process.

A point has one place in the server (device, channel, metric, nanosecond), so writing it again does no harm:
whatever is not known to be there is written again: after a crash, and after the server did not answer, all
from the newest position the journal was told.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from devices.database import reading, writing
from ingest.journal_files import READER, Mark
from ingest.store.influx.letters import keep_refused
from ingest.store.influx.lines import Body, bodies
from ingest.store.influx.names import SeriesNames
from ingest.store.influx.putting import Put, RefusedLine, put
from ingest.store.influx.roads import Roads
from ingest.store.influx.server import Answer, Later
from ingest.store.influx.settling import SETTLED_S, Settling
from ingest.store.points import Points
from ingest.store.road import Load
from ingest.store.writer import NAME, REST_S

log = structlog.get_logger()

IN_FLIGHT: Final = 4
"""Requests at once (chosen: a server with as many cores takes them side by side)."""
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 30.0
"""After a failure: doubled each time in which nothing was taken, any part of it (full jitter), unless the
server names a time."""


LOOK_S: Final = 5.0
"""Between two looks whether the server has started anew (chosen)."""


class Posts(Protocol):
    """What takes lines: `Server`."""

    def post(self, lines: bytes) -> Answer:
        """Sends lines once, from any thread."""

    def life(self) -> str:
        """What changes when the server starts anew; empty where it is not known."""

    def close(self) -> None:
        """Lets go of its connections."""


@dataclass(slots=True)
class _UnderWay:
    """A load that is being written: what of it is not in the server, and what of it is refused."""

    load: Load
    live: bool
    bodies: Iterable[Body]
    points: int
    unnamed: int
    refused: list[RefusedLine] = field(default_factory=list)


class InfluxWriter:
    """Moves points from the journal in `folder` to a server, and tells the journal how far, some time later.

    `points` (those that were written again too), `passed_over` (shed), `refused`, `unnamed` (points of series
    that no table knows any more) and `damaged` count since start; `behind` is how many records wait.
    """

    repeats = 0

    def __init__(
        self,
        folder: Path,
        server: Posts,
        engine: Engine,
        *,
        in_flight: int = IN_FLIGHT,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        monotonic: Callable[[], float] = time.monotonic,
        settled_s: float = SETTLED_S,
        look_s: float = LOOK_S,
    ) -> None:
        """Raises what the database raises."""
        folder.mkdir(parents=True, exist_ok=True)
        self._server, self._engine = server, engine
        self._clock_us, self._monotonic = clock_us, monotonic
        self._mark = Mark(folder / f"{READER}{NAME}")
        self._folder, self._roads = folder, Roads(folder, self._mark.seq)
        self._settling, self._look_s = Settling(settled_s), look_s
        self._names = SeriesNames()
        with reading(engine) as connection:
            self._names.load(connection)
        self._threads = ThreadPoolExecutor(in_flight, "points")
        self._under_way: _UnderWay | None = None
        self._live_due_s = self._look_due_s = 0.0
        self._life = ""
        self._failing = self._advanced = self._broken = False
        self.points = self.passed_over = self.refused = self.unnamed = 0

    @property
    def behind(self) -> int:
        """How many durable records are not in the server yet."""
        return self._roads.waiting

    @property
    def failing(self) -> bool:
        """Whether the server did not take the last load: points wait in the journal."""
        return self._failing

    @property
    def damaged(self) -> int:
        """How often the journal could not be read."""
        return self._roads.damaged

    def run_once(self) -> int | Later:
        """Writes one load; how many records it was, 0 when there is nothing now.

        Later: the server did not take all of it; the next call goes on with the rest. Raises OperationalError
        where the database does not answer, with nothing lost.
        """
        self._look_at_life()
        self._settle()
        under_way = self._under_way = self._under_way or self._take()
        if under_way is None:
            return 0
        if trouble := self._put_all(under_way):
            self._broken |= trouble.broken
            return trouble
        if self._broken:
            self._begin_again()
            return 1
        if under_way.refused:
            with writing(self._engine) as connection:
                keep_refused(connection, under_way.refused, self._clock_us())
        self._roads.pass_by(under_way.load, self._clock_us(), live=under_way.live)
        self._settling.reach(self._roads.done, self._monotonic())
        self._settle()
        self._under_way = None
        self.points += under_way.points
        self.refused += len(under_way.refused)
        self.unnamed += under_way.unnamed
        self.passed_over += under_way.load.shed_points
        return max(len(under_way.load.records), 1)

    def run(self, stop: threading.Event) -> None:
        """Writes until `stop`. What cannot be written now is tried again; nothing is skipped."""
        wait_s = FIRST_WAIT_S / 2
        while not stop.is_set():
            try:
                done = self.run_once()
            except (OperationalError, OSError) as error:
                done = Later(f"{type(error).__name__}: the database or the journal cannot be read")
            self._note(done)
            if isinstance(done, Later):
                wait_s = FIRST_WAIT_S if self._advanced else min(2 * wait_s, LONGEST_WAIT_S)
                stop.wait(_pause_s(done, wait_s))
            else:
                wait_s = FIRST_WAIT_S / 2
                if not done:
                    stop.wait(max(self._live_due_s - self._monotonic(), 0.0))
        self.close()

    def close(self) -> None:
        """Lets go of files, threads and connections."""
        self._threads.shutdown(cancel_futures=True)
        self._server.close()
        self._roads.close()
        self._mark.close()

    def _look_at_life(self) -> None:
        """A server that died and came back between two requests may have forgotten what it acknowledged."""
        if self._monotonic() < self._look_due_s:
            return
        self._look_due_s = self._monotonic() + self._look_s
        life = self._server.life()
        self._broken |= bool(life and self._life and life != self._life)
        self._life = life or self._life

    def _settle(self) -> None:
        self._mark.seq = self._settling.settled(self._mark.seq, self._monotonic())

    def _begin_again(self) -> None:
        """The server answers again. What it may have forgotten when it did not is written once more."""
        self._roads.close()
        self._roads = Roads(self._folder, self._mark.seq)
        self._settling.forget()
        self._under_way, self._broken, self._live_due_s = None, False, 0.0

    def _take(self) -> _UnderWay | None:
        """The next load: once in `REST_S` what has come in, in between what is left of an outage."""
        live = self._monotonic() >= self._live_due_s
        load = self._roads.ahead(live=True) if live else None
        if live and not (load and load.full):
            self._live_due_s = self._monotonic() + REST_S
        if load is None:
            live, load = False, self._roads.ahead(live=False)
        return self._prepared(load, live=live) if load else None

    def _prepared(self, load: Load, *, live: bool) -> _UnderWay:
        new = [one for record in load.records for one in record.new_series]
        with reading(self._engine) as connection:
            self._names.follow(connection)
            self._names.hear(connection, new)
        points, all_points = self._named(load.points), len(load.points)
        unnamed = all_points - len(points)
        return _UnderWay(load, live, bodies(points, self._names), len(points), unnamed)

    def _named(self, points: Points) -> Points:
        named = self._names.rows(points.slot) > 0
        return points if named.all() else points[named]

    def _put_all(self, under_way: _UnderWay) -> Later | None:
        """Posts what is left of it; what the server did not take now stays, and why."""
        left: list[Body] = []
        trouble: Later | None = None
        self._advanced = False
        for body, outcome in self._outcomes(under_way.bodies):
            if isinstance(outcome, Put):
                under_way.refused += outcome.refused
            else:
                left.append(body)
                trouble = trouble or outcome
            self._advanced |= isinstance(outcome, Put)
        under_way.bodies = left
        return trouble

    def _outcomes(self, left: Iterable[Body]) -> Iterable[tuple[Body, Put | Later]]:
        """Bodies are posted as they are made. After the first that is not answered the others are not sent:
        the server has trouble enough."""
        stopped: list[Later] = []

        def send(body: Body) -> Put | Later:
            if stopped:
                return stopped[0]
            outcome = put(body.lines, self._server.post)
            if isinstance(outcome, Later):
                stopped.append(outcome)
            return outcome

        sent = [(body, self._threads.submit(send, body)) for body in left]
        return ((body, outcome.result()) for body, outcome in sent)

    def _note(self, done: int | Later) -> None:
        """Says when it begins and when it is over."""
        if isinstance(done, Later):
            if not self._failing:
                log.error("store_waits", error=done.why, do=_advice(done))
            self._failing = True
        elif self._failing and done:
            log.warning("store_goes_on")
            self._failing = False


def _pause_s(later: Later, wait_s: float) -> float:
    if later.wait_s is not None:
        return later.wait_s
    return random.uniform(0, wait_s)  # noqa: S311 - no secret: it spreads tries


def _advice(later: Later) -> str:
    if later.denied:
        return (
            "compare [store] with the server's user, token, database or bucket: gengfu check says what fits"
        )
    return "see to the server; points wait in the journal, alarms go on"
