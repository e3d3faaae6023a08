"""The rule engine: readings and people's acts in, transitions out. Pure: `now_us` is an argument.

The same arrays in give the same transitions out, and any cutting of the stream into batches gives what one
reading at a time in the same arrival order would give.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, EngineInput, Int32, ReadingBatch, SeriesTable
from rules.calendar import Calendar
from rules.catalogue import Catalogue
from rules.explained import Explained, explained
from rules.looking import take_act, take_moves, take_readings
from rules.overrides import Override, Overrides
from rules.pairs import State
from rules.parts import Parts
from rules.settings import touched
from rules.standing import (
    Cause,
    Lost,
    Standing,
    as_columns,
    cleared,
    facts_columns,
    facts_in,
    lost_in,
    lost_of,
    standing_columns,
    standing_in,
)
from rules.transition import Transition

CHINA: Final = Calendar.fixed(8)
"""The local time of a site that says nothing else (design, vocabulary: Asia/Shanghai)."""


class Engine:
    """All rules of a catalogue over all series.

    Every slot of a batch must be in the series table: `adopt` the table before the first reading of a new
    slot, else IndexError.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        table: SeriesTable,
        calendar: Calendar = CHINA,
        *,
        before: Engine | None = None,
    ) -> None:
        """`before`: for `turned_to`."""
        self._parts: Parts = Parts(catalogue, table, calendar, before._parts if before else None)
        self._in_force: tuple[Override, ...] = before._in_force if before else ()
        self._lost: list[Lost] = list(before._lost) if before else []

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        """Takes a changed series table.

        A slot keeps its state while device and metric stay what they were; it is the same sensor as long as
        it is not forgotten (`forget`), whoever it is registered as. So an active life flag goes on when the
        registry says another device, or none. An active alarm on a series whose device is at another place
        now is told there by the next `evaluate` or `advance`, before all else: cleared where it was, raised
        where it is (docs/rules.md, judging and `flag`). Everything else starts blank on a slot that got
        another device, or lost it, and an alarm that was active there, or on a device that has no slot any
        more, is told as cleared at the same moment.

        `changed` names the slots that may differ from before, besides those beyond the old table's end; the
        cost is theirs. None: any slot may, and the cost is that of all. The engine reads the table's arrays
        as long as it has it, and remembers itself what it compares: they may be changed in place, if `adopt`
        follows before the next `evaluate`.
        """
        parts = self._parts
        among = None if changed is None else changed[changed < len(parts.table)]
        before = [*parts.standing_on_series(among), *parts.presence.alarms(among)]
        parts.adopt(table, changed)
        if before:  # a device may have lost one of its slots and live on by another: all are asked
            after = [*parts.standing_on_series(among), *parts.presence.alarms()]
            self._lost += lost_of(before, after, parts.facts(), table, cause=Cause.DEVICE)

    def forget(self, slots: Int32) -> None:
        """These slots are gone, without a transition; who has one next starts blank. Call `adopt` then."""
        self._parts.forget(slots)

    def holds(self, slots: Int32) -> Bool:
        """On which of these an alarm is active, on the series, on its device or on its place."""
        untold = [one.slot for one in self._lost if one.cause is not Cause.DEVICE]
        held: Bool = np.isin(slots, untold)
        return held | self._parts.holds(slots)

    def override(self, overrides: Overrides, now_us: int) -> None:
        """These are the overrides from here on, as far as they are in force at `now_us`. State stays.

        Cost: a look at the places of all series, and the settling of those that are concerned.
        """
        in_force = overrides.in_force(now_us)
        if in_force == self._in_force:
            return
        changed = {*in_force} ^ {*self._in_force}
        names = {one.rule for one in changed}
        slots, none = touched(changed, self._parts.table), np.empty(0, np.int32)
        self._in_force = in_force
        for kernel in self._parts.judged.values():
            kernel.override(in_force, none if names.isdisjoint(kernel.number) else slots)

    def turned_to(
        self, catalogue: Catalogue, now_us: int, calendar: Calendar | None = None
    ) -> tuple[Engine, list[Transition]]:
        """The engine of other rules, or of another calendar, with the state of this one; and the clearings of
        alarms that are active on what no rule watches any more.

        Kernels whose rules are the same go over as they are, the others are built anew and take the old
        state: exact for every rule that measures as before (`rules.succession`). Overrides in force stay so,
        and what `adopt` and `restore` found to be told is told by the new one. This one must not be used any
        more. Cost: that of a kernel for each kind of which a rule changed.
        """
        parts = self._parts
        other = Engine(catalogue, parts.table, calendar or parts.calendar, before=self)
        return other, other._take_over(parts, now_us)

    def _take_over(self, before: Parts, now_us: int) -> list[Transition]:
        parts, stood = self._parts, list(before.standing())
        anew = parts.take_over(before)
        for kernel in anew if self._in_force else ():
            kernel.override(self._in_force)
        lost = lost_of(stood, parts.standing(), before.facts(), parts.table, parts.catalogue.order())
        return cleared(lost, parts.table, now_us)

    def standing(self) -> Iterator[Standing]:
        """Every alarm that is active. Cost: a look at all series."""
        return self._parts.standing()

    def explain(self, slot: int) -> list[Explained]:
        """What each rule that watches this series is there, in the order of the catalogue. Rules on places
        and devices are not among them."""
        parts, flag = self._parts, self._parts.flag
        pairs = flag.pairs.expand(np.array([slot], np.int32))[1]
        found = [Explained(flag.rules[int(flag.pairs.rule[pair])]) for pair in pairs.tolist()]
        for kernel in parts.judged.values():
            found += explained(kernel, slot, parts.table, self._in_force)
        order = parts.catalogue.order()
        return sorted(found, key=lambda one: order[one.rule.name])

    @property
    def in_force(self) -> tuple[Override, ...]:
        """The overrides that hold, the weakest first."""
        return self._in_force

    @property
    def due_us(self) -> int:
        """From when on `advance` may have something to say: a second not looked at yet, at the earliest.

        So that it is said when no reading comes, call `advance` then with a record of no readings; once a
        second is often enough.
        """
        return 0 if self._lost or self._parts.has_moved else self._parts.presence.due_us

    @property
    def away(self) -> frozenset[str]:
        """The brokers of which `AWAY` was said and not `BACK`."""
        return self._parts.presence.away

    def advance(self, now_us: int) -> list[Transition]:
        """The transitions that come by time alone (kinds `silence` and `dark`): the only thing that the
        passing of time does. Call it once for each journalled record, after `evaluate`, with the record's
        time.

        Looks at the first call in each second of the clock; further ones in it are nothing. Blocks come
        first, by id, then devices, by id. A raise carries its deadline as `at_us`, not `now_us`.
        """
        return [*self._tell_waiting(now_us), *self._parts.presence.advance(now_us)]

    def _tell_waiting(self, now_us: int) -> list[Transition]:
        """What `adopt` or `restore` found, once: the clearings of alarms that nothing watches any more, and
        the alarms that go on at another place."""
        told: list[Transition] = []
        if self._lost:
            lost, self._lost = self._lost, []
            told = cleared(lost, self._parts.table, now_us)
        return told + take_moves(self._parts, now_us) if self._parts.has_moved else told

    def evaluate(
        self, batch: ReadingBatch, inputs: Sequence[EngineInput], now_us: int, source: str = ""
    ) -> list[Transition]:
        """What the acts in `inputs` and then the readings of `batch` change, in that order; before them, what
        `adopt` or `restore` found: alarms that nothing watches any more or that are elsewhere now.

        Within the readings: arrival order, then the order of the catalogue; a place's alarm follows its
        trigger. An act on a rule or series that no longer exists is nothing. `now_us` is when acts were
        received; no alarm comes or goes by it alone. `source` is the broker that the batch came from: its
        name, as `AWAY` and `BACK` call it.
        """
        transitions = self._tell_waiting(now_us)
        for given in inputs:
            transitions += take_act(self._parts, given, now_us)
        if len(batch):
            transitions += take_readings(self._parts, batch, source)
        return transitions

    def snapshot(self) -> State:
        """The complete state as copies in arrays (no objects in them), for `restore`. It says besides which
        alarms are active by which rules: another catalogue may not know them."""
        parts = self._parts
        state = {
            f"{name}.{key}": column
            for name, part in parts.named().items()
            for key, column in part.snapshot().items()
        }
        state |= standing_columns(parts.on_series(), list(parts.standing_elsewhere()))
        return state | as_columns("lost", self._lost, Lost) | facts_columns(parts.facts())

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot; exact over the same catalogue and series table.

        Over others, what still exists (same rule name, slot, device and metric; as in `adopt`) keeps its
        state, but for what a rule gathered that measures otherwise now, and the rest starts blank. What was
        active and is not any more is told as cleared by the next `evaluate` or `advance`, before all else.
        Raises KeyError for arrays that are no snapshot.
        """
        parts = self._parts
        for name, one in parts.named().items():
            part = _part(name, state)
            if part or name in _ALWAYS:
                one.restore(part)
        facts, stood = facts_in(state), standing_in(state)
        before = {name: one.measure for name, one in facts.items()}
        parts.start_over(before, parts.judged.values(), place=True)
        self._lost = lost_in(state)
        if stood is not None:
            self._lost += lost_of(stood, parts.standing(), facts, parts.table, parts.catalogue.order())


_ALWAYS: Final = frozenset({"flag", "place", "whereabouts"})
"""Parts that every snapshot has, or that must know of one that has none of them."""


def _part(part: str, state: Mapping[str, NDArray[Any]]) -> State:
    prefix = f"{part}."
    return {name.removeprefix(prefix): column for name, column in state.items() if name.startswith(prefix)}
