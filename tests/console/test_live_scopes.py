"""The live stream of a page is of its user's streets: nothing of another's, not even a number."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event

from alerts.in_scope import Lies
from console import live
from console.live import QUEUE_LIMIT, ChangeFeed, Checks, Event, Stream
from console.positions import UNKNOWN, Positions
from console.session import begin, who_is
from console.watch import Look, Pushed, Watch, watch_of
from devices import schema as registry
from devices.database import writing
from devices.registry import disable_user, log_out_user, move_building, set_role
from devices.scope import EVERYWHERE, Scope
from tests.console.block import PATIENCE_S, SESSION_KEY, Block
from tests.console.streets import ALL, HERE, INSIDE, OUTSIDE, THERE, UNPLACED, Streets, login_of
from tests.console.test_live import until_hello


@pytest.fixture
def streets(block: Block) -> Streets:
    streets = Streets(block)
    streets.burns()
    return streets


def look_of(streets: Streets, login: str) -> Look:
    """What the pages of a fresh session of this user may hear of."""
    block, cookie = streets.block, dict[str, Any]()
    with writing(block.engine) as connection:
        begin(connection, cookie, login, block.now_us)

    def look(connection: Connection) -> Watch | None:
        user = who_is(connection, cookie, block.clock())
        return watch_of(connection, user) if user else None

    return look


@contextlib.asynccontextmanager
async def feeding(streets: Streets) -> AsyncIterator[ChangeFeed]:
    """A feed that looks at pages again for its reasons, and never because time has passed."""
    feed = ChangeFeed(streets.block.engine, poll_s=0.01, ping_s=0.3, recheck_s=math.inf)
    feed.start()
    try:
        yield feed
    finally:
        feed.close()


async def heard(stream: AsyncIterator[str], last: int, faults: bool = False) -> list[tuple[str, int]]:
    """(event, incident) of what comes before the change `last`; `faults` are told at the feed's start too."""

    async def collected() -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        async for text in stream:
            for one in text.split("\n\n")[:-1]:
                if one.startswith(f"id: {last}\n"):
                    return found
                name, incident = re.findall(r"event: (\S+)\ndata: (\d*)", one)[0]
                if name != "ping" and (faults or name != "faults"):
                    found.append((name, int(incident)))
        return found

    return await asyncio.wait_for(collected(), PATIENCE_S)


async def first(stream: AsyncIterator[str], holds: Callable[[str], bool]) -> str:
    """The first text of which this holds; "" where the stream ends before."""

    async def found() -> str:
        async for text in stream:
            if holds(text):
                return text
        return ""

    return await asyncio.wait_for(found(), PATIENCE_S)


@pytest.mark.parametrize(
    ("where", "own"), [(HERE, [INSIDE]), (THERE, [OUTSIDE]), (ALL, [INSIDE, OUTSIDE, UNPLACED])]
)
def test_a_page_hears_of_its_own_street_live_and_when_it_comes_back(
    streets: Streets, where: str, own: list[int]
) -> None:
    look = look_of(streets, login_of("operator", where))
    last = streets.newest()

    async def story() -> tuple[list[tuple[str, int]], list[str]]:
        async with feeding(streets) as feed:
            stream = feed.events(last, 0, look)
            await until_hello(stream)
            for incident in (INSIDE, OUTSIDE, UNPLACED, own[0]):
                streets.happens(incident)
            now = await heard(stream, streets.newest())
            return now, await until_hello(feed.events(last, 0, look))

    now, later = asyncio.run(story())
    assert now == [("change", incident) for incident in own]
    again = [int(n) for text in later for n in re.findall(r"event: change\ndata: (\d+)", text)]
    assert again == [*own, own[0]]


def test_what_a_page_may_not_hear_of_does_not_fill_its_queue() -> None:
    def of(area: int, change: int) -> Pushed:
        return Pushed("change", change, change, Lies(frozenset({area})))

    async def story() -> list[Event | None]:
        stream = Stream(lambda _: None)
        stream.watch = Watch(frozenset({1}))
        for change in range(1, QUEUE_LIMIT + 2):
            stream.put(of(2, change))
        stream.put(of(1, 9999))
        return [await stream.next(0.01), await stream.next(0.01)]

    assert asyncio.run(story()) == [of(1, 9999), None]


