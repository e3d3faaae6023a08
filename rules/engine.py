"""The rule engine: readings and people's acts in, transitions out. Pure: `now_us` is an argument.

The same arrays in give the same transitions out, and any cutting of the stream into batches gives what one
reading at a time in the same arrival order would give.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from devices.model import METRIC_LIMIT, Bool, EngineInput, InputKind, Int32, Metric, ReadingBatch, SeriesTable
from rules.calendar import Calendar
from rules.catalogue import Catalogue
from rules.explained import Explained, explained
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
from rules.succession import lost_alarms, lost_places, moved_places, start_over
from rules.transition import Transition

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
        compared = _compared(catalogue)
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
        self._heeds = _heeds(list(self._on_series()), compared.asked)

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        """Takes a changed series table, without a transition.

        A slot keeps its state while device and metric stay what they were. A slot that got another device,
        or lost it, starts blank: a flag that is still true raises again at its next reading. `changed` names
        the slots that may differ from before, besides those beyond the old table's end; the cost is theirs.
        None: any slot may, and the cost is that of all. The engine reads the table's arrays as long as it
        has it, and remembers itself what it compares: they may be changed in place, if `adopt` follows
        before the next `evaluate`.
        """
        self._table = table
        self._ground.kin.adopt(table, changed)
        self._ground.latest.adopt(table, changed)
        for kernel in self._on_series():
            kernel.adopt(table, changed)
        self._place.adopt(table, self._active(changed), changed)
        self._presence.adopt(table, changed)

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
        state: exact for every rule that measures as before (`rules.succession`). Overrides in force stay so.
        This one must not be used any more. Cost: that of a kernel for each kind of which a rule changed.
        """
        other = Engine(catalogue, self._table, calendar or self._calendar, before=self)
        return other, other._take_over(self, now_us)

    def _stands_on(self, calendar: Calendar, compared: _Compared) -> bool:
        return self._calendar is calendar and _compared(self._catalogue) == compared

    def _take_over(self, before: Engine, now_us: int) -> list[Transition]:
        olds, news = before._parts(), self._parts()
        for name in olds.keys() & news.keys():
            if news[name] is not olds[name]:
                news[name].restore(olds[name].snapshot())
        for name, kernel in self._judged.items():
            if kernel is not olds.get(name):
                start_over(before._catalogue.rule, kernel)
                if self._in_force:
                    kernel.override(self._in_force)
        if self._place is not before._place:
            self._place.leave(moved_places(before._catalogue, self._catalogue))
            self._place.adopt(self._table, self._active())
        names = self._catalogue.order()
        return [
            *lost_alarms(list(before._on_series()), list(self._on_series()), names, now_us),
            *lost_places(before._place, self._place, self._table, names, now_us),
            *before._presence.lost_in(self._presence, names, now_us),
        ]

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
        return self._presence.due_us

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
        return self._presence.advance(now_us)

    def evaluate(
        self, batch: ReadingBatch, inputs: Sequence[EngineInput], now_us: int, source: str = ""
    ) -> list[Transition]:
        """What the acts in `inputs` and then the readings of `batch` change, in that order.

        Within the readings: arrival order, then the order of the catalogue; a place's alarm follows its
        trigger. An act on a rule or series that no longer exists is nothing. `now_us` is when acts were
        received; no alarm comes or goes by it alone. `source` is the broker that the batch came from: its
        name, as `AWAY` and `BACK` call it.
        """
        transitions: list[Transition] = []
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
        found += self._presence.hear(look, bool(heeded & _ONLINE), source)
        compared = bool(heeded & _COMPARED)
        if compared:
            self._ground.latest.begin(batch)
        for bit, kernel in enumerate(self._judged.values(), start=1):
            if heeded >> bit & 1:
                found += kernel.evaluate(look)
        if compared:
            self._ground.latest.end(batch)
        return [transition for *_, transition in sorted(found, key=itemgetter(0, 1))]

    def snapshot(self) -> State:
        """The complete state as copies in arrays (no objects in them), for `restore`."""
        return {
            f"{name}.{key}": column
            for name, part in self._parts().items()
            for key, column in part.snapshot().items()
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot; exact over the same catalogue and series table.

        Over others, what still exists (same rule name, slot, device and metric) keeps its state and the
        rest starts blank. Raises KeyError for arrays that are no snapshot.
        """
        self._flag.restore(_part("flag", state))
        for name, kernel in self._judged.items():
            if part := _part(name, state):
                kernel.restore(part)
        self._place.restore(_part("place", state))
        self._place.adopt(self._table, self._active())
        if part := _part("latest", state):
            self._ground.latest.restore(part)
        if part := _part("presence", state):
            self._presence.restore(part)

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
_ONLINE: Final = 1 << 61
"""The bit of `device.online`."""
_COMPARED: Final = 1 << 62
"""The bit of metrics whose newest values are kept."""


class _Compared(NamedTuple):
    """Metrics of series that are compared with others of their device, and of those others."""

    judged: frozenset[Metric]
    asked: frozenset[Metric]


def _compared(catalogue: Catalogue) -> _Compared:
    judged: set[Metric] = set()
    asked: set[Metric] = set()
    for kind, kernel in JUDGED:
        if kernel.compares:
            rules = catalogue.of(kind)
            judged.update(metric for rule in rules for metric in rule.metrics)
            asked.update(kernel.compares if rules else ())
    return _Compared(frozenset(judged), frozenset(asked))


def _heeds(kernels: Sequence[PairKernel[Any]], compared: frozenset[Metric]) -> NDArray[np.int64]:
    """For each metric, a bit for every kernel that looks at it, in their order."""
    heeds = np.zeros(METRIC_LIMIT, np.int64)
    for bit, kernel in enumerate(kernels):
        heeds[list(kernel.metrics)] |= 1 << bit
    heeds[list(compared)] |= _COMPARED
    heeds[Metric.DEVICE_ONLINE] |= _ONLINE
    return heeds


def _part(part: str, state: Mapping[str, NDArray[Any]]) -> State:
    prefix = f"{part}."
    return {name.removeprefix(prefix): column for name, column in state.items() if name.startswith(prefix)}
