"""Up and down again with accounts in the tables: nobody sees less by it going up, nobody more going down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, insert, text

from devices import registry
from devices.database import open_database, reading, writing
from devices.registry import Written
from devices.schema import area, user, user_area, user_session
from gengfu.migrate import _script, downgrade, upgrade
from tests.conftest import NewDatabase

from alembic import command  # isort: skip

WHO = Written(by="t", now_us=1)
BEFORE = {"night": "operator", "chief": "supervisor", "root": "admin"}


@pytest.fixture
def before(new_database: NewDatabase) -> Iterator[Engine]:
    """A database of the release before, with accounts."""
    engine = open_database(new_database())
    with writing(engine) as connection:
        config = _script()
        config.attributes["connection"] = connection
        command.upgrade(config, "0018")
        for login, role in BEFORE.items():
            row = {"login": login, "role": role}
            columns = "(login, role, password_hash, created_us)"
            said = f"INSERT INTO \"user\" {columns} VALUES (:login, :role, 'x', 1)"
            connection.execute(text(said), row)
    yield engine
    engine.dispose()


def test_whoever_had_an_account_sees_everything_as_before(before: Engine) -> None:
    upgrade(before)
    with reading(before) as connection:
        users = {one.login: (one.role, one.everywhere, one.areas) for one in registry.list_users(connection)}
    assert users == {login: (role, True, ()) for login, role in BEFORE.items()}


def may_log_in(connection: Connection) -> set[str]:
    rows = connection.execute(text('SELECT login FROM "user" WHERE disabled_us IS NULL'))
    return {row.login for row in rows}


def test_the_way_back_shows_nobody_more_and_leaves_an_administrator(before: Engine) -> None:
    upgrade(before)
    with writing(before) as connection:
        connection.execute(insert(area), {"id": 1, "level": "city", "code": "c", "name": "x"})
        row: dict[str, Any] = {"password_hash": "x", "created_us": 1, "everywhere": False}
        for number, (login, role) in enumerate(
            {"one-street": "operator", "part": "admin", "fitter": "installer"}.items(), start=10
        ):
            connection.execute(insert(user), row | {"id": number, "login": login, "role": role})
            connection.execute(insert(user_area), {"user_id": number, "area_id": 1})
            connection.execute(insert(user_session), {"id": login, "user_id": number, "began_us": 1})
        connection.execute(user.update().where(user.c.login == "fitter").values(everywhere=True))
    downgrade(before, "0018")
    with reading(before) as connection:
        assert may_log_in(connection) == {*BEFORE, "part"}
    upgrade(before)
    with reading(before) as connection:
        assert registry.list_users(connection, only="one-street")[0].disabled_us == 0
