"""From the embedded store to a server: all points of a day are written, then read back and compared.

Promises: a day that is given as copied has every point in the server that can be read, but for those that are
counted as refused, expired or unnamed, and it was read back from there. Writing a day again does no harm.
What a server acknowledges and then forgets when it dies is written again, as long as it says when it started
(`settled_s`: how long it may forget).

Errors:
* StillWritten: somebody writes to the embedded store.
* SeriesUnread (`ingest.store.history`): the server does not give its points.
* Stopped, Denied (`copying_waiting`)
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import numpy as np
from sqlalchemy import Engine, Row, select
from sqlalchemy.exc import OperationalError

from devices.database import reading, writing
from devices.model import Bool, Metric
from devices.schema import series
from ingest.store.history import History, Series
from ingest.store.influx.copying_comparing import Comparing, Wrong
from ingest.store.influx.copying_places import placed, shared
from ingest.store.influx.copying_refused import Place, Refusals, RefusedFor, place_of, without
from ingest.store.influx.copying_sampling import Sampling
from ingest.store.influx.copying_sending import Posts, Sending
from ingest.store.influx.copying_waiting import Waiting
from ingest.store.influx.letters import keep_refused
from ingest.store.influx.lifetime import SILENT_LOOKS
from ingest.store.influx.names import SeriesNames
from ingest.store.influx.putting import RefusedLine
from ingest.store.points import Points
from ingest.store.reader import SeriesReader

SEEN_S: Final = 30.0
"""How long after it was written a point may not be seen yet (chosen: VictoriaMetrics shows it after 10 s;
measured)."""
NAMED: Final = 10
"""How many of a day are named, and how many different words of refusals."""
_AGAIN: Final = 3
"""How often a day is written again because the server began anew: two servers behind one address would never
be done with (chosen)."""
_Found = TypeVar("_Found")
_METRICS: Final = np.array(sorted(Metric), np.int32)


class StillWritten(Exception):
    """Points came into the embedded store while it was copied."""


@dataclass(frozen=True, slots=True)
class DayCopied:
    """What became of the points of a day (UTC, counted from 1970): `points` of `series` that have a name, and
    how many of them share their place, were refused, are older than the server keeps, are missing or
    different there; and those that have no name. How long it took to write them and to compare them, with all
    waiting for the server."""

    day: int
    points: int
    series: int
    joined: int
    refused: int
    expired: int
    unnamed: int
    missing: int
    different: int
    wrong: tuple[Wrong, ...]
    refusals: tuple[RefusedFor, ...]
    write_s: float
    compare_s: float

    @property
    def complete(self) -> bool:
        """Whether what should be there is there."""
        return not (self.missing or self.different)


@dataclass(slots=True)
class _Written:
    """A day that was written, until it is compared."""

    day: int
    life: str
    again: int
    began_s: float
    ended_s: float = 0.0
    refused: set[Place] = field(default_factory=set)
    refusals: Refusals = field(default_factory=lambda: Refusals(NAMED))


class Copying:
    """Copies days, one after the other. Not for several threads."""

    def __init__(
        self,
        reader: SeriesReader,
        server: Posts,
        open_reader: Callable[[], History],
        engine: Engine,
        tell: Callable[[str], None],
        *,
        whole_ms: bool,
        settled_s: float,
        keeps_s: int | None = None,
        seen_s: float = SEEN_S,
        monotonic: Callable[[], float] = time.monotonic,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        """`whole_ms`: the server keeps milliseconds; `keeps_s`: it drops what is older without a word. Raises
        what the database raises."""
        self._reader, self._server, self._engine = reader, server, engine
        self._whole_ms, self._settled_s, self._seen_s = whole_ms, settled_s, seen_s
        self._keeps_s = keeps_s
        self._monotonic, self._clock_us = monotonic, clock_us
        self._waiting = Waiting(tell, monotonic=monotonic)
        self._sending = Sending(server, self._waiting, monotonic=monotonic)
        self._comparing = Comparing(open_reader, self._waiting, whole_ms=whole_ms, monotonic=monotonic)
        self._kept: set[int] = set()
        self._names = SeriesNames()
        with reading(engine) as connection:
            self._names.load(connection)
        self._position = reader.position

    def run(self, days: Sequence[int], kept: Collection[int] = ()) -> Iterator[DayCopied]:
        """Each day when it was compared. A day is compared `settled_s` after it was written, other days are
        written meanwhile. What is refused of the days in `kept` stands among the dead letters."""
        self._kept = set(kept)
        to_write, written = deque(days), deque[_Written]()
        while to_write or written:
            if to_write and not (written and self._has_settled(written[0])):
                written.append(self._write(to_write.popleft()))
                continue
            self._see_that_nobody_writes()
            one = written.popleft()
            self._waiting.rest(one.ended_s + self._settled_s - self._monotonic())
            found = self._compare(one)
            self._see_that_nobody_writes()
            if one.again < _AGAIN and self._forgets(one):
                written.append(self._write(one.day, one.again + 1))
            else:
                yield found

    def still_there(self, day: int) -> bool:
        """Whether the server gives all points of some series of each measurement (`copying_sampling`) of a
        day that was copied before. Outages are waited for. Raises SeriesUnread, Stopped, Denied."""
        sampling = Sampling()
        for every in self._reader.pieces(day):
            names = self._series_of(every)
            points = placed(every[_named(every, names)])
            slots = np.unique(points.slot)
            heads = self._names.heads.take(self._names.rows(slots)).tolist()
            some = points[np.isin(points.slot, sampling.of(slots, heads))]
            verdict = self._comparing.verdict(some, names, day, self._monotonic(), 0)
            if verdict.missing or verdict.different:
                return False
        return True

    def series(self) -> int:
        """How many series that have a name have points. Reads every block."""
        slots = np.array(self._reader.slots(), np.int32)
        return int(np.count_nonzero(self._names.rows(slots)))

    def close(self) -> None:
        """Lets go of threads and of the readers' connections."""
        self._waiting.stop()
        self._sending.close()
        self._comparing.close()

    def _see_that_nobody_writes(self) -> None:
        if self._reader.position != self._position:
            raise StillWritten

    def _has_settled(self, one: _Written) -> bool:
        return self._monotonic() >= one.ended_s + self._settled_s

    def _write(self, day: int, again: int = 0) -> _Written:
        one = _Written(day, self._life(), again, self._monotonic())
        self._see_what_is_kept()
        for every in self._reader.pieces(day):
            names = self._series_of(every)
            points = placed(every[_named(every, names)])
            together = np.lexsort((points.ts_ns, self._names.rows(points.slot)))  # a message is a line
            refused = self._sending.send(points[together], self._names)
            if refused:
                self._note(one, refused, names)
        one.ended_s = self._monotonic()
        return one

    def _see_what_is_kept(self) -> None:
        if self._keeps_s is not None:
            self._sending.expiry.moved(self._clock_us() * 1000, self._keeps_s)

    def _note(self, one: _Written, refused: list[RefusedLine], names: Mapping[int, Series]) -> None:
        if not one.again and one.day not in self._kept:
            self._patiently(lambda: self._keep(refused))
        slots = np.array(sorted(names), np.int32)
        heads = self._names.heads.take(self._names.rows(slots)).tolist()
        known = {(head, names[slot].metric): slot for slot, head in zip(slots.tolist(), heads, strict=True)}
        one.refused |= {place_of(line.line, known) for line in refused}
        one.refusals.add(refused)

    def _keep(self, refused: list[RefusedLine]) -> None:
        with writing(self._engine) as connection:
            keep_refused(connection, refused, self._clock_us())

    def _compare(self, one: _Written) -> DayCopied:
        """Reads the day's points again, from both."""
        began_s = self._monotonic()
        self._see_what_is_kept()
        count = dict.fromkeys(("points", "series", "joined", "expired", "unnamed", "missing", "different"), 0)
        wrong: list[Wrong] = []
        for points in self._reader.pieces(one.day):
            names = self._series_of(points)
            named = points[_named(points, names)]
            ours = placed(named)
            young = without(ours[ours.ts_ns > self._sending.expiry.before_ns], one.refused)
            until_s = one.ended_s + self._seen_s
            verdict = self._comparing.verdict(young, names, one.day, until_s, NAMED - len(wrong))
            wrong += verdict.wrong
            count["points"] += len(named)
            count["series"] += len(np.unique(named.slot))
            count["joined"] += len(named) - len(ours) + (shared(young) if self._whole_ms else 0)
            count["expired"] += int(np.count_nonzero(ours.ts_ns <= self._sending.expiry.before_ns))
            count["unnamed"] += len(points) - len(named)
            count["missing"] += verdict.missing
            count["different"] += verdict.different
        return DayCopied(
            day=one.day, refused=len(one.refused), wrong=tuple(wrong), refusals=one.refusals.found(),
            write_s=one.ended_s - one.began_s, compare_s=self._monotonic() - began_s, **count,
        )  # fmt: skip

    def _series_of(self, points: Points) -> dict[int, Series]:
        """The names of a piece's series that have one, by slot."""
        first, last = int(points.slot.min()), int(points.slot.max())
        rows = self._patiently(lambda: self._rows(first, last))
        slots = np.array([row.slot for row in rows if row.metric in _METRICS], np.int32)
        with_head = set(slots[self._names.rows(slots) > 0].tolist())
        return {
            row.slot: Series(row.slot, row.uid, row.channel, Metric(row.metric))
            for row in rows
            if row.slot in with_head
        }

    def _rows(self, first: int, last: int) -> Sequence[Row[Any]]:
        with reading(self._engine) as connection:
            self._names.follow(connection)
            return connection.execute(select(series).where(series.c.slot.between(first, last))).all()

    def _patiently(self, ask: Callable[[], _Found]) -> _Found:
        """What our database says, however long somebody else holds it or it is away."""
        tries = 0
        while True:
            try:
                found = ask()
            except OperationalError as error:
                self._waiting.pause(str(error.orig), tries, whom="our database")
                tries += 1
            else:
                if tries:
                    self._waiting.answered()
                return found

    def _life(self) -> str:
        """When the server says that it started; empty where it does not say. An outage is waited for a
        little: not for whoever takes points, or gives them, and says nothing of this."""
        for tries in range(SILENT_LOOKS):
            life = self._server.life()
            if life is not None:
                self._waiting.answered()
                return life
            self._waiting.pause("it does not answer", tries)
        return ""

    def _forgets(self, one: _Written) -> bool:
        """Whether the server may have forgotten some of what it acknowledged: it started anew since."""
        return bool(one.life) and self._life() != one.life


def _named(points: Points, names: Mapping[int, Series]) -> Bool:
    found: Bool = np.isin(points.slot, np.fromiter(names, np.int32, len(names)))
    return found
