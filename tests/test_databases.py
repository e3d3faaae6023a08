"""A database that served one test is as good as new for the next, or is not used again."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, text

from devices.database import open_database, reading, writing
from devices.schema import area, metadata
from gengfu.migrate import head
from tests.databases import EMPTY, MIGRATED, TABLES_ONLY, Databases, sqlite_like

CITY = {"level": "city", "name": "示范市"}


def fill(url: str, *more: str) -> None:
    """Commits one row of `area`, rolls another back, and runs `more`."""
    engine = open_database(url)
    with writing(engine) as connection:
        connection.execute(insert(area).values(code="c", **CITY))
        for statement in more:
            connection.execute(text(statement))
    with pytest.raises(InterruptedError), writing(engine) as connection:
        connection.execute(insert(area).values(code="d", **CITY))
        raise InterruptedError
    engine.dispose()


def first_id(url: str) -> int:
    """The id that the next row gets."""
    engine = open_database(url)
    with writing(engine) as connection:
        row = insert(area).values(code="c", **CITY).returning(area.c.id)
        number = int(connection.execute(row).scalar_one())
    engine.dispose()
    return number


MANY = "INSERT INTO area (code, level, name) SELECT 'n' || n, 'city', 'x' FROM generate_series(1, 20000) AS n"
"""More than is deleted row by row."""


@pytest.mark.parametrize("more", [(), (MANY,)])
@pytest.mark.parametrize("template", [TABLES_ONLY, MIGRATED])
def test_a_database_comes_back_without_rows_and_counts_from_one(
    databases: Databases, template: str, more: tuple[str, ...]
) -> None:
    with databases.fresh(template) as first:
        fill(first, *more)
    with databases.fresh(template) as second:
        assert second == first
        engine = open_database(second)
        with reading(engine) as connection:
            rows = {table.name: connection.execute(table.select()).all() for table in metadata.sorted_tables}
        engine.dispose()
        assert {name for name, some in rows.items() if some} == set()
        assert first_id(second) == 1


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE more (n integer)",
        "DROP TABLE look",
        "ALTER TABLE area ADD COLUMN n integer",
        "ALTER TABLE area ALTER COLUMN code DROP NOT NULL",
        "ALTER TABLE area ALTER COLUMN code SET DEFAULT 'x'",
        "ALTER TABLE area ADD CONSTRAINT never CHECK (id < 1000)",
        "CREATE INDEX more ON area (name)",
        "CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA more",
    ],
)
def test_a_database_of_another_schema_does_not_come_back(databases: Databases, change: str) -> None:
    with databases.fresh() as first:
        fill(first, change)
    with databases.fresh() as second:
        assert second != first


def test_a_migrated_database_whose_revision_was_changed_does_not_come_back(databases: Databases) -> None:
    with databases.fresh(MIGRATED) as first:
        fill(first, "UPDATE alembic_version SET version_num = '9999'")
    with databases.fresh(MIGRATED) as second:
        assert second != first
        engine = open_database(second)
        with reading(engine) as connection:
            assert connection.scalar(text("SELECT version_num FROM alembic_version")) == head()
        engine.dispose()


def test_a_database_that_somebody_still_uses_does_not_come_back(databases: Databases) -> None:
    with databases.fresh() as first:
        engine = open_database(first)
        connection = engine.connect()
    with databases.fresh() as second:
        assert second != first
    connection.invalidate()
    engine.dispose()


def test_an_empty_one_is_always_a_new_one(databases: Databases) -> None:
    with databases.fresh(EMPTY) as first:
        pass
    with databases.fresh(EMPTY) as second:
        assert second != first


@pytest.mark.parametrize("template", [TABLES_ONLY, MIGRATED])
def test_each_sqlite_file_is_one_of_its_own(tmp_path_factory: pytest.TempPathFactory, template: str) -> None:
    first, second = (sqlite_like(template, tmp_path_factory.mktemp("file")) for _ in range(2))
    fill(first)
    assert first_id(second) == 1
