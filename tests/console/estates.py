"""Buildings of many shapes for the pages with pictures, added to a small block: a tower, a long low house,
one with basements and odd flats, one without stairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from devices import schema as registry
from devices.database import writing
from tests.console.block import Block, new


class Plan(NamedTuple):
    """A building: the flats of each floor, by stair."""

    code: str
    name: str
    floors: int
    stairs: Mapping[str, Mapping[int, Sequence[str]]]


def even(floors: Iterable[int], flats: int) -> dict[int, list[str]]:
    """So many flats on each floor, numbered as usual."""
    return {floor: [f"{floor}{n:02}" for n in range(1, flats + 1)] for floor in floors}


TOWER = Plan("b33", "33号楼", 33, {f"{n}单元": even(range(1, 34), 4) for n in (1, 2)})
LONG = Plan("b12", "12号楼", 6, {f"{n}单元": even(range(1, 7), 2) for n in range(1, 9)})
ODD = Plan(
    "b3",
    "3号楼",
    5,
    {
        "东单元": {-2: ["B201"], -1: ["B101", "B102"], 1: ["101"], 2: ["201", "202", "203"], 5: ["501"]},
        "空单元": {},
        "西单元": {4: ["401", "402"], 0: ["门房"]},
    },
)
BARE = Plan("b99", "99号楼", 4, {})
PLANS = (TOWER, LONG, ODD, BARE)


def build(
    block: Block, plans: Sequence[Plan] = PLANS, area: str = "grid", served: bool = True
) -> dict[str, dict[str, int]]:
    """Writes the buildings; dwelling ids by building and `stair/flat`, devices in all of them where `served`.
    Each gets the block's grid worker, so that somebody can be told."""
    with writing(block.engine) as connection:
        here = select(registry.area.c.id).where(registry.area.c.code == area)
        area_id = int(connection.execute(here).scalar_one())
        found = {plan.code: _house(connection, block, plan, area_id, served) for plan in plans}
        connection.execute(insert(registry.registry_change), {"at_us": 0, "by": "test", "what": "built"})
    return found


def _house(connection: Connection, block: Block, plan: Plan, area_id: int, served: bool) -> dict[str, int]:
    row = {"area_id": area_id, "code": plan.code, "name": plan.name, "floors": plan.floors}
    house = new(connection, registry.building, row)
    bound = {"contact_id": block.contacts["W1"], "role": "grid_worker", "place_kind": "building"}
    new(connection, registry.binding, bound | {"place_id": house, "bound_us": 0})
    found: dict[str, int] = {}
    for stair_name, floors in plan.stairs.items():
        code = f"{plan.code}-{stair_name}"
        stair = new(connection, registry.stair, {"building_id": house, "code": code, "name": stair_name})
        for floor, flats in floors.items():
            for flat in flats:
                row = {"stair_id": stair, "floor": floor, "flat": flat, "code": f"{code}-{flat}"}
                found[f"{stair_name}/{flat}"] = new(connection, registry.dwelling, row)
    if served:
        hang(connection, found.values())
    return found


def hang(connection: Connection, dwellings: Iterable[int], **more: object) -> None:
    """A smoke detector in each of these dwellings."""
    for number in dwellings:
        row = {"uid": f"smoke:{number}", "kind": "smoke", "profile": "zigbee2mqtt", "dwelling_id": number}
        connection.execute(insert(registry.device), row | {"registered_us": 0, "registered_by": "t"} | more)


def changed(connection: Connection) -> None:
    """What every write to the registry leaves."""
    connection.execute(insert(registry.registry_change), {"at_us": 0, "by": "test", "what": "changed"})
