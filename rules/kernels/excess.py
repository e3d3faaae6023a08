"""The excess kernel: how far the mean power of an hour of the night is above the most that is usual at night.

Usual most is the 95th percentile of the highest hourly means of the nights before: what sleeps in the flat
needs that much, what is more was left on. State: 120 bytes a pair (56 of nights, 64 of this one), besides
judging.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import numpy as np

from devices.model import Bool, Float64, Int64, Metric, SeriesTable
from rules import why
from rules.calendar import HOUR_US
from rules.columns import put_rows
from rules.judged import JudgedKernel
from rules.look import Ground, Look
from rules.means import UNKNOWN, kept, moved_on, thousandths
from rules.nouns import noun, noun_zh
from rules.pairs import Blank
from rules.quantity import BREAKER_UNIT, REFERENCE_UNIT, Level, units_of
from rules.rounds import Rows
from rules.rule import JudgedRule
from rules.settings import Setting
from rules.transition import Why

NIGHTS: Final = 28
"""Nights that are looked back on: four weeks."""
_HOUR, _SUM, _COUNT, _ENDED, _PEAK, _MOST, _TOLD, _DUE = range(8)


class ExcessRule(JudgedRule, frozen=True, kw_only=True, tag="excess"):
    """An alarm on an hour of the night, from local `from_hour` of one day to `until_hour` of the next, whose
    mean is above the most that was usual; at least `least` nights must be known."""

    numbers: ClassVar[tuple[str, ...]] = (*JudgedRule.numbers, "from_hour", "until_hour", "least")

    from_hour: int
    until_hour: int
    least: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.below:
            raise ValueError("key `below`: an excess is raised above its level; leave it out")
        if not 1 <= self.from_hour <= 23:
            raise ValueError(f"key `from_hour`: {self.from_hour} is no such hour; 1 to 23 are allowed")
        if not 0 <= self.until_hour < self.from_hour:
            raise ValueError(
                f"key `until_hour`: {self.until_hour}; an hour of the next morning, 0 to "
                f"{self.from_hour - 1}, is allowed"
            )
        if not 1 <= self.least <= NIGHTS:
            raise ValueError(f"key `least`: {self.least} nights; 1 to {NIGHTS} are allowed")

    def units(self, metric: Metric) -> dict[str, float]:
        """Those of the metric. No multiples of a rating."""
        ratings = (REFERENCE_UNIT, BREAKER_UNIT)
        return {unit: factor for unit, factor in units_of(metric).items() if unit not in ratings}


class ExcessKernel(JudgedKernel[ExcessRule]):
    """All excess rules of a catalogue.

    `now` is the hour of the night that is gathered (local, since 1970; -1: none), the sum of its readings in
    thousandths, their number, the newest night that has ended (the local day it began on; -1: none), the
    highest hour of this night, the usual most, the mean of the hour told last (-1: not known, in these
    three), and whether the end of a night is still to be told. `nights` are the highest hours
    of the nights up to that one (last), in whole units.
    """

    columns: ClassVar[Mapping[str, Blank]] = {
        "now": np.array([-1, 0, 0, -1, -1, -1, -1, 0], np.int64),
        "nights": np.full(NIGHTS, UNKNOWN, np.uint16),
    }

    def __init__(
        self,
        rules: Sequence[ExcessRule],
        order: Mapping[str, int],
        table: SeriesTable,
        ground: Ground,
        gated: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(rules, order, table, ground, gated)
        self._first = np.array([rule.from_hour for rule in rules], np.int64)
        self._long = np.array([24 - rule.from_hour + rule.until_hour for rule in rules], np.int64)
        self._least = np.array([rule.least for rule in rules], np.int64)

    def measure(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """The excess of an hour that is over, 0 once after a night; NaN at all others, and at queued ones."""
        excess = np.full(len(rows), np.nan)
        hour = look.calendar.local_us(look.batch.observed_us.take(rows)) // HOUR_US
        now = self.pairs.state["now"].take(pair, axis=0)
        hour = np.maximum(hour, now[:, _HOUR])  # where the clock went back
        since = hour - self.of_rule(self._first, pair)
        night = since // 24
        inside = since - 24 * night < self.of_rule(self._long, pair)
        ended = night - inside
        told = (now[:, _HOUR] >= 0) & (hour > now[:, _HOUR])
        over, due = ended > now[:, _ENDED], now[:, _DUE] != 0
        inside &= night > now[:, _ENDED]
        touched = told | over | due | inside
        if look.any_queued:
            touched &= ~look.queued(rows)
        if not touched.any():
            return excess
        if told.any():
            _tell(now, np.flatnonzero(told & touched), excess)
        if due.any():
            _end(now, due & touched, due & touched & ~told & ~inside, excess)
        if over.any():
            some = np.flatnonzero(over & touched)
            self._close(now, some, pair[some], ended[some])
        if inside.any():
            _gather(now, inside & touched, hour, look.batch.value.take(rows))
        put_rows(self.pairs.state["now"], pair, now)
        return excess

    def tell(self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int) -> Why:
        """`active power 2400 W over an hour of the night, usually 1100 W at most: 1300 W above`."""
        return self._told(pair, value, "≥", setting.raise_at)

    def tell_cleared(
        self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int
    ) -> Why:
        """The same with what is below the clear level, or that the night is over."""
        level = setting.raise_at if setting.clear_below is None else setting.clear_below
        return self._told(pair, value, "<", level)

    def _told(self, pair: int, value: float, sign: str, level: Level) -> Why:
        rule, mean = self.rules[self.pairs.rule[pair]], float(self.pairs.state["now"][pair, _TOLD])
        if mean < 0:
            return Why(en="the night is over", zh_cn="夜间时段已结束")
        units = rule.units(rule.metric)
        is_now = why.in_unit_of(level, mean, units)
        usual, above = why.in_unit_of(level, mean - value, units), why.in_unit_of(level, abs(value), units)
        limit = f"{sign} {level}"
        side, side_zh = ("above", "高出") if value >= 0 else ("below", "低于")
        return Why(
            en=f"{noun(rule.metric)} {is_now} over an hour of the night, usually {usual} at most: "
            f"{above} {side} ({limit})",
            zh_cn=f"夜间一小时平均{noun_zh(rule.metric)} {is_now}，通常最高 {usual}："
            f"{side_zh} {above}（{limit}）",
        )

    def _close(self, now: Int64, some: Rows, pair: Rows, ended: Int64) -> None:
        """The night after the newest that had ended is over, and perhaps some more: `ended` is the newest."""
        peak = now[some, _PEAK]
        nights = self.pairs.state["nights"].take(pair, axis=0)
        nights = moved_on(nights, ended - now[some, _ENDED], np.where(peak >= 0, peak, UNKNOWN))
        put_rows(self.pairs.state["nights"], pair, nights)
        now[some, _DUE] |= peak >= 0
        now[some, _ENDED], now[some, _PEAK] = ended, -1
        ordered = np.sort(nights, axis=1)
        number = np.count_nonzero(ordered != UNKNOWN, axis=1)
        rank = (95 * number + 99) // 100
        most = ordered[np.arange(len(pair)), np.maximum(rank - 1, 0)]
        now[some, _MOST] = np.where(number >= self._least[self.pairs.rule[pair]], most.astype(np.int64), -1)


def _tell(now: Int64, some: Rows, excess: Float64) -> None:
    """The excess of the hour that is over; it is gathered no more."""
    mean = kept(now[some, _SUM], now[some, _COUNT] * 1000).astype(np.int64)
    most = now[some, _MOST]
    now[some, _PEAK] = np.maximum(now[some, _PEAK], mean)
    now[some, _TOLD] = mean
    now[some, _HOUR] = -1
    excess[some] = np.where(most >= 0, mean - most, np.nan)


def _end(now: Int64, due: Bool, morning: Bool, excess: Float64) -> None:
    """The end of a night is told, or overtaken by the next one."""
    excess[morning] = 0
    now[morning, _TOLD] = -1
    now[due, _DUE] = 0


def _gather(now: Int64, inside: Bool, hour: Int64, value: Float64) -> None:
    """Adds readings of a night to their hours."""
    new = np.flatnonzero(inside & (now[:, _HOUR] < 0))
    now[new, _SUM] = now[new, _COUNT] = 0
    np.copyto(now[:, _HOUR], hour, where=inside)
    now[:, _SUM] += thousandths(value) * inside
    now[:, _COUNT] += inside
