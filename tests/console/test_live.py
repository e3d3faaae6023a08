import asyncio
import contextlib
import re
import threading
from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest
from sqlalchemy import Connection, event, func, select

from alerts import schema
from console.live import CLOSED, QUEUE_LIMIT, REPLAY_LIMIT, ChangeFeed, Event, Stream
from console.session import SignedIn
from console.watch import ALL, Look, Pushed, Watch
from devices.database import reading, writing
from gengfu.ports import free_port
from tests.console.block import PASSWORD, PATIENCE_S, Block, field
from tests.console.served import console_on


def always(_: Connection) -> Watch | None:
    """Whoever sees everything."""
    return ALL


def never(_: Connection) -> Watch | None:
    """Whoever may no longer look."""
    return None


@contextlib.asynccontextmanager
async def feeding(block: Block) -> AsyncIterator[ChangeFeed]:
    feed = ChangeFeed(block.engine, poll_s=0.01, ping_s=0.05)
    feed.start()
    try:
        yield feed
    finally:
        feed.close()


def newest(block: Block) -> int:
    with reading(block.engine) as connection:
        return connection.scalar(select(func.max(schema.incident_change.c.id))) or 0


def write_changes(block: Block, count: int) -> None:
    row = {"incident_id": 1, "at_us": 0, "kind": "note", "by": "gengfu", "via": "", "text": ""}
    with writing(block.engine) as connection:
        connection.execute(schema.incident_change.insert(), [row] * count)


def ids(texts: list[str]) -> list[int]:
    return [int(number) for text in texts for number in re.findall(r"(?m)^id: (\d+)$", text)]


async def until_hello(stream: AsyncIterator[str]) -> list[str]:
    """What comes up to and with the greeting."""
    texts: list[str] = []
    async for text in stream:
        texts.append(text)
        if "event: hello" in text:
            break
    return texts


def test_a_page_that_comes_back_gets_exactly_what_it_missed(block: Block) -> None:
    block.smoke("501")
    block.decide()
    last = newest(block)
    write_changes(block, 5)

    async def story() -> list[str]:
        async with feeding(block) as feed:
            return await until_hello(feed.events(last, 0, always))

    texts = asyncio.run(story())
    assert ids(texts[1:-1]) == list(range(last + 1, last + 6))
    assert ids(texts[-1:]) == [last + 5]
    assert all("event: change\n" in text for text in texts[1:-1])


def test_a_new_change_reaches_an_open_page_once_and_in_order(block: Block) -> None:
    block.smoke("501")
    block.decide()
    last = newest(block)

    async def story() -> list[str]:
        async with feeding(block) as feed:
            stream = feed.events(last, 0, always)
            await until_hello(stream)
            write_changes(block, 300)
            got: list[str] = []
            while len(ids(got)) < 300:
                text = await anext(stream)
                if "event: ping" in text:
                    continue
                assert "resync" not in text
                got.append(text)
            return got

    assert ids(asyncio.run(story())) == list(range(last + 1, last + 301))


def test_what_happens_before_the_feeds_first_look_is_not_missed(block: Block) -> None:
    block.smoke("501")
    block.decide()
    last = newest(block)
    may_look = threading.Event()

    def hold(_connection: Connection) -> None:
        if threading.current_thread().name == "change-feed":
            may_look.wait(PATIENCE_S)

    event.listen(block.engine, "begin", hold)

    async def story() -> list[str]:
        async with feeding(block) as feed:
            greeting = asyncio.ensure_future(until_hello(feed.events(last, 0, always)))
            await asyncio.sleep(0.2)  # for a greeting that comes too early
            write_changes(block, 1)
            may_look.set()
            return await greeting

    assert ids(asyncio.run(story())) == [last + 1, last + 1]  # the change, and the greeting up to it


@pytest.mark.parametrize("seen", ["too far behind", "from a database that is gone"])
def test_a_page_that_cannot_catch_up_is_told_to_fetch_everything(block: Block, seen: str) -> None:
    block.smoke("501")
    block.decide()
    write_changes(block, REPLAY_LIMIT + 1)
    last = newest(block)

    async def story() -> list[str]:
        async with feeding(block) as feed:
            known = last - REPLAY_LIMIT - 1 if seen == "too far behind" else last + 1
            return await until_hello(feed.events(known, 0, always))

    assert ["resync" in text for text in asyncio.run(story())] == [False, True, False]


