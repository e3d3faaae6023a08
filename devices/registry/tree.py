"""The tree of places: areas, buildings, stairs, dwellings. Written in the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, RowMapping, select

from devices.model import AreaLevel
from devices.registry.errors import NotAllowed, check_code, check_words, one_of
from devices.registry.rows import add, need, note_look, rows_of
from devices.schema import area, building, dwelling, stair
from devices.vault import DWELLING_ATTENTION, Vault

LEVELS: Final = tuple(AreaLevel)
BUILDING_LEVELS: Final = (AreaLevel.COMMUNITY, AreaLevel.GRID)
"""Where buildings hang: below a grid, or below a community that is not divided into grids."""
FLOORS_MAX: Final = 200
"""More than any building there is (chosen)."""
LOWEST_FLOOR: Final = -10
"""Deeper than residential basements go (chosen)."""
NAME_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One area; `parent` is the code of the one above, empty at a root."""

    code: str
    level: str
    name: str
    parent: str


@dataclass(frozen=True, slots=True)
class BuildingRow:
    """One building; `area` is a code."""

    code: str
    name: str
    area: str
    floors: int


@dataclass(frozen=True, slots=True)
class StairRow:
    """One stair; `building` is a code."""

    code: str
    name: str
    building: str


@dataclass(frozen=True, slots=True)
class DwellingRow:
    """One dwelling; `attention` is empty, `**` while masked, or the text where it was asked for."""

    code: str
    stair: str
    floor: int
    flat: str
    attention: str


def add_area(
    connection: Connection,
    *,
    level: str,
    code: str,
    name: str,
    parent_code: str | None = None,
    by: str,
    now_us: int,
) -> int:
    """A new area and its id. A parent is of a higher level; levels may be left out (not every city has
    districts), and an area without parent is a root."""
    values = {
        "level": one_of(AreaLevel, level, "level"),
        "code": check_code(code, "area"),
        "name": check_words(name, NAME_MAX, "name"),
        "parent_id": None,
    }
    if parent_code is not None:
        parent = need(connection, area, "code", parent_code)
        if LEVELS.index(parent["level"]) >= LEVELS.index(values["level"]):
            raise NotAllowed(
                f"area {code!r} of level {level} cannot lie below {parent_code!r} of level "
                f"{parent['level']}: the order is {' > '.join(LEVELS)}"
            )
        values["parent_id"] = parent["id"]
    return add(connection, area, "code", values, by=by, now_us=now_us)


def add_building(
    connection: Connection, *, code: str, name: str, area_code: str, floors: int, by: str, now_us: int
) -> int:
    """A new building with `floors` floors above ground, and its id."""
    above = need(connection, area, "code", area_code)
    if above["level"] not in BUILDING_LEVELS:
        raise NotAllowed(
            f"building {code!r} cannot lie in {area_code!r} of level {above['level']}: "
            f"allowed are {', '.join(BUILDING_LEVELS)}"
        )
    if not 1 <= floors <= FLOORS_MAX:
        raise NotAllowed(f"floors {floors}: 1 to {FLOORS_MAX} is allowed")
    values = {
        "code": check_code(code, "building"),
        "name": check_words(name, NAME_MAX, "name"),
        "area_id": above["id"],
        "floors": floors,
    }
    return add(connection, building, "code", values, by=by, now_us=now_us)


def add_stair(
    connection: Connection, *, code: str, name: str, building_code: str, by: str, now_us: int
) -> int:
    """A new stair (单元) of a building, and its id."""
    values = {
        "code": check_code(code, "stair"),
        "name": check_words(name, NAME_MAX, "name"),
        "building_id": need(connection, building, "code", building_code)["id"],
    }
    return add(connection, stair, "code", values, by=by, now_us=now_us)


def add_dwelling(
    connection: Connection,
    vault: Vault,
    *,
    code: str,
    stair_code: str,
    floor: int,
    flat: str,
    attention: str = "",
    by: str,
    now_us: int,
) -> int:
    """A new dwelling and its id. `attention` is what helpers must know of those who live there; sealed."""
    above = need(connection, stair, "code", stair_code)
    floors = connection.execute(
        select(building.c.floors).where(building.c.id == above["building_id"])
    ).scalar_one()
    if not LOWEST_FLOOR <= floor <= floors:
        raise NotAllowed(f"floor {floor}: {LOWEST_FLOOR} to {floors} is allowed in this building")
    note = check_words(attention, NAME_MAX, "attention") if attention.strip() else ""
    values = {
        "code": check_code(code, "dwelling"),
        "stair_id": above["id"],
        "floor": floor,
        "flat": check_words(flat, 32, "flat"),
        "attention_sealed": vault.seal(note, DWELLING_ATTENTION) if note else None,
    }
    return add(connection, dwelling, "code", values, by=by, now_us=now_us)


def list_areas(connection: Connection, *, only: str | None = None) -> list[AreaRow]:
    """All areas by code, or the one with code `only` (else NotThere)."""
    above = area.alias()
    query = select(area.c.code, area.c.level, area.c.name, above.c.code.label("parent")).outerjoin(
        above, area.c.parent_id == above.c.id
    )
    rows = rows_of(connection, query, area, only)
    return [AreaRow(row["code"], row["level"], row["name"], row["parent"] or "") for row in rows]


def list_buildings(connection: Connection, *, only: str | None = None) -> list[BuildingRow]:
    """All buildings by code, or the one with code `only` (else NotThere)."""
    query = select(building.c.code, building.c.name, area.c.code.label("area"), building.c.floors).join(
        area, building.c.area_id == area.c.id
    )
    return [BuildingRow(**row) for row in rows_of(connection, query, building, only)]


def list_stairs(connection: Connection, *, only: str | None = None) -> list[StairRow]:
    """All stairs by code, or the one with code `only` (else NotThere)."""
    query = select(stair.c.code, stair.c.name, building.c.code.label("building")).join(
        building, stair.c.building_id == building.c.id
    )
    return [StairRow(**row) for row in rows_of(connection, query, stair, only)]


def list_dwellings(connection: Connection, *, only: str | None = None) -> list[DwellingRow]:
    """All dwellings by code, or the one with code `only` (else NotThere); attention notes masked."""
    rows = rows_of(connection, _DWELLINGS, dwelling, only)
    return [_dwelling_row(row, "**" if row["attention_sealed"] else "") for row in rows]


def reveal_dwelling(connection: Connection, vault: Vault, code: str, *, by: str, now_us: int) -> DwellingRow:
    """One dwelling with its attention note in clear; the look is recorded. Raises NotThere."""
    row = rows_of(connection, _DWELLINGS, dwelling, code)[0]
    sealed = row["attention_sealed"]
    if not sealed:
        return _dwelling_row(row, "")
    note_look(connection, by, now_us, 0, f"attention {code}")
    return _dwelling_row(row, vault.unseal(sealed, DWELLING_ATTENTION))


_DWELLINGS: Final = select(dwelling, stair.c.code.label("stair")).join(
    stair, dwelling.c.stair_id == stair.c.id
)


def _dwelling_row(row: RowMapping, attention: str) -> DwellingRow:
    return DwellingRow(row["code"], row["stair"], row["floor"], row["flat"], attention)
