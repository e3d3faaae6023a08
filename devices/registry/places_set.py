"""What is there changes: names, floors, notes, and where an area or a building lies.

Only what is given is written. Every function gives whether anything differed; where nothing did, no change is
noted. Codes never change: bindings, files and people refer to them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, Table, func, or_, select, update

from devices.registry.attention import check_attention
from devices.registry.errors import NotAllowed, check_words
from devices.registry.rows import Written, changed, need, note_change
from devices.registry.tree import (
    FLAT_MAX,
    NAME_MAX,
    check_below,
    check_floor,
    check_floors,
    check_holds_buildings,
)
from devices.schema import area, building, device, dwelling, stair
from devices.vault import DWELLING_ATTENTION, Vault


def set_area(connection: Connection, *, code: str, name: str, by: str, now_us: int) -> bool:
    """Another name for an area."""
    known = need(connection, area, "code", code)
    values = {"name": check_words(name, NAME_MAX, "name")}
    return _write(connection, area, known, values, Written(by=by, now_us=now_us))


def move_area(connection: Connection, *, code: str, parent_code: str | None, by: str, now_us: int) -> bool:
    """Lays an area, with all below it, below another of a higher level; None makes it a root.

    Bindings above it stop holding for it, those on the new way up begin to.
    """
    known = need(connection, area, "code", code)
    values = {"parent_id": None}
    if parent_code is not None:
        parent = need(connection, area, "code", parent_code)
        check_below(code, known["level"], parent)
        values["parent_id"] = parent["id"]
    return _write(connection, area, known, values, Written(by=by, now_us=now_us), "move")


def set_building(
    connection: Connection,
    *,
    code: str,
    name: str | None = None,
    floors: int | None = None,
    by: str,
    now_us: int,
) -> bool:
    """Another name or number of floors; refused where a dwelling lies above the floors that remain."""
    known = need(connection, building, "code", code)
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = check_words(name, NAME_MAX, "name")
    if floors is not None:
        values["floors"] = check_floors(floors)
        _check_nobody_above(connection, known, floors)
    return _write(connection, building, known, values, Written(by=by, now_us=now_us))


def _check_nobody_above(connection: Connection, known: RowMapping, floors: int) -> None:
    above = connection.execute(
        select(func.count(), func.max(dwelling.c.floor))
        .select_from(dwelling)
        .join(stair, dwelling.c.stair_id == stair.c.id)
        .where(stair.c.building_id == known["id"], dwelling.c.floor > floors)
    ).one()
    if above[0]:
        raise NotAllowed(
            f"floors {floors}: {above[0]} dwellings of building {known['code']!r} lie above, the highest on "
            f"floor {above[1]}: at least {above[1]} is allowed"
        )


def move_building(connection: Connection, *, code: str, area_code: str, by: str, now_us: int) -> bool:
    """Lays a building, with all in it, into another grid or community."""
    known = need(connection, building, "code", code)
    above = need(connection, area, "code", area_code)
    check_holds_buildings(code, above)
    values = {"area_id": above["id"]}
    change_id = _write_noted(connection, building, known, values, Written(by=by, now_us=now_us), "move")
    if change_id:
        _note_devices(connection, known["id"], change_id)
    return change_id > 0


def _note_devices(connection: Connection, building_id: int, change_id: int) -> None:
    """The devices of a building belong to another area now: who holds them in memory reads them again."""
    stairs = select(stair.c.id).where(stair.c.building_id == building_id)
    here = or_(
        device.c.building_id == building_id,
        device.c.stair_id.in_(stairs),
        device.c.dwelling_id.in_(select(dwelling.c.id).where(dwelling.c.stair_id.in_(stairs))),
    )
    connection.execute(update(device).where(here).values(change_id=change_id))


def set_stair(connection: Connection, *, code: str, name: str, by: str, now_us: int) -> bool:
    """Another name for a stair."""
    known = need(connection, stair, "code", code)
    values = {"name": check_words(name, NAME_MAX, "name")}
    return _write(connection, stair, known, values, Written(by=by, now_us=now_us))


def set_dwelling(
    connection: Connection,
    vault: Vault,
    *,
    code: str,
    floor: int | None = None,
    flat: str | None = None,
    attention: str | None = None,
    by: str,
    now_us: int,
) -> bool:
    """Another floor, flat or note; an empty note clears it. Raises SealBroken where the note there does not
    open and is not to be cleared."""
    known = need(connection, dwelling, "code", code)
    values: dict[str, Any] = {}
    if floor is not None:
        values["floor"] = check_floor(floor, _floors_of(connection, known))
    if flat is not None:
        values["flat"] = check_words(flat, FLAT_MAX, "flat")
    if attention is not None:
        values |= _attention(vault, known["attention_sealed"], check_attention(attention))
    return _write(connection, dwelling, known, values, Written(by=by, now_us=now_us))


def _floors_of(connection: Connection, known: RowMapping) -> int:
    query = (
        select(building.c.floors)
        .join(stair, stair.c.building_id == building.c.id)
        .where(stair.c.id == known["stair_id"])
    )
    return int(connection.execute(query).scalar_one())


def _attention(vault: Vault, sealed: bytes | None, text: str) -> dict[str, bytes | None]:
    """The column to write; nothing where the same is there: sealed twice, one text is two values."""
    if not text:
        return {"attention_sealed": None}
    if sealed and vault.unseal(bytes(sealed), DWELLING_ATTENTION) == text:
        return {}
    return {"attention_sealed": vault.seal(text, DWELLING_ATTENTION)}


def _write(
    connection: Connection,
    table: Table,
    known: RowMapping,
    values: dict[str, Any],
    trace: Written,
    verb: str = "set",
) -> bool:
    return _write_noted(connection, table, known, values, trace, verb) > 0


def _write_noted(
    connection: Connection,
    table: Table,
    known: RowMapping,
    values: dict[str, Any],
    trace: Written,
    verb: str,
) -> int:
    """The id of the change, 0 where nothing differed. Its trace names columns, never what stands in them."""
    values = changed(known, values)
    if not values:
        return 0
    connection.execute(update(table).where(table.c.id == known["id"]).values(values))
    names = ", ".join(sorted(name.removesuffix("_sealed").removesuffix("_id") for name in values))
    what = f"{table.name} {verb} {known['code']}: {names}"
    return note_change(connection, trace["by"], trace["now_us"], what)
