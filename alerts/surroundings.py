"""What is around places: for each the dwelling, stair, building and areas that a window may cover."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from alerts.joining import Where
from alerts.places import stair_in
from alerts.windows import Around
from devices.schema import area, building, dwelling
from devices.spots import IDS, rows_in


def surroundings(connection: Connection, wheres: Iterable[Where]) -> dict[Where, Around]:
    """What is around each place, in at most four queries. What the registry does not know is 0."""
    places = set(wheres)
    homes = {
        row.id: row.stair_id
        for row in rows_in(
            connection,
            select(dwelling.c.id, dwelling.c.stair_id).where(dwelling.c.id.in_(IDS)),
            {where.dwelling_id for where in places} - {0},
        )
    }
    areas = {
        row.id: row.area_id
        for row in rows_in(
            connection,
            select(building.c.id, building.c.area_id).where(building.c.id.in_(IDS)),
            {where.building_id for where in places} - {0},
        )
    }
    tree = connection.execute(select(area.c.id, area.c.parent_id)) if areas else ()
    above = {row.id: row.parent_id for row in tree}
    return {
        where: Around(
            where.dwelling_id,
            homes.get(where.dwelling_id, 0) or stair_in(where.key),
            where.building_id,
            _climb(areas.get(where.building_id), above),
        )
        for where in places
    }


def _climb(area_id: int | None, above: dict[int, int | None]) -> frozenset[int]:
    """The area and all above it; ends where the tree was bent into a ring."""
    found = set[int]()
    while area_id is not None and area_id not in found:
        found.add(area_id)
        area_id = above.get(area_id)
    return frozenset(found)
