"""The chain of migrations makes the tables that the code describes, forwards, backwards and again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, select, text

from devices.database import open_database, reading, writing
from devices.registry.tree import add_area
from devices.schema import area, metadata
from gengfu.migrate import TABLES, DatabaseNewer, _script, downgrade, head, revision_of, upgrade
from tests.conftest import NewDatabase
from tests.databases import create_tables

CHAIN = [script.revision for script in ScriptDirectory.from_config(_script()).walk_revisions()]
"""Every revision, the newest first."""


def differences(engine: Engine) -> list[object]:
    assert len(TABLES) == 6
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


@pytest.fixture
def made(new_database: NewDatabase) -> Iterator[Engine]:
    """A database with the tables as the code would make them."""
    engine = open_database(new_database())
    create_tables(engine)
    yield engine
    engine.dispose()


def test_the_migrated_tables_are_those_of_the_code(engine: Engine) -> None:
    assert differences(engine) == []
    assert tables(engine) == {*metadata.tables, "alembic_version"}


def described(engine: Engine) -> dict[str, Any]:
    """Columns, keys and indexes of every table, as the engine sees them."""

    def foreign_key(one: Any) -> Any:
        """SQLite keeps no name of a key that came with its column, and has no use for one."""
        return dict(one) | ({"name": None} if engine.dialect.name == "sqlite" else {})

    with reading(engine) as connection:
        seen = inspect(connection)
        return {
            name: (
                sorted(
                    (one["name"], str(one["type"]), one["nullable"], one["default"], one.get("autoincrement"))
                    for one in seen.get_columns(name)
                ),
                seen.get_pk_constraint(name),
                sorted(map(repr, map(foreign_key, seen.get_foreign_keys(name)))),
                sorted(repr(sorted(one.items(), key=str)) for one in seen.get_unique_constraints(name)),
                sorted(repr(sorted(one.items(), key=str)) for one in seen.get_indexes(name)),
            )
            for name in metadata.tables
        }


def test_columns_defaults_and_keys_are_those_that_the_code_would_make(engine: Engine, made: Engine) -> None:
    assert described(engine) == described(made)


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


@pytest.mark.parametrize("revision", CHAIN[1:])
def test_down_to_each_earlier_revision_and_up_again_keeps_what_both_know(
    engine: Engine, revision: str
) -> None:
    add_city(engine)
    downgrade(engine, revision)
    assert stands(engine) == revision
    assert cities(engine) == ["示范市"]
    upgrade(engine)
    assert cities(engine) == ["示范市"]
    assert differences(engine) == []


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(new_database: NewDatabase) -> None:
    engine = open_database(new_database())
    with writing(engine) as connection:
        connection.execute(text('CREATE TABLE "user" (id integer)'))  # stands in the way of ours
    with pytest.raises(Exception, match="user"):
        upgrade(engine)
    assert tables(engine) - {"alembic_version"} == {"user"}
    assert stands(engine) is None
    engine.dispose()


def test_processes_that_upgrade_at_the_same_time_do_not_collide(new_database: NewDatabase) -> None:
    url = new_database()
    code = (
        "import sys; from devices.database import open_database; from gengfu.migrate import upgrade;"
        "sys.stdin.read(1); upgrade(open_database(sys.argv[1]))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    for process in started:
        assert process.stdin
        process.stdin.write("!")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[1] for process in started] == [""] * 3
    engine = open_database(url)
    assert stands(engine) == head()
    assert differences(engine) == []
    engine.dispose()


def test_a_database_of_a_later_release_is_refused_and_left_alone(engine: Engine) -> None:
    add_city(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseNewer, match=r"9999.*install the release"):
        upgrade(engine)
    assert stands(engine) == "9999"
    assert cities(engine) == ["示范市"]
