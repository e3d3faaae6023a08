"""The thread that follows the registry: what it hands out, and that it goes on after trouble."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, insert, text, update

from devices.database import open_database, reading, writing
from devices.schema import device, registry_change
from ingest.following import Following, apply_changes
from ingest.registered import SLICE
from ingest.series import SeriesIndex


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    found = open_database(database)
    yield found
    found.dispose()


@pytest.fixture
def index(engine: Engine) -> SeriesIndex:
    with reading(engine) as connection:
        return SeriesIndex(connection)


@pytest.fixture
def following(engine: Engine, index: SeriesIndex) -> Iterator[Following]:
    found = Following(engine, index.registry_version, look_s=0.01)
    found.start()
    yield found
    found.stop()


def register(engine: Engine, first: int, count: int) -> int:
    """So many devices in one change; the registry's version after it."""
    with writing(engine) as connection:
        values = {"at_us": 1, "by": "t", "what": "devices"}
        change: int = connection.execute(
            insert(registry_change).values(values).returning(registry_change.c.id)
        ).scalar_one()
        common = {"kind": "other", "profile": "p", "registered_us": 1, "registered_by": "t"}
        rows = [{"uid": f"d{n}", "change_id": change, **common} for n in range(first, first + count)]
        connection.execute(insert(device), rows)
    return change


def wait_for(index: SeriesIndex, following: Following, version: int) -> list[int]:
    """Applies until the version is reached; how many devices each call applied."""
    applied, deadline = [], time.monotonic() + 30
    while index.registry_version < version:
        assert time.monotonic() < deadline, f"version {version} was not reached"
        if count := apply_changes(index, following, budget_s=0.0):
            applied.append(count)
        time.sleep(0.001)
    return applied


def test_one_device_is_followed(engine: Engine, index: SeriesIndex, following: Following) -> None:
    assert index.row("d1", "") == -1
    assert wait_for(index, following, register(engine, 1, 1)) == [1]
    assert index.row("d1", "") == 0
    assert not following.waits
    assert apply_changes(index, following) == 0


def test_many_devices_come_a_slice_at_a_time(
    engine: Engine, index: SeriesIndex, following: Following
) -> None:
    applied = wait_for(index, following, register(engine, 0, 3 * SLICE + 7))
    assert applied == [SLICE, SLICE, SLICE, 7]
    assert index.row(f"d{3 * SLICE + 6}", "") >= 0


def test_a_tick_with_time_takes_several_slices(engine: Engine, index: SeriesIndex) -> None:
    register(engine, 0, 3 * SLICE)
    following = Following(engine, index.registry_version)
    following.start()
    deadline = time.monotonic() + 30
    while following._slices.qsize() < 3:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    assert apply_changes(index, following, budget_s=5.0) == 3 * SLICE
    following.stop()


def test_a_registry_that_cannot_be_read_is_read_when_it_can(
    engine: Engine, index: SeriesIndex, following: Following
) -> None:
    wait_for(index, following, register(engine, 0, 1))
    with writing(engine) as connection:
        connection.execute(text("ALTER TABLE device RENAME TO away"))
        connection.execute(insert(registry_change).values(at_us=1, by="t", what="trouble"))
    deadline = time.monotonic() + 30
    while not following._fails:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    with writing(engine) as connection:
        connection.execute(text("ALTER TABLE away RENAME TO device"))
    wait_for(index, following, register(engine, 1, 1))
    assert index.row("d1", "") >= 0


def test_a_thread_that_nobody_takes_from_ends_all_the_same(engine: Engine, index: SeriesIndex) -> None:
    register(engine, 0, 20 * SLICE)
    following = Following(engine, index.registry_version)
    following.start()
    while not following.waits:
        time.sleep(0.001)
    following.stop()
    with writing(engine) as connection:
        connection.execute(update(device).values(change_id=0))
