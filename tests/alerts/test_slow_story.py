"""A provider takes connections and does not answer: those whose messages it holds are told by their next way
while it holds them. The sockets, the channels and the sender are real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from alerts.channels.carriers import Accounts, close_channels, open_channels
from alerts.channels.intake import LIMITS
from alerts.handover import Handover
from alerts.meter import Tally
from alerts.outbox import recover
from alerts.sender import Sender
from alerts.settings import Settings
from devices.database import writing
from devices.model import Carrier, Medium, Severity
from tests.alerts.channels.providers import Provider, provider, says
from tests.alerts.channels.troubled import Streams, Troubled, troubled
from tests.alerts.outboxes import NOW, SECOND, Outbox, PlainVault, open_outbox
from tests.databases import PATIENCE_S, TABLES_ONLY, sqlite_like

PEOPLE = 16
"""As many as one provider has sends for fires under way: nobody of them waits in line."""
CROWD = 60


async def answers_when_let(server: Troubled, streams: Streams) -> None:
    await streams[0].readuntil(b"\r\n\r\n")
    await server.released.wait()
    await server.give(streams[1], b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


async def answers_a_second_later(server: Troubled, streams: Streams) -> None:
    await streams[0].readuntil(b"\r\n\r\n")
    await asyncio.sleep(1.0)
    await server.give(streams[1], b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


async def breaks_off_when_let(server: Troubled, streams: Streams) -> None:
    await server.released.wait()


@dataclass
class Scene:
    """One provider that hangs and a good one; ways by the first and by the second, in that order."""

    outbox: Outbox
    sender: Sender
    bad: Troubled
    good: Provider

    def tell(self, people: int, severity: Severity) -> None:
        for n in range(people):
            self.sender.submit(self.store(n, severity))

    def store(self, n: int, severity: Severity) -> list[Handover]:
        """A message by the first of four ways, in the database only."""
        well = f"{self.good.url()}/{severity}/{n}"
        ways = self.outbox.add_contact(
            (Medium.PUSH, Carrier.WEBHOOK, f"http://{self.bad.host}:{self.bad.port}/{n}"),
            (Medium.SMS, Carrier.WEBHOOK, f"{well}/sms"),
            (Medium.VOICE, Carrier.WEBHOOK, f"{well}/voice"),
            (Medium.EMAIL, Carrier.WEBHOOK, f"{well}/mail"),
        )
        return self.outbox.tell(ways[:1], severity)

    def told(self) -> int:
        """How many have been told by any way."""
        return len({row.contact_id for row in self.outbox.notifications() if row.state == "accepted"})

    def states(self, medium: str, severity: Severity = Severity.P0) -> list[str]:
        rows = self.outbox.notifications()
        return [row.state for row in rows if row.medium == medium and row.severity == severity]

    async def until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not happened():  # noqa: ASYNC110  outcomes are written by a thread
                await asyncio.sleep(0.01)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with open_outbox(sqlite_like(TABLES_ONLY, tmp_path)) as opened:
        yield opened


@asynccontextmanager
async def scene(
    outbox: Outbox, behave: Callable[[Troubled, Streams], Awaitable[None]]
) -> AsyncIterator[Scene]:
    async with troubled([Carrier.WEBHOOK], behave) as bad, provider(says("200 OK", "{}")) as good:
        channels = open_channels(Accounts({}))
        sender = Sender(
            outbox.engine, PlainVault(), channels, Settings(b"", "", send_timeout_s=PATIENCE_S),
            clock=lambda: NOW + SECOND, meter=Tally(), limits=LIMITS,
        )  # fmt: skip
        sender.start()
        try:
            yield Scene(outbox, sender, bad[Carrier.WEBHOOK], good)
        finally:
            bad[Carrier.WEBHOOK].released.set()
            await sender.close(5.0)
            await close_channels(channels)


def test_a_fire_goes_by_the_next_way_while_the_first_hangs_and_its_late_answer_counts(outbox: Outbox) -> None:
    async def story() -> None:
        async with scene(outbox, answers_when_let) as here:
            here.tell(PEOPLE, Severity.P0)
            await here.until(lambda: here.states("sms") == ["accepted"] * PEOPLE)
            assert here.bad.open == here.bad.connections == PEOPLE
            assert here.states("push") == ["sending"] * PEOPLE
            here.bad.released.set()
            await here.sender.settle()
            assert here.states("push") == here.states("sms") == ["accepted"] * PEOPLE

    asyncio.run(story())


def test_one_that_breaks_off_late_is_tried_again_and_tells_nobody_a_third_time(outbox: Outbox) -> None:
    async def story() -> None:
        async with scene(outbox, breaks_off_when_let) as here:
            here.tell(PEOPLE, Severity.P0)
            await here.until(lambda: here.states("sms") == ["accepted"] * PEOPLE)
            here.bad.released.set()
            await here.sender.settle()
            assert here.states("push") == ["waiting"] * PEOPLE
            assert here.states("sms") == ["accepted"] * PEOPLE
            assert here.states("voice") == here.states("email") == []

    asyncio.run(story())


def test_after_a_kill_nobody_waits_in_line_for_a_provider_that_hangs(outbox: Outbox) -> None:
    async def story() -> None:
        async with scene(outbox, answers_when_let) as here:
            for n in range(CROWD):
                here.store(n, Severity.P0)
            with writing(outbox.engine) as connection:
                here.sender.submit(recover(connection, NOW + SECOND))
            await here.until(lambda: here.states("sms") == ["accepted"] * CROWD)
            assert here.bad.connections == PEOPLE
            assert here.states("push") == ["sending"] * CROWD

    asyncio.run(story())


def test_nobody_waits_in_line_for_a_provider_that_is_slow_and_moves(outbox: Outbox) -> None:
    async def story() -> None:
        async with scene(outbox, answers_a_second_later) as here:
            here.tell(2 * CROWD, Severity.P0)
            await here.until(lambda: here.told() == 2 * CROWD)
            assert here.bad.connections < 2 * CROWD
            await here.sender.settle()
            assert here.states("push") == ["accepted"] * 2 * CROWD
            assert here.states("voice") == []

    asyncio.run(story())


def test_what_is_less_than_a_fire_waits_for_its_answer(outbox: Outbox) -> None:
    async def story() -> None:
        async with scene(outbox, answers_when_let) as here:
            here.tell(1, Severity.P1)
            await here.until(lambda: here.bad.open == 1)
            here.tell(1, Severity.P0)
            await here.until(lambda: here.states("sms") == ["accepted"])
            assert here.states("push", Severity.P1) == ["sending"]
            assert here.states("sms", Severity.P1) == []

    asyncio.run(story())


def test_a_next_way_that_cannot_be_written_holds_up_no_other_outcome(outbox: Outbox) -> None:
    async def story() -> None:
        async with scene(outbox, answers_when_let) as here:
            here.tell(1, Severity.P0)
            way = Medium.EMAIL, Carrier.WEBHOOK, f"{here.good.url()}/other"
            other = outbox.tell(outbox.add_contact(way), Severity.P0)
            with writing(outbox.engine) as connection:
                refuse = "BEFORE INSERT ON notification BEGIN SELECT RAISE(ABORT, 'refused'); END"
                connection.execute(text(f"CREATE TRIGGER no_more {refuse}"))
            await here.until(lambda: here.bad.open == 1)
            await asyncio.sleep(2.5)
            here.sender.submit(other)
            await here.until(lambda: here.states("email") == ["accepted"])
            assert here.states("push") == ["sending"]

    asyncio.run(story())
