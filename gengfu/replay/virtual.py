"""The engine in virtual time: the clock is the recording's, and nothing waits.

A reading is taken to have arrived when it was observed, but never before one that stands above it: the order
of the file is the order of arrival. Readings that arrived within one tick are one batch; how long a tick is
changes nothing but how old a reading is said to be, at most by its length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from devices.model import Int64, ReadingBatch
from gengfu.replay.recorded import Book, Recorded
from rules.calendar import Calendar
from rules.catalogue import Catalogue
from rules.engine import CHINA, Engine
from rules.overrides import Overrides
from rules.transition import Transition

SECOND_US: Final = 1_000_000
_NOBODY: Final = np.empty(0, np.int32)


class VirtualTime:
    """An engine over the series of a book, and the time that it believes it is."""

    def __init__(
        self,
        catalogue: Catalogue,
        book: Book,
        *,
        overrides: Overrides | None = None,
        calendar: Calendar = CHINA,
        tick_us: int = SECOND_US,
    ) -> None:
        self._book = book
        self._table = book.table()
        self._engine = Engine(catalogue, self._table, calendar)
        self._overrides = overrides or Overrides()
        self._turn_us: int | None = None
        self._tick_us = tick_us
        self.now_us = 0

    def run(self, parts: Iterable[Recorded]) -> Iterator[Transition]:
        """The transitions of these readings, in order."""
        for part in parts:
            self._follow()
            arrived = np.maximum(np.maximum.accumulate(part.observed_us), self.now_us)
            for start, end in _ticks(arrived, self._tick_us):
                yield from self._tick(part.part(start, end), int(arrived[end - 1]))

    def _follow(self) -> None:
        """Series that were met meanwhile; with one of a detector others of its device are a room's."""
        table, before = self._book.table(), self._table
        if table is not before:
            self._engine.adopt(
                table, np.flatnonzero(table.room[: len(before)] != before.room).astype(np.int32)
            )
            self._table = table

    def _tick(self, part: Recorded, now_us: int) -> Iterator[Transition]:
        if not self.now_us:
            self._override(now_us)
        yield from self._pass(now_us)
        yield from self._engine.evaluate(ReadingBatch(now_us, *part), [], now_us)
        if self._engine.due_us <= now_us:
            yield from self._engine.advance(now_us)

    def _pass(self, until_us: int) -> Iterator[Transition]:
        """What comes by time alone, at the moments at which it does."""
        while True:
            turn_us = until_us if self._turn_us is None else self._turn_us
            due_us = max(self._engine.due_us, self.now_us + 1) if self.now_us else until_us
            at_us = min(turn_us, due_us, until_us)
            if at_us >= until_us:
                break
            self.now_us = at_us
            if at_us == turn_us:
                self._override(at_us)
            yield from self._engine.advance(at_us)
        self.now_us = until_us
        if self._turn_us is not None and self._turn_us <= until_us:
            self._override(until_us)

    def _override(self, now_us: int) -> None:
        if self._overrides.all:
            self._engine.override(self._overrides, now_us)
            self._turn_us = self._overrides.next_turn_us(now_us)


def _ticks(arrived: Int64, tick_us: int) -> Iterator[tuple[int, int]]:
    """Where each tick begins and ends."""
    tick = arrived // tick_us
    starts = np.flatnonzero(np.append(True, tick[1:] != tick[:-1])) if len(tick) else _NOBODY
    yield from zip(starts.tolist(), [*starts[1:].tolist(), len(tick)], strict=True)
