import string
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from starlette.testclient import TestClient

from alerts.links import OPEN_AFTER_CLOSE_US, link_token
from alerts.schema import incident
from console.answers.app import create_answers, once_key
from console.answers.headers import HEADERS
from console.answers.settings import AnswersSettings
from console.answers.words import keys, say
from devices.database import writing
from devices.schema import metadata
from tests.console.block import LINK_KEY, Block, field


@contextmanager
def phone(block: Block) -> Iterator[TestClient]:
    app = create_answers(AnswersSettings(LINK_KEY, block.clock, wait_s=block.wait_s), block.engine)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def fire(block: Block) -> Block:
    """One open fire alarm in 501, everybody told."""
    block.smoke("501")
    block.decide()
    block.pass_s(5)
    return block


def tap(block: Block, client: TestClient, code: str, act: str, note: str = "") -> str:
    path = f"/a/{block.token(code)}"
    form = {"act": act, "note": note, "once": field(client.get(path).text, "once")}
    with block.deciding():
        return client.post(path, data=form).text


def test_the_page_says_what_where_how_bad_since_when_and_who_else(fire: Block) -> None:
    with phone(fire) as client:
        page = client.get(f"/a/{fire.token('W1')}").text
    for said in ("火警", "烟雾报警", "槐树里社区", "2单元", "501", "网格员", "家属", "微型消防站", "未回应"):
        assert said in page


def test_the_page_says_when_the_newest_alarm_was_raised_where_it_came_later(fire: Block) -> None:
    path = f"/a/{fire.token('W1')}"
    with phone(fire) as client:
        assert "最新报警" not in client.get(path).text
        with writing(fire.engine) as connection:
            hour_us = 3_600_000_000
            connection.execute(update(incident).values(opened_us=incident.c.opened_us - hour_us))
        assert "最新报警" in client.get(path).text


def test_looking_changes_nothing_however_often(fire: Block) -> None:
    with phone(fire) as client:
        for _ in range(5):
            assert client.get(f"/a/{fire.token('W1')}").status_code == 200
            assert client.head(f"/a/{fire.token('W1')}").status_code in {200, 405}
    assert fire.acts() == []


def test_one_tap_is_one_act_with_its_outcome_on_the_page(fire: Block) -> None:
    with phone(fire) as client:
        page = tap(fire, client, "W1", "acknowledge")
        assert "已收到您的回应" in page
        assert "您已回应" in client.get(f"/a/{fire.token('W1')}").text
    assert fire.acts() == [(f"contact:{fire.contacts['W1']}", "acknowledge", "done")]


def test_a_double_tap_and_a_retry_are_one_act_and_a_later_tap_is_another(fire: Block) -> None:
    path = f"/a/{fire.token('W1')}"
    with phone(fire) as client, fire.deciding():
        form = {"act": "need_help", "once": field(client.get(path).text, "once")}
        answers = [client.post(path, data=form).text for _ in range(3)]
        assert all("已收到您的回应" in text for text in answers)
        assert len(fire.acts()) == 1
        form["once"] = field(client.get(path).text, "once")
        client.post(path, data=form)
    assert len(fire.acts()) == 2


def test_each_role_gets_its_own_buttons(fire: Block) -> None:
    with phone(fire) as client:
        family = client.get(f"/a/{fire.token('F501')}").text
        worker = client.get(f"/a/{fire.token('W1')}").text
    assert 'value="confirm"' in family
    assert 'value="arrived"' not in family
    assert 'value="arrived"' in worker
    assert 'value="close"' not in family + worker


def test_a_neighbours_false_alarm_is_noted_and_the_page_says_that_nothing_stops(fire: Block) -> None:
    with phone(fire) as client:
        page = tap(fire, client, "N401", "false_alarm")
    assert "已记录" in page
    assert "不停止通知" in page
    assert [outcome for *_, outcome in fire.acts()] == ["noted"]


def test_what_the_role_may_not_do_is_refused_with_the_reason_even_when_posted_by_hand(fire: Block) -> None:
    with phone(fire) as client:
        page = tap(fire, client, "F501", "close", "real")
    assert "Not accepted" in page
    assert [outcome for *_, outcome in fire.acts()] == ["refused"]


def test_without_the_alerts_process_the_tap_is_kept_and_the_page_says_so(fire: Block) -> None:
    fire.wait_s = 0.1
    path = f"/a/{fire.token('W1')}"
    with phone(fire) as client:
        page = client.post(path, data={"act": "arrived", "once": "x"}).text
    assert "已提交，稍后生效" in page
    assert fire.acts() == [(f"contact:{fire.contacts['W1']}", "arrived", "")]


def test_the_page_speaks_the_contacts_language_and_can_be_switched(fire: Block) -> None:
    path = f"/a/{fire.token('F501')}"
    with phone(fire) as client:
        assert "False alarm, no fire" in client.get(path).text
        assert "误报，没有火" in client.get(f"{path}?lang=zh-CN").text


