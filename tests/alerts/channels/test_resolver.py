"""What is looked up, how long it is used, and what helps while the name servers are silent."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable

import pytest

from alerts.channels.resolver import KEPT_S, OLD_S, AddressInfo, LaneResolver
from tests.databases import PATIENCE_S


def at(address: str) -> list[AddressInfo]:
    return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, 80))]


OLD, NEW = at("192.0.2.1"), at("192.0.2.2")


class NameServers:
    """Answer with `addresses`, or `error`, as soon as `well`."""

    def __init__(self) -> None:
        self.addresses = OLD
        self.error: OSError | None = None
        self.well = threading.Event()
        self.well.set()
        self.asked = 0
        self.now_s = 1_000.0

    def look_up(self, _host: str, _port: int) -> list[AddressInfo]:
        self.asked += 1
        assert self.well.wait(PATIENCE_S)
        if self.error:
            raise self.error
        return self.addresses


Ask = Callable[[], Awaitable[list[AddressInfo]]]


def with_a_name_found(story: Callable[[NameServers, Ask], Awaitable[None]]) -> None:
    """The name was found once, as `OLD`."""
    servers = NameServers()

    async def main() -> None:
        resolver = LaneResolver("test", servers.look_up, lambda: servers.now_s)
        try:
            assert await resolver.resolve("chat.example", 80) == OLD
            await story(servers, lambda: resolver.resolve("chat.example", 80))
        finally:
            servers.well.set()
            await resolver.close()

    asyncio.run(main())


def test_an_answer_is_used_for_a_minute_and_then_asked_for_anew() -> None:
    async def story(servers: NameServers, ask: Ask) -> None:
        servers.addresses = NEW
        servers.now_s += KEPT_S
        assert (await ask(), servers.asked) == (OLD, 1)
        servers.now_s += 1
        assert (await ask(), servers.asked) == (NEW, 2)

    with_a_name_found(story)


def test_while_the_name_servers_are_silent_the_old_answer_is_used_and_renewed_behind() -> None:
    async def story(servers: NameServers, ask: Ask) -> None:
        servers.addresses = NEW
        servers.well.clear()
        servers.now_s += OLD_S
        assert list(await asyncio.gather(ask(), ask())) == [OLD, OLD]
        assert (await ask(), servers.asked) == (OLD, 2)  # one look-up, which still hangs
        servers.well.set()
        async with asyncio.timeout(PATIENCE_S):
            while await ask() != NEW:
                pass
        assert servers.asked == 2

    with_a_name_found(story)


def test_an_answer_of_more_than_a_day_ago_is_used_no_more() -> None:
    async def story(servers: NameServers, ask: Ask) -> None:
        servers.addresses = NEW
        servers.well.clear()
        servers.now_s += OLD_S + 1
        threading.Timer(0.6, servers.well.set).start()  # longer than an old answer would be held back
        assert await ask() == NEW

    with_a_name_found(story)


def test_name_servers_that_fail_leave_the_old_answer_in_use() -> None:
    async def story(servers: NameServers, ask: Ask) -> None:
        servers.error = socket.gaierror(socket.EAI_AGAIN, "try again")
        servers.now_s += KEPT_S + 1
        assert (await ask(), await ask(), servers.asked) == (OLD, OLD, 3)

    with_a_name_found(story)


def test_a_name_that_is_gone_is_not_found() -> None:
    async def story(servers: NameServers, ask: Ask) -> None:
        servers.error = socket.gaierror(socket.EAI_NONAME, "no such name")
        servers.now_s += KEPT_S + 1
        for _ in range(2):
            with pytest.raises(socket.gaierror):
                await ask()

    with_a_name_found(story)
