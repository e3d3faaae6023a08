"""What lies within a place: ids of areas, buildings, stairs and dwellings, as parts of other queries."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, false, select

from devices.model import PlaceKind
from devices.registry.rows import need
from devices.schema import area, building, dwelling, stair
from devices.scope import areas_from

_TABLES = {
    PlaceKind.AREA: area,
    PlaceKind.BUILDING: building,
    PlaceKind.STAIR: stair,
    PlaceKind.DWELLING: dwelling,
}
_KINDS = tuple(PlaceKind)


class Place(NamedTuple):
    """A place by the code people call it."""

    kind: PlaceKind
    code: str


def ids_within(connection: Connection, place: Place, wanted: PlaceKind) -> Select[Any]:
    """Ids of the `wanted` places within `place`, itself included where it is one, as a sub-query.

    Empty for what is wider than the place. Raises NotThere when nothing has the code.
    """
    table = _TABLES[place.kind]
    here = select(table.c.id).where(table.c.id == need(connection, table, "code", place.code)["id"])
    if place.kind is PlaceKind.AREA:
        here = areas_from(here)
    if _KINDS.index(wanted) < _KINDS.index(place.kind):
        return select(_TABLES[wanted].c.id).where(false())
    for kind in _KINDS[_KINDS.index(place.kind) + 1 : _KINDS.index(wanted) + 1]:
        here = _directly_in(kind, here)
    return here


def _directly_in(kind: PlaceKind, above: Select[Any]) -> Select[Any]:
    match kind:
        case PlaceKind.BUILDING:
            return select(building.c.id).where(building.c.area_id.in_(above))
        case PlaceKind.STAIR:
            return select(stair.c.id).where(stair.c.building_id.in_(above))
        case _:
            return select(dwelling.c.id).where(dwelling.c.stair_id.in_(above))
