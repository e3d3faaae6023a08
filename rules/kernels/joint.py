"""The joint kernel: what a joint warms by a given load, day by day, against its own usual.

The warmth of a joint that carries a current grows with the current's square and with the joint's resistance:
their quotient is the same on warm and cold days and under any load, until the joint ages.

State: 81 bytes a pair and the 18 of judging (the values of 30 days, 60; the sums of this one, 16; the day and
how many readings, 5); and 32 of facts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, ClassVar, Final

import numpy as np
from msgspec import Meta

from devices.model import Bool, Float64, Int32, Int64, Metric, UInt8
from rules import why
from rules.columns import put_rows
from rules.comparing import ComparingKernel, ambient_of, check_load, check_metric, places
from rules.latest import NOWHERE
from rules.look import Look
from rules.pairs import Blank
from rules.quantity import Level, Span
from rules.rounds import Rows
from rules.rule import JudgedRule
from rules.settings import Setting
from rules.transition import Why

DAYS: Final = 30
"""Days that are usual (standards, T6)."""
LEAST_READINGS: Final = 20
"""Readings under load that make a day known (chosen: some hours of a meter that reports every 5 min)."""
MOST_MK_A2: Final = 65504.0
"""Most that a day's value can be: the largest number of 16 bits."""
_MOST_K: Final = 1000.0
_MOST_A: Final = 10_000.0
_NO_DAY: Final = -1
_WARMTH, _SQUARE = range(2)


class JointRule(JudgedRule, frozen=True, kw_only=True, tag="joint"):
    """An alarm on a joint that warms more than usual by the same load, as a multiple of the usual.

    Readings count under a load of at least `least_load`, with ambient temperature and current not more than
    `fresh` away. The usual is known from `least` days on.
    """

    numbers: ClassVar[tuple[str, ...]] = (*JudgedRule.numbers, "least_load", "fresh", "least")

    least_load: Level
    fresh: Span
    least: Annotated[int, Meta(ge=1, le=DAYS)]

    def __post_init__(self) -> None:
        check_metric(self, Metric.TEMPERATURE)
        super().__post_init__()
        check_load("least_load", self.least_load)

    def units(self, metric: Metric) -> dict[str, float]:
        """A multiple: it has none."""
        return {"": 1.0}


