from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from devices import registry
from devices.profiles.own.own_profile import CHANNELS_MAX
from devices.registry import (
    AlreadyThere,
    DeviceChannelRow,
    NotAllowed,
    NotThere,
    PublisherOfDevice,
    StayRow,
    Written,
)
from devices.schema import publisher, registry_change
from tests.devices.conftest import NOW_US

pytestmark = pytest.mark.usefixtures("block")

UID = "own:meter-7"
NAMEPLATE: dict[str, Any] = {"vendor": "Example", "model": "M-1", "serial": "S/N 0001"}


def at(later_us: int = 0) -> Written:
    return Written(by="installer", now_us=NOW_US + later_us)


def register(connection: Connection, **changes: Any) -> int:
    values: dict[str, Any] = {
        "kind": "electrical",
        "profile": "own",
        "dwelling_code": "101",
        "uid": UID,
        **at(),
    } | changes
    return registry.register_device(connection, **values)


def test_what_is_said_of_a_device_is_kept(connection: Connection) -> None:
    register(
        connection, **NAMEPLATE, label=" 配电箱 ", breaker_a=63.0, cable_a=6300.0, insulation="xlpe",
        earthing="tt", installed_on="2025-11-22", installed_by="W-17",
    )  # fmt: skip
    [row] = registry.list_devices(connection, only=UID)
    assert (row.vendor, row.model, row.serial) == ("Example", "M-1", "S/N 0001")
    assert (row.label, row.breaker_a, row.cable_a) == ("配电箱", 63.0, 6300.0)
    assert (row.insulation, row.earthing) == ("xlpe", "tt")
    assert (row.installed_on, row.installed_by) == ("2025-11-22", "W-17")


def test_setting_changes_what_is_named_and_nothing_else(connection: Connection) -> None:
    register(connection, **NAMEPLATE, breaker_a=16.0, cable_a=20.0)
    assert registry.set_device(
        connection, uid=UID, kind="other", breaker_a=None, installed_on="2024-02-29", **at(1)
    )
    [row] = registry.list_devices(connection, only=UID)
    assert (row.kind, row.breaker_a, row.cable_a, row.installed_on) == ("other", None, 20.0, "2024-02-29")
    assert (row.vendor, row.registered_us) == ("Example", NOW_US)
    assert registry.set_device(connection, uid=UID, installed_on="", **at(2))
    assert registry.list_devices(connection, only=UID)[0].installed_on is None


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"kind": "toaster"}, "smoke, electrical, other"),
        ({"profile": "telepathy"}, "own, .*zigbee2mqtt"),
        ({"cable_a": 7000.0}, "cable_a 7000.0: a positive number of amperes up to 6300"),
        ({"installed_on": "yesterday"}, "YYYY-MM-DD"),
        ({"label": "x" * 201}, "200"),
    ],
)
def test_a_wrong_value_is_refused_and_nothing_changes(
    connection: Connection, change: dict[str, Any], text: str
) -> None:
    register(connection)
    before = registry.list_devices(connection)
    with pytest.raises(NotAllowed, match=text):
        registry.set_device(connection, uid=UID, **change, **at())
    assert registry.list_devices(connection) == before


def test_a_move_ends_one_stay_and_begins_the_next_and_keeps_what_was_said(connection: Connection) -> None:
    register(connection, breaker_a=16.0)
    registry.move_device(connection, uid=UID, building_code="B", **at(10))
    assert registry.placements_of(connection, UID) == [
        StayRow("101", "", "", NOW_US, NOW_US + 10),
        StayRow("", "", "B", NOW_US + 10, None),
    ]
    [row] = registry.list_devices(connection)
    assert (row.dwelling, row.building, row.breaker_a) == ("", "B", 16.0)


def test_where_a_device_hung_at_an_instant(connection: Connection) -> None:
    register(connection)
    registry.move_device(connection, uid=UID, dwelling_code="201", **at(10))
    registry.retire_device(connection, uid=UID, **at(20))
    stays = {
        later_us: registry.device_at(connection, UID, NOW_US + later_us) for later_us in (-1, 0, 9, 10, 20)
    }
    assert {later_us: stay.dwelling if stay else None for later_us, stay in stays.items()} == {
        -1: None, 0: "101", 9: "101", 10: "201", 20: None,
    }  # fmt: skip
    with pytest.raises(NotThere):
        registry.device_at(connection, "own:nobody", NOW_US)


def test_a_device_on_a_stair_is_of_no_dwelling_and_may_not_be_hung_there_twice(
    connection: Connection,
) -> None:
    register(connection)
    registry.move_device(connection, uid=UID, stair_code="S1", **at(10))
    [row] = registry.list_devices(connection)
    assert (row.dwelling, row.stair, row.building) == ("", "S1", "")
    assert registry.device_at(connection, UID, NOW_US + 10) == StayRow("", "S1", "", NOW_US + 10, None)
    with pytest.raises(AlreadyThere, match="'S1' already"):
        registry.move_device(connection, uid=UID, stair_code="S1", **at(20))
    registry.move_device(connection, uid=UID, stair_code="S2", **at(30))
    assert [stay.stair for stay in registry.placements_of(connection, UID)] == ["", "S1", "S2"]


