"""What there is to draw: areas, buildings, stairs and dwellings of the site, and in which a device serves.

Read whole, in five queries; it changes with the registry only, so whoever asks often keeps it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from devices.schema import area, building, device, dwelling, registry_change, stair


class Home(NamedTuple):
    """A dwelling. `is_served`: a device in service hangs in it."""

    id: int
    stair_id: int
    floor: int
    flat: str
    code: str
    is_served: bool


class Steps(NamedTuple):
    """A stair of a building and its dwellings, none it may be; in the order of floors, then flats."""

    id: int
    name: str
    homes: tuple[Home, ...] = ()


@dataclass(frozen=True, slots=True)
class House:
    """A building. `bare` are the ids of its dwellings without a device."""

    id: int
    area_id: int
    code: str
    name: str
    floors: int
    steps: tuple[Steps, ...] = ()
    size: int = 0
    bare: frozenset[int] = frozenset()

    @property
    def homes(self) -> Iterator[Home]:
        """All its dwellings."""
        for one in self.steps:
            yield from one.homes


class Node(NamedTuple):
    """An area; None above the topmost."""

    id: int
    parent_id: int | None
    level: str
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Estate:
    """The whole site by id. `house_of` says in which building a dwelling is, `stair_of` a stair."""

    houses: Mapping[int, House] = field(default_factory=dict)
    areas: Mapping[int, Node] = field(default_factory=dict)
    house_of: Mapping[int, int] = field(default_factory=dict)
    stair_of: Mapping[int, int] = field(default_factory=dict)

    def above(self, area_id: int | None) -> tuple[Node, ...]:
        """The area and all above it, from below; ends where the tree was bent into a ring by hand."""
        found: list[Node] = []
        while area_id is not None and (node := self.areas.get(area_id)) and node not in found:
            found.append(node)
            area_id = node.parent_id
        return tuple(found)

    def home(self, dwelling_id: int) -> Home | None:
        """One dwelling."""
        house = self.houses.get(self.house_of.get(dwelling_id, 0))
        return next((one for one in house.homes if one.id == dwelling_id), None) if house else None


def registry_version(connection: Connection) -> int:
    """Another number whenever the registry may be another."""
    return int(connection.scalar(select(func.max(registry_change.c.id))) or 0)


def read_estate(connection: Connection) -> Estate:
    """The site as the registry has it; buildings by code, stairs in the order in which they were added."""
    areas = {row.id: Node(*row) for row in connection.execute(_AREAS)}
    served = frozenset(connection.scalars(_SERVED))
    homes: dict[int, list[Home]] = defaultdict(list)
    for number, stair_id, floor, flat, code in connection.execute(_HOMES):
        homes[stair_id].append(Home(number, stair_id, floor, flat, code, number in served))
    steps: dict[int, list[Steps]] = defaultdict(list)
    for number, house_id, name in connection.execute(_STEPS):
        here = sorted(homes.get(number, ()), key=in_stair)
        steps[house_id].append(Steps(number, name, tuple(here)))
    houses = {
        row.id: _house(row.id, row.area_id, row.code, row.name, row.floors, steps.get(row.id, ()))
        for row in connection.execute(_HOUSES)
    }
    return Estate(
        houses,
        areas,
        {home.id: house.id for house in houses.values() for home in house.homes},
        {one.id: house.id for house in houses.values() for one in house.steps},
    )


def _house(number: int, area_id: int, code: str, name: str, floors: int, steps: Collection[Steps]) -> House:
    homes = [home for one in steps for home in one.homes]
    bare = frozenset(home.id for home in homes if not home.is_served)
    return House(number, area_id, code, name, floors, tuple(steps), len(homes), bare)


def in_stair(home: Home) -> tuple[int, int, str, int]:
    """Floors from below, on each the flats as people count them: 2 before 11."""
    digits = "".join(filter(str.isdecimal, home.flat))
    return home.floor, int(digits) if digits else 0, home.flat, home.id


_AREAS = select(area.c.id, area.c.parent_id, area.c.level, area.c.code, area.c.name).order_by(area.c.code)
_HOUSES = select(
    building.c.id, building.c.area_id, building.c.code, building.c.name, building.c.floors
).order_by(building.c.code)
_STEPS = select(stair.c.id, stair.c.building_id, stair.c.name).order_by(stair.c.id)
_HOMES = select(dwelling.c.id, dwelling.c.stair_id, dwelling.c.floor, dwelling.c.flat, dwelling.c.code)
_SERVED = (
    select(device.c.dwelling_id)
    .where(device.c.dwelling_id.is_not(None), device.c.retired_us.is_(None))
    .distinct()
)
