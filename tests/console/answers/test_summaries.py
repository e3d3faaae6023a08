"""The list behind a summary's link: one tap answers for every incident that the summary told of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from alerts.links import OPEN_AFTER_CLOSE_US, summary_token
from alerts.schema import incident, notification
from console.answers.app import create_answers
from console.answers.settings import AnswersSettings
from devices.database import reading, writing
from devices.model import Severity
from rules.transition import Why
from tests.console.block import FLATS, LINK_KEY, Block, field

SILENT = Why("silent for 1 h", "1 小时无数据")


@pytest.fixture
def dark(block: Block) -> Block:
    """Three flats whose devices fell silent together: told as one after ten seconds."""
    for flat in FLATS:
        block.transition("C1", flat, Severity.P1, f"smoke-{flat}", SILENT)
    block.decide()
    block.pass_s(11)
    block.decide()
    return block


@contextmanager
def phone(block: Block) -> Iterator[TestClient]:
    app = create_answers(AnswersSettings(LINK_KEY, block.clock, wait_s=block.wait_s), block.engine)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def summary_path(block: Block, code: str) -> str:
    n = notification.c
    with reading(block.engine) as connection:
        [link] = connection.scalars(
            select(n.link).where(n.contact_id == block.contacts[code], n.told_in == n.id)
        )
    return str(link).removeprefix("https://answers.example")


def tap(block: Block, client: TestClient, path: str, number: int = 0, act: str = "acknowledge") -> str:
    once = field(client.get(path).text, "once")
    with block.deciding():
        pages = {
            client.post(path, data={"act": act, "number": number, "once": once}).text.count("<button")
            for _ in range(2)  # a phone may send it twice
        }
        assert len(pages) == 1
        return client.post(path, data={"act": act, "number": number, "once": once}).text


def test_one_tap_answers_for_every_incident_that_the_summary_told_of(dark: Block) -> None:
    path = summary_path(dark, "W1")
    with phone(dark) as client:
        page = client.get(path).text
        assert "3 处报警" in page and all(flat in page for flat in FLATS)
        for incident_id in (1, 2, 3):
            own = f"/a/{dark.token('W1', incident_id)}"
            assert own in page and client.get(own).status_code == 200
        assert dark.acts() == []  # looking changes nothing
        assert "已收到您的回应" in tap(dark, client, path)
    worker = f"contact:{dark.contacts['W1']}"
    assert dark.acts() == [(worker, "acknowledge", "done")] * 3
    with reading(dark.engine) as connection:
        assert set(connection.scalars(select(incident.c.state))) == {"acknowledged"}


def test_a_button_answers_for_one_and_no_other_act_and_no_other_incident_is_taken(dark: Block) -> None:
    dark.smoke("501")
    dark.decide()
    path = summary_path(dark, "W1")
    with phone(dark) as client:
        assert "没有这个选项" in tap(dark, client, path, act="false_alarm")
        assert "没有这个选项" in tap(dark, client, path, number=4)  # the fire is none of it
        assert client.post(path, data={"act": "acknowledge", "number": -1}).status_code == 422
        assert dark.acts() == []
        tap(dark, client, path, number=2)
    with reading(dark.engine) as connection:
        states = dict(connection.execute(select(incident.c.id, incident.c.state)).all())
    assert (states[1], states[2], states[3]) == ("dispatched", "acknowledged", "dispatched")
    assert len(dark.acts()) == 1


def test_no_tap_on_a_summary_answers_for_a_fire_or_an_alarm_that_it_did_not_tell_of(dark: Block) -> None:
    """An incident of the summary is a fire now, another took in an alarm since: both stand above the button
    with their own links, and it answers for the third."""
    path = summary_path(dark, "W1")
    with phone(dark) as client:
        once = field(client.get(path).text, "once")
        assert "不含在" not in client.get(path).text
        dark.pass_s(5)
        with writing(dark.engine) as connection:
            connection.execute(update(incident).where(incident.c.id == 1).values(severity="P0"))
        dark.transition("C1", "502", Severity.P1, "meter-502", SILENT)
        dark.decide()
        page = client.get(path).text
        above = page.partition("全部收到，我去看")[0]
        assert "不含在“全部收到”内" in above
        assert "“I have all of them” is not about these" in client.get(f"{path}?lang=en").text
        for number, is_apart in ((1, True), (2, True), (3, False)):
            assert (f"/a/{dark.token('W1', number)}" in above) is is_apart
            assert (f'name="number" value="{number}"' in page) is not is_apart
        with dark.deciding():
            for number in (1, 2, 0):  # the form may be one that was loaded before
                client.post(path, data={"act": "acknowledge", "number": number, "once": once})
    with reading(dark.engine) as connection:
        states = dict(connection.execute(select(incident.c.id, incident.c.state)).all())
    assert (states[1], states[2], states[3]) == ("dispatched", "dispatched", "acknowledged")
    assert len(dark.acts()) == 1


def test_no_tap_on_a_summary_answers_for_a_part_that_was_merged_with_a_fire(dark: Block) -> None:
    with writing(dark.engine) as connection:
        connection.execute(update(incident).where(incident.c.id == 1).values(severity="P0"))
        connection.execute(update(incident).where(incident.c.id == 2).values(merged_into=1))
    path = summary_path(dark, "W1")
    with phone(dark) as client:
        tap(dark, client, path)
    with reading(dark.engine) as connection:
        states = dict(connection.execute(select(incident.c.id, incident.c.state)).all())
    assert (states[1], states[2], states[3]) == ("dispatched", "dispatched", "acknowledged")


@pytest.fixture
def beside(block: Block) -> Block:
    """An incident that was told by itself, and two that came as a summary; #2 became a part of the first."""
    block.transition("C1", "501", Severity.P1, "smoke-501", SILENT)
    block.decide()
    block.pass_s(11)
    block.decide()
    for flat in ("502", "401"):
        block.transition("C1", flat, Severity.P1, f"smoke-{flat}", SILENT)
    block.decide()
    block.pass_s(11)
    block.decide()
    with writing(block.engine) as connection:
        connection.execute(update(incident).where(incident.c.id == 1).values(tags="whole"))
        into = {"merged_into": 1, "merged_us": block.now_us}
        connection.execute(update(incident).where(incident.c.id == 2).values(**into))
    block.pass_s(1)
    return block


