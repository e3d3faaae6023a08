"""Inheritance on random trees against a reference that walks them one place at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, insert

from devices import schema
from devices.bound import bound_to_building, bound_to_dwelling, duty_desks, unreachable_dwellings
from devices.database import open_database
from devices.model import PlaceKind, Role

ROLES = [Role.GRID_WORKER, Role.NEIGHBOUR, Role.FAMILY, Role.DUTY_DESK]
AT_ONCE = {Role.GRID_WORKER, Role.NEIGHBOUR, Role.FAMILY}


@dataclass(frozen=True)
class Tree:
    """Ids are positions plus one. Each list names the parent's id; an area's may be None."""

    areas: list[int | None]
    buildings: list[int]
    stairs: list[int]
    dwellings: list[tuple[int, int]]
    """(stair, floor)"""
    bindings: list[tuple[int, Role, PlaceKind, int, int, bool]]
    """(contact, role, kind, place, rank, ended)"""
    reachable: list[bool]
    with_device: list[bool]


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    def some(parents: int, at_most: int) -> list[int]:
        return draw(st.lists(st.integers(1, parents), min_size=1, max_size=at_most))

    below = draw(st.integers(0, 4))
    areas: list[int | None] = [None, *(draw(st.none() | st.integers(1, n + 1)) for n in range(below))]
    buildings = some(len(areas), 3)
    stairs = some(len(buildings), 3)
    dwellings = [(stair, draw(st.integers(-1, 3))) for stair in some(len(stairs), 6)]
    contacts = draw(st.integers(1, 4))
    sizes = {
        PlaceKind.AREA: len(areas),
        PlaceKind.BUILDING: len(buildings),
        PlaceKind.STAIR: len(stairs),
        PlaceKind.DWELLING: len(dwellings),
    }
    bindings = []
    for _ in range(draw(st.integers(0, 8))):
        kind = draw(st.sampled_from(PlaceKind))
        bindings.append(
            (
                draw(st.integers(1, contacts)),
                draw(st.sampled_from(ROLES)),
                kind,
                draw(st.integers(1, sizes[kind])),
                draw(st.integers(1, 3)),
                draw(st.booleans()),
            )
        )
    return Tree(
        areas,
        buildings,
        stairs,
        dwellings,
        bindings,
        draw(st.lists(st.booleans(), min_size=contacts, max_size=contacts)),
        draw(st.lists(st.booleans(), min_size=len(dwellings), max_size=len(dwellings))),
    )


def places_above(tree: Tree, building: int) -> set[tuple[PlaceKind, int]]:
    found = {(PlaceKind.BUILDING, building)}
    area: int | None = tree.buildings[building - 1]
    while area is not None:
        found.add((PlaceKind.AREA, area))
        area = tree.areas[area - 1]
    return found


def expected(tree: Tree, dwelling: int) -> list[tuple[Role, int, int]]:
    stair, floor = tree.dwellings[dwelling - 1]
    above = places_above(tree, tree.stairs[stair - 1]) | {(PlaceKind.STAIR, stair)}
    best: dict[tuple[Role, int], int] = {}
    for contact, role, kind, place, rank, ended in tree.bindings:
        applies = (kind, place) in above
        if kind is PlaceKind.DWELLING:
            applies = place == dwelling
            if role is Role.NEIGHBOUR:
                home_stair, home_floor = tree.dwellings[place - 1]
                applies = place != dwelling and home_stair == stair and abs(home_floor - floor) <= 1
        if applies and not ended:
            best[role, contact] = min(rank, best.get((role, contact), rank))
    return ordered(best)


def ordered(best: dict[tuple[Role, int], int]) -> list[tuple[Role, int, int]]:
    found = [(role, rank, contact) for (role, contact), rank in best.items()]
    return sorted(found, key=lambda one: (list(Role).index(one[0]), one[1], one[2]))


def write(connection: Connection, tree: Tree) -> None:
    def rows(table: object, many: list[dict[str, object]]) -> None:
        if many:
            connection.execute(insert(table), many)  # type: ignore[arg-type]

    code = [{"code": f"c{n}", "name": "n"} for n in range(20)]
    rows(schema.area, [{"level": "grid", "parent_id": p, **code[n]} for n, p in enumerate(tree.areas)])
    rows(schema.building, [{"area_id": p, "floors": 9, **code[n]} for n, p in enumerate(tree.buildings)])
    rows(schema.stair, [{"building_id": p, **code[n]} for n, p in enumerate(tree.stairs)])
    rows(
        schema.dwelling,
        [
            {"stair_id": stair, "floor": floor, "flat": "f", "code": f"c{n}"}
            for n, (stair, floor) in enumerate(tree.dwellings)
        ],
    )
    rows(
        schema.contact,
        [{"code": f"c{n}", "name_sealed": b"", "created_us": 0} for n in range(len(tree.reachable))],
    )
    rows(
        schema.contact_channel,
        [
            {
                "contact_id": n + 1,
                "medium": "sms",
                "carrier": "webhook",
                "address_sealed": b"",
                "address_index": b"",
                "rank": 1,
            }
            for n, reachable in enumerate(tree.reachable)
            if reachable
        ],
    )
    rows(
        schema.binding,
        [
            {
                "contact_id": contact,
                "role": role,
                "place_kind": kind,
                "place_id": place,
                "rank": rank,
                "bound_us": 0,
                "ended_us": 1 if ended else None,
            }
            for contact, role, kind, place, rank, ended in tree.bindings
        ],
    )
    rows(
        schema.device,
        [
            {
                "uid": f"own:{n}",
                "kind": "smoke",
                "profile": "own",
                "dwelling_id": n + 1,
                "registered_us": 0,
                "registered_by": "t",
            }
            for n, device in enumerate(tree.with_device)
            if device
        ],
    )


@pytest.fixture(scope="module")
def empty() -> Iterator[Engine]:
    engine = open_database("sqlite://")
    schema.metadata.create_all(engine)
    yield engine
    engine.dispose()


@settings(max_examples=300, deadline=None)
@given(tree=trees())
def test_who_is_bound_is_what_walking_the_tree_finds(empty: Engine, tree: Tree) -> None:
    with empty.connect() as connection, connection.begin() as transaction:
        write(connection, tree)
        bound = {n: bound_to_dwelling(connection, n) for n in range(1, len(tree.dwellings) + 1)}
        for dwelling, found in bound.items():
            assert [(b.role, b.rank, b.contact_id) for b in found] == expected(tree, dwelling)
            assert all(bool(b.ways) == tree.reachable[b.contact_id - 1] for b in found)
        for building in range(1, len(tree.buildings) + 1):
            above = places_above(tree, building)
            best: dict[tuple[Role, int], int] = {}
            for contact, role, kind, place, rank, ended in tree.bindings:
                if (kind, place) in above and not ended:
                    best[role, contact] = min(rank, best.get((role, contact), rank))
            at_building = bound_to_building(connection, building)
            assert [(b.role, b.rank, b.contact_id) for b in at_building] == ordered(best)
        desks = {b[0] for b in tree.bindings if b[1] is Role.DUTY_DESK and not b[5]}
        assert {desk.contact_id for desk in duty_desks(connection)} == desks
        assert unreachable_dwellings(connection) == tuple(
            n
            for n, found in bound.items()
            if tree.with_device[n - 1] and not any(b.ways and b.role in AT_ONCE for b in found)
        )
        transaction.rollback()
