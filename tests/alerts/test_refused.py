"""A refused publisher stands on the board for an hour after it was last refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, insert, select

from alerts.refused import REFUSED, WITHIN_US, check_refused
from alerts.schema import system_fault
from devices.database import open_database, reading, writing
from devices.registry import add_publisher
from devices.schema import refusal

NOW = 1_763_755_200_000_000


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    engine = open_database(database)
    yield engine
    engine.dispose()


def refused(engine: Engine, who: str, count: int, last_us: int, kind: str = "login") -> None:
    with writing(engine) as connection:
        row = {"kind": kind, "who": who, "count": count, "first_us": NOW, "last_us": last_us}
        connection.execute(insert(refusal).values(row))


def standing(engine: Engine, now_us: int) -> tuple[str, str] | None:
    check_refused(engine, now_us)
    table = system_fault.c
    with reading(engine) as connection:
        row = connection.execute(
            select(table.severity, table.text).where(table.code == REFUSED, table.ended_us.is_(None))
        ).first()
    return None if row is None else (row.severity, row.text)


def test_who_is_refused_is_said_with_the_number_and_a_name_and_ends_by_itself(engine: Engine) -> None:
    assert standing(engine, NOW) is None
    refused(engine, "10.0.0.7", 2, NOW - 1)
    refused(engine, "hub", 1, NOW, "topic")
    found = standing(engine, NOW + 1)
    assert found
    assert found[0] == "P2"
    assert found[1].startswith("2 个名称或地址")
    assert "2 names and addresses were refused by the broker, such as hub (topic)" in found[1]
    assert standing(engine, NOW + WITHIN_US - 1)
    assert standing(engine, NOW + WITHIN_US) is None


def test_a_publisher_of_the_registry_is_named_before_any_crowd(engine: Engine) -> None:
    with writing(engine) as connection:
        add_publisher(connection, name="hub", kind="gateway", prefixes=["a"], by="t", now_us=NOW)
    refused(engine, "hub", 1, NOW)
    refused(engine, "10.0.0.7", 1_000_000, NOW + 1)
    found = standing(engine, NOW + 2)
    assert found
    assert "such as hub (login)" in found[1]


def test_a_name_of_a_strangers_choice_does_not_fill_the_board(engine: Engine) -> None:
    refused(engine, "x" * 200, 1, NOW)
    found = standing(engine, NOW)
    assert found
    assert len(found[1]) < 300
