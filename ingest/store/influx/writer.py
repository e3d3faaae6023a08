"""From the journal to an InfluxDB server: a reader of the journal with its own position, in its own process.

A point has one place in the server (measurement, device, channel, metric, nanosecond), so writing it again
does no harm: whatever is not known to be there is written again, after a crash of ours and after one of the
server all from the newest position the journal was told.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from devices.database import reading, writing
from ingest.journal_files import READER, Mark
from ingest.store.influx.letters import keep_refused
from ingest.store.influx.lifetime import LOOK_S, Lifetime
from ingest.store.influx.lines import BODY_POINTS, bodies
from ingest.store.influx.names import SeriesNames
from ingest.store.influx.putting import Outcasts, Putting
from ingest.store.influx.refusals import Refusals
from ingest.store.influx.roads import Roads
from ingest.store.influx.server import Answer, Later
from ingest.store.influx.settling import SETTLED_S, Settling
from ingest.store.influx.shipment import Shipment
from ingest.store.points import Points
from ingest.store.road import Load
from ingest.store.writer import NAME, REST_S

log = structlog.get_logger()

IN_FLIGHT: Final = 4
"""Requests at once (chosen: a server with as many cores takes them side by side)."""
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 30.0
"""After a failure: doubled each time in which nothing was taken, any part of it (full jitter), and as long as
the server says."""
SLOW_S: Final = 60.0
"""A load that takes longer is trouble that somebody should see: it may be refused value by value (chosen)."""
LAST_ANSWERS_S: Final = 3.0
"""How long answers are awaited at the end of the process (chosen: far below what a supervisor grants)."""
LEAST_POINTS: Final = 300
GROWTH: Final = 250
"""Bodies are made half as long after a load that was cut because nobody answered, down to `LEAST_POINTS`; by
so many points longer after each other load (chosen: what a slow line takes is found again within minutes)."""


class Unread(Later):
    """It is not the server: the database or the journal cannot be used now."""


class Posts(Protocol):
    """What takes lines: `Server`."""

    def post(self, lines: bytes) -> Answer:
        """Sends lines once, from any thread."""

    def life(self) -> str | None:
        """What changes when the server starts anew; empty where it does not say, None without an answer."""

    def close(self) -> None:
        """Lets go of its connections; from any thread. What is under way gets no answer."""


class InfluxWriter:
    """Moves points from the journal in `folder` to a server, and tells the journal how far, some time later.

    `points` (those that were written again too, none that was refused), `passed_over` (shed), `refused`
    (values), `unnamed` (points of series that no table knows any more) and `damaged` count since start;
    `behind` is how many records wait.
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
        self._settling = Settling(settled_s)
        self._lifetime = Lifetime(server.life, monotonic, look_s)
        self._outcasts = Outcasts(monotonic)
        self._names = SeriesNames()
        with reading(engine) as connection:
            self._names.load(connection)
        self._threads = ThreadPoolExecutor(in_flight, "points")
        self._refusals = Refusals(monotonic)
        self._stop = threading.Event()
        self._shipment: Shipment | None = None
        self._live_due_s = 0.0
        self._most = BODY_POINTS
        self._damaged = 0
        self._failing = False
        self._said: str | None = None
        self.points = self.passed_over = self.refused = self.unnamed = 0

    @property
    def behind(self) -> int:
        """How many durable records are not in the server yet."""
        return self._roads.waiting

    @property
    def failing(self) -> bool:
        """Whether the server does not take the load at hand, or takes too long over it."""
        shipment = self._shipment
        return self._failing or (shipment is not None and self._monotonic() - shipment.since_s > SLOW_S)

    @property
    def damaged(self) -> int:
        """How often the journal could not be read."""
        return self._damaged + self._roads.damaged

    def run_once(self) -> int | Later:
        """Writes one load; how many records it was, 0 when there is nothing now.

        Later: the server did not take all of it; the next call goes on with the rest. Raises OperationalError
        where the database does not answer, with nothing lost.
        """
        if self._lifetime.has_ended():
            self._begin_again()
        self._settle()
        shipment = self._shipment = self._shipment or self._take()
        if shipment is None:
            return 0
        trouble = shipment.send(
            self._threads,
            self._post,
            self._outcasts,
            partial(self._roads.look_further, live=shipment.live),
        )
        if trouble:
            self._lifetime.doubt()
            return trouble
        if shipment.taken or shipment.refused:
            self._lifetime.took()
        self._pass_by(shipment)
        return max(len(shipment.load.records), 1)

    def run(self, stop: threading.Event) -> None:
        """Writes until `stop`; answers that are awaited then have `LAST_ANSWERS_S`. What cannot be written
        now is tried again, what is under way at the end after the next start; nothing is skipped."""
        self._stop, over = stop, threading.Event()
        threading.Thread(target=self._end, args=(stop, over), name="ending", daemon=True).start()
        try:
            self._run(stop)
        finally:
            over.set()
            self.close()

    def _run(self, stop: threading.Event) -> None:
        wait_s = FIRST_WAIT_S / 2
        while not stop.is_set():
            try:
                done = self.run_once()
            except (OperationalError, OSError) as error:
                done = Unread(f"{type(error).__name__}: the database or the journal cannot be used")
            if stop.is_set():
                return
            self._note(done)
            if isinstance(done, Later):
                advanced = self._shipment is not None and self._shipment.advanced
                wait_s = FIRST_WAIT_S if advanced else min(2 * wait_s, LONGEST_WAIT_S)
                stop.wait(_pause_s(done, wait_s))
            else:
                wait_s = FIRST_WAIT_S / 2
                if not done:
                    stop.wait(max(self._live_due_s - self._monotonic(), 0.0))

    def _end(self, stop: threading.Event, over: threading.Event) -> None:
        """A server that is silent now holds nobody up who ends this process."""
        stop.wait()
        if not over.wait(LAST_ANSWERS_S):
            self._server.close()

    def _post(self, lines: bytes) -> Answer:
        return Later("it is being stopped") if self._stop.is_set() else self._server.post(lines)

    def close(self) -> None:
        """Lets go of files, threads and connections."""
        self._threads.shutdown(cancel_futures=True)
        self._server.close()
        self._roads.close()
        self._mark.close()

    def _settle(self) -> None:
        self._mark.seq = self._settling.settled(self._mark.seq, self._lifetime.lived_s)

    def _begin_again(self) -> None:
        """The server has started anew. What it may have forgotten is written once more."""
        log.warning("store_started_anew", written_again=self._roads.done - self._mark.seq)
        self._damaged += self._roads.damaged
        self._roads.close()
        self._roads = Roads(self._folder, self._mark.seq)
        self._settling.forget()
        self._shipment, self._live_due_s = None, 0.0

    def _take(self) -> Shipment | None:
        """The next load: once in `REST_S` what has come in, in between what is left of an outage."""
        live = self._monotonic() >= self._live_due_s
        load = self._roads.ahead(live=True) if live else None
        if live and not (load and load.full):
            self._live_due_s = self._monotonic() + REST_S
        if load is None:
            live, load = False, self._roads.ahead(live=False)
        return self._prepared(load, live=live) if load else None

    def _prepared(self, load: Load, *, live: bool) -> Shipment:
        new = [one for record in load.records for one in record.new_series]
        every = load.points
        with reading(self._engine) as connection:
            self._names.follow(connection)
            self._names.hear(connection, new)
            unknown = np.unique(every.slot[self._names.rows(every.slot) == 0])
            self._names.look_up(connection, unknown)
        points = self._named(every)
        making = (Putting(body.lines) for body in bodies(points, self._names, self._most))
        return Shipment(load, live, len(points), len(every) - len(points), self._monotonic(), making)

    def _named(self, points: Points) -> Points:
        named = self._names.rows(points.slot) > 0
        return points if named.all() else points[named]

    def _pass_by(self, shipment: Shipment) -> None:
        refused = shipment.refused
        if refused:
            with writing(self._engine) as connection:
                keep_refused(connection, refused, self._clock_us())
        self._roads.pass_by(shipment.load, self._clock_us(), live=shipment.live)
        self._settling.reach(self._roads.done, self._lifetime.moment_s)
        self._settle()
        self._shipment = None
        self._most = _next_most(self._most, was_long=shipment.was_long)
        self.points += shipment.points - len(refused)
        self.refused += len(refused)
        self._refusals.note(refused, self.refused)
        self.unnamed += shipment.unnamed
        self.passed_over += shipment.load.shed_points

    def _note(self, done: int | Later) -> None:
        """Says when it begins, when somebody has to do something else about it, and when it is over."""
        if isinstance(done, Later):
            advice = _advice(done)
            if advice != self._said:
                log.error("store_waits", error=done.why, do=advice)
            self._said, self._failing = advice, True
        elif self._failing and (done or not self.behind):
            log.warning("store_goes_on")
            self._said, self._failing = None, False


def _next_most(most: int, *, was_long: bool) -> int:
    return max(most // 2, LEAST_POINTS) if was_long else min(most + GROWTH, BODY_POINTS)


def _pause_s(later: Later, wait_s: float) -> float:
    return max(later.wait_s or 0.0, random.uniform(0, wait_s))  # noqa: S311 - no secret: it spreads tries


def _advice(later: Later) -> str:
    if isinstance(later, Unread):
        return "see to the database and the disk of the data folder; points wait in the journal, alarms go on"
    if later.denied:
        return (
            "compare [store] with the server: address, user, token, database or bucket (gengfu check);"
            " another secret in its file is used within a minute, after any other change start the service"
            " again; points wait in the journal, alarms go on"
        )
    return "see to the server; points wait in the journal, alarms go on"
