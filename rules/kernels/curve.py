"""The curve kernel: how much of the time is over in which a breaker must have tripped.

IEC 60898 gives points: 1.45 times the rating for less than an hour (two hours above 63 A), 2.55 times for
less than 60 s (120 s above 32 A); 1.13 times may flow for good. Between them the longest time is a straight
line of logarithms. A current that varies gathers a dose: the part of the longest time that is over, at each
moment by the current of that moment. A cool cable takes it back within an hour.

State: 32 bytes a pair, besides judging.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import numpy as np
from msgspec import UnsetType

from devices.model import Float64, Int64, Metric, SeriesTable, UInt8
from rules import why
from rules.judged import JudgedKernel
from rules.look import Ground, Look
from rules.pairs import Blank
from rules.quantity import Level
from rules.rounds import Rows
from rules.rule import JudgedRule
from rules.settings import Setting
from rules.transition import Why

TRIPS: Final = 1.45
"""IEC 60898: at so many times its rating a breaker trips within the conventional time."""
RESTS: Final = 1.13
"""IEC 60898: at so many times its rating it does not."""
CONVENTIONAL_S: Final = (3600.0, 3600.0, 7200.0)
"""IEC 60898: the conventional time of breakers up to 32 A, above that up to 63 A, and above 63 A."""
SLOPE: Final = (-7.253, -6.025, -6.025)
"""From (1.45, conventional time) to 2.55 times the rating in 60 s up to 32 A and 120 s above: a straight line
of logarithms (chosen; the standard gives the points)."""
COOLS_S: Final = 3600.0
"""A full dose is taken back in so long below RESTS (chosen: the conventional time of small breakers)."""
WHOLE: Final = 1_000_000_000
"""The dose at which the longest time is over: doses are whole numbers, so that grouping cannot matter."""
MOST: Final = 1_000 * WHOLE
"""No dose is larger (chosen: far above any level, and fits 64 bits)."""
LARGEST: Final = 100.0
"""Level that may be asked for."""
_NEVER: Final = -(2**62)
_CONVENTIONAL_S: Final = np.array(CONVENTIONAL_S)
_SLOPE: Final = np.array(SLOPE)


class CurveRule(JudgedRule, frozen=True, kw_only=True, tag="curve"):
    """An alarm on the dose: 1 is the longest time in which the circuit's breaker must trip."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.metrics != (Metric.CURRENT,):
            raise ValueError("key `metric`: only `current` is allowed")
        if self.below:
            raise ValueError("key `below`: a dose counts from below; leave it out")

    def units(self, metric: Metric) -> dict[str, float]:
        """A dose has no unit."""
        return {"": 1.0}

    def check_limits(self, raise_at: Level, clear_below: Level | UnsetType) -> None:
        """Raises ValueError where these levels cannot be this rule's."""
        super().check_limits(raise_at, clear_below)
        if not 0 < raise_at.value <= LARGEST:
            raise ValueError(f"key `raise`: a number above 0 and up to {LARGEST:g} is allowed")


