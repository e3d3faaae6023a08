"""Rows and slots: numbers that never change, whoever a point belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, insert, select, update

from devices.database import open_database, reading, writing
from devices.model import Metric
from devices.profiles.profile import StrangerReading
from devices.schema import area, building, device, dwelling, metadata, registry_change, series, stair
from ingest.record import NewSeries
from ingest.series import OVERFLOW_UID, SeriesIndex


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'registry.db'}")
    metadata.create_all(engine)
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
        connection.execute(insert(device).values(**row, **more))
        connection.execute(insert(registry_change).values(at_us=1, by="t", what="device"))


def index_of(engine: Engine, strangers: int = 10_000) -> SeriesIndex:
    with reading(engine) as connection:
        return SeriesIndex(connection, max_strangers=strangers)


def slots(index: SeriesIndex, *points: tuple[int, Metric]) -> list[int]:
    rows, metrics = zip(*points, strict=True)
    found: list[int] = index.slots_for(np.array(rows, np.int32), np.array(metrics, np.int16)).tolist()
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
    assert index.name_of(3) == ("a", "l2")
    assert index.name_of(0) == index.name_of(99) == ("", "")


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
    assert index.table().metric.tolist() == [0, 30, 0, 0, 0, 30, 32]


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


@pytest.mark.parametrize("more", [0, 100])
def test_a_table_given_out_does_not_change_with_the_registry(registry: Engine, more: int) -> None:
    index = index_of(registry)
    slots(index, (index.row("a", ""), Metric.CURRENT))
    before = index.table()
    slots(index, *((index.row("a", f"ch{n}"), Metric.CURRENT) for n in range(more + 1)))
    with writing(registry) as connection:
        connection.execute(update(device).values(dwelling_id=None, breaker_a=6.0))
    with reading(registry) as connection:
        index.reload(connection)
    assert before.dwelling.tolist() == [0, 7]
    assert before.reference_a[1] == 25.0
    after = index.table()
    assert after.generation > before.generation
    assert (len(after), after.dwelling[1], after.reference_a[1]) == (more + 3, 0, 6.0)


def test_a_table_given_out_does_not_change_when_a_gap_is_filled(registry: Engine) -> None:
    index = index_of(registry)
    index.learn([NewSeries(3, "a", "", Metric.CURRENT)])
    before = index.table()
    index.learn([NewSeries(2, "b", "", Metric.VOLTAGE)])
    assert before.metric.tolist() == [0, 0, 0, Metric.CURRENT]
    assert index.table().metric.tolist() == [0, 0, Metric.VOLTAGE, Metric.CURRENT]


def test_growing_keeps_profiles_memories_and_a_reload_ends_them(registry: Engine) -> None:
    index = index_of(registry)
    seen = index.generation
    slots(index, (index.row("a", ""), Metric.CURRENT))
    assert index.generation == seen
    register(registry, "c")
    with reading(registry) as connection:
        index.reload(connection)
    assert index.generation == seen + 1
    assert index.registry_version == 3


def test_an_unregistered_device_has_no_row_until_it_is_registered(registry: Engine) -> None:
    index = index_of(registry)
    assert index.row("new", "") == -1
    row = index.stranger_row(flag("new", 1.0))
    assert slots(index, (row, Metric.SMOKE_ALARM)) == [1]
    assert index.table().device.tolist() == [0, 0]
    register(registry, "new", dwelling_id=7)
    with reading(registry) as connection:
        index.reload(connection)
    assert index.row("new", "") == row
    assert index.table().dwelling.tolist() == [0, 7]


def test_a_retired_device_is_a_stranger_whose_smoke_still_alarms(registry: Engine) -> None:
    index = index_of(registry)
    row = index.row("a", "")
    slots(index, (row, Metric.SMOKE_ALARM))
    with writing(registry) as connection:
        connection.execute(update(device).where(device.c.uid == "a").values(retired_us=9))
    with reading(registry) as connection:
        index.reload(connection)
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
    uids = [index.name_of(slot)[0] for slot in range(1, len(index))]
    assert uids == ["x", "y", OVERFLOW_UID]
    assert index.stranger_row(flag("z", 0.0)) == -1
    with reading(registry) as connection:
        index.reload(connection)
    assert (
        index.name_of(slots(index, (index.stranger_row(flag("w", 1.0)), Metric.SMOKE_ALARM))[0])[0]
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
