"""The threshold kernel: a value at or above a level for a hold raises, below the clear level for a hold
clears.

Most readings of most nights are below every level and hold nothing: they cost one look-up and one comparison
(the early return of `evaluate`). State: as of judging, 18 bytes a pair; and 8 of facts a slot.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from devices.model import Float64
from rules.found import Found
from rules.judged import JudgedKernel
from rules.look import Look
from rules.pairs import Blank
from rules.rounds import Rows
from rules.rule import JudgedRule


class ThresholdRule(JudgedRule, frozen=True, kw_only=True, tag="threshold"):
    """An alarm on a value itself. A flag is 0 or 1: `raise = "1"`, `clear = "1"`."""


class ThresholdKernel(JudgedKernel[ThresholdRule]):
    """All threshold rules of a catalogue. A rule relative to an unknown (NaN) rating is off.

    `lowest` is the least value at which any pair of a slot has to be judged: a reading costs one look,
    however many rules there are. Rules that raise below their level are judged at every reading.
    """

    of_slot: ClassVar[Mapping[str, Blank]] = {"lowest": np.float64(np.inf)}

    def evaluate(self, look: Look) -> list[Found]:
        """What the readings raise and clear."""
        rows, slot = look.heard(self._watched)
        hot = look.batch.value.take(rows) >= self.pairs.of_slot["lowest"].take(slot)
        some = np.flatnonzero(hot)
        if not len(some):  # all below their levels and no hold running: nothing to decide, nothing to keep
            return []
        if look.repeats:
            some = np.flatnonzero(np.isin(slot, slot.take(some)))
        rows, pair = self.pairs.each(*self.pairs.heard(rows.take(some), slot.take(some)))
        if not look.whole:
            usable = np.flatnonzero(look.usable(rows))
            rows, pair = rows.take(usable), pair.take(usable)
        found: list[Found] = []
        for some_rows, some_pairs in self.turns(look, rows, pair):
            found += self.judge(look, some_rows, some_pairs, look.batch.value.take(some_rows))
        return found

    def measure(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """The value itself."""
        value: Float64 = look.batch.value.take(rows)
        return value

    def rouse(self, pair: Rows, level: Float64 | None = None) -> None:
        """As `JudgedKernel.rouse`, for all pairs of their slots."""
        slot = np.unique(self.pairs.slot.take(pair))
        if not len(slot):
            return
        row, pair = self.pairs.expand(slot)
        wakes = self.wakes(pair)
        if self.any_below:
            wakes[(self.of_rule(self._sign, pair) < 0) & (wakes < np.inf)] = -np.inf
        begins = np.flatnonzero(np.diff(row, prepend=-1))
        self.pairs.of_slot["lowest"][slot] = np.minimum.reduceat(wakes, begins)
