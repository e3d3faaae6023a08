from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from devices import registry
from devices.bound import bound_to_dwelling
from devices.places import describe_dwelling
from devices.registry import NotAllowed, NotThere, Written
from devices.schema import dwelling, look, registry_change
from devices.vault import KEY_BYTES, SealBroken, Vault
from tests.devices.conftest import NOW_US

WHO = Written(by="installer", now_us=NOW_US)


def changes(connection: Connection) -> list[str]:
    return list(
        connection.execute(
            select(registry_change.c.what).where(registry_change.c.by == "installer").order_by("id")
        ).scalars()
    )


def test_names_floors_and_flats_change(connection: Connection, vault: Vault, block: dict[str, int]) -> None:
    assert registry.set_area(connection, code="K", name="安康里社区", **WHO)
    assert registry.set_building(connection, code="B", name="5号楼", floors=12, **WHO)
    assert registry.set_stair(connection, code="S1", name="甲单元", **WHO)
    assert registry.set_dwelling(connection, vault, code="201", floor=12, flat="1201", **WHO)
    assert describe_dwelling(connection, block["201"], "zh-CN") == "安康里社区 5号楼 甲单元 12层 1201"
    assert changes(connection) == [
        "area set K: name",
        "building set B: floors, name",
        "stair set S1: name",
        "dwelling set 201: flat, floor",
    ]


@pytest.mark.usefixtures("block")
def test_what_does_not_differ_is_no_change(connection: Connection, vault: Vault) -> None:
    registry.set_dwelling(connection, vault, code="201", attention="lives_alone", **WHO)
    before = len(changes(connection))
    assert not registry.set_area(connection, code="K", name=" 幸福里社区 ", **WHO)
    assert not registry.move_area(connection, code="K", parent_code="C", **WHO)
    assert not registry.move_area(connection, code="C", parent_code=None, **WHO)
    assert not registry.set_building(connection, code="B", name="3号楼", floors=6, **WHO)
    assert not registry.move_building(connection, code="B", area_code="G", **WHO)
    assert not registry.set_stair(connection, code="S1", name="1单元", **WHO)
    assert not registry.set_dwelling(connection, vault, code="201", floor=2, attention="独居", **WHO)
    assert not registry.set_dwelling(connection, vault, code="202", attention=" ", **WHO)
    assert len(changes(connection)) == before


@pytest.mark.usefixtures("block")
def test_floors_are_not_taken_from_below_a_dwelling(connection: Connection, vault: Vault) -> None:
    with pytest.raises(NotAllowed, match=r"floors 3: 2 dwellings of building 'B' lie above, .* at least 4"):
        registry.set_building(connection, code="B", floors=3, **WHO)
    assert registry.set_building(connection, code="B", floors=4, **WHO)
    with pytest.raises(NotAllowed, match="floor 5: -10 to 4"):
        registry.set_dwelling(connection, vault, code="201", floor=5, **WHO)
    with pytest.raises(NotAllowed, match="1 to 200"):
        registry.set_building(connection, code="B", floors=201, **WHO)


@pytest.mark.usefixtures("block")
def test_a_note_is_sealed_changed_and_cleared_and_its_trace_holds_none_of_it(
    connection: Connection, vault: Vault
) -> None:
    def note() -> str:
        return registry.reveal_dwelling(connection, vault, "201", **WHO).attention

    assert registry.set_dwelling(connection, vault, code="201", attention="75岁以上；rings twice", **WHO)
    assert note() == "over_75; rings twice"
    assert registry.set_dwelling(connection, vault, code="201", attention="oxygen", **WHO)
    assert note() == "oxygen"
    assert registry.set_dwelling(connection, vault, code="201", attention="", **WHO)
    assert note() == ""
    assert set(changes(connection)) == {"dwelling set 201: attention"}
    assert connection.execute(select(func.count()).select_from(look)).scalar_one() == 2
    sealed = select(dwelling.c.attention_sealed).where(dwelling.c.code == "201")
    assert connection.execute(sealed).scalar_one() is None


@pytest.mark.usefixtures("block")
def test_a_note_sealed_with_another_key_can_be_cleared_but_not_replaced(
    connection: Connection, vault: Vault
) -> None:
    other = Vault(bytes(reversed(range(KEY_BYTES))))
    registry.set_dwelling(connection, other, code="201", attention="oxygen", **WHO)
    with pytest.raises(SealBroken):
        registry.set_dwelling(connection, vault, code="201", attention="over_75", **WHO)
    assert registry.set_dwelling(connection, vault, code="201", attention="", **WHO)