def test_a_flood_elsewhere_neither_wakes_a_page_nor_has_it_fetch_everything(streets: Streets) -> None:
    look = look_of(streets, login_of("operator", HERE))

    async def story() -> list[tuple[str, int]]:
        async with feeding(streets) as feed:
            stream = feed.events(None, 0, look)
            await until_hello(stream)
            streets.happens(OUTSIDE, QUEUE_LIMIT + 50)
            streets.happens(INSIDE, 2)
            return await heard(stream, streets.newest())

    assert asyncio.run(story()) == [("change", INSIDE)]


def test_what_was_merged_into_an_incident_of_the_street_is_heard_with_it(streets: Streets) -> None:
    block = streets.block
    block.smoke("501", device="x")
    block.decide()
    whole = 4
    streets.merges(UNPLACED, whole)
    look = look_of(streets, login_of("operator", HERE))
    other = look_of(streets, login_of("operator", THERE))

    async def story() -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
        async with feeding(streets) as feed:
            here, there = feed.events(None, whole, look), feed.events(None, 0, other)
            await until_hello(here)
            await until_hello(there)
            streets.happens(UNPLACED)
            streets.happens(INSIDE)
            told = await heard(here, streets.newest())
            streets.happens(OUTSIDE)
            return told, await heard(there, streets.newest())

    assert asyncio.run(story()) == ([("change-here", UNPLACED)], [])


def test_another_scope_holds_for_an_open_page_within_seconds(streets: Streets) -> None:
    login = login_of("operator", HERE)
    look = look_of(streets, login)

    async def story() -> tuple[str, list[tuple[str, int]]]:
        async with feeding(streets) as feed:
            stream = feed.events(None, 0, look)
            await until_hello(stream)
            await asyncio.to_thread(streets.sees, login, THERE)
            told = await first(stream, lambda text: "event: resync" in text)
            streets.happens(INSIDE)
            streets.happens(OUTSIDE, 2)
            return told, await heard(stream, streets.newest())

    told, after = asyncio.run(story())
    assert told
    assert after == [("change", OUTSIDE)]


def test_a_building_that_moves_takes_its_incidents_along(streets: Streets) -> None:
    look = look_of(streets, login_of("operator", HERE))

    async def story() -> list[tuple[str, int]]:
        async with feeding(streets) as feed:
            stream = feed.events(None, 0, look)
            await until_hello(stream)
            with writing(streets.block.engine) as connection:
                move_building(connection, code="b9", area_code="grid", by="test", now_us=1)
            streets.happens(OUTSIDE)
            streets.happens(INSIDE)
            return await heard(stream, streets.newest())

    assert asyncio.run(story()) == [("change", OUTSIDE)]


@pytest.mark.parametrize("command", [disable_user, log_out_user])
def test_the_stream_of_a_session_that_was_ended_ends_however_busy_it_is(
    streets: Streets, command: Callable[..., object]
) -> None:
    login = login_of("operator", HERE)
    look = look_of(streets, login)

    async def story() -> str:
        async with feeding(streets) as feed:
            stream = feed.events(None, 0, look)
            await until_hello(stream)
            with writing(streets.block.engine) as connection:
                command(connection, login=login, by="test", now_us=streets.block.now_us)

            async def busy() -> None:
                while True:
                    await asyncio.to_thread(streets.happens, INSIDE)
                    await asyncio.sleep(0.05)

            noise = asyncio.ensure_future(busy())
            try:
                return await first(stream, lambda text: False)
            finally:
                noise.cancel()

    assert asyncio.run(story()) == ""


def test_a_session_that_was_ended_without_a_trace_ends_its_stream_when_the_feed_is_told(
    streets: Streets,
) -> None:
    look = look_of(streets, login_of("operator", HERE))

    async def story() -> str:
        async with feeding(streets) as feed:
            stream = feed.events(None, 0, look)
            await until_hello(stream)
            with writing(streets.block.engine) as connection:
                connection.execute(registry.user_session.delete())
            feed.look_again()
            return await first(stream, lambda text: False)

    assert asyncio.run(story()) == ""


def test_faults_of_the_system_are_pushed_to_those_whom_they_concern(streets: Streets) -> None:
    looks = {role: look_of(streets, login_of(role, HERE)) for role in ("operator", "grid_worker")}

    async def story() -> dict[str, list[tuple[str, int]]]:
        async with feeding(streets) as feed:
            streams = {role: feed.events(None, 0, look) for role, look in looks.items()}
            for stream in streams.values():
                await until_hello(stream)
            streets.block.fault("no_duty_desk", "nobody")
            assert await first(streams["operator"], lambda text: "event: faults" in text)
            streets.happens(INSIDE)
            return {role: await heard(stream, streets.newest(), True) for role, stream in streams.items()}

    assert asyncio.run(story())["grid_worker"] == []


