"""Boards that are drawn once for many: as the database has it, and nobody is sent what is not theirs."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from alerts import schema
from alerts.views import OpenIncident, open_incidents
from console.board_drawn import Drawn
from console.board_lines import Line
from console.boards import BOARD_LIMIT, Boards, Reader
from console.live import ChangeFeed, Screen
from console.pages import Pages
from console.session import SignedIn, begin, who_is
from console.watch import watch_of
from devices.database import reading, writing
from tests.console.block import Block
from tests.console.streets import ALL, HERE, INSIDE, OUTSIDE, THERE, UNPLACED, Streets, login_of
from tests.console.test_live import until_hello


@pytest.fixture
def streets(block: Block) -> Streets:
    streets = Streets(block)
    streets.burns()
    return streets


def boards_of(streets: Streets) -> Boards:
    return Boards(streets.block.engine, Pages(streets.block.console_settings()))


def user_of(streets: Streets, login: str) -> SignedIn:
    cookie = dict[str, Any]()
    with writing(streets.block.engine) as connection:
        begin(connection, cookie, login, streets.block.now_us)
        user = who_is(connection, cookie, streets.block.now_us)
    assert user is not None
    return user


def reader_here(streets: Streets, where: str) -> Reader:
    with reading(streets.block.engine) as connection:
        return Reader(watch_of(connection, user_of_now(streets, where)), "zh-CN")


def user_of_now(streets: Streets, where: str) -> SignedIn:
    return user_of(streets, login_of("operator", where))


def shown_ids(boards: Boards, user: SignedIn) -> list[int]:
    return [int(n) for n in re.findall(r'id="incident-(\d+)"', boards.shown(user, "zh-CN").lines)]


def read_ids(streets: Streets, user: SignedIn) -> list[int]:
    with reading(streets.block.engine) as connection:
        return [one.id for one in open_incidents(connection, "zh-CN", BOARD_LIMIT, user.scope)]


def test_a_kept_board_is_in_the_order_in_which_the_database_gives_it_whatever_happens(
    streets: Streets,
) -> None:
    block, boards = streets.block, boards_of(streets)
    users = [user_of(streets, login_of("operator", where)) for where in (HERE, THERE, ALL)]

    def same() -> None:
        for user in users:
            assert shown_ids(boards, user) == read_ids(streets, user)

    same()
    story: list[Callable[[], object]] = [
        lambda: block.smoke("501"),
        lambda: block.overload("401"),
        lambda: block.answers("W1", "need_help"),
        lambda: streets.merges(UNPLACED, 4),
        lambda: block.pass_s(400),
    ]
    for happens in story:
        block.pass_s(1)
        happens()
        block.decide()
        same()


def test_each_sees_their_own_street_on_a_kept_board(streets: Streets) -> None:
    boards = boards_of(streets)
    found = {where: set(shown_ids(boards, user_of_now(streets, where))) for where in (HERE, THERE, ALL)}
    assert found == {HERE: {INSIDE}, THERE: {OUTSIDE}, ALL: {INSIDE, OUTSIDE, UNPLACED}}


def test_news_is_of_what_changed_and_of_nobody_elses_street(streets: Streets) -> None:
    boards = boards_of(streets)
    readers = {where: reader_here(streets, where) for where in (HERE, THERE, ALL)}
    boards.news(readers.values())
    streets.block.pass_s(1)
    streets.block.answers("W1", "acknowledge", INSIDE)
    streets.block.decide()
    news = boards.news(readers.values())
    assert readers[THERE] not in news
    for where in (HERE, ALL):
        told = json.loads(news[readers[where]].board)
        assert set(told["lines"]) == {str(INSIDE)}
        assert "W1" in told["lines"][str(INSIDE)]


def test_a_page_that_loads_in_between_takes_no_news_from_those_that_are_open(streets: Streets) -> None:
    boards, reader = boards_of(streets), reader_here(streets, ALL)
    boards.news([reader])
    streets.block.smoke("501")
    streets.block.decide()
    boards.shown(user_of_now(streets, ALL), "zh-CN")
    assert "lines" in json.loads(boards.news([reader])[reader].board)


def test_a_fire_is_news_for_the_siren_until_it_is_taken(streets: Streets) -> None:
    block, boards, reader = streets.block, boards_of(streets), reader_here(streets, HERE)
    boards.news([reader])
    block.smoke("501")
    block.decide()
    told = boards.news([reader])[reader].untaken
    assert told is not None and len(told) == 1
    assert 'data-untaken="1"' in boards.siren(told, 0, "zh-CN")
    assert "siren-open" not in boards.siren(told, told[0].id, "zh-CN")  # it is this page's own


def test_the_token_of_one_session_is_in_no_other_page(streets: Streets) -> None:
    with streets.block.console(login_of("operator", ALL)) as one:
        first = one.client.get("/").text
    with streets.block.console(login_of("operator", ALL)) as other:
        second = other.client.get("/").text
    tokens = [set(re.findall(r'name="csrf" value="([^"]*)"', page)) for page in (first, second)]
    assert all(len(found) == 1 and "" not in found for found in tokens)
    assert tokens[0] != tokens[1]


def test_a_stream_brings_what_the_page_lacks_and_then_what_changes(streets: Streets) -> None:
    block, reader = streets.block, reader_here(streets, HERE)
    boards = boards_of(streets)
    before = boards.since(reader, "").number

    async def story() -> list[str]:
        feed = ChangeFeed(block.engine, poll_s=0.01, ping_s=0.3)
        feed.boards = boards
        feed.start()
        try:
            stream = feed.events(None, 0, lambda _: reader.watch, str, Screen("zh-CN", "another-0"))
            texts = await until_hello(stream)
            texts.append(await anext(stream))
            await asyncio.to_thread(streets.happens, OUTSIDE)
            await asyncio.to_thread(change_tag, streets, INSIDE)
            while "event: board" not in texts[-1] or len(texts) < 4:
                texts.append(await anext(stream))
            return texts
        finally:
            feed.close()

    texts = asyncio.run(asyncio.wait_for(story(), 30))
    told = [json.loads(data) for text in texts for data in re.findall(r"event: board\ndata: (.*)\n", text)]
    assert before > 0 and told[0]["whole"] and set(told[0]["lines"]) == {str(INSIDE)}
    assert not told[-1]["whole"] and set(told[-1]["lines"]) == {str(INSIDE)}


def change_tag(streets: Streets, incident_id: int) -> None:
    with writing(streets.block.engine) as connection:
        row = update(schema.incident).where(schema.incident.c.id == incident_id)
        connection.execute(row.values(tags="help"))
    streets.happens(incident_id)


def line(number: int, said: str) -> Line:
    incident = OpenIncident(
        number, "P2", "reported", "fault", said, 1, None, "", "", "", None, 0, 0, 0, (), False
    )
    return Line(incident, "")


Moments = st.lists(
    st.lists(st.tuples(st.integers(1, 6), st.sampled_from("abc")), unique_by=lambda one: one[0], max_size=6),
    min_size=1,
    max_size=8,
)


@given(Moments, st.data())
def test_whoever_applies_what_they_lack_has_the_whole_board(
    moments: list[list[tuple[int, str]]], data: st.DataObject
) -> None:
    """A page that was away for any while, and one that is told some things twice."""
    drawn, known = Drawn(), dict[tuple[int, str], Line]()
    page: dict[int, str] = {}
    order: list[int] = []
    version = ""
    for moment in moments:
        lines = [known.setdefault(one, line(*one)) for one in moment]
        drawn.put(lines, (), 1, lambda one, _: one.incident.place)
        if data.draw(st.booleans()):
            continue
        news = json.loads(drawn.since(version) or "{}")
        page |= {int(key): html for key, html in news.get("lines", {}).items()}
        order = news.get("order", order)
        page = {key: page[key] for key in order}
        if data.draw(st.booleans()):
            version = news.get("version", version)
        assert list(page.items()) == moment
