"""Devices in service that nobody may publish for are counted, so that their silence is explained."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from devices.database import reading, writing
from devices.registry import (
    Written,
    add_area,
    add_building,
    add_publisher,
    register_device,
    retire_device,
    revoke_publisher,
)
from gengfu.mute import mute_devices

WRITTEN = Written(by="t", now_us=1_763_755_200_000_000)


@pytest.fixture(autouse=True)
def block(engine: Engine) -> None:
    with writing(engine) as connection:
        add_area(connection, level="grid", code="G", name="第一网格", **WRITTEN)
        add_building(connection, code="B", name="3号楼", area_code="G", floors=6, **WRITTEN)
        for uid, profile in (("own:a", "own"), ("own:b", "own"), ("zigbee:00124b0000000001", "zigbee2mqtt")):
            register_device(connection, uid=uid, kind="smoke", profile=profile, building_code="B", **WRITTEN)


def mute(engine: Engine) -> int:
    with reading(engine) as connection:
        return mute_devices(connection)


def test_without_any_publisher_every_device_is_mute(engine: Engine) -> None:
    assert mute(engine) == 3


def test_with_publishers_those_of_our_own_format_are_told_apart(engine: Engine) -> None:
    with writing(engine) as connection:
        add_publisher(connection, kind="device", device_uid="own:a", **WRITTEN)
    assert mute(engine) == 1
    with writing(engine) as connection:
        add_publisher(connection, name="hub", kind="gateway", prefixes=["gengfu/b"], **WRITTEN)
    assert mute(engine) == 0


def test_a_revoked_publisher_speaks_for_nobody_and_a_retired_device_needs_none(engine: Engine) -> None:
    with writing(engine) as connection:
        add_publisher(connection, kind="device", device_uid="own:a", **WRITTEN)
        add_publisher(connection, kind="device", device_uid="own:b", **WRITTEN)
        revoke_publisher(connection, name="b", **WRITTEN)
    assert mute(engine) == 1
    with writing(engine) as connection:
        retire_device(connection, uid="own:b", **WRITTEN)
    assert mute(engine) == 0
