"""The threshold kernel: a value at or above a level for a hold raises, below the clear level for a hold
clears.

Most readings of most nights are below every level and hold nothing: they cost one look-up and one comparison
(the early return of `evaluate`). State: as of judging, 18 bytes a pair.
"""

from __future__ import annotations

import numpy as np

from devices.model import Float64
from rules.found import Found
from rules.judged import JudgedKernel
from rules.look import Look
from rules.rounds import Rows
from rules.rule import JudgedRule


class ThresholdRule(JudgedRule, frozen=True, kw_only=True, tag="threshold"):
    """An alarm on a value itself. A flag is 0 or 1: `raise = "1"`, `clear = "1"`."""


class ThresholdKernel(JudgedKernel[ThresholdRule]):
    """All threshold rules of a catalogue. A rule relative to an unknown (NaN) rating is off."""

    def evaluate(self, look: Look) -> list[Found]:
        """What the readings raise and clear."""
        batch = look.batch
        rows, pair = self.pairs.concerned(batch.slot, look.metric)
        if not len(rows):
            return []
        value = batch.value.take(rows)
        if self.any_below:
            value = value * self.settings.sign.take(self.pairs.facts["setting"].take(pair))
        hot = value >= self.pairs.facts["level"].take(pair)
        hot |= self.pairs.state["status"].take(pair) != 0
        if not hot.any():  # all below their levels and no hold running: nothing to decide, nothing to keep
            return []
        kept = self.pairs.company(pair, hot) if look.repeats else hot
        judged = np.flatnonzero(kept if look.whole else kept & look.usable(rows))
        found: list[Found] = []
        for some_rows, some_pairs in self.turns(look, rows.take(judged), pair.take(judged)):
            found += self.judge(look, some_rows, some_pairs, batch.value.take(some_rows))
        return found

    def measure(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """The value itself."""
        value: Float64 = look.batch.value.take(rows)
        return value
