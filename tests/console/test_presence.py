"""Who else looks at an incident."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from console.presence import Looking, Presence, others_at
from console.session import SignedIn
from devices.database import reading
from devices.scope import EVERYWHERE, NOWHERE, Scope
from gengfu.ports import free_port
from tests.console.block import Block
from tests.console.served import console_on
from tests.console.streets import INSIDE, Streets, login_of
from tests.console.test_access_matrix import signed_in


async def three() -> AsyncIterator[str]:
    for text in ("one", "two", "three"):
        yield text


def greeted(answer: Any) -> Iterator[str]:
    """The lines of a stream, read as far as its greeting."""
    lines: Iterator[str] = iter(answer.iter_lines())
    while next(lines) != "event: hello":
        pass
    return lines


def user(login: str) -> SignedIn:
    return SignedIn(login, "operator", "token", EVERYWHERE)


def test_a_page_is_there_as_long_as_its_stream_is_read() -> None:
    async def looks() -> None:
        presence = Presence()
        stream = presence.kept(7, user("night"), three())
        other = presence.kept(0, user("second"), three())
        assert presence.at(7) == ()
        assert await anext(stream) == "one"
        assert await anext(other) == "one"
        assert [one.login for one in presence.at(7)] == ["night"]
        assert presence.at(0) == presence.at(8) == ()
        await stream.aclose()  # type: ignore[attr-defined]
        await other.aclose()  # type: ignore[attr-defined]
        assert presence.at(7) == ()

    asyncio.run(looks())


def test_two_pages_of_one_account_are_one_and_leave_one_by_one() -> None:
    async def looks() -> None:
        presence = Presence()
        one, two = (presence.kept(7, user("night"), three()) for _ in range(2))
        await anext(one)
        await anext(two)
        assert len(presence.at(7)) == 2
        assert [text async for text in one] == ["two", "three"]
        assert len(presence.at(7)) == 1
        await two.aclose()  # type: ignore[attr-defined]

    asyncio.run(looks())


def test_nobody_is_their_own_company_and_who_sees_nothing_is_not_seen(block: Block) -> None:
    block.smoke("501")
    block.decide()
    pages = [
        Looking(1, "night", EVERYWHERE), Looking(1, "second", EVERYWHERE), Looking(1, "second", EVERYWHERE),
        Looking(1, "stranger", NOWHERE), Looking(1, "elsewhere", Scope(areas=frozenset({999}))),
    ]  # fmt: skip
    with reading(block.engine) as connection:
        assert others_at(connection, pages, 1, "night") == ("second",)


def test_the_incident_page_names_who_else_has_it_open_and_nobody_of_another_street(block: Block) -> None:
    streets = Streets(block)
    streets.burns()
    lookers = [login_of("operator", where) for where in ("here", "there")]
    with console_on(block, free_port()) as address, signed_in(address, "night") as (reader, _):
        path = f"/incident/{INSIDE}"
        assert 'id="presence"' not in reader.get(path).text
        with signed_in(address, lookers[0]) as (here, _), signed_in(address, lookers[1]) as (there, _):
            live = f"/live?since=0&here={INSIDE}"
            with here.stream("GET", live) as one, there.stream("GET", live) as two:
                heard = [greeted(one), greeted(two)]  # kept: a stream ends when nobody reads it any more
                page = reader.get(f"{path}/fragment").text
                assert 'id="presence"' in page
                assert lookers[0] in page
                assert lookers[1] not in page
                assert 'id="presence"' not in here.get(path).text
                assert len(heard) == 2
