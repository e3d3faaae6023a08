"""The threshold kernel: at or above a level for a hold raises, below the clear level for a hold clears.

A hold runs on observed time and is satisfied by a reading; the passing of time alone does nothing
(life_safety, time and holds). State: 17 bytes a pair.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from devices.model import (
    HARD_QUALITY,
    MUTE_QUALITY,
    EngineInput,
    Float64,
    Int32,
    Quality,
    ReadingBatch,
    SeriesTable,
)
from rules import why
from rules.catalogue import Catalogue
from rules.found import Found, by_reading, cleared_by_input
from rules.kernel import ACTIVE, PairKernel
from rules.rounds import Rows
from rules.rule import ThresholdRule
from rules.transition import To, Transition

_HOLDING: Final = 2
"""A raise hold runs where the alarm is not active, a clear hold where it is; it began at `since_us`."""

_BLANK: Final[dict[str, np.generic]] = {
    "status": np.uint8(0),
    "since_us": np.int64(0),
    "last_us": np.int64(0),
}
_UNSEEN: Final = int(HARD_QUALITY | MUTE_QUALITY | Quality.DUPLICATE | Quality.LATE | Quality.STALE)
"""Readings that neither raise, clear nor count for a hold (contracts 4 and 7)."""
_QUEUED: Final = int(Quality.QUEUED)


class ThresholdKernel(PairKernel[ThresholdRule]):
    """All threshold rules of a catalogue. A rule relative to an unknown (NaN) reference is off."""

    def __init__(self, catalogue: Catalogue, table: SeriesTable) -> None:
        rules = catalogue.of(ThresholdRule)
        super().__init__(rules, catalogue.order(), _BLANK, table)
        self._relative = np.array([rule.raise_at.is_relative for rule in rules], np.bool_)
        self._raise = np.array([rule.raise_at.value_for(rule.metric) for rule in rules], np.float64)
        self._clear = np.array([rule.clear_below.value_for(rule.metric) for rule in rules], np.float64)
        self._hold = np.array([rule.hold for rule in rules], np.int64)
        self._clear_hold = np.array([rule.clear_hold for rule in rules], np.int64)
        self._max_gap = np.array([rule.max_gap for rule in rules], np.int64)

    def evaluate(self, batch: ReadingBatch) -> list[Found]:
        """What the readings of `batch` raise and clear."""
        rows, pair = self.pairs.expand(batch.slot)
        if not len(rows):
            return []
        above = batch.value.take(rows) >= self._level(self._raise, pair, batch.slot.take(rows))
        hot = above | (self.pairs.state["status"].take(pair) != 0)
        if not hot.any():  # all below their levels and no hold running: nothing to decide, nothing to keep
            return []
        turns = self.in_rounds(batch, rows, pair, hot=hot, unseen=_UNSEEN)
        return [found for rows, pair in turns for found in self._round(batch, rows, pair)]

    def _level(self, limit: Float64, pair: Rows, slot: Int32) -> Float64:
        rule = self.pairs.rule.take(pair)
        reference = self.pairs.table.reference_a.take(slot)
        if not self._relative.all():
            reference = np.where(self._relative[rule], reference, 1.0)
        return limit.take(rule) * reference

    def _round(self, batch: ReadingBatch, rows: Rows, pair: Rows) -> list[Found]:
        """One reading a pair: moves the holds and tells those that are satisfied."""
        state, rule = self.pairs.state, self.pairs.rule[pair]
        value, slot, observed = batch.value[rows], batch.slot[rows], batch.observed_us[rows]
        status = state["status"][pair]
        active = (status & ACTIVE) != 0
        above = value >= self._level(self._raise, pair, slot)
        below = value < self._level(self._clear, pair, slot)
        # A queued reading waited for us: its hold starts again with the next live one (contract 6).
        toward = np.where(active, below, above) & ((batch.quality[rows] & _QUEUED) == 0)
        unbroken = ((status & _HOLDING) != 0) & (observed - state["last_us"][pair] <= self._max_gap[rule])
        since = np.where(unbroken, state["since_us"][pair], observed)
        held = observed - since
        done = toward & (held >= np.where(active, self._clear_hold[rule], self._hold[rule]))
        state["status"][pair] = np.where(active ^ done, ACTIVE, 0) | np.where(toward & ~done, _HOLDING, 0)
        state["since_us"][pair] = since
        state["last_us"][pair] = observed
        return [
            self._tell(batch, int(rows[n]), int(rule[n]), int(held[n]), was_active=bool(active[n]))
            for n in np.flatnonzero(done)
        ]

    def _tell(self, batch: ReadingBatch, row: int, number: int, held_us: int, *, was_active: bool) -> Found:
        rule, table = self.rules[number], self.pairs.table
        reference = float(table.reference_a[batch.slot[row]])
        say, to = (why.held_below, To.CLEARED) if was_active else (why.held_above, To.RAISED)
        said = say(rule, float(batch.value[row]), reference, held_us)
        return Found(row, self.order[number], by_reading(rule, to, batch, row, table=table, why=said))

    def apply(self, given: EngineInput, now_us: int) -> Transition | None:
        """A reset or close: an active alarm clears at once, and comes back only by a new hold."""
        number = self.number[given.rule]
        pair = self.pairs.find(given.slot, number)
        if pair < 0 or not self.pairs.state["status"][pair] & ACTIVE:
            return None
        self.pairs.state["status"][pair] = 0
        said = why.by_person(given.kind)
        return cleared_by_input(
            self.rules[number],
            given,
            slot=given.slot,
            place=0,
            table=self.pairs.table,
            now_us=now_us,
            why=said,
        )
