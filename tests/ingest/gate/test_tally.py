"""Refusals are counted in few rows, however many strangers call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, func, select

from devices.database import open_database, reading, writing
from devices.registry import add_publisher, list_refusals
from devices.schema import refusal
from ingest.gate.lines import Refused
from ingest.gate.tally import KEEP_US, OTHERS, ROWS_MAX, Tally

NOW = 1_763_755_200_000_000
SECOND = 1_000_000


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    engine = open_database(database)
    yield engine
    engine.dispose()


def write(engine: Engine, tally: Tally) -> None:
    with writing(engine) as connection:
        tally.write(connection)
    tally.clear()


def test_one_row_says_who_what_how_often_when_and_from_where(engine: Engine) -> None:
    tally = Tally()
    tally.add(Refused("topic", "hub", "a/b", "10.0.0.7"), NOW)
    tally.add(Refused("topic", "hub", "a/c", "10.0.0.8"), NOW + SECOND)
    write(engine, tally)
    tally.add(Refused("topic", "hub", "a/d", ""), NOW + 2 * SECOND)
    tally.add(Refused("login", "hub", "", "10.0.0.9"), NOW + SECOND)
    write(engine, tally)
    with reading(engine) as connection:
        topic, login = list_refusals(connection)
    assert (topic.kind, topic.topic, topic.address, topic.count) == ("topic", "a/b", "10.0.0.8", 3)
    assert (topic.first_us, topic.last_us) == (NOW, NOW + 2 * SECOND)
    assert (login.kind, login.count) == ("login", 1)
    assert tally.totals == {"login": 1, "topic": 3}


def test_a_crowd_fills_a_bounded_number_of_rows_and_everybody_is_counted(engine: Engine) -> None:
    tally = Tally()
    for start in range(0, 3000, 900):
        for n in range(start, start + 900):
            tally.add(Refused("login", f"stranger-{n}", "", "10.0.0.7"), NOW)
        write(engine, tally)
    with reading(engine) as connection:
        rows, total = connection.execute(select(func.count(), func.sum(refusal.c.count))).one()
        others = connection.scalar(select(refusal.c.count).where(refusal.c.who == OTHERS))
    assert rows <= ROWS_MAX + 2
    assert int(total) == 3600
    assert others == 3600 - ROWS_MAX


def test_old_rows_make_room_for_new_ones(engine: Engine) -> None:
    tally = Tally()
    for n in range(ROWS_MAX):
        tally.add(Refused("login", f"old-{n}", "", ""), NOW)
    write(engine, tally)
    tally.add(Refused("login", "new", "", ""), NOW + KEEP_US + 1)
    write(engine, tally)
    with reading(engine) as connection:
        assert [row.who for row in list_refusals(connection)] == ["new"]


def test_in_memory_too_a_crowd_is_bounded_and_hides_no_publisher() -> None:
    tally = Tally()
    for n in range(ROWS_MAX + 500):
        tally.add(Refused("login", f"stranger-{n}", "", ""), NOW)
    assert len(tally) == ROWS_MAX + 1
    tally.add(Refused("login", "hub", "", ""), NOW, known=True)
    tally.add(Refused("topic", "10.0.0.7", "a", ""), NOW)
    assert len(tally) == ROWS_MAX + 3


def test_a_crowd_at_the_door_hides_neither_a_publisher_nor_a_refused_topic(engine: Engine) -> None:
    with writing(engine) as connection:
        add_publisher(connection, name="hub", kind="gateway", prefixes=["a"], by="t", now_us=NOW)
    tally = Tally()
    for start in range(0, 4 * ROWS_MAX, ROWS_MAX):
        for n in range(start, start + ROWS_MAX):
            for _ in range(2):  # more than once, so that none of them makes room
                tally.add(Refused("login", f"10.0.{n // 250}.{n % 250}", "", ""), NOW)
        write(engine, tally)
    tally.add(Refused("login", "hub", "", "10.0.0.7"), NOW, known=True)
    tally.add(Refused("topic", "10.0.0.9", "a", ""), NOW)
    write(engine, tally)
    with reading(engine) as connection:
        found = {(row.kind, row.who): row.count for row in list_refusals(connection)}
    assert (found["login", "hub"], found["topic", "10.0.0.9"]) == (1, 1)
    assert found["login", OTHERS] == 2 * 3 * ROWS_MAX
    assert len(found) == ROWS_MAX + 3


def test_who_knocked_once_long_before_makes_room_for_who_knocks_now(engine: Engine) -> None:
    tally = Tally()
    tally.add(Refused("login", "twice", "", ""), NOW)
    for n in range(ROWS_MAX):
        tally.add(Refused("login", f"once-{n}" if n else "twice", "", ""), NOW + n)
    write(engine, tally)
    tally.add(Refused("login", "new", "", ""), NOW + SECOND)
    write(engine, tally)
    with reading(engine) as connection:
        found = [row.who for row in list_refusals(connection)]
    assert {"new", "twice", f"once-{ROWS_MAX - 1}"} <= set(found)
    assert "once-1" not in found
