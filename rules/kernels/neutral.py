"""The neutral kernel: one phase far too high and another far too low mean that the supply has lost its
neutral.

That is one alarm of the device and not one of each phase. It stands on the first phase that there is, and the
readings of all phases are judged there: a phase that falls silent hides nothing.

State: as of judging, 18 bytes a pair; and 24 of facts.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from devices.model import Bool, Float64, Int32, Metric, SeriesTable, UInt8
from rules import why
from rules.comparing import MomentKernel, check_metric, other_phase, places
from rules.found import Found
from rules.look import Ground, Look
from rules.pairs import Blank
from rules.quantity import Level, units_of
from rules.rounds import Rows, rounds
from rules.rule import HeldRule
from rules.settings import Setting
from rules.transition import Why

TORN, UNSURE, SOUND = 1.0, 0.5, 0.0
"""What is measured: raised at 1, cleared below ½ (`rules.settings`)."""


class NeutralRule(HeldRule, frozen=True, kw_only=True, tag="neutral"):
    """An alarm on the voltages of a device's phases: one above `high` and another below `low`. It clears when
    all are from `normal_low` to `normal_high`."""

    numbers: ClassVar[tuple[str, ...]] = (
        "hold", "clear_hold", "max_gap", "samples", "high", "low", "normal_low", "normal_high",
    )  # fmt: skip

    high: Level
    low: Level
    normal_low: Level
    normal_high: Level

    def __post_init__(self) -> None:
        check_metric(self, Metric.VOLTAGE)
        super().__post_init__()
        volts = {key: self._volts(key) for key in ("low", "normal_low", "normal_high", "high")}
        for lower, upper in zip(list(volts)[:-1], list(volts)[1:], strict=True):
            if volts[lower] > volts[upper]:
                raise ValueError(f"key `{lower}`: is above `{upper}`; a voltage at or below it is allowed")

    def volts(self) -> tuple[float, float, float, float]:
        """`low`, `normal_low`, `normal_high` and `high` in volts."""
        return self._volts("low"), self._volts("normal_low"), self._volts("normal_high"), self._volts("high")

    def _volts(self, key: str) -> float:
        level: Level = getattr(self, key)
        try:
            return level.value_in(units_of(Metric.VOLTAGE), Metric.VOLTAGE.name_on_wire)
        except ValueError as error:
            raise ValueError(f"key `{key}`: {error}") from None


class NeutralKernel(MomentKernel[NeutralRule]):
    """All neutral rules of a catalogue."""

    facts: ClassVar[Mapping[str, Blank]] = {**places(2), "stands": np.int32(0)}
    """The kin: the voltages of the next phase and the one after it. `stands`: by which pair it is judged."""
    compares: ClassVar[frozenset[Metric]] = frozenset({Metric.VOLTAGE})

    def __init__(
        self,
        rules: Sequence[NeutralRule],
        order: Mapping[str, int],
        table: SeriesTable,
        ground: Ground,
        gated: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(rules, order, table, ground, gated)
        self._volts = np.array([rule.volts() for rule in rules]).T.copy()

    def kin_of(self, phase: UInt8) -> Sequence[tuple[Metric, UInt8 | int]]:
        """Of `l1` to `l3` both of the other phases; of others nothing."""
        return [(Metric.VOLTAGE, other_phase(phase, step)) for step in (1, 2)]

    def evaluate(self, look: Look) -> list[Found]:
        """What the readings raise and clear: those of all phases of a device, in their order, are judged as
        one."""
        rows, pair = self.pairs.each(*self.heard(look))
        if not look.whole:
            usable = np.flatnonzero(look.usable(rows))
            rows, pair = rows.take(usable), pair.take(usable)
        if not len(rows):
            return []
        value, stands = self.measure(look, rows, pair), self.pairs.facts["stands"].take(pair)
        hot = (value == TORN) | (self.pairs.state["status"].take(stands) != 0)
        if not hot.any():  # usually: nothing is wrong and no hold runs
            return []
        some = np.flatnonzero(self.pairs.company(stands, hot) & ~np.isnan(value))
        rows, stands, value = rows.take(some), stands.take(some).astype(np.intp), value.take(some)
        turns = rounds(stands)
        return [one for n in turns for one in self.judge(look, rows.take(n), stands.take(n), value.take(n))]

    def manner(self, rule: NeutralRule) -> Hashable:
        """Also the levels."""
        return self.near(rule), rule.volts()

    def compare(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """TORN, SOUND or UNSURE; NaN with fewer than two voltages."""
        other, third = self.newest(look, rows, pair, np.stack((self.kin(0, pair), self.kin(1, pair))))
        own = look.batch.value.take(rows)
        most, least = np.fmax(np.fmax(own, other), third), np.fmin(np.fmin(own, other), third)
        low, normal_low, normal_high, high = (self.of_rule(column, pair) for column in self._volts)
        torn = (most > high) & (least < low)  # never one phase alone: `low` is not above `high`
        sound = (least >= normal_low) & (most <= normal_high)
        state = np.where(torn, TORN, np.where(sound, SOUND, UNSURE))
        state[np.isnan(other) & np.isnan(third)] = np.nan
        return state

    def arrange(self, kin: list[Int32]) -> list[Int32]:
        """As they are: either will do."""
        return kin

    def able(self, pair: Rows) -> Bool:
        """Where another phase has a voltage."""
        able: Bool = (self.kin(0, pair) >= 0) | (self.kin(1, pair) >= 0)
        return able

    def tell(self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int) -> Why:
        """`voltages l1 259 V, l2 181 V, l3 220 V: one above 253 V, another below 187 V for 5 s`."""
        low, _, _, high = (why.quantity(volts, "V") for volts in self.rules[self.pairs.rule[pair]].volts())
        said = self._said(look, row, pair)
        return Why(
            en=f"voltages {said}: one above {high}, another below {low} for {why.duration(held_us)}",
            zh_cn=f"电压 {said}：一相高于 {high}，另一相低于 {low}，持续 {why.duration_zh(held_us)}",
        )

    def tell_cleared(
        self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int
    ) -> Why:
        """`voltages l1 222 V, l2 221 V, l3 220 V: all from 200 V to 235 V for 60 s`."""
        _, low, high, _ = (why.quantity(volts, "V") for volts in self.rules[self.pairs.rule[pair]].volts())
        said = self._said(look, row, pair)
        return Why(
            en=f"voltages {said}: all from {low} to {high} for {why.duration(held_us)}",
            zh_cn=f"电压 {said}：均在 {low} 至 {high} 之间，持续 {why.duration_zh(held_us)}",
        )

    def _found(self, look: Look, row: int, pair: int, value: float, held_us: int, cleared: bool) -> Found:
        """The alarm is about the series on which it stands, whichever phase told it."""
        found = super()._found(look, row, pair, value, held_us, cleared)
        return found._replace(transition=replace(found.transition, slot=int(self.pairs.slot[pair])))

    def _relate(self, pair: Rows) -> None:
        """Also where each is judged: with the lowest phase of the device that has a series; of several, with
        the highest slot."""
        super()._relate(pair)
        pair = pair[self.pairs.slot[pair] >= 0]
        slot, table = self.pairs.slot[pair], self.pairs.table
        first = slot.copy()
        for phase in (3, 2, 1):
            found = self.ground.kin.slot(table.device[slot], Metric.VOLTAGE, phase)
            first = np.where(found > 0, found, first)
        first = np.where(np.isin(table.phase[slot], (1, 2, 3)), first, slot)
        self.pairs.facts["stands"][pair] = self.pairs.first(first) + pair - self.pairs.first(slot)

    def _said(self, look: Look, row: int, pair: int) -> str:
        """The voltages that were measured, by phase."""
        one = np.array([self.pairs.find(int(look.batch.slot[row]), int(self.pairs.rule[pair]))])
        kin = np.stack((self.kin(0, one), self.kin(1, one)))
        others = self.newest(look, np.array([row]), one, kin)[:, 0]
        phase = int(look.table.phase[look.batch.slot[row]])
        volts = {phase: float(look.batch.value[row])}
        for step, value in enumerate(others.tolist(), 1):
            volts[(phase - 1 + step) % 3 + 1] = value
        known = sorted(phase for phase, value in volts.items() if not math.isnan(value))
        return ", ".join(f"l{phase} {why.quantity(volts[phase], 'V')}" for phase in known)
