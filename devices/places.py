"""Where something is, in words for people and in ids for other rooms.

Nothing here raises for an unknown id: an alarm must not fail on its way out because a place cannot be named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, select

from devices.model import AreaLevel
from devices.schema import area, building, dwelling, stair

CHINESE = "zh-CN"


@dataclass(frozen=True, slots=True)
class PlaceText:
    """A place by its registered names, from the community down; what is outside the place is empty.

    `floor` is None for buildings; below ground it is negative (−1 is the first basement).
    """

    community: str
    building: str
    stair: str = ""
    floor: int | None = None
    flat: str = ""

    def text(self, language: str) -> str:
        """`幸福里社区 3号楼 2单元 5层 501` in zh-CN, else `…, …, …, floor 5, flat 501`."""
        chinese = language == CHINESE
        floor = "" if self.floor is None else _floor_text(self.floor, chinese=chinese)
        flat = self.flat if chinese or not self.flat else f"flat {self.flat}"
        parts = [self.community, self.building, self.stair, floor, flat]
        return (" " if chinese else ", ").join(part for part in parts if part)


def _floor_text(floor: int, *, chinese: bool) -> str:
    if floor < 0:
        return f"地下{-floor}层" if chinese else f"basement {-floor}"
    return f"{floor}层" if chinese else f"floor {floor}"


class PlaceIds(NamedTuple):
    """What a dwelling lies in, as registry ids; 0 where there is none."""

    building_id: int
    stair_id: int
    area_id: int


def ids_of(connection: Connection, dwelling_id: int) -> PlaceIds:
    """Building, stair and area of a dwelling; all 0 when it is not in the registry."""
    row = connection.execute(
        select(stair.c.building_id, stair.c.id, building.c.area_id)
        .join(dwelling, dwelling.c.stair_id == stair.c.id)
        .join(building, stair.c.building_id == building.c.id)
        .where(dwelling.c.id == dwelling_id)
    ).first()
    return PlaceIds(*row) if row is not None else PlaceIds(0, 0, 0)


def describe_dwelling(connection: Connection, dwelling_id: int, language: str) -> str:
    """The dwelling's place in words; a plain `住户 #7` or `dwelling #7` when it is not in the registry."""
    row = connection.execute(
        select(
            dwelling.c.floor,
            dwelling.c.flat,
            stair.c.name.label("stair"),
            building.c.name.label("building"),
            building.c.area_id,
        )
        .join(stair, dwelling.c.stair_id == stair.c.id)
        .join(building, stair.c.building_id == building.c.id)
        .where(dwelling.c.id == dwelling_id)
    ).first()
    if row is None:
        return f"住户 #{dwelling_id}" if language == CHINESE else f"dwelling #{dwelling_id}"
    community = _community(connection, row.area_id)
    return PlaceText(community, row.building, row.stair, row.floor, row.flat).text(language)


def describe_building(connection: Connection, building_id: int, language: str) -> str:
    """The building's place in words; a plain `楼栋 #7` or `building #7` when it is not in the registry."""
    row = connection.execute(
        select(building.c.name, building.c.area_id).where(building.c.id == building_id)
    ).first()
    if row is None:
        return f"楼栋 #{building_id}" if language == CHINESE else f"building #{building_id}"
    return PlaceText(_community(connection, row.area_id), row.name).text(language)


def _community(connection: Connection, area_id: int) -> str:
    """Name of the community the area is or lies in; people know that, not the grid. Else the area's own."""
    own = connection.execute(
        select(area.c.name, area.c.level, area.c.parent_id).where(area.c.id == area_id)
    ).one()
    if own.level == AreaLevel.GRID and own.parent_id is not None:
        above = connection.execute(select(area.c.name, area.c.level).where(area.c.id == own.parent_id)).one()
        if above.level == AreaLevel.COMMUNITY:
            return str(above.name)
    return str(own.name)