class JointKernel(ComparingKernel[JointRule]):
    """All joint rules of a catalogue. Known once a day, at the first reading of a later one."""

    columns: ClassVar[Mapping[str, Blank]] = {
        "day": np.int32(_NO_DAY),
        "readings": np.uint8(0),
        "sums": np.zeros(2, np.int64),
        "values": np.full(DAYS, np.nan, np.float16),
    }
    """`sums` are those of `day`, warmth and square, in thousandths of K and A²; `values` the days before it,
    in mK/A², each at its number modulo DAYS, NaN where it is not known."""
    facts: ClassVar[Mapping[str, Blank]] = {**places(3), "least": np.float64(np.nan)}
    """The kin: both ambient temperatures, and the current."""
    compares: ClassVar[frozenset[Metric]] = frozenset({Metric.TEMPERATURE_AMBIENT, Metric.CURRENT})

    @cached_property
    def _least_days(self) -> Int64:
        return np.array([rule.least for rule in self.rules], np.int64)

    def near(self, rule: JointRule) -> int:
        """`fresh`: `max_gap` is about days here."""
        return int(rule.fresh)

    def load_of(self, rule: JointRule) -> Level:
        """The least load."""
        return rule.least_load

    def kin_of(self, phase: UInt8) -> Sequence[tuple[Metric, UInt8 | int]]:
        """The ambient temperatures, and the current of the same channel."""
        return [*ambient_of(phase), (Metric.CURRENT, phase)]

    def measure(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """The day that is over, divided by its usual, at the first reading after it."""
        told = np.full(len(rows), np.nan)
        live = np.flatnonzero(~look.queued(rows)) if look.any_queued else np.arange(len(rows))
        if len(live) < len(rows):
            rows, pair = rows[live], pair[live]
        today = look.calendar.days(look.batch.observed_us.take(rows))
        day: Int32 = self.pairs.state["day"].take(pair)
        over = np.flatnonzero(today > day)
        if len(over):
            told[live[over]] = self._turn(pair[over], day[over], today[over])
        self._gather(look, rows, pair)
        return told

    def _turn(self, pair: Rows, day: Int32, today: Int32) -> Float64:
        """Ends `day` of these pairs, and begins `today`. What is measured, NaN where it is not known."""
        state = self.pairs.state
        value, values = self._value(pair), state["values"][pair]
        least = self.of_rule(self._least_days, pair)
        usual = _median(values.astype(np.float64), least)
        value[day == _NO_DAY] = np.nan
        values[np.arange(len(pair)), day % DAYS] = value
        values[_between(day, today)] = np.nan
        state["values"][pair], state["day"][pair] = values, today
        state["readings"][pair], state["sums"][pair] = 0, 0
        usual[usual <= 0] = np.nan
        return value / usual

    def _value(self, pair: Rows) -> Float64:
        """What a joint warmed by its load, in mK/A²; NaN where too few readings say so."""
        state = self.pairs.state
        sums: Int64 = state["sums"].take(pair, axis=0)
        square: Float64 = sums[:, _SQUARE].astype(np.float64)
        square[(state["readings"].take(pair) < LEAST_READINGS) | (square <= 0)] = np.nan
        return np.clip(sums[:, _WARMTH] * 1000 / square, 0, MOST_MK_A2)

    def _gather(self, look: Look, rows: Rows, pair: Rows) -> None:
        """Adds the readings under load to the sums of their day."""
        able = np.flatnonzero(self.able(pair))
        if len(able) < len(rows):
            rows, pair = rows.take(able), pair.take(able)
        current = self.newest(look, rows, pair, self.kin(2, pair))
        some = np.flatnonzero(current >= self.pairs.facts["least"].take(pair))
        if not len(some):
            return
        if len(some) < len(rows):
            rows, pair, current = rows.take(some), pair.take(some), current.take(some)
        warmth = look.batch.value.take(rows) - self.ambient(look, rows, pair)
        known = np.flatnonzero(~np.isnan(warmth))
        if len(known) < len(pair):
            pair, warmth, current = pair.take(known), warmth.take(known), current.take(known)
        milli_k = np.rint(np.minimum(np.maximum(warmth, -_MOST_K), _MOST_K) * 1000)
        milli_a2 = np.rint(np.minimum(current, _MOST_A) ** 2 * 1000)
        sums: Int64 = self.pairs.state["sums"].take(pair, axis=0)
        sums[:, _WARMTH] += milli_k.astype(np.int64)
        sums[:, _SQUARE] += milli_a2.astype(np.int64)
        put_rows(self.pairs.state["sums"], pair, sums)
        readings: UInt8 = self.pairs.state["readings"].take(pair)
        self.pairs.state["readings"][pair] = np.minimum(readings, 254) + np.uint8(1)

    def arrange(self, kin: list[Int32]) -> list[Int32]:
        """Nothing can be said without the current either."""
        device, own, current = super().arrange(kin)
        return [np.where(current >= 0, device, NOWHERE), own, current]

    def tell(self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int) -> Why:
        """`joint warms by 62.0 mK/A², 1.55 times its usual 40.0 mK/A² (≥ 1.5), 3 of 3 days`."""
        return self._told(pair, value, "≥", setting.raise_at)

    def tell_cleared(
        self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int
    ) -> Why:
        """The same of a clear."""
        return self._told(pair, value, "<", setting.clear_below or setting.raise_at)

    def _told(self, pair: int, value: float, sign: str, level: Level) -> Why:
        state, samples = self.pairs.state, self.rules[self.pairs.rule[pair]].samples
        back = (int(state["day"][pair]) - 1 - np.arange(DAYS)) % DAYS
        known = state["values"][pair][back]
        last = float(known[~np.isnan(known)][0])
        now = why.quantity(last, "mK/A²")
        usual = f" {why.quantity(last / value, 'mK/A²')}" if value else ""
        usual_zh = f"{usual} " if usual else ""
        return Why(
            en=f"joint warms by {now}, {value:.2f} times its usual{usual} ({sign} {level}), {samples} days",
            zh_cn=f"接头单位负荷温升 {now}，为平时{usual_zh}的 {value:.2f} 倍（{sign} {level}），"
            f"{samples.of} 天中有 {samples.need} 天",
        )


def _between(day: Int32, today: Int32) -> Bool:
    """For each pair and column of `values`: whether a day after `day` and before `today` is kept there."""
    past = (np.arange(DAYS) - day[:, None] - 1) % DAYS
    skipped: Bool = past < (today - day - 1)[:, None]
    return skipped


def _median(values: Float64, least: np.ndarray) -> Float64:
    """The median of each line, NaNs left out; NaN where fewer than `least` remain."""
    values = np.sort(values, axis=1)
    n = np.count_nonzero(~np.isnan(values), axis=1)
    line, n_or_one = np.arange(len(values)), np.maximum(n, 1)
    median: Float64 = (values[line, (n_or_one - 1) // 2] + values[line, n_or_one // 2]) / 2
    median[n < least] = np.nan
    return median
