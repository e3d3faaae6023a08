"""The tree of places grows: areas, buildings, stairs, dwellings. Written in the caller's transaction.

What is there is changed in `devices.registry.places_set`, taken away in `places_removed`, listed in
`places_listed`.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, RowMapping, select

from devices.model import AreaLevel
from devices.registry.attention import check_attention
from devices.registry.errors import NotAllowed, check_code, check_words, one_of
from devices.registry.rows import add, need
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
FLAT_MAX: Final = 32
"""Characters on a door."""


def check_below(code: str, level: str, parent: RowMapping) -> None:
    """Raises NotAllowed where an area of `level` cannot lie below the row `parent`.

    Levels only fall on the way down, so that no area can come to lie below itself.
    """
    if LEVELS.index(parent["level"]) >= LEVELS.index(AreaLevel(level)):
        raise NotAllowed(
            f"area {code!r} of level {level} cannot lie below {parent['code']!r} of level "
            f"{parent['level']}: the order is {' > '.join(LEVELS)}"
        )


def check_holds_buildings(code: str, above: RowMapping) -> None:
    """Raises NotAllowed where building `code` cannot lie in the area of the row `above`."""
    if above["level"] not in BUILDING_LEVELS:
        raise NotAllowed(
            f"building {code!r} cannot lie in {above['code']!r} of level {above['level']}: "
            f"allowed are {', '.join(BUILDING_LEVELS)}"
        )


def check_floors(floors: int) -> int:
    """The number of floors of a building; raises NotAllowed."""
    if not 1 <= floors <= FLOORS_MAX:
        raise NotAllowed(f"floors {floors}: 1 to {FLOORS_MAX} is allowed")
    return floors


def check_floor(floor: int, floors: int) -> int:
    """A floor of a building with `floors` floors; raises NotAllowed."""
    if not LOWEST_FLOOR <= floor <= floors:
        raise NotAllowed(f"floor {floor}: {LOWEST_FLOOR} to {floors} is allowed in this building")
    return floor


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
    values: dict[str, Any] = {
        "level": one_of(AreaLevel, level, "level"),
        "code": check_code(code, "area"),
        "name": check_words(name, NAME_MAX, "name"),
        "parent_id": None,
    }
    if parent_code is not None:
        parent = need(connection, area, "code", parent_code)
        check_below(code, values["level"], parent)
        values["parent_id"] = parent["id"]
    return add(connection, area, "code", values, by=by, now_us=now_us)


def add_building(
    connection: Connection, *, code: str, name: str, area_code: str, floors: int, by: str, now_us: int
) -> int:
    """A new building with `floors` floors above ground, and its id."""
    above = need(connection, area, "code", area_code)
    check_holds_buildings(code, above)
    values = {
        "code": check_code(code, "building"),
        "name": check_words(name, NAME_MAX, "name"),
        "area_id": above["id"],
        "floors": check_floors(floors),
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
    """A new dwelling and its id. `attention` is what helpers must know of those who live there, as
    `devices.registry.attention` writes it; sealed."""
    above = need(connection, stair, "code", stair_code)
    floors = connection.execute(
        select(building.c.floors).where(building.c.id == above["building_id"])
    ).scalar_one()
    note = check_attention(attention)
    values = {
        "code": check_code(code, "dwelling"),
        "stair_id": above["id"],
        "floor": check_floor(floor, floors),
        "flat": check_words(flat, FLAT_MAX, "flat"),
        "attention_sealed": vault.seal(note, DWELLING_ATTENTION) if note else None,
    }
    return add(connection, dwelling, "code", values, by=by, now_us=now_us)
