"""The supply kernel: the voltage of a phase, whichever way the meter tells it.

A meter of three phases may tell the voltages between them, which are √3 times as high and all alike. Without
the neutral two phases go up and the third goes down, so three alike, as high as between phases, are taken as
that. Fewer are not: 381 V in a flat is a lost neutral, and it sets fire to what is plugged in. Nor is a
series that said a usual voltage to the neutral before: where all three inputs hang on one phase, or one of
them is told no more, a lost neutral looks so as well. In doubt it is the voltage to the neutral.

State: as of judging, 18 bytes a pair, and 8; and 24 of facts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, NamedTuple

import numpy as np

from devices.model import Bool, Float64, Int32, Metric, SeriesTable, UInt8
from rules import why
from rules.comparing import NOBODY, ComparingKernel, check_metric, places
from rules.kernel import ACTIVE
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
_NEVER: Final = -(2**62)


class Bounds(NamedTuple):
    """The levels of a rule, or of each of some pairs, in volts."""

    between_from: Any
    between_to: Any
    alike: Any
    most: Any


class SupplyRule(JudgedRule, frozen=True, kw_only=True, tag="supply"):
    """An alarm on the voltage of a phase to the neutral. What is above `most` is no voltage.

    Where the newest of all three phases, observed within `together` of the reading, are from `between_from`
    to `between_to` and differ by at most `alike`, they are voltages between phases, unless the series was
    itself within √3 of these within `together`. While an alarm stands, any such voltage that the series ever
    said counts, and the phases must have been observed within the clear hold: one that is told no more ends
    none.
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


class SupplyKernel(ComparingKernel[SupplyRule]):
    """All supply rules of a catalogue."""

    columns: ClassVar[Mapping[str, Blank]] = {"usual_us": np.int64(_NEVER)}
    """When the series was last as high as a usual voltage to the neutral."""
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

    def near(self, rule: SupplyRule) -> int:
        """As long as `together`."""
        return int(rule.together)

    def measure(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """The voltage to the neutral; NaN above `most`."""
        own: Float64 = look.batch.value.take(rows)
        least, highest = (self.of_rule(self._bounds[n], pair) for n in range(2))
        usual = (own >= least / BETWEEN_PHASES) & (own <= highest / BETWEEN_PHASES)
        self.pairs.state["usual_us"][pair[usual]] = look.batch.observed_us.take(rows[usual])
        some = np.flatnonzero(own >= least)
        if not len(some):  # usually: none is so high
            return own
        rows, pair = rows.take(some), pair.take(some)
        of, value = Bounds(*(self.of_rule(column, pair) for column in self._bounds)), own.take(some)
        each = np.stack((value, *(self._said(look, rows, pair, n) for n in range(3))))
        most, fewest = each.max(axis=0), each.min(axis=0)  # NaN where one is not known
        between = (fewest >= of.between_from) & (most <= of.between_to) & (most - fewest <= of.alike)
        between &= ~self._was_usual(look, rows, pair)
        value = np.where(between, value / BETWEEN_PHASES, value)
        own[some] = np.where(value > of.most, np.nan, value)
        return own

    def _said(self, look: Look, rows: Rows, pair: Rows, n: int) -> Float64:
        """The newest of a phase. One that is told no more ends no alarm: it counts for no whole clear
        hold."""
        value, at = look.newest(rows, self.kin(n, pair))
        away = np.abs(at - look.batch.observed_us.take(rows))
        clear_hold = self.settings.clear_hold.take(self.pairs.facts["setting"].take(pair))
        near = np.where(self._active(pair), clear_hold, self.of_rule(self._near, pair))
        known: Float64 = np.where(away <= near, value, np.nan)
        return known

    def _was_usual(self, look: Look, rows: Rows, pair: Rows) -> Bool:
        """Whether these series tell voltages to the neutral. While an alarm stands they go on doing so."""
        said = self.pairs.state["usual_us"].take(pair)
        away = np.abs(look.batch.observed_us.take(rows) - said)
        lately: Bool = away <= self.of_rule(self._near, pair)
        lately |= self._active(pair) & (said != _NEVER)
        return lately

    def _active(self, pair: Rows) -> Bool:
        active: Bool = (self.pairs.state["status"].take(pair) & ACTIVE) != 0
        return active

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
