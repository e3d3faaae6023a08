"""The mean kernel: a mean over the last while, weighted with time.

The while is six parts of the clock. What was the case since the reading before is added to two sums that only
grow, of thousandths of the unit × milliseconds and of milliseconds; a ring of six keeps what they were when
each part began. The difference is the window: whole numbers, so that grouping cannot matter.

State: 96 bytes a pair, besides judging.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import numpy as np

from devices.model import Float64, Int32, Int64, Metric, SeriesTable
from rules import why
from rules.judged import JudgedKernel
from rules.look import Ground, Look
from rules.nouns import noun, noun_zh
from rules.pairs import Blank
from rules.quantity import Span
from rules.rounds import Rows
from rules.rule import JudgedRule
from rules.settings import Setting
from rules.transition import Why

PARTS: Final = 6
SHORTEST: Final = Span(PARTS * 1_000_000)
LONGEST: Final = Span(24 * 3_600_000_000)
"""Of a window (chosen: a part is a second or more; a day's sum of the largest values fits 64 bits)."""
MOST: Final = 2_000_000.0
"""Largest value that is not cut (chosen: its thousandths fit 32 bits; above what any circuit can say)."""
_NEVER: Final = -(2**62)
_EIGHT: Final = 8
_SUM, _SEEN_US, _RING = range(3)
_MS, _THOUSANDTHS = range(2)
"""Where in `sums` the sum and the time of the reading before are, and in `times` the milliseconds and the
value of the reading before; the ring is behind them in both."""


class MeanRule(JudgedRule, frozen=True, kw_only=True, tag="mean"):
    """An alarm on the mean over `window`: from 6 s to 24 h, divisible by 6 s."""

    numbers: ClassVar[tuple[str, ...]] = (*JudgedRule.numbers, "window")

    window: Span

    def __post_init__(self) -> None:
        super().__post_init__()
        if not SHORTEST <= self.window <= LONGEST or self.window % SHORTEST:
            raise ValueError("key `window`: a time from 6 s to 24 h that 6 s divide is allowed")
        if self.max_gap > self.window:
            raise ValueError("key `max_gap`: is longer than `window`; a time up to that is allowed")


class MeanKernel(JudgedKernel[MeanRule]):
    """All mean rules of a catalogue."""

    columns: ClassVar[Mapping[str, Blank]] = {
        "sums": np.array([0, _NEVER, *[0] * PARTS], np.int64),
        "times": np.zeros(2 + PARTS, np.int32),
    }
    """A line of the cache and half of one, of which single cells are read and written. A ring has what a sum
    was when a part began, at its number modulo 6. Sums may wrap: only differences count."""

    def __init__(
        self,
        rules: Sequence[MeanRule],
        order: Mapping[str, int],
        table: SeriesTable,
        ground: Ground,
        gated: frozenset[str] = frozenset(),
    ) -> None:
        self._least_ms = np.array([rule.window // 1500 for rule in rules], np.int64)
        self._part_us = np.array([rule.window // PARTS for rule in rules], np.int64)
        self._max_gap = np.array([rule.max_gap for rule in rules], np.int64)
        super().__init__(rules, order, table, ground, gated)

    def measure(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """The mean, NaN where less than two thirds of the window is gathered."""
        part_us, at = self.of_rule(self._part_us, pair), pair * _EIGHT
        sums: Int64 = self.pairs.state["sums"].reshape(-1)
        times: Int32 = self.pairs.state["times"].reshape(-1)
        observed, seen = look.batch.observed_us.take(rows), sums.take(at + _SEEN_US)
        total, ms = sums.take(at), times.take(at)
        since = observed - seen
        goes_on = (since >= 0) & (since <= self.of_rule(self._max_gap, pair))
        if look.any_queued:
            goes_on &= ~look.queued(rows)
        part, passed_ms = observed // part_us, since // 1000
        moved = part - seen // part_us
        if not goes_on.all():
            anew = ~goes_on
            total[anew] = ms[anew] = passed_ms[anew] = moved[anew] = 0
            for name, blank in self.columns.items():
                self.pairs.state[name][pair[anew]] = blank
        self._turn(pair, part, moved, total, ms)
        total += times.take(at + _THOUSANDTHS) * passed_ms
        ms += passed_ms.astype(np.int32)
        value = np.minimum(np.maximum(look.batch.value.take(rows), -MOST), MOST)
        sums[at], times[at] = total, ms
        sums[at + _SEEN_US], times[at + _THOUSANDTHS] = observed, np.rint(value * 1000)
        first = at + _ring(part + 1)
        ms -= times.take(first)
        total -= sums.take(first)
        known = ms >= self.of_rule(self._least_ms, pair)
        return np.where(known, total / np.maximum(ms, 1) / 1000, np.nan)

    def _turn(self, pair: Rows, part: Int64, moved: Int64, total: Int64, ms: Int32) -> None:
        """Other parts than the one before have begun since: so many as it moved on, six at most."""
        sums, times = (self.pairs.state[name].reshape(-1) for name in ("sums", "times"))
        for back in range(PARTS):
            begun = np.flatnonzero(moved > back)
            if not len(begun):
                return
            at = pair.take(begun) * _EIGHT + _ring(part.take(begun) - back)
            sums[at], times[at] = total.take(begun), ms.take(begun)

    def tell(self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int) -> Why:
        """`mean current 23.1 A over 30 min ≥ 22.5 A (0.9 × 25 A)`."""
        return self._say(look, row, pair, value, setting, held_us, cleared=False)

    def tell_cleared(
        self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int
    ) -> Why:
        """`mean current 19.0 A over 30 min < 20.0 A (0.8 × 25 A) for 10 min`."""
        return self._say(look, row, pair, value, setting, held_us, cleared=True)

    def _say(
        self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int, *, cleared: bool
    ) -> Why:
        rule, metric = self.rules[self.pairs.rule[pair]], Metric(look.table.metric[look.batch.slot[row]])
        level = setting.clear_below if cleared and setting.clear_below is not None else setting.raise_at
        compared = f"{why.sign(rule, cleared=cleared)} {why.limit(level, metric, self._reference(pair))}"
        mean, (lasting, lasting_zh) = why.measured(value, level, metric), why.lasting(held_us)
        return Why(
            en=f"mean {noun(metric)} {mean} over {why.duration(rule.window)} {compared}{lasting}",
            zh_cn=f"{noun_zh(metric)} {why.duration_zh(rule.window)}平均 {mean} {compared}{lasting_zh}",
        )

    def start_over(self, pair: int) -> None:
        """The window is empty: the mean is known again when two thirds of it have passed."""
        for name, blank in self.columns.items():
            self.pairs.state[name][pair] = blank


def _ring(part: Int64) -> Int64:
    """Where in a row the ring's cell of a part is: `part % PARTS` in a third of the time, and `_RING`."""
    return part - part // PARTS * PARTS + _RING
