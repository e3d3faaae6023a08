"""The supply kernel: the voltage of a phase, whichever way the meter tells it.

A meter of three phases may tell the voltages between them, which are √3 times as high and all alike. No fault
makes three voltages to the neutral so: without the neutral two phases go up and the third goes down. So three
alike, as high as between phases, are taken as that. Fewer are not: 381 V in a flat is a lost neutral, and it
sets fire to what is plugged in.

State: as of judging, 18 bytes a pair; and 24 of facts.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar, Final, NamedTuple

import numpy as np

from devices.model import Bool, Float64, Int32, Metric, SeriesTable, UInt8
from rules import why
from rules.comparing import NOBODY, MomentKernel, check_metric, places
from rules.look import Ground, Look
from rules.pairs import Blank
from rules.quantity import Level, Span
from rules.rounds import Rows
from rules.rule import JudgedRule
from rules.settings import Setting
from rules.transition import Why

BETWEEN_PHASES: Final = math.sqrt(3)
"""How much higher a voltage between two phases is than one to the neutral."""
_LAST_PHASE: Final = 3


class Bounds(NamedTuple):
    """The levels of a rule, or of each of some pairs, in volts."""

    between_from: Any
    between_to: Any
    alike: Any
    most: Any


class SupplyRule(JudgedRule, frozen=True, kw_only=True, tag="supply"):
    """An alarm on the voltage of a phase to the neutral. What is above `most` is no voltage.

    Where the newest of all three phases, observed within `together` of the reading, are from `between_from`
    to `between_to` and differ by at most `alike`, they are voltages between phases.
    """

    numbers: ClassVar[tuple[str, ...]] = (
        *JudgedRule.numbers, "between_from", "between_to", "alike", "most", "together",
    )  # fmt: skip

    between_from: Level
    between_to: Level
    alike: Level
    most: Level
    together: Span

    def __post_init__(self) -> None:
        check_metric(self, Metric.VOLTAGE)
        super().__post_init__()
        of = self.bounds()
        for lower, upper in (("between_from", "between_to"), ("between_to", "most")):
            if getattr(of, lower) > getattr(of, upper):
                raise ValueError(f"key `{lower}`: is above `{upper}`; a voltage at or below it is allowed")
        if of.alike < 0:
            raise ValueError("key `alike`: is negative; a voltage of 0 V or more is allowed")

    def bounds(self) -> Bounds:
        """Its levels in volts."""
        return Bounds(*(self._value(key, getattr(self, key), Metric.VOLTAGE) for key in Bounds._fields))


class SupplyKernel(MomentKernel[SupplyRule]):
    """All supply rules of a catalogue."""

    facts: ClassVar[Mapping[str, Blank]] = places(3)
    """The kin: the voltages of l1 to l3, the own one among them."""
    compares: ClassVar[frozenset[Metric]] = frozenset({Metric.VOLTAGE})

    def __init__(
        self,
        rules: Sequence[SupplyRule],
        order: Mapping[str, int],
        table: SeriesTable,
        ground: Ground,
        gated: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(rules, order, table, ground, gated)
        self._bounds = np.array([rule.bounds() for rule in rules]).T.copy()

    def kin_of(self, phase: UInt8) -> Sequence[tuple[Metric, UInt8 | int]]:
        """All three phases, for one of them and for the device as a whole; for others nothing."""
        asks = phase <= _LAST_PHASE
        return [(Metric.VOLTAGE, np.where(asks, one, NOBODY).astype(np.uint8)) for one in (1, 2, 3)]

    def arrange(self, kin: list[Int32]) -> list[Int32]:
        """As they are."""
        return kin

    def able(self, pair: Rows) -> Bool:
        """All: a voltage without others is one to the neutral."""
        return np.ones(len(pair), np.bool_)

    def near(self, rule: SupplyRule) -> int:
        """As long as `together`."""
        return int(rule.together)

    def manner(self, rule: SupplyRule) -> Hashable:
        """Also the levels."""
        return self.near(rule), rule.bounds()

    def compare(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """The voltage to the neutral; NaN above `most`."""
        own: Float64 = look.batch.value.take(rows)
        some = np.flatnonzero(own >= self._bounds[0].min())
        if not len(some):  # usually: none is so high
            return own
        rows, pair = rows.take(some), pair.take(some)
        of, value = Bounds(*(self.of_rule(column, pair) for column in self._bounds)), own.take(some)
        each = np.stack((value, *(self.newest(look, rows, pair, self.kin(n, pair)) for n in range(3))))
        most, least = each.max(axis=0), each.min(axis=0)  # NaN where one is not known
        between = (least >= of.between_from) & (most <= of.between_to) & (most - least <= of.alike)
        value = np.where(between, value / BETWEEN_PHASES, value)
        own[some] = np.where(value > of.most, np.nan, value)
        return own

    def tell_cleared(
        self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int
    ) -> Why:
        """As usual; of voltages between phases `voltages between phases (400 V), to the neutral: voltage 231
        V < 245 V for 5 min`."""
        told = super().tell_cleared(look, row, pair, value, setting, held_us)
        own = float(look.batch.value[row])
        if own == value:
            return told
        said = why.quantity(own, "V")
        return Why(
            en=f"voltages between phases ({said}), to the neutral: {told.en}",
            zh_cn=f"所报为线电压（{said}），折合相电压：{told.zh_cn}",
        )
