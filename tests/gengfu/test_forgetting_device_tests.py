"""Tests of detectors are forgotten as looks are, and no device keeps more than its share."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Engine, insert, select

from devices.database import reading, writing
from devices.registry.pressed import KEPT_A_DEVICE
from devices.schema import device_test
from gengfu.config import People
from gengfu.forgetting import DAY_US, due_to_forget, forget_due
from tests.gengfu.erasing import no_rest

NOW_US = 1_790_000_000_000_000


def press(engine: Engine) -> None:
    """Two tests of a detector, one of them older than they are kept, and of another one too many."""
    rows = [("own:a", NOW_US - days * DAY_US) for days in (1096, 1094)]
    rows += [("own:b", NOW_US - n * DAY_US) for n in range(KEPT_A_DEVICE + 1)]
    with writing(engine) as connection:
        values = [{"uid": uid, "began_us": us, "received_us": us} for uid, us in rows]
        connection.execute(insert(device_test), values)


def left(engine: Engine) -> dict[str, int]:
    with reading(engine) as connection:
        return dict(Counter(connection.scalars(select(device_test.c.uid))))


def test_they_go_when_they_are_old_and_where_they_are_too_many(engine: Engine) -> None:
    press(engine)
    assert due_to_forget(engine, People(), NOW_US).tests == 2
    assert forget_due(engine, People(), NOW_US, rest=no_rest).tests == 2
    assert left(engine) == {"own:a": 1, "own:b": KEPT_A_DEVICE}
    assert forget_due(engine, People(), NOW_US, rest=no_rest).tests == 0


def test_zero_days_keep_them_for_good_but_not_too_many_of_one(engine: Engine) -> None:
    press(engine)
    kept = People(keep_device_tests_days=0)
    assert forget_due(engine, kept, NOW_US, rest=no_rest).tests == 1
    assert left(engine) == {"own:a": 2, "own:b": KEPT_A_DEVICE}
