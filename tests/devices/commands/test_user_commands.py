from __future__ import annotations

import pytest

from devices.commands import Desk
from devices.database import reading
from devices.registry import verify_password
from tests.devices.commands.test_commands import Run, objects, run

__all__ = ["run"]


@pytest.fixture
def chief(run: Run) -> None:
    run("user add chief --role admin --password-stdin", typed="a long night\n")


def lets_in(desk: Desk, password: str) -> bool:
    with reading(desk.engine) as connection:
        return verify_password(connection, login="chief", password=password) is not None


@pytest.mark.usefixtures("chief")
def test_a_password_is_changed_by_typing_it_twice_or_from_stdin(run: Run, desk: Desk) -> None:
    result = run("user passwd chief", typed="a longer night\na longer night\n")
    assert "a longer night" not in result.output
    assert lets_in(desk, "a longer night")
    assert objects(run("user passwd chief --password-stdin --json", typed="the third one\n")) == [
        {"password_of": "chief"}
    ]
    assert lets_in(desk, "the third one")
    assert not lets_in(desk, "a longer night")


@pytest.mark.usefixtures("chief")
def test_nobody_types_a_password_for_a_user_there_is_not(run: Run) -> None:
    refused = run("user passwd nobody", code=1)
    assert refused.stderr == "no user with login 'nobody'\n"


@pytest.mark.usefixtures("chief")
def test_a_short_password_is_refused_with_what_is_allowed(run: Run) -> None:
    refused = run("user passwd chief --password-stdin", typed="short\n", code=1)
    assert refused.stderr == "password: 8 to 256 characters are allowed\n"


@pytest.mark.usefixtures("chief")
def test_users_are_disabled_enabled_and_given_a_role_but_one_admin_remains(run: Run, desk: Desk) -> None:
    for words in ("user disable chief", "user role chief --role operator"):
        assert "'chief' is the last enabled admin" in run(words, code=1).stderr
    run("user add night --role operator --password-stdin", typed="a long night\n")
    assert run("user role night --role admin").stdout == "user night is admin\n"
    assert run("user role night --role admin").stdout == "user night is admin: nothing differed\n"
    run("user disable chief")
    assert not lets_in(desk, "a long night")
    assert objects(run("user show chief --json"))[0]["disabled_at"] is not None
    assert "disabled already" in run("user disable chief", code=1).stderr
    assert objects(run("user enable chief --json")) == [{"enabled": "chief"}]
    assert lets_in(desk, "a long night")
    assert [one["login"] for one in objects(run("user list --json"))] == ["chief", "night"]
