from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, update

from console.limiter import PAIR_LIMIT
from console.login import inner_path
from console.settings import IDLE_S, SESSION_S
from devices.database import writing
from devices.registry import disable_user, enable_user, log_out_user, set_password
from devices.registry.users import HashedPassword
from devices.schema import user
from tests.console.block import HASH, PASSWORD, Block, Reader


def password_again(connection: Connection, **trace: Any) -> None:
    """Another password, by the registry."""
    set_password(connection, password=HashedPassword(HASH), **trace)


def test_pages_send_a_stranger_to_the_login_and_back_again(block: Block) -> None:
    with block.console(login="") as reader:
        away = reader.client.get("/incident/1", follow_redirects=False)
        assert away.status_code == 303
        assert away.headers["location"] == "/login?onward=/incident/1"


def test_the_right_password_opens_the_board(block: Block) -> None:
    with block.console(login="") as reader:
        assert reader.login("night") == 200
        assert 'id="board"' in reader.client.get("/").text


def test_an_unknown_login_and_a_wrong_password_get_the_same_answer(block: Block) -> None:
    def refused(login: str, password: str) -> tuple[int, str]:
        with block.console(login="") as reader:
            form = {"login": login, "password": password, "csrf": (csrf := reader.csrf())}
            answer = reader.client.post("/login", data=form)
            return answer.status_code, answer.text.replace(csrf, "")

    assert refused("night", "wrong-password") == refused("nobody-of-that-name", PASSWORD)
    assert refused("night", "wrong-password")[0] == 401


def test_too_many_wrong_passwords_hold_even_the_right_one_back(block: Block) -> None:
    with block.console(login="") as reader:
        for _ in range(PAIR_LIMIT):
            assert reader.login("night", "wrong-password") == 401
        assert reader.login("night") == 429
        block.pass_s(301)
        assert reader.login("night") == 200


def test_a_login_form_without_its_token_is_refused(block: Block) -> None:
    with block.console(login="") as reader:
        form = {"login": "night", "password": PASSWORD, "csrf": "made-up"}
        assert reader.client.post("/login", data=form).status_code == 403
        assert reader.client.get("/board").status_code != 200 or 'id="login"' in reader.client.get("/").text


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(block: Block) -> None:
    with block.console(login="") as reader:
        cookie = reader.client.get("/login").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def is_in(reader: Reader) -> bool:
    return reader.client.get("/siren", follow_redirects=False).status_code == 200


def test_a_session_ends_after_a_shift_however_busy_it_was(block: Block) -> None:
    with block.console() as reader:
        for _ in range(SESSION_S // 1800 - 1):
            block.pass_s(1800)
            assert is_in(reader)
        block.pass_s(1799)
        assert is_in(reader)
        block.pass_s(1)
        assert not is_in(reader)


def test_a_session_with_which_nothing_was_asked_for_an_hour_is_over(block: Block) -> None:
    with block.console() as reader:
        block.pass_s(IDLE_S - 1)
        assert is_in(reader)
        block.pass_s(IDLE_S)
        assert not is_in(reader)


def test_a_board_that_asks_every_ten_seconds_is_not_idle_all_of_a_quiet_night(block: Block) -> None:
    with block.console() as reader:
        for _ in range(2 * IDLE_S // 10):
            block.pass_s(10)
            assert is_in(reader)


def test_a_disabled_user_is_out_at_the_next_click(block: Block) -> None:
    with block.console() as reader:
        with writing(block.engine) as connection:
            connection.execute(update(user).where(user.c.login == "night").values(disabled_us=1))
        assert reader.client.get("/", follow_redirects=False).status_code == 303
        assert reader.client.get("/board", headers={"HX-Request": "true"}).status_code == 401


def test_another_password_ends_the_sessions_that_began_before_it(block: Block) -> None:
    with block.console() as reader:
        with writing(block.engine) as connection:
            values = {"password_us": block.now_us + 1}
            connection.execute(update(user).where(user.c.login == "night").values(values))
        assert reader.client.get("/", follow_redirects=False).status_code == 303


def test_logging_out_ends_it_and_needs_the_token(block: Block) -> None:
    with block.console() as reader:
        assert reader.client.post("/logout", data={"csrf": "made-up"}).status_code == 403
        assert reader.client.get("/", follow_redirects=False).status_code == 200
        stolen = dict(reader.client.cookies)
        reader.client.post("/logout", data={"csrf": reader.csrf("/")})
        assert not is_in(reader)
    with block.console(login="") as thief:
        thief.client.cookies.update(stolen)
        assert not is_in(thief)


def test_logging_out_ends_one_session_and_no_other(block: Block) -> None:
    with block.console() as here, block.console() as there:
        here.client.post("/logout", data={"csrf": here.csrf("/")})
        assert not is_in(here)
        assert is_in(there)


@pytest.mark.parametrize("command", [log_out_user, disable_user, password_again])
def test_the_commands_that_end_sessions_end_all_of_the_user_for_good(
    block: Block, command: Callable[..., object]
) -> None:
    with block.console() as here, block.console("second") as other:
        with writing(block.engine) as connection:
            command(connection, login="night", by="test", now_us=block.now_us)
            if command is disable_user:
                enable_user(connection, login="night", by="test", now_us=block.now_us)
        assert not is_in(here)
        assert is_in(other)


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "login"],
)
def test_a_login_never_sends_the_reader_elsewhere(elsewhere: str) -> None:
    assert inner_path(elsewhere) == "/"
    assert inner_path("/incident/7") == "/incident/7"
