"""Every function that writes to a device or its channels sets its change, and no other device's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from devices import registry
from devices.registry import Written
from devices.schema import device, registry_change
from tests.devices.conftest import NOW_US

WHO = Written(by="t", now_us=NOW_US)
UID = "own:meter-7"
OTHER = "own:meter-8"


def register(connection: Connection, uid: str = UID) -> None:
    registry.register_device(
        connection, uid=uid, kind="electrical", profile="own", dwelling_code="101", **WHO
    )


def set_l1(connection: Connection) -> None:
    registry.set_device_channel(connection, uid=UID, channel="l1", breaker_a=16.0, **WHO)


WRITES: dict[str, Callable[[Connection], Any]] = {
    "register": register,
    "set": lambda connection: registry.set_device(connection, uid=UID, label="hall", **WHO),
    "move": lambda connection: registry.move_device(connection, uid=UID, building_code="B", **WHO),
    "a new channel": set_l1,
    "a channel": lambda connection: registry.set_device_channel(
        connection, uid=UID, channel="l1", cable_a=20.0, **WHO
    ),
    "remove a channel": lambda connection: registry.remove_device_channel(
        connection, uid=UID, channel="l1", **WHO
    ),
    "retire": lambda connection: registry.retire_device(connection, uid=UID, **WHO),
    "return": register,
}
"""In an order in which each can be done."""


def change_of(connection: Connection, uid: str) -> int:
    return int(connection.execute(select(device.c.change_id).where(device.c.uid == uid)).scalar_one())


def newest(connection: Connection) -> int:
    return connection.scalar(select(func.max(registry_change.c.id))) or 0


@pytest.mark.usefixtures("block")
def test_every_write_to_a_device_sets_its_change_to_the_one_it_noted(connection: Connection) -> None:
    register(connection, OTHER)
    others = change_of(connection, OTHER)
    assert others == newest(connection)
    for name, write in WRITES.items():
        before = newest(connection)
        write(connection)
        assert change_of(connection, UID) == newest(connection) == before + 1, name
        assert change_of(connection, OTHER) == others, name


@pytest.mark.usefixtures("block")
def test_what_changes_nothing_moves_nothing(connection: Connection) -> None:
    register(connection)
    set_l1(connection)
    before = newest(connection)
    assert not registry.set_device(connection, uid=UID, label="", breaker_a=None, **WHO)
    assert not registry.set_device_channel(connection, uid=UID, channel="l1", breaker_a=16.0, **WHO)
    assert change_of(connection, UID) == newest(connection) == before


@pytest.mark.usefixtures("block")
def test_a_building_that_moves_changes_the_devices_in_it_and_no_others(connection: Connection) -> None:
    registry.add_building(connection, code="B2", name="2", area_code="K", floors=6, **WHO)
    for uid, place in ((UID, "B"), (OTHER, "B2")):
        registry.register_device(connection, uid=uid, kind="other", profile="own", building_code=place, **WHO)
    register(connection, "own:flat")
    registry.register_device(connection, uid="own:hall", kind="other", profile="own", stair_code="S1", **WHO)
    others, before = change_of(connection, OTHER), newest(connection)
    assert registry.move_building(connection, code="B", area_code="OTHER", **WHO)
    for uid in (UID, "own:flat", "own:hall"):
        assert change_of(connection, uid) == newest(connection) == before + 1, uid
    assert change_of(connection, OTHER) == others
    assert not registry.move_building(connection, code="B", area_code="OTHER", **WHO)
    assert registry.set_building(connection, code="B", name="another", **WHO)
    assert change_of(connection, UID) == before + 1


def test_no_other_function_of_the_registry_writes_to_devices() -> None:
    """Whoever adds one adds it to WRITES."""
    names = {name for name in registry.__all__ if "device" in name and not name.startswith("list_")}
    assert {name for name in names if name.islower()} == {
        "register_device", "set_device", "move_device", "retire_device",
        "set_device_channel", "remove_device_channel", "device_at",
    }  # fmt: skip
