"""The whole site in one picture: facts put where they belong, and each building summed up. Pure.

Takes time in proportion to buildings and to what is not quiet, not to dwellings: of those that are quiet, or
only without a device, nothing is kept.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from alerts.dwelling_states import (
    BARE,
    NO_DEVICE_FACT,
    NOBODY_FACT,
    QUIET,
    DwellingState,
    Fact,
    OpenHere,
    Standing,
    Summary,
    dark_fact,
    exercise_fact,
    fact_of,
    worst,
)
from alerts.dwelling_states_homes import Estate, Home, House
from alerts.gate import EXERCISE_TAGS
from alerts.places import stair_in
from alerts.windows import Scope, Window, WindowKind
from devices.model import PlaceKind

Spot = tuple[PlaceKind, int]
Facts = dict[int, list[Fact]]
_ALONE = Standing((NOBODY_FACT,))


class Hang(NamedTuple):
    """Where a device hangs; 0 where it does not."""

    dwelling_id: int = 0
    stair_id: int = 0
    building_id: int = 0


class Stray(NamedTuple):
    """What is open where the registry knows no building: a device nobody registered. `place` is the key."""

    place: str
    fact: Fact


@dataclass(frozen=True, slots=True)
class Now:
    """What is so besides the registry: open incidents, windows in force, where the devices of these windows
    hang, and places with nobody to tell."""

    opens: Sequence[OpenHere] = ()
    windows: Sequence[Window] = ()
    hangs: Mapping[str, Hang] = field(default_factory=dict)
    deserted: Collection[Spot] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """The site as it is. `stairs` and `commons` hold what is so in common parts, by stair and by building;
    `strays` what is in no building that is known, the worst first."""

    estate: Estate
    homes: Mapping[int, Standing]
    stairs: Mapping[int, Standing]
    commons: Mapping[int, Standing]
    summaries: Mapping[int, Summary]
    strays: Sequence[Stray] = ()

    def of(self, home: Home) -> Standing:
        """The state of one dwelling."""
        return self.homes.get(home.id) or (QUIET if home.is_served else BARE)

    def of_stair(self, stair_id: int) -> Standing:
        """The common parts of a stair."""
        return self.stairs.get(stair_id, QUIET)

    def of_common(self, house_id: int) -> Standing:
        """The parts of a building outside its stairs, and what is in no dwelling that is known."""
        return self.commons.get(house_id, QUIET)

    def summary(self, house_id: int) -> Summary:
        """A building with all that is in it."""
        return self.summaries.get(house_id) or Summary()

    def unquiet(self, house: House) -> Iterator[tuple[Home, Standing]]:
        """Its dwellings that are not quiet, those without a device left out."""
        return ((home, found) for home in house.homes if (found := self.homes.get(home.id)))


def picture_of(estate: Estate, now: Now) -> Picture:
    """Everything put where it belongs."""
    facts = _Gathered(estate)
    for one in now.opens:
        facts.add_open(one)
    for window in now.windows:
        facts.add_window(window, now.hangs)
    homes = _standings(facts.homes, estate)
    stairs = {number: Standing.of(found) for number, found in facts.stairs.items()}
    commons = {number: Standing.of(found) for number, found in facts.commons.items()}
    for kind, number in now.deserted:
        _add_nobody({PlaceKind.DWELLING: homes, PlaceKind.STAIR: stairs}.get(kind, commons), number)
    return Picture(
        estate,
        homes,
        stairs,
        commons,
        dict(_summed(estate, homes, stairs, commons)),
        sorted(facts.strays, key=lambda one: one.fact.order),
    )


class _Gathered:
    """Facts by dwelling, stair and building."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self.homes: Facts = defaultdict(list)
        self.stairs: Facts = defaultdict(list)
        self.commons: Facts = defaultdict(list)
        self.strays: list[Stray] = []

    def add_open(self, one: OpenHere) -> None:
        fact = fact_of(one)
        if fact is None:
            return
        if one.dwelling_id in self._estate.house_of:
            self.homes[one.dwelling_id].append(fact)
        elif (stair_id := stair_in(one.place)) in self._estate.stair_of:
            self.stairs[stair_id].append(fact)
        elif one.building_id in self._estate.houses:
            self.commons[one.building_id].append(fact)
            if fact.state is DwellingState.SILENT and one.is_dark:
                self._darken(self._estate.houses[one.building_id], dark_fact(one))
        else:
            self.strays.append(Stray(one.place, fact))

    def _darken(self, house: House, fact: Fact) -> None:
        for home in house.homes:
            if home.is_served:
                self.homes[home.id].append(fact)

    def add_window(self, window: Window, hangs: Mapping[str, Hang]) -> None:
        if window.kind not in EXERCISE_TAGS:
            return
        fact = exercise_fact(str(window.kind), window.from_us)
        if window.scope is Scope.DEVICE:
            self._add_at(hangs.get(window.code, Hang()), fact)
        elif window.kind is WindowKind.DRILL:
            for home in self._within(window):
                self.homes[home.id].append(fact)

    def _add_at(self, hang: Hang, fact: Fact) -> None:
        if hang.dwelling_id in self._estate.house_of:
            self.homes[hang.dwelling_id].append(fact)
        elif hang.stair_id in self._estate.stair_of:
            self.stairs[hang.stair_id].append(fact)
        elif hang.building_id in self._estate.houses:
            self.commons[hang.building_id].append(fact)

    def _within(self, window: Window) -> Iterator[Home]:
        estate, place_id = self._estate, window.place_id
        if window.scope is Scope.AREA:
            for house in estate.houses.values():
                if any(node.id == place_id for node in estate.above(house.area_id)):
                    yield from house.homes
        elif window.scope is Scope.BUILDING and place_id in estate.houses:
            yield from estate.houses[place_id].homes
        elif window.scope is Scope.STAIR and place_id in estate.stair_of:
            house = estate.houses[estate.stair_of[place_id]]
            yield from (home for home in house.homes if home.stair_id == place_id)
        elif window.scope is Scope.DWELLING and (home := estate.home(place_id)):
            yield home


