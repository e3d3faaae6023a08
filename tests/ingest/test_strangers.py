"""The list of strangers is bounded, and invented names make way for those that are there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine, select

from devices.database import open_database, reading, writing
from ingest.schema import stranger
from ingest.sightings import Sighting
from ingest.strangers import AGAIN_US, KEPT_STRANGERS, SHARE, STRANGERS_PER_FLUSH, Strangers

HALL = Sighting("zigbee:hall", "zigbee2mqtt/hall", "zigbee2mqtt")
SMOKE = Sighting("zigbee:smoke", "zigbee2mqtt/smoke", "zigbee2mqtt", life=True)


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    found = open_database(database)
    yield found
    found.dispose()


@pytest.fixture
def strangers(engine: Engine) -> Strangers:
    return fresh(engine)


def fresh(engine: Engine) -> Strangers:
    with reading(engine) as connection:
        return Strangers(connection)


def invented(count: int, *, prefix: str = "x", life: bool = False, start: int = 0) -> list[Sighting]:
    return [
        Sighting(f"topic:{prefix}{n}", f"{prefix}/{n}" if prefix else f"n{n}/a", "esphome", life)
        for n in range(start, start + count)
    ]


def kept(strangers: Strangers, engine: Engine) -> set[str]:
    while strangers:
        with writing(engine) as connection:
            some = strangers.write(connection)
        strangers.written(some)
    with reading(engine) as connection:
        found = set(connection.scalars(select(stranger.c.uid)))
    assert len(found) <= KEPT_STRANGERS
    return found


def test_who_was_heard_again_stays_whatever_is_invented(strangers: Strangers, engine: Engine) -> None:
    strangers.sight([HALL], 0)
    strangers.sight([HALL], AGAIN_US)
    for n in range(3):
        strangers.sight(invented(KEPT_STRANGERS, prefix="", start=n * KEPT_STRANGERS), AGAIN_US + n)
    assert HALL.uid in kept(strangers, engine)
    assert HALL.uid in kept(fresh(engine), engine)


def test_a_new_device_is_listed_however_full_of_names_heard_once_the_list_is(
    strangers: Strangers, engine: Engine
) -> None:
    strangers.sight(invented(KEPT_STRANGERS, prefix=""), 0)
    strangers.sight([HALL], 1)
    found = kept(strangers, engine)
    assert HALL.uid in found
    assert "topic:0" not in found
    assert "topic:1" in found
    assert strangers.left_out == 0


def test_many_of_one_gateway_make_way_before_one_of_another(strangers: Strangers, engine: Engine) -> None:
    strangers.sight([HALL], 0)
    strangers.sight(invented(2 * KEPT_STRANGERS), 1)
    assert HALL.uid in kept(strangers, engine)


def test_many_that_speak_again_and_again_make_way_where_they_are_of_one_gateway(
    strangers: Strangers, engine: Engine
) -> None:
    for at_us in (0, AGAIN_US):
        strangers.sight(invented(KEPT_STRANGERS), at_us)
    strangers.sight([HALL], AGAIN_US + 1)
    assert HALL.uid in kept(strangers, engine)


def test_who_measures_what_life_hangs_on_makes_way_for_nobody_else(
    strangers: Strangers, engine: Engine
) -> None:
    strangers.sight([SMOKE], 0)
    strangers.sight(invented(2 * KEPT_STRANGERS), 1)
    assert SMOKE.uid in kept(strangers, engine)
    strangers.sight(invented(KEPT_STRANGERS, prefix="fire", life=True), 2)
    strangers.sight([HALL], 3)
    assert HALL.uid not in kept(strangers, engine)
    assert strangers.left_out == 1


def test_who_said_a_fire_never_makes_way(strangers: Strangers, engine: Engine) -> None:
    strangers.sight([Sighting("zigbee:fire", "zigbee2mqtt/fire", "z", life=True, alarm=True)], 0)
    strangers.sight(invented(2 * KEPT_STRANGERS, prefix="zigbee2mqtt", life=True), 1)
    assert "zigbee:fire" in kept(strangers, engine)


def alarms(count: int, *, prefix: str = "v1") -> list[Sighting]:
    return [replace(one, life=True, alarm=True) for one in invented(count, prefix=prefix)]


def test_invented_alarms_of_one_gateway_close_the_list_to_nobody(
    strangers: Strangers, engine: Engine
) -> None:
    for at_us in (0, AGAIN_US):
        strangers.sight(alarms(KEPT_STRANGERS), at_us)
    fire = Sighting("zigbee:fire", "zigbee2mqtt/fire", "z", life=True, alarm=True)
    strangers.sight([HALL, SMOKE, fire], AGAIN_US + 1)
    found = kept(strangers, engine)
    assert {HALL.uid, SMOKE.uid, fire.uid} <= found
    assert "topic:v10" not in found
    assert strangers.left_out == 0


def test_alarms_make_way_only_down_to_the_share_of_their_group(strangers: Strangers, engine: Engine) -> None:
    strangers.sight(alarms(SHARE), 0)
    strangers.sight(invented(KEPT_STRANGERS, prefix="v1", life=True, start=SHARE), 1)
    assert {one.uid for one in alarms(SHARE)} <= kept(strangers, engine)


def test_a_flood_costs_the_database_no_more_than_what_is_kept(strangers: Strangers, engine: Engine) -> None:
    strangers.sight(invented(3 * KEPT_STRANGERS), 0)
    flushes = 0
    while strangers:
        with writing(engine) as connection:
            strangers.written(strangers.write(connection))
        flushes += 1
    assert flushes == KEPT_STRANGERS // STRANGERS_PER_FLUSH
    assert SHARE < KEPT_STRANGERS
