"""Places with a device and nobody to tell at once: a fault to mend before the fire (contract 5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, exists, func, select

from devices.instants import Instant
from devices.model import PlaceKind, Role
from devices.people import Absence, Absent
from devices.readable import is_readable_way
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


@dataclass(frozen=True, slots=True)
class Gap:
    """A place with a device in service and nobody to tell at once: a dwelling, a stair with a device outside
    its dwellings, or a building with one outside both.

    `mute` holds the codes of those who are bound to it in a role told at once, but have no way and nobody
    with a way in their place; sorted. Empty: nobody is bound to it so.
    """

    kind: PlaceKind
    id: int
    code: str
    mute: tuple[str, ...]


def unreachable_places(
    connection: Connection, at_us: int, *, live: bool = False, without: int = 0
) -> tuple[Gap, ...]:
    """Every place that has a device in service but nobody of `ROLES_AT_ONCE` to tell: dwellings, then stairs,
    then buildings, each by id.

    Devices as they are now, people as they stood at `at_us` (`devices.bound`). Somebody to tell is who has a
    way, away or not, or in whose place a substitute with a way stands. `without`: as if the contact with this
    id were erased. Neighbours do not count for a building, wherever they are bound: the role is about the
    flats around one's own (life_safety, "who is told"). For a stair all of its dwellings count, and their
    families.

    Takes seven queries whatever the size, and memory in proportion to places, contacts and bindings. The
    rules of inheritance are those of `devices.bound`; a test holds the two together.
    """
    dwellings = connection.execute(_DWELLINGS).all()
    stairs = connection.execute(_STAIRS).all()
    buildings = connection.execute(_BUILDINGS).all()
    if not dwellings and not stairs and not buildings:
        return ()
    reached, mute = _ties(connection, Instant(at_us, live, without))
    parents = {row.id: row.parent_id for row in connection.execute(select(area.c.id, area.c.parent_id))}
    above = {area_id: [(PlaceKind.AREA, one) for one in _upwards(area_id, parents)] for area_id in parents}
    gaps = []
    for chain, code, home in _places(dwellings, stairs, buildings, above):
        if not any(reached.of(chain, home)):
            kind, place_id = chain[0]
            gaps.append(Gap(PlaceKind(kind), place_id, code, tuple(sorted(set(mute.of(chain, home))))))
    return tuple(gaps)


def unreachable_dwellings(
    connection: Connection, at_us: int, *, live: bool = False, without: int = 0
) -> tuple[int, ...]:
    """The ids of the dwellings among `unreachable_places`, ascending."""
    gaps = unreachable_places(connection, at_us, live=live, without=without)
    return tuple(gap.id for gap in gaps if gap.kind is PlaceKind.DWELLING)


_DWELLINGS: Final = (
    select(
        dwelling.c.id,
        dwelling.c.code,
        dwelling.c.floor,
        dwelling.c.stair_id,
        stair.c.building_id,
        building.c.area_id,
    )
    .join(stair, dwelling.c.stair_id == stair.c.id)
    .join(building, stair.c.building_id == building.c.id)
    .where(exists().where(device.c.dwelling_id == dwelling.c.id, device.c.retired_us.is_(None)))
    .order_by(dwelling.c.id)
)
_STAIRS: Final = (
    select(stair.c.id, stair.c.code, stair.c.building_id, building.c.area_id)
    .join(building, stair.c.building_id == building.c.id)
    .where(exists().where(device.c.stair_id == stair.c.id, device.c.retired_us.is_(None)))
    .order_by(stair.c.id)
)
_OUTSIDE: Final = select(device.c.building_id).where(
    device.c.building_id.is_not(None), device.c.dwelling_id.is_(None), device.c.retired_us.is_(None)
)
_BUILDINGS: Final = (
    select(building.c.id, building.c.code, building.c.area_id)
    .where(building.c.id.in_(_OUTSIDE))
    .order_by(building.c.id)
)

Chain = Sequence[tuple[str, int]]
"""A place and what it lies in, each as kind and id."""
Home = tuple[int, int, int] | None
"""Of a dwelling its id, stair and floor."""


def _places(
    dwellings: Sequence[Row[*tuple[Any, ...]]],
    stairs: Sequence[Row[*tuple[Any, ...]]],
    buildings: Sequence[Row[*tuple[Any, ...]]],
    above: Mapping[int, Sequence[tuple[str, int]]],
) -> Iterator[tuple[Chain, str, Home]]:
    """The chain of each place, and its code."""
    for row in dwellings:
        own = [(PlaceKind.DWELLING, row.id), (PlaceKind.STAIR, row.stair_id)]
        chain = [*own, (PlaceKind.BUILDING, row.building_id), *above.get(row.area_id, ())]
        yield chain, row.code, (row.id, row.stair_id, row.floor)
    for row in stairs:
        own = [(PlaceKind.STAIR, row.id), (PlaceKind.BUILDING, row.building_id)]
        yield [*own, *above.get(row.area_id, ())], row.code, None
    for row in buildings:
        yield [(PlaceKind.BUILDING, row.id), *above.get(row.area_id, ())], row.code, None


class _Ties:
    """Codes of contacts by where their bindings hang."""

    def __init__(self) -> None:
        self._at: dict[tuple[str, int], set[str]] = defaultdict(set)
        self._neighbours_at: dict[tuple[str, int], set[str]] = defaultdict(set)
        self._homes: dict[tuple[int, int], set[tuple[int, str]]] = defaultdict(set)
        self._residents: dict[int, set[str]] = defaultdict(set)

    def add(self, tie: Row[Any]) -> None:
        if tie.role in {Role.NEIGHBOUR, Role.FAMILY} and tie.stair_id is not None:
            self._residents[tie.stair_id].add(tie.code)
        if tie.role != Role.NEIGHBOUR:
            self._at[tie.place_kind, tie.place_id].add(tie.code)
        elif tie.place_kind == PlaceKind.DWELLING:
            self._homes[tie.stair_id, tie.floor].add((tie.place_id, tie.code))
        else:
            self._neighbours_at[tie.place_kind, tie.place_id].add(tie.code)

    def of(self, chain: Chain, home: Home) -> Iterator[str]:
        """Whoever is told at once of the first place of the chain."""
        for place in chain:
            yield from self._at.get(place, ())
        kind, place_id = chain[0]
        if kind == PlaceKind.BUILDING:
            return
        for place in chain:
            yield from self._neighbours_at.get(place, ())
        yield from self._next_door(*home) if home else self._residents.get(place_id, ())

    def _next_door(self, dwelling_id: int, stair_id: int, floor: int) -> Iterator[str]:
        """Neighbours next door count, its own do not."""
        for near in range(floor - NEIGHBOUR_FLOORS, floor + NEIGHBOUR_FLOORS + 1):
            for other, code in self._homes.get((stair_id, near), ()):
                if other != dwelling_id:
                    yield code


def _ties(connection: Connection, instant: Instant) -> tuple[_Ties, _Ties]:
    """The bindings that reach somebody, and those that do not."""
    reachable = set(connection.execute(_reachable(instant)).scalars())
    absent = _absent(connection, instant)
    reached, mute = _Ties(), _Ties()
    for tie in connection.execute(_bindings(instant)):
        reaches = tie.contact_id in reachable or absent.stand_in(tie.contact_id, tie.role, reachable)
        (reached if reaches else mute).add(tie)
    return reached, mute


def _reachable(instant: Instant) -> Select[Any]:
    """Ids of the contacts who have a way."""
    owner = contact_channel.c.contact_id
    return (
        select(owner)
        .join(contact, owner == contact.c.id)
        .where(instant.is_way(), instant.is_known(), is_readable_way())
        .distinct()
    )


def _bindings(instant: Instant) -> Select[Any]:
    """What holds in roles that count, with stair and floor where it hangs on a dwelling."""
    home = and_(binding.c.place_kind == PlaceKind.DWELLING, binding.c.place_id == dwelling.c.id)
    return (
        select(
            binding.c.contact_id,
            contact.c.code,
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


def _upwards(area_id: int, parents: Mapping[int, int | None]) -> set[int]:
    """The area and all above it; ends where the tree was bent into a ring by hand."""
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
