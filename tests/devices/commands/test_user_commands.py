from __future__ import annotations

import pytest

from devices.commands import Desk
from devices.database import reading, writing
from devices.registry import verify_password
from devices.registry.sessions import begin_session
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
    run("user add night --role operator --everywhere --password-stdin", typed="a long night\n")
    assert run("user role night --role admin").stdout == "user night is admin\n"
    assert run("user role night --role admin").stdout == "user night is admin: nothing differed\n"
    run("user disable chief")
    assert not lets_in(desk, "a long night")
    assert objects(run("user show chief --json"))[0]["disabled_at"] is not None
    assert "disabled already" in run("user disable chief", code=1).stderr
    assert objects(run("user enable chief --json")) == [{"enabled": "chief"}]
    assert lets_in(desk, "a long night")
    assert [one["login"] for one in objects(run("user list --json"))] == ["chief", "night"]


@pytest.mark.usefixtures("chief")
def test_a_user_is_added_with_the_areas_that_they_see(run: Run) -> None:
    for code, level in (("c", "city"), ("s1", "street"), ("s2", "street")):
        run(f"area add {code} --level {level} --name X" + ("" if code == "c" else " --parent c"))
    typed = "a long night\n"
    refused = run("user add night --role operator --password-stdin", typed=typed, code=1)
    assert refused.stderr == "area: none is named; allowed are --area CODE, more than once, or --everywhere\n"
    run("user add night --role operator --area s1 --area s2 --password-stdin", typed=typed)
    shown = objects(run("user show night --json"))[0]
    assert (shown["everywhere"], shown["areas"], shown["contact"]) == (False, ["s1", "s2"], "")
    assert "s1, s2" in run("user list").stdout
    assert objects(run("user show chief --json"))[0]["everywhere"] is True
    assert objects(run("user scope night --area s2 --json")) == [
        {"scope_of": "night", "everywhere": False, "areas": ["s2"], "changed": True}
    ]
    assert run("user scope night --everywhere").stdout == "user night sees everywhere\n"
    assert run("user scope night --everywhere").stdout == "user night sees everywhere: nothing differed\n"
    assert "no area with code 's9'" in run("user scope night --area s9", code=1).stderr
    assert "one of them" in run("user scope night --area s1 --everywhere", code=1).stderr
    assert "user who sees it" not in run("area remove s1").stderr


@pytest.mark.usefixtures("chief")
def test_a_grid_workers_account_acts_as_a_contact(run: Run) -> None:
    run("contact add gw-1 --name Example")
    words = "user add worker --role grid_worker --everywhere --contact gw-1 --password-stdin"
    run(words, typed="a long night\n")
    assert objects(run("user show worker --json"))[0]["contact"] == "gw-1"
    run("user role worker --role operator")
    assert objects(run("user show worker --json"))[0]["contact"] == ""
    run("user role worker --role grid_worker --contact gw-1")
    assert objects(run("user show worker --json"))[0]["contact"] == "gw-1"
    assert "only an account" in run("user role chief --role admin --contact gw-1", code=1).stderr


@pytest.mark.usefixtures("chief")
def test_every_session_of_a_user_is_ended_at_once(run: Run, desk: Desk) -> None:
    with writing(desk.engine) as connection:
        for _ in range(2):
            begin_session(connection, "chief", 1_763_755_200_000_000, 60)
    assert objects(run("user logout chief --json")) == [{"logged_out": "chief", "sessions": 2}]
    assert run("user logout chief").stdout == "user chief: 0 sessions ended\n"
    assert "no user" in run("user logout nobody", code=1).stderr