def test_a_role_that_changes_changes_what_an_open_page_hears_of(streets: Streets) -> None:
    login = login_of("grid_worker", HERE)
    look = look_of(streets, login)

    async def story() -> str:
        async with feeding(streets) as feed:
            stream = feed.events(None, 0, look)
            await until_hello(stream)
            with writing(streets.block.engine) as connection:
                set_role(connection, login=login, role="supervisor", by="test", now_us=1)
            await first(stream, lambda text: "event: resync" in text)
            streets.block.fault("no_duty_desk", "nobody")
            return await first(stream, lambda text: "event: faults" in text)

    assert asyncio.run(story())


def test_where_changes_lie_is_looked_up_once_for_all_pages(streets: Streets) -> None:
    looks = [look_of(streets, login_of("operator", where)) for where in (HERE, THERE, ALL)]
    asked: list[str] = []

    def note(*given: Any) -> None:
        if "JOIN building" in given[2]:
            asked.append(given[2])

    async def story(pages: int) -> int:
        async with feeding(streets) as feed:
            streams = [feed.events(None, 0, looks[n % 3]) for n in range(pages)]
            for stream in streams:
                await until_hello(stream)
            asked.clear()
            streets.happens(INSIDE, 20)
            for n, stream in enumerate(streams):
                if n % 3 != 1:  # who sees the other street only hears nothing
                    await heard(stream, streets.newest())
            return len(asked)

    event.listen(streets.block.engine, "before_cursor_execute", note)
    assert asyncio.run(story(1)) == asyncio.run(story(30)) == 1


def test_positions_of_those_who_do_not_see_everything_count_nothing() -> None:
    positions, scope = Positions(SESSION_KEY), Scope(areas=frozenset({1}))
    sealed = {positions.told(7, scope) for _ in range(20)}
    assert len(sealed) == 20
    assert {positions.heard(text, scope) for text in sealed} == {7}
    assert positions.told(7, EVERYWHERE) == "7"
    assert positions.heard("7", EVERYWHERE) == 7
    assert positions.heard("", scope) is None
    for odd in ("7", "=", "x" * 48, "é", next(iter(sealed))[:-4]):
        assert positions.heard(odd, scope) == UNKNOWN
    for odd in (next(iter(sealed)), "-1", "9" * 40, "７"):
        assert positions.heard(odd, EVERYWHERE) == UNKNOWN
    assert Positions(b"another" * 5).heard(next(iter(sealed)), scope) == UNKNOWN


def test_a_page_that_names_its_sealed_position_gets_what_it_missed_and_no_number(streets: Streets) -> None:
    block = streets.block
    positions = Positions(SESSION_KEY)
    with block.console(login_of("operator", HERE)) as reader:
        page = reader.client.get("/").text
        since = re.findall(r'sse-connect="/live\?since=([^"&]*)', page)[0]
    look = look_of(streets, login_of("operator", HERE))
    scope = Scope(areas=frozenset({1}))
    assert positions.heard(since, scope) == streets.newest()
    streets.happens(OUTSIDE, 3)
    streets.happens(INSIDE, 2)

    async def story() -> list[str]:
        async with feeding(streets) as feed:
            told = feed.events(
                positions.heard(since, scope), 0, look, lambda number: positions.told(number, scope)
            )
            return await until_hello(told)

    texts = asyncio.run(story())
    assert sum("event: change\n" in text for text in texts) == 2
    assert all(not re.search(r"id: \d{1,19}\n", text) for text in texts)


def test_pages_are_looked_at_again_for_a_change_of_the_registry_when_asked_and_in_time() -> None:
    asked, checks = threading.Event(), Checks()
    assert checks.is_due(False, asked, 100.0) and checks.is_needed(1, 100.0)
    assert not checks.is_due(False, asked, 101.0)
    assert not checks.is_due(True, asked, 101.0)  # somebody wrote, and it is too soon
    assert checks.is_due(False, asked, 100.0 + live.LOOKS_APART_S)
    assert not checks.is_needed(1, 102.0)  # it was no change of the registry
    assert checks.is_due(True, asked, 103.0) and checks.is_needed(2, 103.0)
    asked.set()
    assert checks.is_due(False, asked, 103.1) and not asked.is_set() and checks.is_needed(2, 103.1)
    assert checks.is_due(False, asked, 103.1 + live.RECHECK_S) and checks.is_needed(2, 103.1 + live.RECHECK_S)
