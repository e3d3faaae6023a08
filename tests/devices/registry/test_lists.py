from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection

from devices import registry
from devices.model import PlaceKind
from devices.registry import NotThere, Page, Place, Written
from devices.vault import Vault
from tests.devices.conftest import DWELLINGS, NOW_US

pytestmark = pytest.mark.usefixtures("block")

WHO = Written(by="t", now_us=NOW_US)


@pytest.fixture
def devices(connection: Connection, vault: Vault, block: dict[str, int]) -> None:
    registry.add_building(connection, code="B2", name="x", area_code="OTHER", floors=2, **WHO)
    registry.add_stair(connection, code="B2-S", name="x", building_code="B2", **WHO)
    registry.add_dwelling(connection, vault, code="B2-1", stair_code="B2-S", floor=1, flat="1", **WHO)
    places: dict[str, Any] = {"own:b": {"building_code": "B"}, "own:b2": {"building_code": "B2"}}
    places |= {"own:hall": {"stair_code": "S1"}, "own:hall2": {"stair_code": "S2"}}
    places |= {f"own:{code.lower()}": {"dwelling_code": code} for code in ("101", "201", "S2-201", "B2-1")}
    for uid, place in places.items():
        registry.register_device(connection, uid=uid, kind="smoke", profile="own", **place, **WHO)
    registry.retire_device(connection, uid="own:201", **WHO)


def uids(connection: Connection, kind: PlaceKind, code: str, *, retired: bool = False) -> set[str]:
    rows = registry.list_devices(connection, within=Place(kind, code), retired=retired)
    return {row.uid.removeprefix("own:") for row in rows}


@pytest.mark.usefixtures("devices")
def test_devices_of_a_place_are_those_in_its_dwellings_and_outside_them(connection: Connection) -> None:
    halls = {"hall", "hall2"}
    assert uids(connection, PlaceKind.AREA, "C") == {"b", "b2", "101", "s2-201", "b2-1", *halls}
    assert uids(connection, PlaceKind.AREA, "K") == {"b", "101", "s2-201", *halls}
    assert uids(connection, PlaceKind.AREA, "OTHER") == {"b2", "b2-1"}
    assert uids(connection, PlaceKind.BUILDING, "B") == {"b", "101", "s2-201", *halls}
    assert uids(connection, PlaceKind.BUILDING, "B", retired=True) == {"b", "101", "201", "s2-201", *halls}
    assert uids(connection, PlaceKind.STAIR, "S1") == {"101", "hall"}
    assert uids(connection, PlaceKind.DWELLING, "101") == {"101"}
    assert uids(connection, PlaceKind.DWELLING, "102") == set()


@pytest.mark.usefixtures("devices")
def test_places_within_a_place(connection: Connection) -> None:
    def codes(listed: Callable[..., Sequence[Any]], kind: PlaceKind, code: str) -> set[str]:
        return {row.code for row in listed(connection, within=Place(kind, code))}

    assert codes(registry.list_areas, PlaceKind.AREA, "C") == {"C", "K", "G", "OTHER"}
    assert codes(registry.list_areas, PlaceKind.AREA, "K") == {"K", "G"}
    assert codes(registry.list_buildings, PlaceKind.AREA, "K") == {"B"}
    assert codes(registry.list_buildings, PlaceKind.BUILDING, "B") == {"B"}
    assert codes(registry.list_buildings, PlaceKind.STAIR, "S1") == set()
    assert codes(registry.list_stairs, PlaceKind.AREA, "OTHER") == {"B2-S"}
    assert codes(registry.list_stairs, PlaceKind.BUILDING, "B") == {"S1", "S2"}
    assert codes(registry.list_dwellings, PlaceKind.STAIR, "S2") == {"S2-201"}
    assert codes(registry.list_dwellings, PlaceKind.BUILDING, "B") == set(DWELLINGS)
    with pytest.raises(NotThere, match="no building with code 'B9'"):
        registry.list_dwellings(connection, within=Place(PlaceKind.BUILDING, "B9"))


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_the_pages_of_a_list_are_the_list(connection: Connection, size: int) -> None:
    paged, page = [], Page(size=size)
    while rows := registry.list_dwellings(connection, page=page):
        assert len(rows) <= size
        paged += rows
        page = Page(after=rows[-1].code, size=size)
    assert paged == registry.list_dwellings(connection)
    assert len(paged) == len(DWELLINGS)
