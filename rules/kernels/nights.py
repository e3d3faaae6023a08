"""The nights kernel: whether a value rises from night to night.

At night a circuit is quiet, and what is left is the cable itself: its leakage rises over weeks before it
breaks down. One number a night is kept, and looked at once a night. State: 118 bytes a pair (62 of nights, 24
of this night's half-hours, 32 of this half-hour), besides judging.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import numpy as np

from devices.model import Float64, Int64, Metric, SeriesTable, UInt16
from rules import why
from rules.calendar import HOUR_US
from rules.columns import put_rows
from rules.judged import JudgedKernel
from rules.look import Ground, Look
from rules.means import UNKNOWN, kept, middle, moved_on, thousandths
from rules.nouns import noun, noun_zh
from rules.pairs import Blank
from rules.quantity import Level, Relative, units_of
from rules.rounds import Rows
from rules.rule import JudgedRule
from rules.settings import Setting
from rules.theil_sen import median_slope
from rules.transition import Why

KEPT: Final = 31
"""Nights kept: the newest, and those up to 30 days before it."""
TREND: Final = 14
"""Nights over which a slope is taken."""
_LONGEST_H: Final = 6
_LEAST_HALVES: Final = 3
_HALF, _SUM, _COUNT, _ENDED = range(4)


class NightsRule(JudgedRule, frozen=True, kw_only=True, tag="nights"):
    """An alarm on a rise a day over the nights from local `from_hour` to `until_hour`.

    It needs `least` nights of fourteen, and tells a rise only where the night's value stands at `level`, or
    has doubled in a month and stands at half of that.
    """

    numbers: ClassVar[tuple[str, ...]] = (*JudgedRule.numbers, "level", "from_hour", "until_hour", "least")

    level: Level
    from_hour: int
    until_hour: int
    least: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.below:
            raise ValueError("key `below`: a trend is raised above its level; leave it out")
        if not 0 <= self.from_hour <= 22:
            raise ValueError(f"key `from_hour`: {self.from_hour} is no such hour; 0 to 22 are allowed")
        first, last = self.from_hour + 2, min(24, self.from_hour + _LONGEST_H)
        if not first <= self.until_hour <= last:
            raise ValueError(f"key `until_hour`: {self.until_hour}; {first} to {last} are allowed")
        if not 2 <= self.least <= TREND:
            raise ValueError(f"key `least`: {self.least} nights; 2 to {TREND} are allowed")
        for metric in self.metrics:
            if self.level.relative is not Relative.NOTHING:
                raise ValueError("key `level`: a multiple of a rating is not allowed")
            self._value_of_level(metric)

    def units(self, metric: Metric) -> dict[str, float]:
        """Those of the metric a day: `mA/d`."""
        plain = units_of(metric).items()
        return {f"{unit}/d": factor for unit, factor in plain if Level(0, unit).relative is Relative.NOTHING}

    def _value_of_level(self, metric: Metric) -> float:
        try:
            return self.level.value_in(units_of(metric), metric.name_on_wire)
        except ValueError as error:
            raise ValueError(f"key `level`: {error}") from None

    @property
    def standing(self) -> float:
        """`level` in the metric's own unit."""
        return self._value_of_level(self.metric)


