"""Many readings of a few flags, one after another: what `flag_round` decides of many flags at once.

A round costs the same whether it is of one flag or of a hundred, so a flag that toggles ten thousand times in
one batch would be ten thousand rounds, and everybody would wait. A step costs its reading, about a
microsecond.
"""

from __future__ import annotations

import numpy as np

from devices.model import ReadingBatch
from rules.kernel import ACTIVE
from rules.kernels.flag_state import (
    AGELESS,
    BACKFILL,
    CLOSED,
    KNOWN,
    LATE,
    NEVER,
    ONE,
    QUEUED,
    STALE,
    UNKNOWN_AGE,
    VISITED,
    WAITED,
    WAITING,
    Times,
    Told,
    What,
    places,
)
from rules.pairs import Pairs
from rules.rounds import Rows

_KEPT = ("status", "zero_since_us", "zero_seen_us", "zero_heard_us", "raised_us", "fire_us", "evidence")
_NOT_NOW = LATE | UNKNOWN_AGE


class _Flag:
    """One pair while it is stepped through; the columns of its state as plain numbers."""

    __slots__ = (
        "_clear_hold", "_received_us", "_second_fire_after", "_visit_after",
        "evidence", "fire_us", "quiet_us", "raised_us", "status", "zero_heard_us", "zero_seen_us",
        "zero_since_us",
    )  # fmt: skip
    status: int
    zero_since_us: int
    zero_seen_us: int
    zero_heard_us: int
    raised_us: int
    fire_us: int
    evidence: int
    quiet_us: int

    def __init__(self, pairs: Pairs, times: Times, pair: int, received_us: int) -> None:
        rule = int(pairs.rule[pair])
        self._received_us = received_us
        self._visit_after = int(times.visit_after[rule])
        self._second_fire_after = int(times.second_fire_after[rule])
        self._clear_hold = int(times.clear_hold[rule])
        for name in _KEPT:
            setattr(self, name, int(pairs.state[name][pair]))

    def put_back(self, pairs: Pairs, pair: int, *, raised: bool) -> None:
        """Into the columns."""
        for name in _KEPT:
            pairs.state[name][pair] = getattr(self, name)
        if raised:
            pairs.state["place"][pair] = places(pairs.table, pairs.slot[pair : pair + 1])[0]

    def read(self, observed_us: int, one: bool, quality: int) -> What | None:
        """Takes one reading; what is to be told of it, `quiet_us` after the flag became 0."""
        self.quiet_us = observed_us - self.zero_since_us
        if not one:
            return self._read_zero(observed_us, quality)
        if quality & UNKNOWN_AGE:
            return self._read_old_one(observed_us, quality)
        current, attended = not quality & LATE, self.status & (ACTIVE | CLOSED) == ACTIVE
        if self._received_us - observed_us > self._visit_after:
            return None if attended else self._read_aged_one(current=current)
        what = self._what_of_one(current=current, heard=current or not quality & WAITING)
        if current or what is What.SECOND:
            self.status |= KNOWN | ONE
        if current or not quality & WAITING:
            self.zero_heard_us = NEVER
        if what is not None:
            self._burn(observed_us, quality)
        return what

    def _what_of_one(self, *, current: bool, heard: bool) -> What | None:
        if self.status & (ACTIVE | CLOSED) != ACTIVE:
            return What.RAISED
        if current and self.status & (KNOWN | ONE) == KNOWN:
            apart = self.quiet_us >= self._second_fire_after
            return What.SECOND if apart or self.quiet_us < 0 else None  # or our clock was put back
        if current or not heard or self.zero_heard_us == NEVER:
            return None
        quiet_us = self._received_us - self.zero_heard_us
        if quiet_us < self._second_fire_after:
            return None
        self.quiet_us = quiet_us
        return What.SECOND

    def _read_old_one(self, observed_us: int, quality: int) -> What | None:
        """Of unknown age: raises what we did not know, and changes nothing on an active alarm."""
        if self.status & ACTIVE:
            return None
        is_news = not self.status & ONE
        self.status |= KNOWN | ONE
        if not is_news:
            return None
        self._burn(observed_us, quality)
        self.evidence |= AGELESS
        return What.OLD

    def _read_aged_one(self, *, current: bool) -> What | None:
        """On an alarm that nobody attends to."""
        visited = self.status & VISITED
        self.status |= KNOWN | ONE | VISITED if current else VISITED
        return None if visited else What.VISIT

    def _read_zero(self, observed_us: int, quality: int) -> What | None:
        if quality & STALE:  # a stale 0 is no 0 (contract 4)
            return None
        self._hear_zero(quality)
        status = self.status
        was_zero = status & (KNOWN | ONE) == KNOWN
        if quality & _NOT_NOW:
            if quality & UNKNOWN_AGE and not status & ACTIVE and not was_zero:
                self.status, self.zero_since_us = (status | KNOWN) & ~ONE, observed_us
            return None
        if not was_zero or observed_us < self.zero_since_us:
            self.zero_since_us = observed_us
        self.status = status = (status | KNOWN) & ~(ONE | VISITED)
        if not status & ACTIVE or quality & BACKFILL:
            return None
        self.zero_seen_us = observed_us
        self.quiet_us = observed_us - self.zero_since_us
        if not status & CLOSED or observed_us - self.zero_since_us < self._clear_hold:
            return None
        self.status = status & ~(ACTIVE | CLOSED)
        return What.CLEARED

    def _hear_zero(self, quality: int) -> None:
        """By when it was received, unless that says nothing: the first since the last 1."""
        if not self.status & ACTIVE or quality & UNKNOWN_AGE or (quality & WAITING and quality & LATE):
            return
        if self.zero_heard_us == NEVER or self._received_us < self.zero_heard_us:
            self.zero_heard_us = self._received_us

    def _burn(self, observed_us: int, quality: int) -> None:
        """Raised, for the first or for a second fire."""
        self.status = (self.status | ACTIVE) & ~CLOSED
        self.zero_seen_us = self.zero_heard_us = NEVER
        self.raised_us = self._received_us
        self.fire_us = observed_us
        self.evidence = WAITED if quality & QUEUED else 0


def take_steps(pairs: Pairs, times: Times, batch: ReadingBatch, rows: Rows, pair: Rows) -> list[Told]:
    """Takes these readings in their order, pair by pair; what is to be told of them."""
    order = np.argsort(pair, kind="stable")
    rows, pair = rows.take(order), pair.take(order)
    ends = [*(np.flatnonzero(pair[1:] != pair[:-1]) + 1).tolist(), len(pair)]
    columns = (rows, batch.observed_us.take(rows), batch.value.take(rows) > 0, batch.quality.take(rows))
    readings = list(zip(*(column.tolist() for column in columns), strict=True))
    told: list[Told] = []
    begin = 0
    for end in ends:
        one = int(pair[begin])
        told += _steps_of(pairs, times, one, readings[begin:end], batch.received_us)
        begin = end
    return told


def _steps_of(
    pairs: Pairs, times: Times, pair: int, readings: list[tuple[int, int, bool, int]], received_us: int
) -> list[Told]:
    flag, told = _Flag(pairs, times, pair, received_us), []
    for row, observed_us, one, quality in readings:
        what = flag.read(observed_us, one, quality)
        if what is not None:
            told.append(Told(row, pair, what, flag.quiet_us))
    flag.put_back(pairs, pair, raised=any(one.what in _RAISES for one in told))
    return told


_RAISES = (What.RAISED, What.SECOND, What.OLD)
