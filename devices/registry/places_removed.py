"""Places entered by mistake are taken away again: only those that nothing refers to, nor ever did.

What was bound or hung where stays readable for ever, so an ended binding or a past stay of a device holds a
place as well. Incidents lie where a device hung: a place without a stay has none, and its number, which the
database may give out again, means nothing to anybody.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select

from devices.model import PlaceKind
from devices.registry.errors import NotAllowed
from devices.registry.rows import need, note_change
from devices.schema import area, binding, building, device, dwelling, placement, stair, user_area

_Use = tuple[str, str, ColumnElement[bool]]
"""What refers to a place: in words for one and for several, and as a condition on one table."""


def remove_area(connection: Connection, *, code: str, by: str, now_us: int) -> None:
    """Takes an area away. Raises NotAllowed naming what is there and how many."""
    here = int(need(connection, area, "code", code)["id"])
    uses = [
        ("area below it", "areas below it", area.c.parent_id == here),
        ("building", "buildings", building.c.area_id == here),
        ("user who sees it", "users who see it", user_area.c.area_id == here),
    ]
    _remove(connection, area, here, code, [*uses, *_bindings(PlaceKind.AREA, here)])
    note_change(connection, by, now_us, f"area remove {code}")


def remove_building(connection: Connection, *, code: str, by: str, now_us: int) -> None:
    """Takes a building away. Raises NotAllowed naming what is there and how many."""
    here = int(need(connection, building, "code", code)["id"])
    uses = [
        ("stair", "stairs", stair.c.building_id == here),
        *_devices(device.c.building_id == here, placement.c.building_id == here),
    ]
    _remove(connection, building, here, code, [*uses, *_bindings(PlaceKind.BUILDING, here)])
    note_change(connection, by, now_us, f"building remove {code}")


def remove_stair(connection: Connection, *, code: str, by: str, now_us: int) -> None:
    """Takes a stair away. Raises NotAllowed naming what is there and how many."""
    here = int(need(connection, stair, "code", code)["id"])
    uses = [
        ("dwelling", "dwellings", dwelling.c.stair_id == here),
        *_devices(device.c.stair_id == here, placement.c.stair_id == here),
    ]
    _remove(connection, stair, here, code, [*uses, *_bindings(PlaceKind.STAIR, here)])
    note_change(connection, by, now_us, f"stair remove {code}")


def remove_dwelling(connection: Connection, *, code: str, by: str, now_us: int) -> None:
    """Takes a dwelling away with its note. Raises NotAllowed naming what is there and how many."""
    here = int(need(connection, dwelling, "code", code)["id"])
    uses = _devices(device.c.dwelling_id == here, placement.c.dwelling_id == here)
    _remove(connection, dwelling, here, code, [*uses, *_bindings(PlaceKind.DWELLING, here)])
    note_change(connection, by, now_us, f"dwelling remove {code}")


def _devices(hangs: ColumnElement[bool], stayed: ColumnElement[bool]) -> list[_Use]:
    return [
        ("device in service", "devices in service", hangs & device.c.retired_us.is_(None)),
        ("retired device", "retired devices", hangs & device.c.retired_us.is_not(None)),
        ("past stay of a device", "past stays of devices", stayed & placement.c.until_us.is_not(None)),
    ]


def _bindings(kind: PlaceKind, here: int) -> list[_Use]:
    bound = (binding.c.place_kind == kind) & (binding.c.place_id == here)
    return [
        ("standing binding", "standing bindings", bound & binding.c.ended_us.is_(None)),
        ("ended binding", "ended bindings", bound & binding.c.ended_us.is_not(None)),
    ]


def _remove(connection: Connection, table: Table, here: int, code: str, uses: list[_Use]) -> None:
    found = [
        f"{count} {one if count == 1 else several}"
        for one, several, refers in uses
        if (count := connection.execute(select(func.count()).where(refers)).scalar_one())
    ]
    if found:
        raise NotAllowed(
            f"{table.name} {code!r} cannot be removed, it has {', '.join(found)}: only a place that nothing "
            "refers to, nor ever did, is allowed"
        )
    connection.execute(delete(table).where(table.c.id == here))
