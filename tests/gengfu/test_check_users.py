"""What `gengfu check` says of screens on which nobody would see an alarm."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from devices import registry
from devices.database import open_database, writing
from devices.registry import Written
from devices.registry.users import HashedPassword
from gengfu.check_users import users_finding

WHO = Written(by="test", now_us=1)
NO_PASSWORD = HashedPassword("nobody logs in with it")


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    engine = open_database(database)
    with writing(engine) as connection:
        for code, level in (("c", "city"), ("s1", "community"), ("s2", "community")):
            parent = None if code == "c" else "c"
            registry.add_area(connection, level=level, code=code, name="X", parent_code=parent, **WHO)
        for code in ("s1", "s2"):
            registry.add_building(connection, code=f"b-{code}", name="B", area_code=code, floors=6, **WHO)
        yield connection
    engine.dispose()


def test_a_screen_on_which_nobody_sees_a_street_is_a_problem(connection: Connection) -> None:
    nobody = users_finding(connection)
    assert nobody.ok is False and "none of them sees: s1, s2" in nobody.text
    registry.add_user(connection, login="night", password=NO_PASSWORD, role="operator", areas=["s1"], **WHO)
    assert users_finding(connection).text.count("s1") == 0
    registry.set_scope(connection, login="night", areas=["c"], **WHO)
    all_streets = users_finding(connection)
    assert all_streets.ok is False and "areas with buildings" not in all_streets.text
    assert "gengfu user scope LOGIN --everywhere" in all_streets.text
    registry.set_scope(connection, login="night", everywhere=True, **WHO)
    assert users_finding(connection).ok is True
