"""In which areas a building is, from the nearest upwards, by their codes."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from devices.schema import area, building


def area_codes(connection: Connection, building_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """The codes of each building's area and all above it, nearest first; nothing for an unknown building.

    Two queries; ends even where the tree was bent into a ring by hand.
    """
    if not building_ids:
        return {}
    at = connection.execute(
        select(building.c.id, building.c.area_id).where(building.c.id.in_(sorted(building_ids)))
    ).all()
    areas = {row.id: (row.code, row.parent_id) for row in connection.execute(select(area))}
    found = {}
    for row in at:
        codes: dict[int, str] = {}
        here = row.area_id
        while here in areas and here not in codes:
            codes[here], here = areas[here]
        found[row.id] = tuple(codes.values())
    return found
