"""Where something is, in words for people and in ids for other rooms.

Nothing here raises for an unknown id: an alarm must not fail on its way out because a place cannot be named.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, Select, select

from devices.model import AreaLevel, PlaceKind
from devices.schema import area, building, dwelling, stair
from devices.spots import IDS, Spot, rows_in

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
    return _describe(connection, Spot(PlaceKind.DWELLING, dwelling_id), language)


def describe_stair(connection: Connection, stair_id: int, language: str) -> str:
    """The common parts of a stair in words; plain `单元 #7` or `stair #7` when it is not in the registry."""
    return _describe(connection, Spot(PlaceKind.STAIR, stair_id), language)


def describe_building(connection: Connection, building_id: int, language: str) -> str:
    """The building's place in words; a plain `楼栋 #7` or `building #7` when it is not in the registry."""
    return _describe(connection, Spot(PlaceKind.BUILDING, building_id), language)


def _describe(connection: Connection, spot: Spot, language: str) -> str:
    return describe_spots(connection, [spot], [language])[spot, language]


def describe_spots(
    connection: Connection, spots: Collection[Spot], languages: Iterable[str]
) -> dict[tuple[Spot, str], str]:
    """Each place in each language, as above, in as many queries for all as for one."""
    named = _Named.of(connection, spots)
    return {(spot, language): named.words(spot, language) for language in languages for spot in spots}


@dataclass(frozen=True, slots=True)
class _Named:
    """The rows of some places and of what they lie in, by id."""

    dwellings: Mapping[int, Row[Any]]
    stairs: Mapping[int, Row[Any]]
    buildings: Mapping[int, Row[Any]]
    areas: Mapping[int, Row[Any]]

    @classmethod
    def of(cls, connection: Connection, spots: Collection[Spot]) -> _Named:
        def rows(query: Select[Any], ids: Iterable[int]) -> dict[int, Row[Any]]:
            return {row.id: row for row in rows_in(connection, query, set(ids))}

        def asked(kind: PlaceKind) -> set[int]:
            return {spot.id for spot in spots if spot.kind is kind}

        dwellings = rows(_DWELLINGS, asked(PlaceKind.DWELLING))
        stairs = rows(_STAIRS, asked(PlaceKind.STAIR) | {row.stair_id for row in dwellings.values()})
        houses = asked(PlaceKind.BUILDING) | {row.building_id for row in stairs.values()}
        buildings = rows(_BUILDINGS, houses)
        areas = rows(_AREAS, {row.area_id for row in buildings.values()})
        above = {row.parent_id for row in areas.values() if row.parent_id is not None}
        return cls(dwellings, stairs, buildings, areas | rows(_AREAS, above))

    def words(self, spot: Spot, language: str) -> str:
        text = self._text(spot)
        if text is None:
            return f"{_PLAIN[spot.kind][language != CHINESE]} #{spot.id}"
        words = text.text(language)
        if spot.kind is not PlaceKind.STAIR:
            return words
        return f"{words} 公共部位" if language == CHINESE else f"{words}, common parts"

    def _text(self, spot: Spot) -> PlaceText | None:
        """None where it is not in the registry."""
        home = self.dwellings.get(spot.id) if spot.kind is PlaceKind.DWELLING else None
        if spot.kind is PlaceKind.DWELLING and home is None:
            return None
        stair_id = home.stair_id if home else spot.id
        steps = None if spot.kind is PlaceKind.BUILDING else self.stairs.get(stair_id)
        if spot.kind is not PlaceKind.BUILDING and steps is None:
            return None
        house = self.buildings.get(steps.building_id if steps else spot.id)
        if house is None:
            return None
        flat = (home.floor, home.flat) if home else (None, "")
        return PlaceText(self._community(house.area_id), house.name, steps.name if steps else "", *flat)

    def _community(self, area_id: int) -> str:
        """Name of the community the area is or lies in, which people know; else the area's own."""
        own = self.areas[area_id]
        above = self.areas.get(own.parent_id) if own.level == AreaLevel.GRID else None
        return str(above.name if above and above.level == AreaLevel.COMMUNITY else own.name)


_PLAIN: Final = {
    PlaceKind.DWELLING: ("住户", "dwelling"),
    PlaceKind.STAIR: ("单元", "stair"),
    PlaceKind.BUILDING: ("楼栋", "building"),
}
_DWELLINGS: Final = select(dwelling.c.id, dwelling.c.floor, dwelling.c.flat, dwelling.c.stair_id).where(
    dwelling.c.id.in_(IDS)
)
_STAIRS: Final = select(stair.c.id, stair.c.name, stair.c.building_id).where(stair.c.id.in_(IDS))
_BUILDINGS: Final = select(building.c.id, building.c.name, building.c.area_id).where(building.c.id.in_(IDS))
_AREAS: Final = select(area.c.id, area.c.name, area.c.level, area.c.parent_id).where(area.c.id.in_(IDS))
