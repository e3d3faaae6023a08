"""What kernels with a level have in common: they measure something of each reading, and judge it.

Judging is the same for all. At or above the raise level (below it, for rules that raise below) for the hold,
and so often of the last readings as the rule asks, raises; below the clear level for the clear hold clears.
A hold runs on observed time and is satisfied by a reading; the passing of time alone does nothing
(life_safety, time and holds). It starts with the first reading that counts for it, goes on as long as one of
the readings that `samples` looks back on counted, and starts again after a gap that is too long for it, after
a step back in time (our clock was put back; a late reading is not seen), and after a reading that had waited
for us (contract 6). What a gap makes up of a hold: `rules/gaps.py`. What could not be measured (NaN) is no
reading at all: it neither counts nor breaks.

State of judging: 18 bytes a pair, and 12 of facts.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, EngineInput, Float64, Int32, Int64, Metric, SeriesTable, UInt8
from rules import gaps, why
from rules.found import Found, by_reading, cleared_by_input
from rules.kernel import ACTIVE, PairKernel
from rules.look import Ground, Look
from rules.overrides import Override
from rules.pairs import Blank
from rules.rounds import Rows
from rules.rule import HeldRule
from rules.settings import Setting, Settings, sign_of
from rules.transition import To, Transition, Why

HOLDING: Final = 2
"""A raise hold runs where the alarm is not active, a clear hold where it is; it began at `since_us`."""
JUDGING: Final[Mapping[str, Blank]] = {
    "status": np.uint8(0),
    "bits": np.uint8(0),
    "since_us": np.int64(0),
    "last_us": np.int64(0),
}
"""`bits` are the last readings that `samples` looks back on, the newest lowest: whether each counted."""
_SETTING: Final[Mapping[str, Blank]] = {"setting": np.int32(0)}
_WAKE: Final[Mapping[str, Blank]] = {"wake": np.float64(np.inf)}
"""The least value at which a pair has to be judged: its raise level while it is quiet, else any. Signed as
levels are. So one look tells of most readings that nothing is to be decided, and nothing to be kept."""
_ONES: Final = np.array([n.bit_count() for n in range(256)], np.uint8)

H = TypeVar("H", bound=HeldRule)


class JudgedKernel(PairKernel[H]):
    """A subclass says what is measured (`measure`) and how it is told (`tell`); `columns` is its own
    state."""

    columns: ClassVar[Mapping[str, Blank]] = {}
    facts: ClassVar[Mapping[str, Blank]] = {}
    """Columns that are worked out from the registry, as `facts` of `Pairs`."""
    compares: ClassVar[frozenset[Metric]] = frozenset()
    """Metrics of other series of the device that `measure` asks for (`Look.of`)."""

    def __init__(
        self,
        rules: Sequence[H],
        order: Mapping[str, int],
        table: SeriesTable,
        ground: Ground,
        gated: frozenset[str] = frozenset(),
    ) -> None:
        self.ground = ground
        self.settings = Settings(rules, gated)
        self._sign = np.array([sign_of(rule) for rule in rules])
        self.any_below = bool((self._sign < 0).any())
        wake = {} if self.of_slot else _WAKE
        super().__init__(rules, order, {**JUDGING, **self.columns}, table, {**_SETTING, **wake, **self.facts})
        self._settle(np.arange(self.pairs.n))

    @abstractmethod
    def measure(self, look: Look, rows: Rows, pair: Rows) -> Float64:
        """What is compared with the level, for each of these readings: each pair occurs once, and every
        reading is usable (`Look.usable`). Moves the kernel's own state. NaN where it cannot be said.

        The unit is that of `rule.units` with factor 1. Grouping must not matter: the same readings in the
        same order give the same answers however they are cut into calls.
        """

    def tell(self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int) -> Why:
        """The evidence of a raise, with the numbers that caused it; called right after `measure`."""
        rule, reference = self.rules[self.pairs.rule[pair]], self._reference(pair)
        return why.held_above(rule, value, setting.raise_at, reference, held_us)

    def tell_cleared(
        self, look: Look, row: int, pair: int, value: float, setting: Setting, held_us: int
    ) -> Why:
        """The same of a clear."""
        rule, reference = self.rules[self.pairs.rule[pair]], self._reference(pair)
        level = setting.raise_at if setting.clear_below is None else setting.clear_below
        return why.held_below(rule, value, level, reference, held_us)

    def evaluate(self, look: Look) -> list[Found]:
        """What the readings raise and clear."""
        rows, pair = self.pairs.each(*self.heard(look))
        if not look.whole:
            usable = np.flatnonzero(look.usable(rows))
            rows, pair = rows.take(usable), pair.take(usable)
        found: list[Found] = []
        for some_rows, some_pairs in self.turns(look, rows, pair):
            value = self.measure(look, some_rows, some_pairs)
            signed = value * self.of_rule(self._sign, some_pairs) if self.any_below else value
            some = np.flatnonzero(signed >= self.pairs.facts["wake"].take(some_pairs))  # never of NaN
            if len(some):
                found += self.judge(look, some_rows.take(some), some_pairs.take(some), value.take(some))
        return found

    def judge(self, look: Look, rows: Rows, pair: Rows, value: Float64) -> list[Found]:
        """Moves the holds of these pairs, each once, and tells those that are satisfied. No value is NaN."""
        state, settings, table = self.pairs.state, self.settings, look.table
        signed, level = value * self.of_rule(self._sign, pair), self.levels(pair)
        above, status = signed >= level, state["status"].take(pair)
        some = np.flatnonzero(above | (status != 0))
        if not len(some):  # below their levels and no hold running: nothing to decide, nothing to keep
            return []
        rows, pair, value, signed = rows.take(some), pair.take(some), value.take(some), signed.take(some)
        above, status, level = above.take(some), status.take(some), level.take(some)
        setting: Int32 = self.pairs.facts["setting"].take(pair)
        observed, slot = look.batch.observed_us.take(rows), look.batch.slot.take(rows)
        active = (status & ACTIVE) != 0
        below = signed < settings.clear[setting] * settings.reference(setting, slot, table)
        queued = look.queued(rows)
        toward = np.where(active, below, above) & ~queued
        runs = ((status & HOLDING) != 0) & ~queued
        hold = np.where(active, settings.clear_hold[setting], settings.hold[setting])
        gap = observed - state["last_us"][pair]
        both = toward & ((state["bits"][pair] & 1) != 0)
        part = gaps.made_up(gap, settings.max_gap[setting], table.silence_s.take(slot), hold, both)
        runs &= part != gaps.ENDS
        before: UInt8 = np.where(runs, state["bits"][pair], 0).astype(np.uint8)
        bits: UInt8 = (((before << 1) | toward) & settings.mask[setting]).astype(np.uint8)
        goes_on = (before & settings.kept[setting]) != 0
        since: Int64 = np.where(goes_on, state["since_us"][pair] + (gap - part), observed)
        held = observed - since
        done = toward & (_ONES[bits] >= settings.need[setting]) & (held >= hold)
        self._keep(pair, active ^ done, (bits != 0) & ~done & ~queued, bits, since, observed)
        self.rouse(pair, level)
        told = np.flatnonzero(done)
        apart = np.where(goes_on & (part < gap), gap, 0)
        columns = (rows[told], pair[told], value[told], held[told], active[told])
        found = [self._found(look, *one) for one in zip(*(each.tolist() for each in columns), strict=True)]
        return [_by_reports(*one) for one in zip(found, apart[told].tolist(), strict=True)]

    def _keep(self, pair: Rows, active: Bool, holding: Bool, bits: UInt8, since: Int64, last: Int64) -> None:
        state = self.pairs.state
        state["status"][pair] = active * np.uint8(ACTIVE) | holding * np.uint8(HOLDING)
        state["bits"][pair] = np.where(holding, bits, 0)
        state["since_us"][pair] = since
        state["last_us"][pair] = last

    def _found(self, look: Look, row: int, pair: int, value: float, held_us: int, cleared: bool) -> Found:
        number = int(self.pairs.rule[pair])
        rule, setting = self.rules[number], self.settings.rows[int(self.pairs.facts["setting"][pair])]
        say, to = (self.tell_cleared, To.CLEARED) if cleared else (self.tell, To.RAISED)
        said = say(look, row, pair, value, setting, held_us)
        marks = () if cleared else rule.marks
        transition = by_reading(rule, to, look.batch, row, table=look.table, why=said, marks=marks)
        return Found(row, self.order[number], transition)

    def apply(self, given: EngineInput, now_us: int) -> Transition | None:
        """A reset or close: an active alarm clears at once, and comes back only by a new hold."""
        number = self.number[given.rule]
        pair = self.pairs.find(given.slot, number)
        if pair < 0 or not self.pairs.state["status"][pair] & ACTIVE:
            return None
        self.end(pair)
        said = why.by_person(given.kind)
        return cleared_by_input(
            self.rules[number], given, slot=given.slot, place=0,
            table=self.pairs.table, now_us=now_us, why=said,
        )  # fmt: skip

    def end(self, pair: int) -> None:
        """The alarm of this pair is over; it comes back only by a new hold."""
        self.pairs.state["status"][pair] = 0
        self.pairs.state["bits"][pair] = 0
        self.rouse(np.array([pair]))
        self.start_over(pair)

    def stands_by(self, pair: int) -> float:
        """What an alarm of this pair is raised by where its device is registered: the level, NaN where the
        rule is off. Where that is another number, so is what is judged."""
        return float(self.levels(np.array([pair]))[0])

    def heed(self, given: EngineInput) -> None:
        """A person's act on any rule that a kind may count; nothing is cleared by it."""

    def start_over(self, pair: int) -> None:
        """The alarm of this pair is over, by a person or by the registry: what the kernel has gathered toward
        it, if anything, is let go."""

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        """Takes a changed series table; see `Pairs.adopt`. The pairs of changed slots get their numbers
        anew."""
        before = len(self.pairs.table)
        super().adopt(table, changed)
        if changed is None:
            self._settle(np.arange(self.pairs.n))
        else:
            new = np.arange(before, len(table), dtype=np.int32)
            self._settle(self.pairs.expand(np.concatenate((changed, new)))[1])

    def override(self, overrides: Sequence[Override], slots: Int32 | None = None) -> None:
        """These are in force from here on, the weakest first. State stays. `slots` are those of which others
        are in force than before; None: any."""
        self.settings.override(overrides)
        self._settle(np.arange(self.pairs.n) if slots is None else self.pairs.expand(slots)[1])

    def _settle(self, pair: Rows) -> None:
        """The numbers that hold for these pairs, as the table says now."""
        pair = pair[self.pairs.slot[pair] >= 0]
        slot, rule, table = self.pairs.slot[pair], self.pairs.rule[pair], self.pairs.table
        self.pairs.facts["setting"][pair] = self.settings.settle(rule, slot, table)
        self.rouse(pair)

    def levels(self, pair: Rows) -> Float64:
        """The raise level of each pair in the unit that is compared, negated for rules that raise below; NaN
        where the rule is off."""
        setting = self.pairs.facts["setting"].take(pair)
        reference = self.settings.reference(setting, self.pairs.slot.take(pair), self.pairs.table)
        levels: Float64 = self.settings.raise_.take(setting) * reference
        return levels

    def rouse(self, pair: Rows, level: Float64 | None = None) -> None:
        """The status of these pairs, or what is to be known of them, is another: works out from which value
        on they are judged. `level` is their `levels`, where it is at hand."""
        self.pairs.facts["wake"][pair] = self.wakes(pair, level)

    def wakes(self, pair: Rows, level: Float64 | None = None) -> Float64:
        """From which value on each pair is judged; infinite where the rule is off, and nothing is active."""
        level = self.levels(pair) if level is None else level
        wakes = np.where(np.isnan(level), np.inf, level)
        wakes[self.pairs.state["status"].take(pair) != 0] = -np.inf
        return wakes

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot; see `PairKernel.restore`."""
        super().restore(state)
        pair = np.arange(self.pairs.n)
        self.rouse(pair[self.pairs.slot[pair] >= 0])

    def _reference(self, pair: int) -> float:
        one = np.array([pair])
        setting, slot = self.pairs.facts["setting"][one], self.pairs.slot[one]
        return float(self.settings.reference(setting, slot, self.pairs.table)[0])


def _by_reports(found: Found, apart_us: int) -> Found:
    """The same, which also says for how long before nobody saw what was; 0 is no time worth telling."""
    if not apart_us:
        return found
    said = why.by_reports(found.transition.why, apart_us)
    return found._replace(transition=replace(found.transition, why=said))
