"""Tests of devices on record: the newest is found, old ones go and so does what is too much of one."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, insert, select

from devices.registry.pressed import (
    SLICE,
    PressedRow,
    beyond_kept,
    count_pressed,
    delete_beyond,
    delete_pressed,
    last_pressed,
)
from devices.schema import device_test


def press(connection: Connection, uid: str, *began_us: int, ended_us: int | None = None) -> None:
    rows = [{"uid": uid, "began_us": us, "received_us": us + 1, "ended_us": ended_us} for us in began_us]
    connection.execute(insert(device_test), rows)


def left(connection: Connection) -> list[tuple[str, int]]:
    c = device_test.c
    query = select(c.uid, c.began_us).order_by(c.uid, c.began_us)
    return [(row.uid, row.began_us) for row in connection.execute(query)]


def test_the_newest_is_that_which_began_last(connection: Connection) -> None:
    assert last_pressed(connection, "own:a") is None
    press(connection, "own:a", 10, 30, 20)
    press(connection, "own:b", 40, ended_us=45)
    assert last_pressed(connection, "own:a") == PressedRow(began_us=30, ended_us=None, received_us=31)
    assert last_pressed(connection, "own:b") == PressedRow(began_us=40, ended_us=45, received_us=41)


def test_what_is_old_goes_in_slices_and_the_rest_stays(connection: Connection) -> None:
    press(connection, "own:a", *range(SLICE + 5))
    press(connection, "own:b", 5, SLICE)
    assert count_pressed(connection, SLICE) == SLICE + 1
    assert [delete_pressed(connection, SLICE) for _ in range(3)] == [SLICE, 1, 0]
    assert left(connection) == [("own:a", SLICE + n) for n in range(5)] + [("own:b", SLICE)]


def test_of_one_device_only_so_many_stay_and_these_are_its_newest(connection: Connection) -> None:
    press(connection, "own:a", *range(10, 20))
    press(connection, "own:b", 1, 2)
    assert beyond_kept(connection, 0, kept=3) == {"own:a": 7}
    assert beyond_kept(connection, 17, kept=3) == {}
    assert count_pressed(connection, 2, kept=3) == 1 + 7
    assert [delete_beyond(connection, "own:a", kept=3) for _ in range(2)] == [7, 0]
    assert left(connection) == [*(("own:a", us) for us in (17, 18, 19)), ("own:b", 1), ("own:b", 2)]


@pytest.mark.parametrize("before_us", [-1, 0])
def test_nothing_is_that_old(connection: Connection, before_us: int) -> None:
    press(connection, "own:a", 1, 2)
    assert (count_pressed(connection, before_us), delete_pressed(connection, before_us)) == (0, 0)