def test_a_slow_page_has_a_bounded_queue_and_ends_in_one_resync() -> None:
    async def story() -> list[Event | None]:
        stream = Stream(always)
        for n in range(QUEUE_LIMIT + 1):
            stream.put(Pushed("change", n + 1, 1))
        return [await stream.next(0.01), await stream.next(0.01)]

    assert asyncio.run(story()) == [Pushed("resync", QUEUE_LIMIT + 1), None]


def test_the_end_reaches_even_a_page_that_is_too_slow() -> None:
    async def story() -> Event | None:
        stream = Stream(always)
        for n in range(QUEUE_LIMIT):
            stream.put(Pushed("change", n + 1, 1))
        stream.put(CLOSED)
        return await stream.next(0.01)

    assert asyncio.run(story()) is CLOSED


def test_a_change_of_the_incident_on_the_page_is_called_so() -> None:
    assert "event: change-here\n" in Pushed("change", 7, 3).wire(here=3)
    assert "event: change\n" in Pushed("change", 7, 4).wire(here=3)
    assert not Pushed("faults").wire(here=0).startswith("id:")


def test_a_new_standing_fault_is_pushed(block: Block) -> None:
    async def story() -> str:
        async with feeding(block) as feed:
            stream = feed.events(None, 0, always)
            await until_hello(stream)
            block.fault("no_duty_desk", "nobody")
            async for text in stream:
                if "event: faults" in text:
                    return text
            return "the stream ended"

    assert asyncio.run(story()) == "event: faults\ndata: 0\n\n"


def test_closing_the_feed_ends_streams_and_forgets_them(block: Block) -> None:
    async def story() -> tuple[list[str], int]:
        async with feeding(block) as feed:
            stream = feed.events(None, 0, always)
            await until_hello(stream)
            feed.close()
            rest = [text async for text in stream if "ping" not in text]
            return rest, feed.streams

    assert asyncio.run(story()) == ([], 0)


@pytest.mark.parametrize("look", [always, never])
def test_silence_is_filled_with_pings_only_while_the_reader_may_look(block: Block, look: Look) -> None:
    async def story() -> list[str]:
        async with feeding(block) as feed:
            stream = feed.events(None, 0, look)
            texts: list[str] = []
            async for text in stream:
                texts.append(text)
                if "event: ping" in text:
                    break
            return texts

    texts = asyncio.run(story())
    assert any("event: ping" in text for text in texts) == (look is always)
    assert bool(texts) == (look is always)


@contextlib.contextmanager
def browser(address: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=address, follow_redirects=True, timeout=20) as client:
        csrf = field(client.get("/login").text, "csrf")
        client.post("/login", data={"login": "night", "password": PASSWORD, "csrf": csrf})
        yield client


def test_over_a_socket_the_stream_replays_by_last_event_id_and_ends_with_the_server(block: Block) -> None:
    block.smoke("501")
    block.decide()
    last = newest(block)
    write_changes(block, 2)
    lines: list[str] = []
    with contextlib.ExitStack() as until_stopped:
        server = contextlib.ExitStack()
        client = until_stopped.enter_context(browser(server.enter_context(console_on(block, free_port()))))
        headers = {"Last-Event-ID": str(last)}
        answer = until_stopped.enter_context(client.stream("GET", "/live?since=0", headers=headers))
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-accel-buffering"] == "no"
        incoming = answer.iter_lines()
        while "event: hello" not in lines:
            lines.append(next(incoming))
        server.close()
        lines += incoming  # ends because the server ended the stream
    assert [line for line in lines if line.startswith("id:")] == [f"id: {last + n}" for n in (1, 2, 2)]


def test_a_signed_in_user_signs_acts_with_the_login() -> None:
    assert SignedIn("night", "operator", "token").actor == "user:night"