class CurveKernel(JudgedKernel[CurveRule]):
    """All curve rules of a catalogue. Off where the circuit's breaker is not known."""

    columns: ClassVar[Mapping[str, Blank]] = {
        "dose": np.int64(0),
        "hot_us": np.int64(0),
        "amperes": np.float64(0),
        "seen_us": np.int64(_NEVER),
    }
    """`amperes` and `seen_us` are the reading before; `hot_us` is how long the dose has grown since it was
    0."""

    def __init__(
        self,
        rules: Sequence[CurveRule],
        order: Mapping[str, int],
        table: SeriesTable,
        ground: Ground,
        gated: frozenset[str] = frozenset(),
    ) -> None:
        self._max_gap = np.array([rule.max_gap for rule in rules], np.int64)
        super().__init__(rules, order, table, ground, gated)

    def measure(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """The dose as a share of the longest time, NaN where the breaker is not known."""
        rating = look.table.breaker_a.take(look.batch.slot.take(rows)).astype(np.float64)
        known = rating > 0
        if known.all():
            return self._dose(look, rows, pair, rating)
        dose = np.full(len(rows), np.nan)
        dose[known] = self._dose(look, rows[known], pair[known], rating[known])
        return dose

    def _dose(self, look: Look, rows: Rows, pair: Rows, rating: Float64) -> Float64:
        state = self.pairs.state
        amperes, observed = look.batch.value.take(rows), look.batch.observed_us.take(rows)
        before, since = state["amperes"].take(pair), observed - state["seen_us"].take(pair)
        dose: Int64 = state["dose"].take(pair)
        state["amperes"][pair], state["seen_us"][pair] = amperes, observed
        hot = np.minimum(before, amperes) / rating
        grows = hot >= TRIPS
        if not dose.any() and not grows.any():
            return dose / WHOLE
        goes_on = (since <= self.of_rule(self._max_gap, pair)) & ~look.queued(rows)
        grows &= goes_on & (since > 0)
        cools = goes_on & (since > 0) & (dose > 0) & (np.maximum(before, amperes) / rating < RESTS)
        dose[~goes_on] = 0
        dose[grows] = np.minimum(dose[grows] + _grown(since[grows], hot[grows], rating[grows]), MOST)
        dose[cools] = np.maximum(dose[cools] - np.floor(_part(since[cools]) / COOLS_S), 0)
        hot_us = state["hot_us"].take(pair) + np.where(grows, since, 0)
        state["dose"][pair], state["hot_us"][pair] = dose, np.where(dose > 0, hot_us, 0)
        return dose / WHOLE

    def tell(self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int) -> Why:
        """`current 50.0 A, 2.00 × the breaker's 25 A, at 1.45 × or more for 5 min 50 s: ...`."""
        amperes, rating = self._measured(look, row)
        hot_us = int(self.pairs.state["hot_us"][pair])
        said, times = why.quantity(amperes, "A"), f"{amperes / rating:.2f}"
        time, time_zh = why.duration(hot_us), why.duration_zh(hot_us)
        return Why(
            en=f"current {said}, {times} × the breaker's {rating:g} A, at {TRIPS:g} × or more for {time}: "
            "it should have tripped by now",
            zh_cn=f"电流 {said}，为断路器额定 {rating:g} A 的 {times} 倍，"
            f"达到 {TRIPS:g} 倍以上已 {time_zh}：断路器应已脱扣",
        )

    def tell_cleared(
        self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int
    ) -> Why:
        """`current 20.0 A, 0.80 × the breaker's 25 A, cooled to 40 % of what trips it`."""
        amperes, rating = self._measured(look, row)
        said, times = why.quantity(amperes, "A"), f"{amperes / rating:.2f}"
        lasting, lasting_zh = why.lasting(held_us)
        share = f"{100 * value:.0f} %"
        return Why(
            en=f"current {said}, {times} × the breaker's {rating:g} A, cooled to {share} "
            f"of what trips it{lasting}",
            zh_cn=f"电流 {said}，为断路器额定 {rating:g} A 的 {times} 倍，"
            f"已回落至脱扣热量的 {share}{lasting_zh}",
        )

    def _measured(self, look: Look, row: int) -> tuple[float, float]:
        return float(look.batch.value[row]), float(look.table.breaker_a[look.batch.slot[row]])

    def stands_by(self, pair: int) -> float:
        """By the breaker: a dose is of its times."""
        off = math.isnan(super().stands_by(pair))
        return math.nan if off else float(self.pairs.table.breaker_a[self.pairs.slot[pair]])

    def start_over(self, pair: int) -> None:
        """The dose is 0."""
        self.pairs.state["dose"][pair] = self.pairs.state["hot_us"][pair] = 0


def longest_s(times: Float64, rating: Float64) -> Float64:
    """The longest time in which a breaker must trip at so many times its rating, TRIPS or more, in s."""
    size: UInt8 = (rating > 32).astype(np.uint8) + (rating > 63)
    longest: Float64 = _CONVENTIONAL_S[size] * np.power(times / TRIPS, _SLOPE[size])
    return longest


def _part(since: Int64) -> Float64:
    part: Float64 = WHOLE * (since / 1e6)
    return part


def _grown(since: Int64, times: Float64, rating: Float64) -> Int64:
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        grown = np.floor(_part(since) / longest_s(times, rating))
    return np.minimum(grown, MOST).astype(np.int64)
