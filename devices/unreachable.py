"""Dwellings with a device and nobody to tell: a fault to mend before the fire, not at it (contract 5)."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from sqlalchemy import Connection, exists, select

from devices.model import PlaceKind, Role
from devices.schema import area, binding, building, contact_channel, device, dwelling, stair

NEIGHBOUR_FLOORS: Final = 1
"""Neighbours: same stair, at most this many floors apart (life_safety, "who is told")."""
ROLES_AT_ONCE: Final = (
    Role.FAMILY,
    Role.NEIGHBOUR,
    Role.GRID_WORKER,
    Role.BUILDING_SECRETARY,
    Role.MICRO_STATION,
)
"""Who is told of a P0 at once and can go there (life_safety, "who is told"). A duty desk sees every alarm of
the site and stands at none; a brigade comes through the confirm gate; the rest come later or not at all."""


def unreachable_dwellings(connection: Connection) -> tuple[int, ...]:
    """Ids of dwellings that have a device in service but nobody of `ROLES_AT_ONCE` with a way, ascending.

    Takes four queries whatever the size, and memory in proportion to dwellings and bindings. The rules of
    inheritance are those of `devices.bound`; a test holds the two together.
    """
    dwellings = connection.execute(_WITH_DEVICE).all()
    if not dwellings:
        return ()
    covered = _covered_places(connection)
    neighbours = _neighbour_homes(connection)
    parents = {row.id: row.parent_id for row in connection.execute(select(area.c.id, area.c.parent_id))}
    areas = covered[PlaceKind.AREA]
    reached = {area_id for area_id in parents if not areas.isdisjoint(_upwards(area_id, parents))}
    return tuple(
        place.id
        for place in dwellings
        if not (
            place.id in covered[PlaceKind.DWELLING]
            or place.stair_id in covered[PlaceKind.STAIR]
            or place.building_id in covered[PlaceKind.BUILDING]
            or place.area_id in reached
            or _has_neighbour(place.id, place.stair_id, place.floor, neighbours)
        )
    )


_WITH_DEVICE: Final = (
    select(dwelling.c.id, dwelling.c.floor, dwelling.c.stair_id, stair.c.building_id, building.c.area_id)
    .join(stair, dwelling.c.stair_id == stair.c.id)
    .join(building, stair.c.building_id == building.c.id)
    .where(exists().where(device.c.dwelling_id == dwelling.c.id, device.c.retired_us.is_(None)))
    .order_by(dwelling.c.id)
)
_REACHES_SOMEBODY: Final = (
    binding.c.ended_us.is_(None),
    binding.c.role.in_(ROLES_AT_ONCE),
    exists().where(contact_channel.c.contact_id == binding.c.contact_id),
)


def _covered_places(connection: Connection) -> dict[str, set[int]]:
    """Places with a binding that reaches somebody, but for neighbours at home: those cover others."""
    covered: dict[str, set[int]] = defaultdict(set)
    rows = connection.execute(
        select(binding.c.place_kind, binding.c.place_id).where(
            *_REACHES_SOMEBODY,
            (binding.c.role != Role.NEIGHBOUR) | (binding.c.place_kind != PlaceKind.DWELLING),
        )
    )
    for row in rows:
        covered[row.place_kind].add(row.place_id)
    return covered


def _neighbour_homes(connection: Connection) -> dict[tuple[int, int], set[int]]:
    """Homes of neighbours who can be reached, by stair and floor."""
    homes: dict[tuple[int, int], set[int]] = defaultdict(set)
    rows = connection.execute(
        select(dwelling.c.id, dwelling.c.stair_id, dwelling.c.floor)
        .join(binding, binding.c.place_id == dwelling.c.id)
        .where(
            *_REACHES_SOMEBODY,
            binding.c.role == Role.NEIGHBOUR,
            binding.c.place_kind == PlaceKind.DWELLING,
        )
    )
    for row in rows:
        homes[row.stair_id, row.floor].add(row.id)
    return homes


def _has_neighbour(
    dwelling_id: int, stair_id: int, floor: int, homes: dict[tuple[int, int], set[int]]
) -> bool:
    floors = range(floor - NEIGHBOUR_FLOORS, floor + NEIGHBOUR_FLOORS + 1)
    return any(home != dwelling_id for near in floors for home in homes.get((stair_id, near), ()))


def _upwards(area_id: int, parents: dict[int, int | None]) -> set[int]:
    seen: set[int] = set()
    here: int | None = area_id
    while here is not None and here not in seen:
        seen.add(here)
        here = parents.get(here)
    return seen
