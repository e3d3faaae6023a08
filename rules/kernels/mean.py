"""The mean kernel: a mean over the last while, weighted with time.

The while is six parts of the clock. What was the case since the reading before is added to two sums that only
grow, of thousandths of the unit × milliseconds and of milliseconds; a ring of six keeps what they were when
each part began. The difference is the window: whole numbers, so that grouping cannot matter.

State: 128 bytes a pair, besides judging.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import numpy as np

from devices.model import Float64, Int64, Metric, SeriesTable
from rules import why
from rules.columns import of_rule, put_rows, take_rows
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
_SUM, _MS, _THOUSANDTHS, _SEEN_US, _SUMS = range(5)
"""Where in a row of `gathered` both sums are, the value and the time of the reading before, and the ring: six
of the one sum, then six of the other."""
_SUMS_MS: Final = _SUMS + PARTS
_WIDTH: Final = _SUMS_MS + PARTS


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
        "gathered": np.array([0, 0, 0, _NEVER, *[0] * (2 * PARTS)], np.int64),
    }
    """One row, for all of it is read and written together. The ring has what the sums were when a part began,
    at its number modulo 6. Sums may wrap: only differences count."""

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
        rule = self.pairs.rule.take(pair)
        part_us = of_rule(self._part_us, rule)
        row: Int64 = take_rows(self.pairs.state["gathered"], pair)
        observed, seen = look.batch.observed_us.take(rows), row[:, _SEEN_US].copy()
        since = observed - seen
        goes_on = (since >= 0) & (since <= of_rule(self._max_gap, rule)) & ~look.queued(rows)
        part, passed_ms = observed // part_us, since // 1000
        moved = part - seen // part_us
        if not goes_on.all():
            anew = ~goes_on
            row[anew] = passed_ms[anew] = moved[anew] = 0
        _turn(row, part, moved)
        row[:, _SUM] += row[:, _THOUSANDTHS] * passed_ms
        row[:, _MS] += passed_ms
        value = np.minimum(np.maximum(look.batch.value.take(rows), -MOST), MOST)
        row[:, _THOUSANDTHS] = np.rint(value * 1000)
        row[:, _SEEN_US] = observed
        put_rows(self.pairs.state["gathered"], pair, row)
        first = _in_ring(part + 1) + np.arange(_SUMS, row.size, _WIDTH)
        ms = row[:, _MS] - row.reshape(-1).take(first + PARTS)
        total = row[:, _SUM] - row.reshape(-1).take(first)
        known = ms >= of_rule(self._least_ms, rule)
        return np.where(known, total / np.maximum(ms, 1) / 1000, np.nan)

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


def _turn(row: Int64, part: Int64, moved: Int64) -> None:
    """Other parts than the one before have begun since: so many as it moved on, six at most."""
    for back in range(PARTS):
        begun = np.flatnonzero(moved > back)
        if not len(begun):
            return
        at = begun * _WIDTH + _SUMS + _in_ring(part[begun] - back)
        row.reshape(-1)[at] = row[begun, _SUM]
        row.reshape(-1)[at + PARTS] = row[begun, _MS]


def _in_ring(part: Int64) -> Int64:
    """`part % PARTS`, in a third of the time."""
    return part - part // PARTS * PARTS
