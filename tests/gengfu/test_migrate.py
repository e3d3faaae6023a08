"""The chain of migrations makes the tables that the code describes, forwards, backwards and again."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, select, text

from devices.database import open_database, reading, writing
from devices.registry.tree import add_area
from devices.schema import area, metadata
from gengfu.migrate import TABLES, DatabaseNewer, downgrade, head, revision_of, upgrade


def differences(engine: Engine) -> list[object]:
    assert len(TABLES) == 3
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def tables(engine: Engine) -> set[str]:
    with reading(engine) as connection:
        return set(inspect(connection).get_table_names())


def stands(engine: Engine) -> str | None:
    with reading(engine) as connection:
        return revision_of(connection)


def add_city(engine: Engine) -> None:
    with writing(engine) as connection:
        add_area(connection, level="city", code="c", name="示范市", parent_code=None, by="test", now_us=1)


def cities(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.scalars(select(area.c.name)))


def test_the_migrated_tables_are_those_of_the_code(engine: Engine) -> None:
    assert differences(engine) == []
    assert tables(engine) == {*metadata.tables, "alembic_version"}


def columns(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Name, type, nullability, default and key of every column, as SQLite sees them."""
    with reading(engine) as connection:
        return {
            name: sorted(tuple(row)[1:] for row in connection.execute(text(f'PRAGMA table_info("{name}")')))
            for name in metadata.tables
        }


def test_columns_and_their_defaults_are_those_that_the_code_would_make(
    engine: Engine, tmp_path: Path
) -> None:
    made = open_database(f"sqlite:///{tmp_path / 'made.db'}")
    metadata.create_all(made)
    assert columns(engine) == columns(made)
    made.dispose()


def test_a_difference_would_be_seen(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("DROP TABLE look"))
    assert differences(engine) != []


def test_upgrading_twice_is_harmless_and_data_survives(engine: Engine) -> None:
    add_city(engine)
    upgrade(engine)
    assert stands(engine) == head()
    assert cities(engine) == ["示范市"]


def test_down_to_nothing_and_up_again(engine: Engine) -> None:
    add_city(engine)
    downgrade(engine, "base")
    assert tables(engine) == {"alembic_version"}
    assert stands(engine) is None
    upgrade(engine)
    assert differences(engine) == []
    add_city(engine)
    assert cities(engine) == ["示范市"]


def test_a_database_of_a_later_release_is_refused_and_left_alone(engine: Engine) -> None:
    add_city(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseNewer, match=r"9999.*install the release"):
        upgrade(engine)
    assert stands(engine) == "9999"
    assert cities(engine) == ["示范市"]
