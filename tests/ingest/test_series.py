"""Rows and slots: numbers that never change, whoever a point belongs to."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, delete, insert, select, update

from devices.database import open_database, reading, writing
from devices.model import Metric
from devices.profiles.profile import StrangerReading
from devices.schema import (
    area,
    building,
    device,
    device_channel,
    dwelling,
    registry_change,
    series,
    stair,
)
from ingest.record import NewSeries
from ingest.registered import read_changes
from ingest.series import OVERFLOW_UID, SeriesIndex


@pytest.fixture
def registry(database: str) -> Iterator[Engine]:
    engine = open_database(database)
    with writing(engine) as connection:
        connection.execute(insert(area).values(id=1, level="grid", code="g", name="g"))
        connection.execute(insert(building).values(id=1, area_id=1, code="b", name="b", floors=6))
        connection.execute(insert(stair).values(id=1, building_id=1, code="s", name="s"))
        connection.execute(insert(dwelling).values(id=7, stair_id=1, floor=1, flat="1", code="d"))
    register(engine, "a", dwelling_id=7, breaker_a=32.0, cable_a=25.0)
    register(engine, "b", breaker_a=16.0)
    yield engine
    engine.dispose()


def register(engine: Engine, uid: str, **more: object) -> None:
    with writing(engine) as connection:
        row = {"uid": uid, "kind": "other", "profile": "p", "registered_us": 1, "registered_by": "t"}
        connection.execute(insert(device).values(**row, **more, change_id=change(connection)))


def change(connection: Connection) -> int:
    found: int = connection.execute(
        insert(registry_change).values(at_us=1, by="t", what="device").returning(registry_change.c.id)
    ).scalar_one()
    return found


def alter(engine: Engine, uid: str, **values: object) -> None:
    with writing(engine) as connection:
        connection.execute(
            update(device).where(device.c.uid == uid).values(**values, change_id=change(connection))
        )


def follow(engine: Engine, index: SeriesIndex) -> int:
    """Reads what changed and applies it; how many devices."""
    with reading(engine) as connection:
        parts = list(read_changes(connection, index.registry_version, size=2))
    for part in parts:
        index.apply(part)
    return sum(len(part.devices) for part in parts)


def index_of(engine: Engine, strangers: int = 10_000) -> SeriesIndex:
    with reading(engine) as connection:
        return SeriesIndex(connection, max_strangers=strangers)


def slots(index: SeriesIndex, *points: tuple[int, Metric]) -> list[int]:
    rows, metrics = zip(*points, strict=True)
    found: list[int] = index.slots_of(
        index.seats_for(np.array(rows, np.int32), np.array(metrics, np.int16))
    ).tolist()
    return found


def flag(uid: str, value: float, metric: Metric = Metric.SMOKE_ALARM) -> StrangerReading:
    return StrangerReading(0, uid, "", metric, value, 0, 0)


def test_slots_are_numbered_on_first_sight_and_stay(registry: Engine) -> None:
    index = index_of(registry)
    a, a2, b = index.row("a", ""), index.row("a", "l2"), index.row("b", "")
    first = slots(index, (a, Metric.CURRENT), (b, Metric.CURRENT), (a, Metric.CURRENT), (a2, Metric.CURRENT))
    assert first == [1, 2, 1, 3]
    assert slots(index, (a, Metric.VOLTAGE), (a2, Metric.CURRENT)) == [4, 3]
    assert index.take_new_series() == [
        NewSeries(1, "a", "", Metric.CURRENT),
        NewSeries(2, "b", "", Metric.CURRENT),
        NewSeries(3, "a", "l2", Metric.CURRENT),
        NewSeries(4, "a", "", Metric.VOLTAGE),
    ]
    assert index.take_new_series() == []
    assert index.name_of(3) == (3, "a", "l2")
    assert index.name_of(0) == index.name_of(99) == (0, "", "")


def test_a_fresh_index_knows_what_the_database_holds(registry: Engine) -> None:
    with writing(registry) as connection:
        rows = [(1, "a", 30), (5, "b", 30)]
        for slot, uid, metric in rows:
            connection.execute(
                insert(series).values(slot=slot, uid=uid, channel="", metric=metric, created_us=1)
            )
    index = index_of(registry)
    assert slots(index, (index.row("b", ""), Metric.CURRENT)) == [5]
    assert slots(index, (index.row("b", ""), Metric.VOLTAGE)) == [6]
    assert index.table().metric.tolist() == [0, 30, 30, 32]


def test_the_table_says_device_dwelling_and_the_smaller_of_breaker_and_cable(registry: Engine) -> None:
    register(registry, "c")
    index = index_of(registry)
    slots(index, *((index.row(uid, ""), Metric.CURRENT) for uid in "abc"))
    table = index.table()
    assert table.device.tolist() == [0, 1, 2, 3]
    assert table.dwelling.tolist() == [0, 7, 0, 0]
    assert np.isnan(table.reference_a[[0, 3]]).all()
    assert table.reference_a[1:3].tolist() == [25.0, 16.0]
    assert index.table() is table


def test_only_what_changed_is_read_and_told(registry: Engine) -> None:
    index = index_of(registry)
    slots(index, (index.row("a", ""), Metric.CURRENT), (index.row("b", ""), Metric.CURRENT))
    before = index.table()
    assert index.take_changed().tolist() == [1, 2]
    alter(registry, "a", dwelling_id=None, breaker_a=6.0)
    assert follow(registry, index) == 1
    assert index.take_changed().tolist() == [1]
    assert index.take_changed().tolist() == []
    after = index.table()
    assert after.generation > before.generation
    assert (after.dwelling[1], after.reference_a[1], after.reference_a[2]) == (0, 6.0, 16.0)
    assert index.registry_version == 3
    assert follow(registry, index) == 0


def test_many_devices_of_one_change_come_in_slices_and_the_last_carries_the_version(registry: Engine) -> None:
    index = index_of(registry)
    with writing(registry) as connection:
        one = change(connection)
        connection.execute(update(device).values(breaker_a=6.0, change_id=one))
    for uid in "cde":
        register(registry, uid)
    with reading(registry) as connection:
        parts = list(read_changes(connection, index.registry_version, size=2))
    assert [[one.uid for one in part.devices] for part in parts] == [["a", "b"], ["c", "d"], ["e"]]
    assert [part.version for part in parts] == [None, None, 6]
    index.apply(parts[0])
    assert index.registry_version == 2


def test_devices_written_before_there_were_change_ids_are_read_at_the_start(registry: Engine) -> None:
    with writing(registry) as connection:
        connection.execute(update(device).values(change_id=0))
    index = index_of(registry)
    assert (index.row("a", ""), index.row("b", ""), index.registry_version) == (0, 1, 2)
    assert follow(registry, index) == 0


def test_a_channel_with_a_rating_of_its_own_has_its_own_reference(registry: Engine) -> None:
    with writing(registry) as connection:
        for channel, breaker, cable in (("l1", 10.0, None), ("l2", None, 60.0), ("l3", None, None)):
            connection.execute(
                insert(device_channel).values(device_id=1, channel=channel, breaker_a=breaker, cable_a=cable)
            )
    index = index_of(registry)
    slots(index, *((index.row("a", channel), Metric.CURRENT) for channel in ("l1", "l2", "l3", "")))
    assert index.table().reference_a[1:].tolist() == [10.0, 32.0, 25.0, 25.0]
    with writing(registry) as connection:
        connection.execute(delete(device_channel).where(device_channel.c.channel == "l1"))
    alter(registry, "a", cable_a=20.0)
    follow(registry, index)
    assert index.table().reference_a[1:].tolist() == [20.0, 32.0, 20.0, 20.0]


def test_an_unregistered_device_has_no_row_until_it_is_registered(registry: Engine) -> None:
    index = index_of(registry)
    assert index.row("new", "") == -1
    row = index.stranger_row(flag("new", 1.0))
    assert slots(index, (row, Metric.SMOKE_ALARM)) == [1]
    assert index.table().device.tolist() == [0, 0]
    register(registry, "new", dwelling_id=7)
    follow(registry, index)
    assert index.row("new", "") == row
    assert index.table().dwelling.tolist() == [0, 7]


def test_a_retired_device_is_a_stranger_whose_smoke_still_alarms(registry: Engine) -> None:
    index = index_of(registry)
    row = index.row("a", "")
    slots(index, (row, Metric.SMOKE_ALARM))
    alter(registry, "a", retired_us=9)
    follow(registry, index)
    assert index.row("a", "") == -1
    assert index.table().device.tolist() == [0, 0]
    assert index.stranger_row(flag("a", 1.0)) == row


def test_of_a_stranger_only_true_life_flags_open_a_series_and_then_all_its_flags_count(
    registry: Engine,
) -> None:
    index = index_of(registry)
    assert index.stranger_row(flag("x", 0.0)) == -1
    assert index.stranger_row(flag("x", float("nan"))) == -1
    assert index.stranger_row(flag("x", 1.0, Metric.BATTERY_LOW)) == -1
    row = index.stranger_row(flag("x", 1.0))
    slots(index, (row, Metric.SMOKE_ALARM))
    assert index.stranger_row(flag("x", 0.0)) == row
    assert index.stranger_row(flag("x", 0.0, Metric.GAS_ALARM)) == -1


def test_strangers_beyond_the_bound_share_one_series_that_no_zero_clears(registry: Engine) -> None:
    index = index_of(registry, strangers=2)
    for uid in ("x", "y", "z", "zz"):
        slots(index, (index.stranger_row(flag(uid, 1.0)), Metric.SMOKE_ALARM))
    uids = [index.name_of(slot).uid for slot in range(1, len(index))]
    assert uids == ["x", "y", OVERFLOW_UID]
    assert index.stranger_row(flag("z", 0.0)) == -1
    follow(registry, index)
    assert (
        index.name_of(slots(index, (index.stranger_row(flag("w", 1.0)), Metric.SMOKE_ALARM))[0]).uid
        == OVERFLOW_UID
    )


def test_series_of_a_journal_record_are_learnt_once(registry: Engine) -> None:
    index = index_of(registry)
    found = [NewSeries(1, "a", "", Metric.CURRENT), NewSeries(2, "ghost", "", Metric.SMOKE_ALARM)]
    index.learn(found)
    table = index.table()
    index.learn(found)
    assert index.table() is table
    assert index.take_new_series() == []
    assert slots(index, (index.row("a", ""), Metric.CURRENT)) == [1]
    with reading(registry) as connection:
        assert connection.scalars(select(series.c.slot)).all() == []
