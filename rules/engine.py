"""The rule engine: readings and people's acts in, transitions out. Pure: `now_us` is an argument.

The same arrays in give the same transitions out, and any cutting of the stream into batches gives what one
reading at a time in the same arrival order would give.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, EngineInput, InputKind, Int32, ReadingBatch, SeriesTable
from rules.calendar import Calendar
from rules.catalogue import Catalogue
from rules.explained import Explained, explained
from rules.heeding import COMPARED, ONLINE, Compared, compared_in, heeds_of
from rules.judged import JudgedKernel
from rules.kernel import PairKernel
from rules.kernels.flag import FlagKernel, FlagRule
from rules.kernels.place import PlaceKernel, PlaceRule
from rules.kin import Kin
from rules.kinds import JUDGED
from rules.latest import Latest
from rules.look import Ground, Look
from rules.overrides import Override, Overrides
from rules.pairs import State
from rules.presence import Presence
from rules.settings import touched
from rules.standing import (
    Cause,
    Facts,
    Lost,
    Standing,
    as_columns,
    cleared,
    facts_columns,
    facts_in,
    facts_of,
    lost_in,
    lost_of,
    standing_columns,
    standing_in,
)
from rules.succession import measures, moved_places, start_over
from rules.transition import Subject, Transition

CHINA: Final = Calendar.fixed(8)
"""The local time of a site that says nothing else (design, vocabulary: Asia/Shanghai)."""


class _Part(Protocol):
    def snapshot(self) -> State: ...

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None: ...


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
        self._catalogue, self._calendar, self._table = catalogue, calendar, table
        compared = compared_in(catalogue)
        kept = before if before and before._stands_on(calendar, compared) else None
        self._ground: Ground = (
            kept._ground
            if kept
            else Ground(calendar, Kin(table, compared.judged | compared.asked), Latest(table, compared.asked))
        )
        order, gated = catalogue.order(), catalogue.gated()
        flags = catalogue.of(FlagRule)
        same = kept is not None and kept._flag.goes_on(flags, order)
        self._flag: FlagKernel = kept._flag if kept and same else FlagKernel(flags, order, table)
        self._judged: dict[str, JudgedKernel[Any]] = {}
        for kind, kernel in JUDGED:
            rules, tag = catalogue.of(kind), str(kind.__struct_config__.tag)
            old = kept._judged.get(tag) if kept and kept._catalogue.gated() == gated else None
            if old is not None and old.goes_on(rules, order):
                self._judged[tag] = old
            elif rules:
                self._judged[tag] = kernel(rules, order, table, self._ground, gated)
        same = kept is not None and kept._place.goes_on(catalogue.rule)
        self._place: PlaceKernel = kept._place if kept and same else PlaceKernel(catalogue.rule, table)
        same = kept is not None and kept._presence.goes_on(catalogue)
        self._presence: Presence = kept._presence if kept and same else Presence(catalogue, table)
        self._in_force: tuple[Override, ...] = before._in_force if before else ()
        self._kernel_of: dict[str, PairKernel[Any] | PlaceKernel] = {
            rule.name: self._place for rule in catalogue.of(PlaceRule)
        }
        for one in self._on_series():
            self._kernel_of |= dict.fromkeys(one.number, one)
        self._heeds = heeds_of(list(self._on_series()), compared.asked)
        self._measures = measures(catalogue.rule)
        self._lost: list[Lost] = list(before._lost) if before else []

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        """Takes a changed series table.

        A slot keeps its state while device and metric stay what they were. A slot that got another device,
        or lost it, starts blank: a flag that is still true raises again at its next reading. An alarm that
        was active there, or on a device that has no slot any more, is told as cleared by the next `evaluate`
        or `advance`, before all else. `changed` names
        the slots that may differ from before, besides those beyond the old table's end; the cost is theirs.
        None: any slot may, and the cost is that of all. The engine reads the table's arrays as long as it
        has it, and remembers itself what it compares: they may be changed in place, if `adopt` follows
        before the next `evaluate`.
        """
        among = None if changed is None else changed[changed < len(self._table)]
        before = [*self._standing_on_series(among), *self._presence.alarms(among)]
        self._table = table
        self._ground.kin.adopt(table, changed)
        self._ground.latest.adopt(table, changed)
        for kernel in self._on_series():
            kernel.adopt(table, changed)
        self._place.adopt(table, self._active(changed), changed)
        self._presence.adopt(table, changed)
        if before:  # a device may have lost one of its slots and live on by another: all are asked
            after = [*self._standing_on_series(among), *self._presence.alarms()]
            self._lost += lost_of(before, after, self._facts(), table, cause=Cause.DEVICE)

    def forget(self, slots: Int32) -> None:
        """These slots are gone, without a transition; who has one next starts blank. Call `adopt` then."""
        self._ground.kin.forget(slots)
        self._ground.latest.forget(slots)
        for kernel in self._on_series():
            kernel.pairs.forget(slots)
        self._place.forget(slots)
        self._presence.forget(slots)

    def holds(self, slots: Int32) -> Bool:
        """On which of these an alarm is active, on the series, on its device or on its place."""
        active = [slot for _, slot in self._active(slots)]
        active += [one.slot for one in self._lost if one.cause is not Cause.DEVICE]  # still to be told
        held: Bool = np.isin(slots, [*active, *self._place.raised_by()])
        return held | self._presence.holds(slots)

    def override(self, overrides: Overrides, now_us: int) -> None:
        """These are the overrides from here on, as far as they are in force at `now_us`. State stays.

        Cost: a look at the places of all series, and the settling of those that are concerned.
        """
        in_force = overrides.in_force(now_us)
        if in_force == self._in_force:
            return
        changed = {*in_force} ^ {*self._in_force}
        names = {one.rule for one in changed}
        slots, none = touched(changed, self._table), np.empty(0, np.int32)
        self._in_force = in_force
        for kernel in self._judged.values():
            kernel.override(in_force, none if names.isdisjoint(kernel.number) else slots)

    def turned_to(
        self, catalogue: Catalogue, now_us: int, calendar: Calendar | None = None
    ) -> tuple[Engine, list[Transition]]:
        """The engine of other rules, or of another calendar, with the state of this one; and the clearings of
        alarms that are active on what no rule watches any more.

        Kernels whose rules are the same go over as they are, the others are built anew and take the old
        state: exact for every rule that measures as before (`rules.succession`). Overrides in force stay so,
        and what `adopt` and `restore` found to be cleared is told by the new one. This one must not be used
        any more. Cost: that of a kernel for each kind of which a rule changed.
        """
        other = Engine(catalogue, self._table, calendar or self._calendar, before=self)
        return other, other._take_over(self, now_us)

    def _stands_on(self, calendar: Calendar, compared: Compared) -> bool:
        return self._calendar is calendar and compared_in(self._catalogue) == compared

    def _take_over(self, before: Engine, now_us: int) -> list[Transition]:
        olds, news, stood = before._parts(), self._parts(), list(before.standing())
        for name in olds.keys() & news.keys():
            if news[name] is not olds[name]:
                news[name].restore(olds[name].snapshot())
        anew = [one for name, one in self._judged.items() if one is not olds.get(name)]
        self._start_over(before._measures, anew, place=self._place is not before._place)
        for kernel in anew if self._in_force else ():
            kernel.override(self._in_force)
        lost = lost_of(stood, self.standing(), before._facts(), self._table, self._catalogue.order())
        return cleared(lost, self._table, now_us)

    def _start_over(
        self, before: Mapping[str, str], kernels: Iterable[JudgedKernel[Any]], *, place: bool
    ) -> None:
        """What was gathered by rules that measured as `before` says is let go, where they measure otherwise
        now; the places learn what is active."""
        for kernel in kernels:
            start_over(before, self._measures, kernel)
        if place:
            rules = self._catalogue.of(PlaceRule)
            self._place.leave(moved_places(before, rules, self._measures))
            self._place.adopt(self._table, self._active())

    def standing(self) -> Iterator[Standing]:
        """Every alarm that is active. Cost: a look at all series."""
        yield from self._standing_on_series()
        yield from self._standing_elsewhere()

    def _standing_elsewhere(self) -> Iterator[Standing]:
        """On places, devices and buildings."""
        for rule, place, slot in self._place.alarms():
            yield Standing(rule.name, rule.scope.subject, place, slot)
        yield from self._presence.alarms()

    def _standing_on_series(self, among: Int32 | None = None) -> Iterator[Standing]:
        for name, slot in self._active(among):
            yield Standing(name, Subject.SERIES, slot, slot)

    def _facts(self) -> dict[str, Facts]:
        return facts_of(self._catalogue.rule, self._measures)

    def explain(self, slot: int) -> list[Explained]:
        """What each rule that watches this series is there, in the order of the catalogue. Rules on places
        and devices are not among them."""
        pairs = self._flag.pairs.expand(np.array([slot], np.int32))[1]
        found = [Explained(self._flag.rules[int(self._flag.pairs.rule[pair])]) for pair in pairs.tolist()]
        for kernel in self._judged.values():
            found += explained(kernel, slot, self._table, self._in_force)
        order = self._catalogue.order()
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
        return 0 if self._lost else self._presence.due_us

    @property
    def away(self) -> frozenset[str]:
        """The brokers of which `AWAY` was said and not `BACK`."""
        return self._presence.away

    def advance(self, now_us: int) -> list[Transition]:
        """The transitions that come by time alone (kinds `silence` and `dark`): the only thing that the
        passing of time does. Call it once for each journalled record, after `evaluate`, with the record's
        time.

        Looks at the first call in each second of the clock; further ones in it are nothing. Blocks come
        first, by id, then devices, by id. A raise carries its deadline as `at_us`, not `now_us`.
        """
        return [*self._tell_lost(now_us), *self._presence.advance(now_us)]

    def _tell_lost(self, now_us: int) -> list[Transition]:
        """The clearings of alarms that nothing watches any more, once."""
        if not self._lost:
            return []
        lost, self._lost = self._lost, []
        return cleared(lost, self._table, now_us)

    def evaluate(
        self, batch: ReadingBatch, inputs: Sequence[EngineInput], now_us: int, source: str = ""
    ) -> list[Transition]:
        """What the acts in `inputs` and then the readings of `batch` change, in that order; before them, the
        clearings of alarms that `adopt` or `restore` found nothing to watch any more, at `now_us`.

        Within the readings: arrival order, then the order of the catalogue; a place's alarm follows its
        trigger. An act on a rule or series that no longer exists is nothing. `now_us` is when acts were
        received; no alarm comes or goes by it alone. `source` is the broker that the batch came from: its
        name, as `AWAY` and `BACK` call it.
        """
        transitions = self._tell_lost(now_us)
        for given in inputs:
            if given.kind is InputKind.UNFOUNDED:
                self._heed(given)
                continue
            if given.kind not in _ACTS:
                self._presence.note(given)
                continue
            if given.rule in self._presence.names:
                transitions += self._presence.apply(given, now_us)
                continue
            kernel = self._kernel_of.get(given.rule)
            cleared = kernel.apply(given, now_us) if kernel else None
            if cleared:
                transitions.append(cleared)
                if kernel is not self._place:
                    self._place.feed(cleared)
        if len(batch):
            for transition in self._judge(batch, source):
                transitions += (transition, *self._place.feed(transition))
        return transitions

    def _heed(self, given: EngineInput) -> None:
        """An alarm had been false: kinds that count that do so, and nothing is cleared."""
        for kernel in self._judged.values():
            kernel.heed(given)

    def _judge(self, batch: ReadingBatch, source: str) -> list[Transition]:
        """What the readings change, in the order in which it is told."""
        look = Look(batch, self._table, self._ground)
        heeded = int(np.bitwise_or.reduce(self._heeds.take(look.metric)))
        found = self._flag.evaluate(look) if heeded & 1 else []
        found += self._presence.hear(look, bool(heeded & ONLINE), source)
        compared = bool(heeded & COMPARED)
        if compared:
            latest = self._ground.latest
            latest.begin(batch, look.heard(latest.metrics) if look.whole else None)
        for bit, kernel in enumerate(self._judged.values(), start=1):
            if heeded >> bit & 1:
                found += kernel.evaluate(look)
        if compared:
            self._ground.latest.end(batch)
        return [transition for *_, transition in sorted(found, key=itemgetter(0, 1))]

    def snapshot(self) -> State:
        """The complete state as copies in arrays (no objects in them), for `restore`. It says besides which
        alarms are active by which rules: another catalogue may not know them."""
        state = {
            f"{name}.{key}": column
            for name, part in self._parts().items()
            for key, column in part.snapshot().items()
        }
        state |= standing_columns(self._on_series(), list(self._standing_elsewhere()))
        return state | as_columns("lost", self._lost, Lost) | facts_columns(self._facts())

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot; exact over the same catalogue and series table.

        Over others, what still exists (same rule name, slot, device and metric) keeps its state, but for
        what a rule gathered that measures otherwise now, and the rest starts blank. What was active and is
        not any more is told as cleared by the next `evaluate` or `advance`, before all else. Raises KeyError
        for arrays that are no snapshot.
        """
        self._flag.restore(_part("flag", state))
        for name, kernel in self._judged.items():
            if part := _part(name, state):
                kernel.restore(part)
        self._place.restore(_part("place", state))
        if part := _part("latest", state):
            self._ground.latest.restore(part)
        if part := _part("presence", state):
            self._presence.restore(part)
        facts, stood = facts_in(state), standing_in(state)
        before = {name: one.measure for name, one in facts.items()}
        self._start_over(before, self._judged.values(), place=True)
        self._lost = lost_in(state)
        if stood is not None:
            self._lost += lost_of(stood, self.standing(), facts, self._table, self._catalogue.order())

    def _parts(self) -> dict[str, _Part]:
        """What has state, by its name in a snapshot."""
        return {
            "flag": self._flag,
            **self._judged,
            "place": self._place,
            "latest": self._ground.latest,
            "presence": self._presence,
        }

    def _on_series(self) -> Iterator[PairKernel[Any]]:
        return chain((self._flag,), self._judged.values())

    def _active(self, among: Int32 | None = None) -> Iterator[tuple[str, int]]:
        return chain.from_iterable(kernel.active(among) for kernel in self._on_series())


_ACTS: Final = (InputKind.RESET, InputKind.CLOSE)


def _part(part: str, state: Mapping[str, NDArray[Any]]) -> State:
    prefix = f"{part}."
    return {name.removeprefix(prefix): column for name, column in state.items() if name.startswith(prefix)}
