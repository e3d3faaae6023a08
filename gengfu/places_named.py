"""A place by its one code, whatever its kind, and whom an alarm there concerns."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, select

from devices.bound_many import bound_to_spots
from devices.instants import Instant
from devices.model import PlaceKind
from devices.registry.errors import NotThere
from devices.registry.within import Place, ids_within
from devices.schema import area, binding, building, dwelling, stair
from devices.spots import Spot

_TABLES: Final = (
    (PlaceKind.DWELLING, dwelling),
    (PlaceKind.STAIR, stair),
    (PlaceKind.BUILDING, building),
    (PlaceKind.AREA, area),
)


def place_named(connection: Connection, code: str) -> tuple[Place, int]:
    """The place of this code and its id, the narrowest where several have it. Raises NotThere."""
    for kind, table in _TABLES:
        number = connection.scalar(select(table.c.id).where(table.c.code == code))
        if number is not None:
            return Place(kind, code), int(number)
    raise NotThere(f"place {code!r}: no dwelling, stair, building or area has this code")


def concerned(connection: Connection, code: str, now_us: int) -> set[int]:
    """Ids of whom an alarm in the place concerns, and of who is bound to it or in it. Raises NotThere."""
    place, number = place_named(connection, code)
    spot = Spot(place.kind, number)
    told = bound_to_spots(connection, [spot], now_us, live=True)[spot]
    return {one.contact_id for one in told} | _bound_in(connection, place, now_us)


def _bound_in(connection: Connection, place: Place, now_us: int) -> set[int]:
    b, stands = binding.c, Instant(now_us, live=True).is_bound()
    return {
        number
        for kind in PlaceKind
        for number in connection.scalars(
            select(b.contact_id).where(
                stands, b.place_kind == str(kind), b.place_id.in_(ids_within(connection, place, kind))
            )
        )
    }
