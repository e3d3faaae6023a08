"""Devices on stairs, up and down: the release before has them in the stair's building, with their stays."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import IntegrityError

from alerts.schema import incident
from devices import registry
from devices.database import reading, writing
from devices.registry import Written
from devices.vault import KEY_BYTES, Vault
from gengfu.migrate import downgrade, upgrade
from tests.devices.conftest import NOW_US, build_block

WHO = Written(by="t", now_us=NOW_US)
BEFORE = "0007"
HANGS = "SELECT uid, dwelling_id, building_id FROM device ORDER BY uid"
STAYS = "SELECT device_id, dwelling_id, building_id FROM placement ORDER BY device_id"
INCIDENTS = "SELECT place, building_id FROM incident ORDER BY id"


def rows(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(text(query))]


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with writing(engine) as connection:
        build_block(connection, Vault(bytes(KEY_BYTES)))
        for uid, place in (("own:b", "building_code"), ("own:f", "dwelling_code"), ("own:s", "stair_code")):
            code = {"building_code": "B", "dwelling_code": "101", "stair_code": "S2"}[place]
            where: Any = {place: code}
            registry.register_device(connection, uid=uid, kind="smoke", profile="own", **where, **WHO)
        for place in ("stair:2", "building:1"):
            values = {"place": place, "dwelling_id": 0, "building_id": 1, "hazard": "fire", "severity": "P0"}
            connection.execute(
                insert(incident).values(**values, state="reported", epoch=0, started_us=1, opened_us=1)
            )
    return engine


def test_the_way_back_hangs_what_is_on_a_stair_into_its_building(filled: Engine) -> None:
    downgrade(filled, BEFORE)
    assert rows(filled, HANGS) == [("own:b", None, 1), ("own:f", 1, None), ("own:s", None, 1)]
    assert rows(filled, STAYS) == [(1, None, 1), (2, 1, None), (3, None, 1)]
    assert rows(filled, INCIDENTS) == [("building:1", 1), ("building:1", 1)]
    upgrade(filled)
    with writing(filled) as connection:
        listed = registry.list_devices(connection)
        hung = {row.uid: (row.dwelling, row.stair, row.building) for row in listed}
        assert hung == {"own:b": ("", "", "B"), "own:f": ("101", "", ""), "own:s": ("", "", "B")}
        registry.move_device(connection, uid="own:s", stair_code="S2", **WHO)


def test_no_device_hangs_on_a_stair_that_is_not_there(filled: Engine) -> None:
    for query in ("UPDATE device SET stair_id = 99", "DELETE FROM stair WHERE id = 2"):
        with pytest.raises(IntegrityError), writing(filled) as connection:
            connection.execute(text(query))
    downgrade(filled, BEFORE)
    upgrade(filled)
    with pytest.raises(IntegrityError), writing(filled) as connection:
        connection.execute(text("UPDATE placement SET stair_id = 99"))
