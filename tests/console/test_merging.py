"""Merging and splitting on the page of an incident."""

from __future__ import annotations

import asyncio
import re

import pytest

from alerts import schema
from console.live import ChangeFeed
from devices.database import reading
from tests.console.block import Block, Reader, field
from tests.console.test_live import always, until_hello


@pytest.fixture
def fires(block: Block) -> Block:
    """#1 in 501 and #2 in 401, far enough apart in time to be no pair."""
    block.smoke("501")
    block.decide()
    block.pass_s(400)
    block.smoke("401")
    block.decide()
    return block


def press(block: Block, reader: Reader, incident: int, act: str, **more: str) -> str:
    with block.deciding():
        return reader.act(incident, act, **more)


def test_merging_and_splitting_by_the_forms_of_the_page(fires: Block) -> None:
    with fires.console() as reader:
        page = reader.client.get("/incident/2?lang=en").text
        assert re.findall(r'<option value="(\d+)">#1 P0 .*501', page) == ["1"]
        assert 'id="split"' not in page
        for number in (1, 2):
            press(fires, reader, number, "acknowledge")
        done = press(fires, reader, 2, "merge", into="1", note="同一起火")
        assert "Done" in done and 'id="act-acknowledge"' not in done and 'href="/incident/1"' in done
        board = reader.client.get("/?lang=en").text
        assert (
            'id="incident-1"' in board and 'id="incident-2"' not in board and "with merged incidents" in board
        )
        whole = reader.client.get("/incident/1?lang=en").text
        assert 'id="merged-parts"' in whole and "incident #2 is part of this one now: 同一起火" in whole
        assert '<input type="checkbox" name="leaving" value="#2">' in whole
        detail = reader.client.get("/api/incidents/1").json()
        assert [part["id"] for part in detail["parts"]] == [2]
        assert reader.client.get("/api/incidents/2").json()["line"]["state"] == "merged"
        assert "Done" in press(fires, reader, 1, "split", leaving="#2")
        board = reader.client.get("/").text
        assert 'id="incident-1"' in board and 'id="incident-2"' in board
    assert [outcome for *_, outcome in fires.acts()] == ["done"] * 4


def test_the_page_of_the_one_part_that_still_smokes_takes_the_desks_false_alarm(fires: Block) -> None:
    with fires.console() as reader:
        press(fires, reader, 2, "merge", into="1")
        assert "<button name" not in reader.client.get("/incident/2?lang=en").text
        fires.clears("501")
        fires.decide()
        noted = press(fires, reader, 1, "false_alarm")
        assert "incident #2 is still in alarm" in noted and 'href="/incident/2"' in noted
        page = reader.client.get("/incident/2?lang=en").text
        assert re.findall(r'<button name="act" value="(\w+)"', page) == ["false_alarm"]
        assert "Done" in press(fires, reader, 2, "false_alarm")


def test_merging_silences_no_siren(fires: Block) -> None:
    with fires.console() as reader:
        press(fires, reader, 1, "acknowledge")
        assert 'data-untaken="1"' in reader.client.get("/siren").text
        press(fires, reader, 2, "merge", into="1")
        assert 'data-untaken="1"' in reader.client.get("/siren").text
        assert 'href="/incident/1"' in reader.client.get("/siren").text
        press(fires, reader, 1, "acknowledge")
        assert 'data-untaken="0"' in reader.client.get("/siren").text


def test_the_page_of_the_whole_hears_of_its_parts(fires: Block) -> None:
    with fires.console() as reader:
        press(fires, reader, 2, "merge", into="1")

    async def told() -> list[str]:
        feed = ChangeFeed(fires.engine, poll_s=0.01, ping_s=0.05)
        feed.start()
        try:
            return await until_hello(feed.events(0, 1, always))
        finally:
            feed.close()

    texts = asyncio.run(told())
    assert sum("event: change-here\n" in text for text in texts) == sum(
        "event: change" in text for text in texts
    )
    assert {"data: 1", "data: 2"} <= {line for text in texts for line in text.splitlines()}


def test_without_a_choice_nothing_is_handed_in_and_a_refusal_is_shown(fires: Block) -> None:
    with fires.console() as reader:
        assert "请先选择" in reader.act(1, "merge")
        assert "请先选择" in reader.act(1, "split")
        assert "一次选得太多" in reader.act(1, "split", leaving="x" * 301)
        assert fires.acts() == []
        assert "不能并入自身" in press(fires, reader, 1, "merge", into="1")


def test_a_forged_form_merges_nothing(fires: Block) -> None:
    with fires.console() as reader:
        form = {"csrf": "forged", "once": "x", "act": "merge", "into": "1"}
        assert reader.client.post("/incident/2/act", data=form).status_code == 403
    assert fires.acts() == []


def test_no_contact_merges_by_a_link_and_no_administrator_is_offered_it(fires: Block) -> None:
    fires.answers("W1", "merge", 2)
    fires.decide()
    with fires.console("root") as reader:
        page = reader.client.get("/incident/2").text
        assert 'id="merging"' not in page
        form = {"csrf": field(page, "csrf"), "once": "1", "act": "merge", "into": "1"}
        assert reader.client.post("/incident/2/act", data=form).status_code == 403
    with reading(fires.engine) as connection:
        merged = connection.scalars(schema.incident.select().with_only_columns(schema.incident.c.merged_into))
        assert set(merged) == {None}
    assert [outcome for *_, outcome in fires.acts()] == ["refused"]


def test_what_is_elsewhere_or_another_hazard_is_not_offered(fires: Block) -> None:
    fires.overload("502")
    fires.decide()
    with fires.console() as reader:
        assert 'id="merge-into"' not in reader.client.get("/incident/3").text
        assert 'value="3"' not in reader.client.get("/incident/1").text
