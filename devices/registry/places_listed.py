"""What places there are, and what helpers must know of a dwelling, on record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, RowMapping, select

from devices.model import PlaceKind
from devices.registry.rows import Page, note_look, rows_of
from devices.registry.within import Place, ids_within
from devices.schema import area, building, dwelling, stair
from devices.vault import DWELLING_ATTENTION, Vault


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


def list_areas(
    connection: Connection, *, only: str | None = None, within: Place | None = None, page: Page | None = None
) -> list[AreaRow]:
    """All areas by code, those within a place, or the one with code `only` (else NotThere)."""
    above = area.alias()
    query = select(area.c.code, area.c.level, area.c.name, above.c.code.label("parent")).outerjoin(
        above, area.c.parent_id == above.c.id
    )
    if within is not None:
        query = query.where(area.c.id.in_(ids_within(connection, within, PlaceKind.AREA)))
    rows = rows_of(connection, query, area, only, page=page)
    return [AreaRow(row["code"], row["level"], row["name"], row["parent"] or "") for row in rows]


def list_buildings(
    connection: Connection, *, only: str | None = None, within: Place | None = None, page: Page | None = None
) -> list[BuildingRow]:
    """All buildings by code, those within a place, or the one with code `only` (else NotThere)."""
    query = select(building.c.code, building.c.name, area.c.code.label("area"), building.c.floors).join(
        area, building.c.area_id == area.c.id
    )
    if within is not None:
        query = query.where(building.c.id.in_(ids_within(connection, within, PlaceKind.BUILDING)))
    return [BuildingRow(**row) for row in rows_of(connection, query, building, only, page=page)]


def list_stairs(
    connection: Connection, *, only: str | None = None, within: Place | None = None, page: Page | None = None
) -> list[StairRow]:
    """All stairs by code, those within a place, or the one with code `only` (else NotThere)."""
    query = select(stair.c.code, stair.c.name, building.c.code.label("building")).join(
        building, stair.c.building_id == building.c.id
    )
    if within is not None:
        query = query.where(stair.c.id.in_(ids_within(connection, within, PlaceKind.STAIR)))
    return [StairRow(**row) for row in rows_of(connection, query, stair, only, page=page)]


def list_dwellings(
    connection: Connection, *, only: str | None = None, within: Place | None = None, page: Page | None = None
) -> list[DwellingRow]:
    """All dwellings by code, those within a place, or the one with code `only` (else NotThere); attention
    notes masked."""
    query = _DWELLINGS
    if within is not None:
        query = query.where(dwelling.c.id.in_(ids_within(connection, within, PlaceKind.DWELLING)))
    rows = rows_of(connection, query, dwelling, only, page=page)
    return [_dwelling_row(row, "**" if row["attention_sealed"] else "") for row in rows]


def reveal_dwelling(connection: Connection, vault: Vault, code: str, *, by: str, now_us: int) -> DwellingRow:
    """One dwelling with its attention note in clear; the look is recorded. Raises NotThere."""
    row = rows_of(connection, _DWELLINGS, dwelling, code)[0]
    sealed = row["attention_sealed"]
    if not sealed:
        return _dwelling_row(row, "")
    note_look(connection, by, now_us, 0, f"attention {code}")
    return _dwelling_row(row, vault.unseal(bytes(sealed), DWELLING_ATTENTION))


_DWELLINGS: Final = select(dwelling, stair.c.code.label("stair")).join(
    stair, dwelling.c.stair_id == stair.c.id
)


def _dwelling_row(row: RowMapping, attention: str) -> DwellingRow:
    return DwellingRow(row["code"], row["stair"], row["floor"], row["flat"], attention)
