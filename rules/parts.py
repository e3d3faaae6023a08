"""What an engine is made of: the kernels of a catalogue over one series table, and what they stand on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, Int32, SeriesTable
from rules.calendar import Calendar
from rules.catalogue import Catalogue
from rules.heeding import Compared, compared_in, heeds_of
from rules.judged import JudgedKernel
from rules.kernel import PairKernel
from rules.kernels.flag import FlagRule
from rules.kernels.flag_kernel import FlagKernel
from rules.kernels.place import PlaceKernel
from rules.kernels.place_rule import PlaceRule
from rules.kin import Kin
from rules.kinds import JUDGED
from rules.latest import Latest
from rules.look import Ground
from rules.pairs import State
from rules.presence import Presence
from rules.standing import Facts, Standing, facts_of
from rules.succession import measures, moved_places, start_over
from rules.transition import Subject
from rules.whereabouts import Whereabouts


class Part(Protocol):
    """What has state."""

    def snapshot(self) -> State:
        """Copies of all of it."""

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot."""


class Parts:
    """All parts. `table` and the kernels change; which kernels there are does not.

    `before`: parts over the same table whose kernels go over as they are, where their rules are the same. The
    others are built anew, without their state (`take_over`).
    """

    def __init__(
        self, catalogue: Catalogue, table: SeriesTable, calendar: Calendar, before: Parts | None = None
    ) -> None:
        self.catalogue, self.calendar, self.table = catalogue, calendar, table
        self.measures = measures(catalogue.rule)
        compared = compared_in(catalogue)
        kept = before if before and before._stands_on(calendar, compared) else None
        self.ground: Ground = kept.ground if kept else _ground(table, calendar, compared)
        self.flag: FlagKernel = self._flag_kernel(kept)
        self.judged: Mapping[str, JudgedKernel[Any]] = dict(self._judged_kernels(kept))
        same_places = kept is not None and kept.place.goes_on(catalogue.rule)
        self.place: PlaceKernel = kept.place if kept and same_places else PlaceKernel(catalogue.rule, table)
        same_presence = kept is not None and kept.presence.goes_on(catalogue)
        self.presence: Presence = kept.presence if kept and same_presence else Presence(catalogue, table)
        self.heeds = heeds_of(list(self.on_series()), compared.asked)
        self.kernel_of: dict[str, PairKernel[Any] | PlaceKernel] = {
            rule.name: self.place for rule in catalogue.of(PlaceRule)
        }
        for one in self.on_series():
            self.kernel_of |= dict.fromkeys(one.number, one)
        of_judged = {name: one for one in self.judged.values() for name in one.number}
        self.whereabouts: Whereabouts = Whereabouts(of_judged, catalogue.order(), table)

    def _stands_on(self, calendar: Calendar, compared: Compared) -> bool:
        return self.calendar is calendar and compared_in(self.catalogue) == compared

    def _flag_kernel(self, kept: Parts | None) -> FlagKernel:
        rules, order = self.catalogue.of(FlagRule), self.catalogue.order()
        if kept and kept.flag.goes_on(rules, order):
            return kept.flag
        return FlagKernel(rules, order, self.table)

    def _judged_kernels(self, kept: Parts | None) -> Iterator[tuple[str, JudgedKernel[Any]]]:
        order, gated = self.catalogue.order(), self.catalogue.gated()
        for kind, kernel in JUDGED:
            rules, tag = self.catalogue.of(kind), str(kind.__struct_config__.tag)
            old = kept.judged.get(tag) if kept and kept.catalogue.gated() == gated else None
            if old is not None and old.goes_on(rules, order):
                yield tag, old
            elif rules:
                yield tag, kernel(rules, order, self.table, self.ground, gated)

    def named(self) -> dict[str, Part]:
        """What has state, by its name in a snapshot."""
        return {
            "flag": self.flag,
            **self.judged,
            "place": self.place,
            "latest": self.ground.latest,
            "presence": self.presence,
            "whereabouts": self.whereabouts,  # last: it asks the kernels, where a snapshot says nothing
        }

    def on_series(self) -> Iterator[PairKernel[Any]]:
        """The kernels whose alarms are about series."""
        return chain((self.flag,), self.judged.values())

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        """See `Engine.adopt`."""
        self.table = table
        self.ground.kin.adopt(table, changed)
        self.ground.latest.adopt(table, changed)
        for kernel in self.on_series():
            kernel.adopt(table, changed)
        self.place.adopt(table, self._active(changed), changed)
        self.presence.adopt(table, changed)
        self.whereabouts.adopt(table, changed)

    def forget(self, slots: Int32) -> None:
        """See `Engine.forget`."""
        self.ground.kin.forget(slots)
        self.ground.latest.forget(slots)
        for kernel in self.on_series():
            kernel.pairs.forget(slots)
        self.place.forget(slots)
        self.presence.forget(slots)
        self.whereabouts.forget(slots)

    def take_over(self, before: Parts) -> list[JudgedKernel[Any]]:
        """The state of parts with other rules; the judged kernels that are not those of before."""
        olds, news = before.named(), self.named()
        for name in olds.keys() & news.keys():
            if news[name] is not olds[name]:
                news[name].restore(olds[name].snapshot())
        anew = [one for name, one in self.judged.items() if one is not olds.get(name)]
        self.start_over(before.measures, anew, place=self.place is not before.place)
        return anew

    def start_over(
        self, before: Mapping[str, str], kernels: Iterable[JudgedKernel[Any]], *, place: bool
    ) -> None:
        """What was gathered by rules that measured as `before` says is let go, where they measure otherwise
        now; the places learn what is active."""
        for kernel in kernels:
            start_over(before, self.measures, kernel)
        if place:
            self.place.leave(moved_places(before, self.catalogue.of(PlaceRule), self.measures))
            self.place.adopt(self.table, self._active())

    @property
    def has_moved(self) -> bool:
        """Whether alarms may be told elsewhere than where their devices are registered."""
        return self.flag.has_moved or self.whereabouts.has_moved

    def facts(self) -> dict[str, Facts]:
        """What must be known of the rules when they are gone."""
        return facts_of(self.catalogue.rule, self.measures)

    def standing(self) -> Iterator[Standing]:
        """See `Engine.standing`."""
        yield from self.standing_on_series()
        yield from self.standing_elsewhere()

    def standing_on_series(self, among: Int32 | None = None) -> Iterator[Standing]:
        """The alarms that are active on series; or on some of them."""
        for name, slot in self._active(among):
            yield Standing(name, Subject.SERIES, slot, slot)

    def standing_elsewhere(self) -> Iterator[Standing]:
        """On places, devices and buildings."""
        for rule, place, slot in self.place.alarms():
            yield Standing(rule.name, rule.scope.subject, place, slot)
        yield from self.presence.alarms()

    def holds(self, slots: Int32) -> Bool:
        """On which of these an alarm is active, on the series, on its device or on its place."""
        active = [slot for _, slot in self._active(slots)]
        held: Bool = np.isin(slots, [*active, *self.place.raised_by()])
        return held | self.presence.holds(slots)

    def _active(self, among: Int32 | None = None) -> Iterator[tuple[str, int]]:
        return chain.from_iterable(kernel.active(among) for kernel in self.on_series())


def _ground(table: SeriesTable, calendar: Calendar, compared: Compared) -> Ground:
    return Ground(calendar, Kin(table, compared.judged | compared.asked), Latest(table, compared.asked))