def test_a_move_to_where_it_hangs_to_nowhere_or_to_two_places_is_refused(connection: Connection) -> None:
    register(connection)
    with pytest.raises(AlreadyThere, match="'101' already"):
        registry.move_device(connection, uid=UID, dwelling_code="101", **at())
    with pytest.raises(NotAllowed, match="exactly one"):
        registry.move_device(connection, uid=UID, **at())
    with pytest.raises(NotAllowed, match="exactly one"):
        registry.move_device(connection, uid=UID, dwelling_code="201", building_code="B", **at())
    with pytest.raises(NotAllowed, match="exactly one"):
        registry.move_device(connection, uid=UID, stair_code="S1", building_code="B", **at())
    with pytest.raises(NotThere, match="no stair with code '101'"):
        registry.move_device(connection, uid=UID, stair_code="101", **at())
    with pytest.raises(NotThere, match="no dwelling with code '999'"):
        registry.move_device(connection, uid=UID, dwelling_code="999", **at())
    assert len(registry.placements_of(connection, UID)) == 1


def test_a_retired_device_is_left_as_it_is(connection: Connection) -> None:
    register(connection)
    registry.set_device_channel(connection, uid=UID, channel="l1", **at())
    registry.retire_device(connection, uid=UID, **at(5))
    for refused in (
        lambda: registry.move_device(connection, uid=UID, dwelling_code="201", **at()),
        lambda: registry.set_device(connection, uid=UID, label="x", **at()),
        lambda: registry.set_device_channel(connection, uid=UID, channel="l1", label="x", **at()),
        lambda: registry.remove_device_channel(connection, uid=UID, channel="l1", **at()),
    ):
        with pytest.raises(NotThere, match=f"'{UID}' is retired"):
            refused()
    assert registry.placements_of(connection, UID) == [StayRow("101", "", "", NOW_US, NOW_US + 5)]


def test_a_device_that_returns_keeps_its_history_and_nameplate_and_forgets_the_former_circuit(
    connection: Connection,
) -> None:
    first = register(connection, **NAMEPLATE, breaker_a=16.0, earthing="tt", installed_by="W-17")
    registry.set_device_channel(connection, uid=UID, channel="l1", breaker_a=10.0, **at())
    registry.retire_device(connection, uid=UID, **at(5))
    assert register(connection, dwelling_code="201", **at(9)) == first
    [row] = registry.list_devices(connection)
    assert (row.vendor, row.serial, row.registered_us) == ("Example", "S/N 0001", NOW_US + 9)
    assert (row.breaker_a, row.earthing, row.installed_by) == (None, "unknown", "")
    assert registry.list_device_channels(connection, UID) == []
    assert [(stay.dwelling, stay.until_us) for stay in registry.placements_of(connection, UID)] == [
        ("101", NOW_US + 5),
        ("201", None),
    ]


def test_a_channel_says_only_where_it_differs(connection: Connection) -> None:
    register(connection, breaker_a=63.0)
    say: dict[str, Any] = {"uid": UID, **at()}
    assert registry.set_device_channel(connection, channel="l2", label="空调", breaker_a=20.0, **say)
    assert registry.set_device_channel(connection, channel="l1", **say)
    assert registry.set_device_channel(connection, channel="l2", insulation="pvc", **say)
    assert registry.list_device_channels(connection, UID) == [
        DeviceChannelRow("l1", "", None, None, "unknown"),
        DeviceChannelRow("l2", "空调", 20.0, None, "pvc"),
    ]
    registry.remove_device_channel(connection, channel="l2", **say)
    assert [one.channel for one in registry.list_device_channels(connection, UID)] == ["l1"]
    with pytest.raises(NotThere, match="no channel 'l2'"):
        registry.remove_device_channel(connection, channel="l2", **say)


@pytest.mark.parametrize("name", ["", "x" * 33, "l 1", "l\t1", "l\u200b"])
def test_the_name_of_a_channel_is_one_that_readings_can_carry(connection: Connection, name: str) -> None:
    register(connection)
    with pytest.raises(NotAllowed, match="1 to 32 printable characters without blanks"):
        registry.set_device_channel(connection, uid=UID, channel=name, **at())
    assert registry.set_device_channel(connection, uid=UID, channel="x" * 32, **at())


def test_a_device_has_no_more_channels_than_a_message(connection: Connection) -> None:
    register(connection)
    for n in range(CHANNELS_MAX):
        registry.set_device_channel(connection, uid=UID, channel=f"ch{n}", **at())
    with pytest.raises(NotAllowed, match="64 channels"):
        registry.set_device_channel(connection, uid=UID, channel="one-more", **at())
    assert registry.set_device_channel(connection, uid=UID, channel="ch0", label="x", **at())


def test_its_publishers_are_found_with_the_device(connection: Connection) -> None:
    device_id = register(connection)
    assert registry.publishers_of(connection, UID) == []
    for name, revoked_us in [("meter-7-b", None), ("meter-7-a", NOW_US)]:
        connection.execute(
            insert(publisher).values(
                name=name, kind="device", device_id=device_id, password_hash="x", created_us=NOW_US,
                created_by="t", revoked_us=revoked_us,
            )
        )  # fmt: skip
    assert registry.publishers_of(connection, UID) == [
        PublisherOfDevice("meter-7-a", NOW_US),
        PublisherOfDevice("meter-7-b", None),
    ]


def test_each_change_says_what_was_done_to_which_device(connection: Connection) -> None:
    before = connection.execute(select(registry_change.c.id)).all()
    register(connection)
    registry.set_device(connection, uid=UID, label="secret words", **at())
    registry.set_device_channel(connection, uid=UID, channel="l1", **at())
    registry.move_device(connection, uid=UID, dwelling_code="201", **at())
    registry.retire_device(connection, uid=UID, **at())
    said = connection.execute(select(registry_change.c.what).order_by(registry_change.c.id)).scalars().all()
    assert said[len(before) :] == [
        f"device add {UID}",
        f"device set {UID}",
        f"device set channel l1 {UID}",
        f"device move {UID}",
        f"device retire {UID}",
    ]
