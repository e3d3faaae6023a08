from __future__ import annotations

import pytest
from sqlalchemy import Connection, select

from devices import registry
from devices.registry import NotAllowed, NotThere, Written, hash_password, verify_password
from devices.registry.users import HashedPassword
from devices.schema import registry_change
from tests.devices.conftest import NOW_US

WHO = Written(by="chief", now_us=NOW_US)
NO_PASSWORD = HashedPassword("nobody logs in with it")


def add(connection: Connection, login: str, role: str = "operator") -> None:
    registry.add_user(connection, login=login, password=NO_PASSWORD, role=role, everywhere=True, **WHO)


def test_a_user_logs_in_with_the_right_password_only(connection: Connection) -> None:
    hashed = hash_password("a long night")
    registry.add_user(connection, login="night", password=hashed, role="operator", everywhere=True, **WHO)
    user = verify_password(connection, login="night", password="a long night")
    assert user is not None
    assert user.role == "operator"
    assert verify_password(connection, login="night", password="A long night") is None
    assert verify_password(connection, login="day", password="a long night") is None
    assert "a long night" not in str(registry.list_users(connection))


def test_another_password_ends_the_first(connection: Connection) -> None:
    add(connection, "night")
    registry.set_password(connection, login="night", password=hash_password("the first one"), **WHO)
    registry.set_password(connection, login="night", password=hash_password("the second one"), **WHO)
    assert verify_password(connection, login="night", password="the first one") is None
    assert verify_password(connection, login="night", password="the second one") is not None
    with pytest.raises(NotThere, match="no user with login 'day'"):
        registry.set_password(connection, login="day", password=NO_PASSWORD, **WHO)


@pytest.mark.parametrize("password", ["short", "x" * 257])
def test_a_password_too_short_or_too_long_is_refused_and_not_quoted(password: str) -> None:
    with pytest.raises(NotAllowed, match="8 to 256") as refused:
        hash_password(password)
    assert password not in str(refused.value)


def test_a_strange_role_is_refused(connection: Connection) -> None:
    with pytest.raises(NotAllowed, match="operator, supervisor, installer, grid_worker, admin"):
        add(connection, "x", "root")
    add(connection, "x")
    with pytest.raises(NotAllowed, match="operator, supervisor, installer, grid_worker, admin"):
        registry.set_role(connection, login="x", role="root", **WHO)


def test_a_disabled_user_cannot_log_in_until_enabled_again(connection: Connection) -> None:
    hashed = hash_password("a long night")
    registry.add_user(connection, login="night", password=hashed, role="operator", everywhere=True, **WHO)
    registry.disable_user(connection, login="night", **WHO)
    assert verify_password(connection, login="night", password="a long night") is None
    assert registry.list_users(connection, only="night")[0].disabled_us == NOW_US
    with pytest.raises(NotAllowed, match="disabled already"):
        registry.disable_user(connection, login="night", **WHO)
    registry.enable_user(connection, login="night", **WHO)
    assert verify_password(connection, login="night", password="a long night") is not None
    with pytest.raises(NotAllowed, match="enabled already"):
        registry.enable_user(connection, login="night", **WHO)


def test_the_last_enabled_admin_is_neither_disabled_nor_given_another_role(connection: Connection) -> None:
    add(connection, "chief", "admin")
    add(connection, "deputy", "admin")
    add(connection, "night")
    registry.disable_user(connection, login="deputy", **WHO)
    with pytest.raises(NotAllowed, match="'chief' is the last enabled admin and cannot be disabled"):
        registry.disable_user(connection, login="chief", **WHO)
    with pytest.raises(NotAllowed, match="'chief' is the last enabled admin and cannot be given the role"):
        registry.set_role(connection, login="chief", role="operator", **WHO)
    assert not registry.set_role(connection, login="chief", role="admin", **WHO)
    registry.set_role(connection, login="night", role="admin", **WHO)
    registry.set_role(connection, login="chief", role="supervisor", **WHO)
    with pytest.raises(NotAllowed, match="'night' is the last"):
        registry.disable_user(connection, login="night", **WHO)
    registry.enable_user(connection, login="deputy", **WHO)
    registry.disable_user(connection, login="night", **WHO)


def test_each_change_says_what_was_done_and_no_hash(connection: Connection) -> None:
    add(connection, "night")
    registry.set_password(connection, login="night", password=NO_PASSWORD, **WHO)
    registry.set_role(connection, login="night", role="admin", **WHO)
    add(connection, "day", "admin")
    registry.disable_user(connection, login="night", **WHO)
    registry.enable_user(connection, login="night", **WHO)
    said = connection.execute(select(registry_change.c.what).order_by(registry_change.c.id)).scalars()
    assert list(said) == [
        "user add night", "user night password", "user night role admin", "user add day",
        "user night disable", "user night enable",
    ]  # fmt: skip