def test_a_part_whose_head_is_in_no_summary_is_answered_with_its_head(beside: Block) -> None:
    """Its head was told by itself and has not grown since: who answers for one has answered for both."""
    path = summary_path(beside, "W1")
    with phone(beside) as client:
        page = client.get(path).text
        assert "2 处报警" in page and "不含在" not in page
        tap(beside, client, path)
    assert [act for _, act, _ in beside.acts()] == ["acknowledge"] * 2
    with reading(beside.engine) as connection:
        assert set(connection.scalars(select(incident.c.state))) == {"acknowledged"}


@pytest.mark.parametrize("grown", ["a fire by now", "another alarm since"])
def test_a_part_stands_apart_where_its_head_that_is_in_no_summary_has_grown(
    beside: Block, grown: str
) -> None:
    path = summary_path(beside, "W1")
    if grown == "a fire by now":
        with writing(beside.engine) as connection:
            connection.execute(update(incident).where(incident.c.id == 1).values(severity="P0"))
    else:
        beside.transition("C1", "501", Severity.P1, "meter-501", SILENT)
        beside.decide()
    with phone(beside) as client:
        above = client.get(path).text.partition("全部收到，我去看")[0]
        assert "不含在“全部收到”内" in above
        assert f"/a/{beside.token('W1', 2)}" in above
        tap(beside, client, path)
    with reading(beside.engine) as connection:
        states = dict(connection.execute(select(incident.c.id, incident.c.state)).all())
    assert (states[1], states[2], states[3]) == ("dispatched", "dispatched", "acknowledged")


def test_a_link_that_is_altered_of_no_summary_or_over_gets_the_one_answer(dark: Block) -> None:
    path = summary_path(dark, "W1")
    number = int(path.removeprefix("/a/s").partition("-")[0])
    with reading(dark.engine) as connection:
        rolled = connection.scalar(
            select(notification.c.id).where(notification.c.told_in != notification.c.id)
        )
    lone = summary_token(LINK_KEY, int(rolled or 0))  # a message that was told in one
    bad = [path[:-1] + ("A" if path[-1] != "A" else "B"), path.replace(f"/s{number}-", f"/s{number + 1}-")]
    bad += [f"/a/{lone}", f"/a/{summary_token(LINK_KEY, 999)}", f"/a/{summary_token(b'x' * 32, number)}"]
    with phone(dark) as client:
        answers = {(client.get(one).status_code, client.get(one).text) for one in bad}
        answers |= {(client.post(one, data={"act": "acknowledge"}).status_code, "") for one in bad}
        assert {status for status, _ in answers} == {404} and len(answers) == 2
        with writing(dark.engine) as connection:
            connection.execute(update(incident).values(state="closed", closed_us=dark.now_us))
        assert "<button" not in client.get(path).text
        dark.now_us += OPEN_AFTER_CLOSE_US
        assert client.get(path).status_code == 404
    assert dark.acts() == []
