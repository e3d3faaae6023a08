import pytest
from sqlalchemy import update

from console.limiter import PAIR_LIMIT
from console.login import inner_path
from console.settings import SESSION_S
from devices.database import writing
from devices.schema import user
from tests.console.block import PASSWORD, Block


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


def test_a_session_ends_after_a_shift(block: Block) -> None:
    with block.console() as reader:
        block.pass_s(SESSION_S - 1)
        assert reader.client.get("/", follow_redirects=False).status_code == 200
        block.pass_s(1)
        assert reader.client.get("/", follow_redirects=False).status_code == 303


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
        reader.client.post("/logout", data={"csrf": reader.csrf("/")})
        assert reader.client.get("/", follow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "login"],
)
def test_a_login_never_sends_the_reader_elsewhere(elsewhere: str) -> None:
    assert inner_path(elsewhere) == "/"
    assert inner_path("/incident/7") == "/incident/7"