def test_an_unknown_act_or_a_note_without_words_hands_nothing_in(fire: Block) -> None:
    with phone(fire) as client:
        assert "没有这个选项" in client.post(f"/a/{fire.token('W1')}", data={"act": "explode"}).text
        assert "请先写说明" in client.post(f"/a/{fire.token('W1')}", data={"act": "note"}).text
    assert fire.acts() == []


def test_every_bad_link_gets_one_and_the_same_answer(fire: Block) -> None:
    good = fire.token("W1")
    bad = [
        "x",
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        good.replace("1-", "2-", 1),
        link_token(b"another key of another place....", 1, fire.contacts["W1"]),
        link_token(LINK_KEY, 99, fire.contacts["W1"]),
        link_token(LINK_KEY, 1, 999),
    ]
    with phone(fire) as client:
        answers = [client.get(f"/a/{token}") for token in bad]
        answers += [client.post(f"/a/{token}", data={"act": "confirm"}) for token in bad]
        answers += [client.get("/nowhere")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert fire.acts() == []


def test_a_link_ends_a_day_after_the_close(fire: Block) -> None:
    path = f"/a/{fire.token('W1')}"
    with fire.console("night") as night, fire.deciding():
        for act, note in (("arrived", ""), ("handled", ""), ("feedback", "cooking")):
            night.act(1, act, note)
    with fire.console("chief") as chief, fire.deciding():
        chief.act(1, "verify")
        chief.act(1, "close", disposition="nuisance")
    with phone(fire) as client:
        fire.now_us += OPEN_AFTER_CLOSE_US - 5_000_000
        page = client.get(path)
        assert page.status_code == 200
        assert "已经结束" in page.text
        assert 'value="confirm"' not in page.text
        fire.pass_s(10)
        assert client.get(path).status_code == 404


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_altered_link_opens_anything(fire: Block, data: st.DataObject) -> None:
    good = fire.token("W1")
    at = data.draw(st.integers(0, len(good) - 1))
    letter = data.draw(st.sampled_from(string.ascii_letters + string.digits + "-_"))
    altered = good[:at] + letter + good[at + 1 :]
    with phone(fire) as client:
        assert client.get(f"/a/{altered}").status_code == (200 if altered == good else 404)


def test_the_whole_page_with_its_style_is_under_30_kb_and_without_script(fire: Block) -> None:
    with phone(fire) as client:
        page = client.get(f"/a/{fire.token('W1')}")
        style = client.get("/static/answers.css")
    assert len(page.content) + len(style.content) < 30_000
    assert "<script" not in page.text
    assert " style=" not in page.text


@pytest.mark.parametrize("path", ["/a/x", "/healthz", "/nowhere"])
def test_every_answer_is_private_and_leaves_no_trace(fire: Block, path: str) -> None:
    with phone(fire) as client:
        answer = client.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert HEADERS["Referrer-Policy"] == "no-referrer"
    assert HEADERS["Cache-Control"] == "no-store"


def test_a_page_that_breaks_says_what_to_do_and_is_as_private(fire: Block) -> None:
    path = f"/a/{fire.token('W1')}"
    metadata.drop_all(fire.engine)
    with phone(fire) as client:
        answer = client.get(path)
    assert answer.status_code == 500
    assert "119" in answer.text
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_the_button_that_stands_out_is_what_comes_next_and_never_false_alarm(fire: Block) -> None:
    with phone(fire) as client:
        assert 'value="acknowledge" class="first"' in client.get(f"/a/{fire.token('W1')}").text
        assert 'value="arrived" class="first"' in tap(fire, client, "W1", "acknowledge")
        assert 'class="first"' not in tap(fire, client, "F501", "acknowledge")


def test_the_public_application_has_no_other_routes(block: Block) -> None:
    paths = create_answers(AnswersSettings(LINK_KEY, block.clock), block.engine).openapi()["paths"]
    assert {path: sorted(methods) for path, methods in paths.items()} == {
        "/a/{token}": ["get", "post"],
        "/callback/{carrier}/{secret}": ["post"],
        "/healthz": ["get"],
    }


def test_a_long_body_is_refused_whether_it_is_announced_or_not(fire: Block) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(40):
            yield b"note=" + b"x" * 1024

    with phone(fire) as client:
        path = f"/a/{fire.token('W1')}"
        assert client.post(path, content=b"x" * 20_000).status_code == 413
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert client.post(path, content=pieces(), headers=form).status_code in {400, 413}
    assert fire.acts() == []


def test_the_key_of_a_tap_depends_on_page_and_button_and_fits_its_column() -> None:
    assert once_key("t", "confirm", "1") == once_key("t", "confirm", "1")
    assert len({once_key(t, a, o) for t in "tu" for a in ("confirm", "arrived") for o in "12"}) == 8
    assert len(once_key("t", "confirm", "1")) <= 64


def test_every_key_is_said_in_both_languages() -> None:
    for key in keys():
        assert say("zh-CN", key) != say("en", key), key
