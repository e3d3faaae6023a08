"""Many rows at once, and their numbers before they are there, on both engines."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, insert, select, update

from alerts.schema import engine_input, incident
from devices.database import open_database, reading, writing
from devices.fresh_ids import fresh_ids
from devices.many import insert_many, update_many
from devices.schema import area

ROW = {"at_us": 1, "kind": "reset", "slot": 2, "place": 3, "incident_id": 4}


def rows(*rules: str) -> list[dict[str, Any]]:
    return [{**ROW, "rule": rule} for rule in rules]


def test_numbers_are_above_all_that_were_there_and_nobody_gets_one_twice(database: str) -> None:
    engine = open_database(database)
    with writing(engine) as connection:
        first = fresh_ids(connection, engine_input, 3)
        numbered = [{**row, "id": n} for row, n in zip(rows("a", "b", "c"), first, strict=True)]
        insert_many(connection, engine_input, numbered)
        connection.execute(insert(engine_input), rows("by the database"))
    with writing(engine) as connection:
        connection.execute(engine_input.delete())
        later = fresh_ids(connection, engine_input, 2)
        assert list(fresh_ids(connection, incident, 2)) == [1, 2]
        assert list(fresh_ids(connection, area, 1)) == [1]
    engine.dispose()
    assert list(first) == [1, 2, 3]
    assert later[0] > 4
    assert later[1] == later[0] + 1


def test_many_rows_are_inserted_and_updated_as_they_were_said(database: str) -> None:
    column = engine_input.c
    statement = (
        update(engine_input).where(column.rule == bindparam("b_rule")).values(kind=bindparam("b_kind"))
    )
    engine = open_database(database)
    with writing(engine) as connection:
        insert_many(connection, engine_input, [])
        insert_many(connection, engine_input, rows("a", "厨房", "nul\0", "c"))
        insert_many(connection, engine_input, [{**rows("again")[0], "id": 1}], new=True)
        twice = [{"id": n, **row} for n, row in zip((2, 9), rows("again", "new"), strict=True)]
        insert_many(connection, engine_input, twice, new=True)  # columns in another order than before
        changed = [{"b_rule": "a", "b_kind": "close"}, {"b_rule": "new", "b_kind": "close"}]
        update_many(connection, statement, changed)
        update_many(connection, statement, [{"b_kind": "quiet", "b_rule": "c"}] * 2)
    with reading(engine) as connection:
        found = connection.execute(select(column.rule, column.kind).order_by(column.id)).all()
    engine.dispose()
    assert [tuple(row) for row in found] == [
        ("a", "close"), ("厨房", "reset"), ("nul\ufffd", "reset"), ("c", "quiet"), ("new", "close"),
    ]  # fmt: skip
