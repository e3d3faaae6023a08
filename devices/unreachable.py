"""Dwellings with a device and nobody to tell: a fault to mend before the fire, not at it (contract 5)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, exists, func, select

from devices.instants import Instant
from devices.model import PlaceKind, Role
from devices.people import Absence, Absent
from devices.schema import (
    area,
    binding,
    building,
    contact,
    contact_channel,
    device,
    dwelling,
    registry_change,
    stair,
    substitution,
)

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


def unreachable_dwellings(
    connection: Connection, at_us: int, *, live: bool = False, without: int = 0
) -> tuple[int, ...]:
    """Ids of dwellings that have a device in service but nobody of `ROLES_AT_ONCE` to tell, ascending.

    Devices as they are now, people as they stood at `at_us` (`devices.bound`). Somebody to tell is who has a
    way, away or not, or in whose place a substitute with a way stands. `without`: as if the contact with this
    id were erased.

    Takes five queries whatever the size, and memory in proportion to dwellings, contacts and bindings. The
    rules of inheritance are those of `devices.bound`; a test holds the two together.
    """
    dwellings = connection.execute(_WITH_DEVICE).all()
    if not dwellings:
        return ()
    covered, neighbours = _reaching(connection, Instant(at_us, live, without))
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


Homes = dict[tuple[int, int], set[int]]
"""Homes of neighbours by stair and floor."""


def _reaching(connection: Connection, instant: Instant) -> tuple[dict[str, set[int]], Homes]:
    """Places with a binding that reaches somebody, and homes of neighbours it reaches: those cover others."""
    reachable = set(connection.execute(_reachable(instant)).scalars())
    absent = _absent(connection, instant)
    covered: dict[str, set[int]] = defaultdict(set)
    homes: Homes = defaultdict(set)
    for contact_id, role, kind, place_id, stair_id, floor in connection.execute(_bindings(instant)):
        if contact_id in reachable or absent.stand_in(contact_id, role, reachable):
            if role == Role.NEIGHBOUR and kind == PlaceKind.DWELLING:
                homes[stair_id, floor].add(place_id)
            else:
                covered[kind].add(place_id)
    return covered, homes


def _reachable(instant: Instant) -> Select[Any]:
    """Ids of the contacts who have a way."""
    owner = contact_channel.c.contact_id
    return (
        select(owner)
        .join(contact, owner == contact.c.id)
        .where(instant.is_way(), instant.is_known())
        .distinct()
    )


def _bindings(instant: Instant) -> Select[Any]:
    """What holds in roles that count, with stair and floor where it hangs on a dwelling."""
    home = and_(binding.c.place_kind == PlaceKind.DWELLING, binding.c.place_id == dwelling.c.id)
    return (
        select(
            binding.c.contact_id,
            binding.c.role,
            binding.c.place_kind,
            binding.c.place_id,
            dwelling.c.stair_id,
            dwelling.c.floor,
        )
        .join(contact, binding.c.contact_id == contact.c.id)
        .outerjoin(dwelling, home)
        .where(instant.is_bound(), instant.is_known(), binding.c.role.in_(ROLES_AT_ONCE))
    )


def _absent(connection: Connection, instant: Instant) -> Absent:
    columns = (
        substitution.c.id,
        substitution.c.contact_id,
        substitution.c.role,
        substitution.c.substitute_id,
    )
    rows = connection.execute(select(*columns).where(instant.is_away()))
    return Absent(Absence(*row, code="", language="") for row in rows)


def _has_neighbour(dwelling_id: int, stair_id: int, floor: int, homes: Homes) -> bool:
    floors = range(floor - NEIGHBOUR_FLOORS, floor + NEIGHBOUR_FLOORS + 1)
    return any(home != dwelling_id for near in floors for home in homes.get((stair_id, near), ()))


def _upwards(area_id: int, parents: dict[int, int | None]) -> set[int]:
    seen: set[int] = set()
    here: int | None = area_id
    while here is not None and here not in seen:
        seen.add(here)
        here = parents.get(here)
    return seen


def standing_version(connection: Connection, at_us: int) -> int:
    """A number that is another whenever who can be reached may be: it grows with each change of the registry,
    and when a substitution begins or ends by the clock."""
    changes = connection.scalar(select(func.max(registry_change.c.id))) or 0
    begun = connection.scalar(select(func.count()).where(substitution.c.from_us <= at_us)) or 0
    over = connection.scalar(select(func.count()).where(substitution.c.until_us <= at_us)) or 0
    return changes + begun + over