def test_who_is_bound_follows_a_building_and_an_area_that_move(
    connection: Connection, vault: Vault, block: dict[str, int]
) -> None:
    for code, place in [("worker", "K"), ("other", "OTHER")]:
        registry.add_contact(connection, vault, code=code, name="示例", **WHO)
        registry.bind(
            connection, contact_code=code, role="grid_worker", place_kind="area", place_code=place, **WHO
        )

    def bound() -> list[str]:
        return [one.code for one in bound_to_dwelling(connection, block["201"], at_us=NOW_US)]

    assert bound() == ["worker"]
    assert registry.move_building(connection, code="B", area_code="OTHER", **WHO)
    assert bound() == ["other"]
    assert registry.move_building(connection, code="B", area_code="G", **WHO)
    assert registry.move_area(connection, code="G", parent_code="OTHER", **WHO)
    assert bound() == ["other"]
    assert registry.move_area(connection, code="G", parent_code=None, **WHO)
    assert bound() == []


@pytest.mark.usefixtures("block")
def test_areas_and_buildings_go_only_where_their_level_allows(connection: Connection) -> None:
    with pytest.raises(NotAllowed, match="'K' of level community cannot lie below 'G' of level grid"):
        registry.move_area(connection, code="K", parent_code="G", **WHO)
    with pytest.raises(NotAllowed, match="'K' of level community cannot lie below 'K'"):
        registry.move_area(connection, code="K", parent_code="K", **WHO)
    with pytest.raises(NotAllowed, match="'B' cannot lie in 'C' of level city: allowed are community, grid"):
        registry.move_building(connection, code="B", area_code="C", **WHO)
    with pytest.raises(NotThere, match="no area with code 'X'"):
        registry.move_building(connection, code="B", area_code="X", **WHO)


def by(function: Callable[..., Any], code: str) -> Callable[[Connection], Any]:
    return lambda connection: function(connection, code=code, **WHO)


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize(
    ("remove", "why"),
    [
        (by(registry.remove_area, "C"), "area 'C' cannot be removed, it has 2 areas below it:"),
        (by(registry.remove_area, "K"), "it has 1 area below it, 1 standing binding:"),
        (by(registry.remove_area, "G"), "it has 1 building:"),
        (by(registry.remove_area, "OTHER"), "it has 1 ended binding:"),
        (by(registry.remove_building, "B"), "it has 3 stairs, 1 device in service, 1 past stay of a device:"),
        (by(registry.remove_stair, "S1"), "it has 8 dwellings:"),
        (by(registry.remove_stair, "S3"), "it has 1 device in service, 1 retired device, 2 past stays of"),
        (by(registry.remove_dwelling, "101"), "it has 1 device in service:"),
        (by(registry.remove_dwelling, "102"), "it has 1 retired device, 1 past stay of a device:"),
        (by(registry.remove_dwelling, "201"), "it has 1 past stay of a device:"),
    ],
)
def test_a_place_that_anything_refers_to_or_ever_did_is_not_removed(
    connection: Connection, vault: Vault, remove: Callable[[Connection], Any], why: str
) -> None:
    device: dict[str, Any] = {"kind": "smoke", "profile": "own", **WHO}
    registry.register_device(connection, uid="own:1", dwelling_code="101", **device)
    registry.register_device(connection, uid="own:2", dwelling_code="102", **device)
    registry.retire_device(connection, uid="own:2", **WHO)
    registry.register_device(connection, uid="own:3", building_code="B", **device)
    registry.register_device(connection, uid="own:4", dwelling_code="201", **device)
    registry.move_device(connection, uid="own:4", building_code="B", **WHO)
    registry.retire_device(connection, uid="own:4", **WHO)
    registry.register_device(connection, uid="own:4", dwelling_code="301", **device)
    registry.add_stair(connection, code="S3", name="3单元", building_code="B", **WHO)
    for uid in ("own:5", "own:6", "own:7"):
        registry.register_device(connection, uid=uid, stair_code="S3", **device)
    registry.retire_device(connection, uid="own:6", **WHO)
    registry.move_device(connection, uid="own:7", dwelling_code="302", **WHO)
    registry.add_contact(connection, vault, code="P1", name="示例", **WHO)
    for place in ("K", "OTHER"):
        role: dict[str, Any] = {"contact_code": "P1", "role": "volunteer", "place_kind": "area"}
        registry.bind(connection, place_code=place, **role, **WHO)
    registry.unbind(connection, place_code="OTHER", **role, **WHO)
    before = len(changes(connection))
    with pytest.raises(NotAllowed, match=why):
        remove(connection)
    assert len(changes(connection)) == before


@pytest.mark.usefixtures("block")
def test_a_place_entered_by_mistake_is_removed_from_below_upwards(
    connection: Connection, vault: Vault
) -> None:
    registry.set_dwelling(connection, vault, code="S2-201", attention="oxygen", **WHO)
    registry.remove_dwelling(connection, code="S2-201", **WHO)
    registry.remove_stair(connection, code="S2", **WHO)
    registry.add_building(connection, code="B9", name="x", area_code="OTHER", floors=1, **WHO)
    registry.remove_building(connection, code="B9", **WHO)
    registry.remove_area(connection, code="OTHER", **WHO)
    with pytest.raises(NotThere, match="no area with code 'OTHER'"):
        registry.remove_area(connection, code="OTHER", **WHO)
    assert [row.code for row in registry.list_stairs(connection)] == ["S1"]
    assert changes(connection)[-1] == "area remove OTHER"
