"""The usual kernel: how far a value is above what is usual at this hour of the day.

Usual is the median of the means of the same local hour on the seven days before. It is worked out once an
hour a series, so that most readings cost one look-up. State: 368 bytes a pair (336 of hours' means, 32 of
this hour), besides judging.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import numpy as np

from devices.model import Float64, Int64, Metric, SeriesTable
from rules import why
from rules.columns import put_rows
from rules.judged import JudgedKernel
from rules.look import Ground, Look
from rules.means import UNKNOWN, kept, middle, thousandths
from rules.nouns import noun, noun_zh
from rules.pairs import Blank
from rules.quantity import BREAKER_UNIT, REFERENCE_UNIT, Level, units_of
from rules.rounds import Rows
from rules.rule import JudgedRule
from rules.settings import Setting
from rules.transition import Why

DAYS: Final = 7
"""Days that are looked back on: a week has every weekday once."""
_WEEK: Final = 24 * DAYS
_HOUR, _SUM, _COUNT, _USUAL = range(4)
_PLACE: Final = (np.arange(DAYS) * 24 + np.arange(24)[:, None]).astype(np.int16)
"""Which hour of a week each place of `hours` holds."""


class UsualRule(JudgedRule, frozen=True, kw_only=True, tag="usual"):
    """An alarm on a value above its usual one, which must be known from `least` days of seven."""

    numbers: ClassVar[tuple[str, ...]] = (*JudgedRule.numbers, "least")

    least: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.least <= DAYS:
            raise ValueError(f"key `least`: {self.least} days; 1 to {DAYS} are allowed")

    def units(self, metric: Metric) -> dict[str, float]:
        """Those of the metric: a difference has them too. No multiples of a rating."""
        return {unit: factor for unit, factor in units_of(metric).items() if unit not in _RATINGS}


_RATINGS: Final = (REFERENCE_UNIT, BREAKER_UNIT)


class UsualKernel(JudgedKernel[UsualRule]):
    """All usual rules of a catalogue.

    `now` is this hour (local, since 1970; -1: none yet), the sum of its readings in thousandths, their
    number, and twice the usual of this hour in thousandths (-1: not known). `hours` are means in
    thousandths by hour of the day and day modulo 7.
    """

    columns: ClassVar[Mapping[str, Blank]] = {
        "now": np.array([-1, 0, 0, -1], np.int64),
        "hours": np.full((24, DAYS), UNKNOWN, np.uint16),
    }

    def __init__(
        self,
        rules: Sequence[UsualRule],
        order: Mapping[str, int],
        table: SeriesTable,
        ground: Ground,
        gated: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(rules, order, table, ground, gated)
        self._least = np.array([rule.least for rule in rules], np.int64)

    def measure(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """The value minus the usual one. A queued reading says 0: it ends a hold and is not learnt from."""
        if not look.any_queued:
            return self._above(look, rows, pair)
        queued = look.queued(rows)
        above = np.zeros(len(rows))
        above[~queued] = self._above(look, rows[~queued], pair[~queued])
        return above

    def tell(self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int) -> Why:
        """`residual current 412 mA, usual at this hour 38 mA: 374 mA above (≥ 100 mA) for 10 min`."""
        sign = "≤" if self.rules[self.pairs.rule[pair]].below else "≥"
        return self._told((look, row), pair, value, sign, setting.raise_at, held_us)

    def tell_cleared(
        self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int
    ) -> Why:
        """`residual current 60 mA, usual at this hour 38 mA: 22 mA above (< 60 mA) for 10 min`."""
        sign = ">" if self.rules[self.pairs.rule[pair]].below else "<"
        level = setting.raise_at if setting.clear_below is None else setting.clear_below
        return self._told((look, row), pair, value, sign, level, held_us)

    def _told(self, row: tuple[Look, int], pair: int, value: float, sign: str, level: Level, us: int) -> Why:
        rule, (look, at) = self.rules[self.pairs.rule[pair]], row
        units, metric = rule.units(rule.metric), rule.metric
        is_now = why.in_unit_of(level, float(look.batch.value[at]), units)
        usual = why.in_unit_of(level, float(self.pairs.state["now"][pair, _USUAL]) / 2000, units)
        above = f"{why.in_unit_of(level, abs(value), units)}"
        limit = f"{sign} {level}"
        side, side_zh = ("above", "高出") if value >= 0 else ("below", "低于")
        return Why(
            en=f"{noun(metric)} {is_now}, usual at this hour {usual}: {above} {side} ({limit}) "
            f"for {why.duration(us)}",
            zh_cn=f"{noun_zh(metric)} {is_now}，该时段通常 {usual}：{side_zh} {above}（{limit}），"
            f"持续 {why.duration_zh(us)}",
        )

    def _above(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        value = look.batch.value.take(rows)
        hour = look.calendar.hours(look.batch.observed_us.take(rows))
        now = self.pairs.state["now"].take(pair, axis=0)
        later = np.flatnonzero(hour > now[:, _HOUR])
        if len(later):
            now[later] = self._turn(pair[later], now[later], hour[later].astype(np.int64))
        now[:, _SUM] += thousandths(value)
        now[:, _COUNT] += 1
        put_rows(self.pairs.state["now"], pair, now)
        usual = now[:, _USUAL]
        return np.where(usual >= 0, value - usual / 2000, np.nan)

    def _turn(self, pair: Rows, now: Int64, hour: Int64) -> Int64:
        """Keeps the mean of the hour that is over, and begins `hour`."""
        hours, before = self.pairs.state["hours"], now[:, _HOUR]
        some = np.flatnonzero(before >= 0)
        mean = kept(now[some, _SUM], now[some, _COUNT])
        hours[pair[some], before[some] % 24, before[some] // 24 % DAYS] = mean
        missed = some[hour[some] - before[some] > 1]
        if len(missed):
            self._forget(pair[missed], before[missed] + 1, hour[missed] - before[missed] - 1)
        number, lower, upper = middle(hours[pair, hour % 24])
        known = number >= self._least[self.pairs.rule[pair]]
        begun = np.zeros_like(now)
        begun[:, _HOUR] = hour
        begun[:, _USUAL] = np.where(known, lower + upper, -1)
        return begun

    def _forget(self, pair: Rows, first: Int64, number: Int64) -> None:
        """So many hours from `first` on had no reading: what stands in their places is a week old."""
        since = _PLACE - (first % _WEEK).astype(np.int16)[:, None, None]
        since += (since < 0) * np.int16(_WEEK)
        hours = self.pairs.state["hours"]
        some = hours[pair]
        some[since < np.minimum(number, _WEEK).astype(np.int16)[:, None, None]] = UNKNOWN
        hours[pair] = some