def _standings(facts: Facts, estate: Estate) -> dict[int, Standing]:
    """With it that no device is there, where none is."""
    for number, found in facts.items():
        if number in estate.houses[estate.house_of[number]].bare:
            found.append(NO_DEVICE_FACT)
    return {number: Standing.of(found) for number, found in facts.items()}


def _add_nobody(found: dict[int, Standing], number: int) -> None:
    known = found.get(number)
    found[number] = Standing.of((*known.facts, NOBODY_FACT)) if known else _ALONE


def _summed(
    estate: Estate,
    homes: Mapping[int, Standing],
    stairs: Mapping[int, Standing],
    commons: Mapping[int, Standing],
) -> Iterator[tuple[int, Summary]]:
    inside: dict[int, list[Standing]] = defaultdict(list)
    quiet_bare: Counter[int] = Counter()
    for number, one in homes.items():
        house_id = estate.house_of.get(number, 0)
        if house_id:
            inside[house_id].append(one)
            quiet_bare[house_id] += number in estate.houses[house_id].bare
    outside: dict[int, list[Standing]] = defaultdict(list)
    for stair_id, one in stairs.items():
        outside[estate.stair_of.get(stair_id, 0)].append(one)
    for house_id, one in commons.items():
        outside[house_id].append(one)
    for house in estate.houses.values():
        here, beside = inside.get(house.id, ()), outside.get(house.id, ())
        yield house.id, _summary(house, here, beside, quiet_bare[house.id])


def _summary(house: House, here: Sequence[Standing], beside: Sequence[Standing], bare_known: int) -> Summary:
    counts = Counter(one.state for one in here)
    counts[DwellingState.NO_DEVICE] += len(house.bare) - bare_known
    counts[DwellingState.QUIET] = house.size - len(here) - (len(house.bare) - bare_known)
    counts += Counter()  # without zeros
    every = (*here, *beside)
    return Summary(
        worst((*counts, *(one.state for one in beside))),
        counts,
        any(one.is_strong for one in every),
        any(fact.is_loud for one in every for fact in one.facts),
    )
