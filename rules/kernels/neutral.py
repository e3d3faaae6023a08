"""The neutral kernel: one phase far too high and another far too low mean that the supply has lost its
neutral.

Without it the phases share the voltages between them by what hangs on them: as one goes down, to nothing at
last, the others go up, to 381 V at most. So a phase without a voltage is dead where the others are as usual,
and pulled down where one of them is far above.

That is one alarm of the device and not one of each phase. It stands on the first phase that there is, and the
readings of all phases are judged there: a phase that falls silent hides nothing. An alarm that is active
stays where it was raised, whatever phases come: so it is cleared as what it was raised as.

State: as of judging, 18 bytes a pair; and 24 of facts.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, Float64, Int32, Metric, SeriesTable, UInt8
from rules import why
from rules.comparing import MomentKernel, other_phase, places
from rules.found import Found
from rules.kernel import ACTIVE
from rules.kernels.neutral_rule import NeutralRule, Volts
from rules.look import Ground, Look
from rules.pairs import Blank
from rules.rounds import Rows, rounds
from rules.settings import Setting
from rules.transition import To, Transition, Why

TORN, ECHO, UNSURE, SOUND = 1.0, 0.75, 0.5, 0.0
"""What is measured: raised at 1, cleared below ½ (`rules.settings`). ECHO: torn by voltages that were counted
already; it keeps an alarm from clearing, and is nothing to a hold that raises one."""


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
        pair, found = pair.take(some), list[Found]()
        for n in rounds(stands):
            stands = self.pairs.facts["stands"].take(pair.take(n)).astype(np.intp)  # it moves with a clearing
            says = (value.take(n) != ECHO) | ((self.pairs.state["status"].take(stands) & ACTIVE) != 0)
            says |= look.queued(rows.take(n))
            told = self.judge(look, rows.take(n[says]), stands[says], value.take(n[says]))
            self._stand_anew(
                [self._pair_of(one.transition) for one in told if one.transition.to is To.CLEARED]
            )
            found += told
        return found

    def near(self, rule: NeutralRule) -> int:
        """As long as `together`."""
        return int(rule.together)

    def manner(self, rule: NeutralRule) -> Hashable:
        """Also the levels."""
        return self.near(rule), rule.volts()

    def compare(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """TORN, ECHO, SOUND or UNSURE; NaN with fewer than two voltages."""
        kin = np.stack((self.kin(0, pair), self.kin(1, pair)))
        other, third = self.newest(look, rows, pair, kin)
        own = look.batch.value.take(rows)
        of = Volts(*(self.of_rule(column, pair) for column in self._volts))
        most, fewest = np.fmax(np.fmax(own, other), third), np.fmin(np.fmin(own, other), third)
        if (most > of.most).any():
            own, other, third = (np.where(one > of.most, np.nan, one) for one in (own, other, third))
            most, fewest = np.fmax(np.fmax(own, other), third), np.fmin(np.fmin(own, other), third)
        if (fewest < of.least).any():
            gone = np.where(most > of.extreme, -np.inf, of.least)  # else pulled down, and no dead phase
            own, other, third = (np.where(one < gone, np.nan, one) for one in (own, other, third))
            most, fewest = np.fmax(np.fmax(own, other), third), np.fmin(np.fmin(own, other), third)
        torn = (most > of.high) & (fewest < of.low)  # never one phase alone: `low` is not above `high`
        if (most > of.extreme).any():
            torn |= _two(own, other, third, of.extreme) & _two(own, other, third, of.high)
        sound = (fewest >= of.normal_low) & (most <= of.normal_high)
        state = np.where(torn, TORN, np.where(sound, SOUND, UNSURE))
        some = np.flatnonzero(torn)
        if len(some):
            new = self._news(look, rows[some], kin[:, some], np.stack((other, third))[:, some])
            of_some = Volts(*(self.of_rule(column, pair[some]) for column in self._volts))
            state[some[~_tears(own[some], new, of_some)]] = ECHO
        unknown = [np.isnan(one) for one in (own, other, third)]
        state[(unknown[1] & unknown[2]) | (unknown[0] & (unknown[1] | unknown[2]))] = np.nan
        return state

    def _news(self, look: Look, rows: Rows, kin: Int32, volts: Float64) -> Float64:
        """Those voltages of the other phases that were observed since the row's own phase was before; NaN for
        the others: what it has been compared with is no second reading."""
        at = look.newest(rows, kin)[1]
        value, before = look.of(rows - 1, look.batch.slot.take(rows))
        new: Float64 = np.where(np.isnan(value) | (at > before), volts, np.nan)
        return new

    def arrange(self, kin: list[Int32]) -> list[Int32]:
        """As they are: either will do."""
        return kin

    def able(self, pair: Rows) -> Bool:
        """Where another phase has a voltage."""
        able: Bool = (self.kin(0, pair) >= 0) | (self.kin(1, pair) >= 0)
        return able

    def tell(self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int) -> Why:
        """`voltages l1 259 V, l2 181 V, l3 220 V: one above 253 V, another below 187 V for 5 s`."""
        volts = self.rules[self.pairs.rule[pair]].volts()
        counted = self._counted(look, row, pair)
        low, high, extreme = (why.quantity(one, "V") for one in (volts.low, volts.high, volts.extreme))
        en, zh_cn = f"one above {high}, another below {low}", f"一相高于 {high}，另一相低于 {low}"
        if min(counted.values()) >= volts.low:
            en, zh_cn = f"two above {extreme}", f"两相高于 {extreme}"
        said = _said(counted)
        return Why(
            en=f"voltages {said}: {en} for {why.duration(held_us)}",
            zh_cn=f"电压 {said}：{zh_cn}，持续 {why.duration_zh(held_us)}",
        )

    def tell_cleared(
        self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int
    ) -> Why:
        """`voltages l1 222 V, l2 221 V, l3 220 V: all from 200 V to 235 V for 60 s`."""
        volts = self.rules[self.pairs.rule[pair]].volts()
        low, high = why.quantity(volts.normal_low, "V"), why.quantity(volts.normal_high, "V")
        said = _said(self._counted(look, row, pair))
        return Why(
            en=f"voltages {said}: all from {low} to {high} for {why.duration(held_us)}",
            zh_cn=f"电压 {said}：均在 {low} 至 {high} 之间，持续 {why.duration_zh(held_us)}",
        )

    def _found(self, look: Look, row: int, pair: int, value: float, held_us: int, cleared: bool) -> Found:
        """The alarm is about the series on which it stands, whichever phase told it."""
        found = super()._found(look, row, pair, value, held_us, cleared)
        return found._replace(transition=replace(found.transition, slot=int(self.pairs.slot[pair])))

    def end(self, pair: int) -> None:
        """See `JudgedKernel.end`. What comes next stands on the first phase again."""
        super().end(pair)
        self._stand_anew([pair])

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot; see `PairKernel.restore`. An alarm of one that stood elsewhere stays there."""
        super().restore(state)
        self._stand(np.arange(self.pairs.n))

    def _relate(self, pair: Rows) -> None:
        """Also where each is judged."""
        super()._relate(pair)
        self._stand(pair)

    def _pair_of(self, transition: Transition) -> int:
        return self.pairs.find(transition.slot, self.number[transition.rule])

    def _stand_anew(self, ended: Sequence[int]) -> None:
        """The alarms of these pairs have ended."""
        if ended:
            self._stand(np.flatnonzero(np.isin(self.pairs.facts["stands"][: self.pairs.n], ended)))

    def _stand(self, pair: Rows) -> None:
        """Where each is judged: where an alarm of the device is active, of several on the lowest phase, else
        with the lowest phase of the device that has a series; of several, with the highest slot.

        Where one of a device is among `pair`, all its voltages are.
        """
        pair = pair[self.pairs.slot[pair] >= 0]
        slot, table = self.pairs.slot[pair], self.pairs.table
        first = slot.copy()
        for phase in (3, 2, 1):
            found = self.ground.kin.slot(table.device[slot], Metric.VOLTAGE, phase)
            first = np.where(found > 0, found, first)
        phased = np.isin(table.phase[slot], (1, 2, 3))
        first = np.where(phased, first, slot)
        stands = self.pairs.first(first) + pair - self.pairs.first(slot)
        phased &= table.device[slot] > 0
        active = np.flatnonzero(phased & ((self.pairs.state["status"][pair] & ACTIVE) != 0))
        if len(active):
            active = active[np.lexsort((slot[active], table.phase[slot[active]]))]
            whose = table.device[slot].astype(np.int64) * len(self.rules) + self.pairs.rule[pair]
            known, lowest = np.unique(whose[active], return_index=True)
            at = np.minimum(np.searchsorted(known, whose), len(known) - 1)
            theirs = np.flatnonzero(phased & (known[at] == whose))
            stands[theirs] = pair[active[lowest[at[theirs]]]]
        self.pairs.facts["stands"][pair] = stands

    def _counted(self, look: Look, row: int, pair: int) -> dict[int, float]:
        """The voltages that count, by phase."""
        one = np.array([self.pairs.find(int(look.batch.slot[row]), int(self.pairs.rule[pair]))])
        kin = np.stack((self.kin(0, one), self.kin(1, one)))
        others = self.newest(look, np.array([row]), one, kin)[:, 0]
        phase = int(look.table.phase[look.batch.slot[row]])
        said = {phase: float(look.batch.value[row])}
        for step, value in enumerate(others.tolist(), 1):
            if not math.isnan(value):
                said[(phase - 1 + step) % 3 + 1] = value
        of = self.rules[self.pairs.rule[pair]].volts()
        said = {phase: said[phase] for phase in sorted(said) if said[phase] <= of.most}
        least = -math.inf if max(said.values()) > of.extreme else of.least
        return {phase: volts for phase, volts in said.items() if volts >= least}


def _tears(own: Float64, new: Float64, of: Volts) -> Bool:
    """Where a voltage is itself too high or too low, and one of the `new` is too much so the other way, or
    both are extreme."""
    tears: Bool = (own > of.high) & (new < of.low).any(axis=0)
    tears |= (own < of.low) & (new > of.high).any(axis=0)
    tears |= (own > of.extreme) & (new > of.extreme).any(axis=0)
    return tears


def _two(own: Float64, other: Float64, third: Float64, level: Float64) -> Bool:
    """Where two of the three, and no more, are above a level."""
    above: Bool = (own > level).astype(np.int8) + (other > level) + (third > level) == 2
    return above


def _said(volts: Mapping[int, float]) -> str:
    return ", ".join(f"l{phase} {why.quantity(value, 'V')}" for phase, value in volts.items())