class NightsKernel(JudgedKernel[NightsRule]):
    """All nights rules of a catalogue.

    `now` is the half-hour that is gathered (local, since 1970; -1: none), the sum of its readings in
    thousandths, their number, and the newest night that has ended (local days; -1: none). `halves` are the
    means of this night's half-hours, `nights` the values of the nights up to the one that ended last, which
    is the last, in thousandths.
    """

    columns: ClassVar[Mapping[str, Blank]] = {
        "now": np.array([-1, 0, 0, -1], np.int64),
        "halves": np.full(2 * _LONGEST_H, UNKNOWN, np.uint16),
        "nights": np.full(KEPT, UNKNOWN, np.uint16),
    }

    def __init__(
        self,
        rules: Sequence[NightsRule],
        order: Mapping[str, int],
        table: SeriesTable,
        ground: Ground,
        gated: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(rules, order, table, ground, gated)
        self._first = np.array([2 * rule.from_hour for rule in rules], np.int64)
        self._end = np.array([2 * rule.until_hour for rule in rules], np.int64)
        self._least = np.array([rule.least for rule in rules], np.int64)
        self._level = np.array([rule.standing for rule in rules], np.float64)

    def measure(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """The rise a day, at the first reading after a night; NaN at all others, and at queued ones."""
        rise = np.full(len(rows), np.nan)
        local = look.calendar.local_us(look.batch.observed_us.take(rows)) // (HOUR_US // 2)
        now = self.pairs.state["now"].take(pair, axis=0)
        known = now[:, _ENDED]
        local = np.maximum(local, now[:, _HALF])  # where the clock went back
        day = local // 48
        half = local - 48 * day
        until = half < self.of_rule(self._end, pair)
        inside = until & (half >= self.of_rule(self._first, pair)) & (day > known)
        ended = day - until
        new = ended > known
        if look.any_queued:
            live = ~look.queued(rows)
            inside, new = inside & live, new & live
        over = np.flatnonzero(new)
        if len(over):
            rise[over] = self._close(pair[over], ended[over])
        within = np.flatnonzero(inside)
        if len(within):
            self._gather(pair[within], local[within], look.batch.value.take(rows[within]))
        return rise

    def tell(self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int) -> Why:
        """`residual current at night 131 mA, 30 days before 60.0 mA: rises by 6.20 mA/d (≥ 5.00 mA/d)`."""
        return self._told(pair, value, "≥", setting.raise_at)

    def tell_cleared(
        self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int
    ) -> Why:
        """`residual current at night 131 mA, 30 days before 131 mA: rises by 1.20 mA/d (< 2.00 mA/d)`."""
        level = setting.raise_at if setting.clear_below is None else setting.clear_below
        return self._told(pair, value, "<", level)

    def _told(self, pair: int, value: float, sign: str, level: Level) -> Why:
        rule = self.rules[self.pairs.rule[pair]]
        trend = self._trend(np.array([pair]), self.pairs.state["nights"][[pair]])
        slope, standing, before = (float(some[0]) for some in trend)
        limit = f"{sign} {level}"
        rise = why.in_unit_of(level, slope, rule.units(rule.metric))
        is_now = why.in_unit_of(rule.level, standing, units_of(rule.metric))
        en, zh_cn = f"{noun(rule.metric)} at night {is_now}", f"夜间{noun_zh(rule.metric)} {is_now}"
        if not np.isnan(before):
            was = why.in_unit_of(rule.level, before, units_of(rule.metric))
            en, zh_cn = f"{en}, 30 days before {was}", f"{zh_cn}，30 天前 {was}"
        if value > slope:  # it has doubled, however slowly it rises now
            return Why(
                en=f"{en}: at least doubled, now {rise}", zh_cn=f"{zh_cn}：至少翻倍，目前每日变化 {rise}"
            )
        return Why(en=f"{en}: change of {rise} ({limit})", zh_cn=f"{zh_cn}：每日变化 {rise}（{limit}）")

    def _gather(self, pair: Rows, local: Int64, value: Float64) -> None:
        """Adds readings of a night to their half-hours."""
        now = self.pairs.state["now"].take(pair, axis=0)
        later = np.flatnonzero(local > now[:, _HALF])
        if len(later):
            self._keep_half(pair[later], now[later])
            now[later, _HALF], now[later, _SUM], now[later, _COUNT] = local[later], 0, 0
        now[:, _SUM] += thousandths(value)
        now[:, _COUNT] += 1
        put_rows(self.pairs.state["now"], pair, now)

    def _keep_half(self, pair: Rows, now: Int64) -> None:
        """The half-hours that are over, where there are any."""
        some = np.flatnonzero(now[:, _HALF] >= 0)
        pair, now = pair[some], now[some]
        place = now[:, _HALF] % 48 - self._first[self.pairs.rule[pair]]
        self.pairs.state["halves"][pair, place] = kept(now[:, _SUM], now[:, _COUNT])

    def _close(self, pair: Rows, ended: Int64) -> Float64:
        """The night after the newest that had ended is over, and perhaps some more: `ended` is the newest
        now. The rise as of that one."""
        state = self.pairs.state
        now = state["now"].take(pair, axis=0)
        self._keep_half(pair, now)
        number, lower, upper = middle(state["halves"].take(pair, axis=0))
        value = kept(lower + upper, np.full(len(pair), 2))
        value = np.where(number >= _LEAST_HALVES, value, UNKNOWN)
        nights = moved_on(state["nights"].take(pair, axis=0), ended - now[:, _ENDED], value)
        put_rows(state["nights"], pair, nights)
        now[:] = [-1, 0, 0, 0]
        now[:, _ENDED] = ended
        put_rows(state["now"], pair, now)
        state["halves"][pair] = UNKNOWN
        return self._rise(pair, nights)

    def _rise(self, pair: Rows, nights: UInt16) -> Float64:
        slope, standing, before = self._trend(pair, nights)
        level = self._level[self.pairs.rule[pair]]
        rise = np.where(standing >= level, slope, np.minimum(slope, 0))
        doubled = (standing >= level / 2) & (standing >= 2 * before)
        return np.where(doubled, np.maximum(rise, self.levels(pair)), rise)

    def _trend(self, pair: Rows, nights: UInt16) -> tuple[Float64, Float64, Float64]:
        """As of the newest night: the slope a day (NaN: not known), where the value stands and stood 28 to
        30 days before, in the metric's unit."""
        number = np.count_nonzero(nights[:, -TREND:] != UNKNOWN, axis=1)
        standing, before = _of_three(nights[:, -3:]), _of_three(nights[:, :3])
        enough = (number >= self._least[self.pairs.rule[pair]]) & (nights[:, -1] != UNKNOWN)
        enough = np.flatnonzero(enough & ~np.isnan(standing))
        slope = np.full(len(pair), np.nan)
        slope[enough] = median_slope(nights[enough, -TREND:]) / 2_000_000
        return slope, standing, before


def _of_three(nights: UInt16) -> Float64:
    """The median of three nights of which two are known, in the metric's unit; else NaN."""
    number, lower, upper = middle(nights)
    return np.where(number >= 2, (lower + upper) / 2000, np.nan)
