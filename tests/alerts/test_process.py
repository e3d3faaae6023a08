from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Engine, insert, select, text
from sqlalchemy.exc import OperationalError

from alerts.channels.channel import Accepted, Channel, Failed, Message, Outcome
from alerts.meter import Tally
from alerts.process import run_alerts
from alerts.pulse import beat
from alerts.schema import notification, step, system_fault
from alerts.settings import Settings
from alerts.turn import TurnResult
from devices.database import reading, writing
from devices.model import Carrier, Medium, Severity
from devices.schema import refusal, registry_change
from tests.alerts.outboxes import NOW, SECOND, Outbox, PlainVault, open_outbox
from tests.databases import PATIENCE_S, losing_the_next_answer

PUSH = (Medium.PUSH, Carrier.WEBHOOK, "http://push")


@dataclass
class Clock:
    """Time that moves when it is told to."""

    now_us: int = NOW

    def __call__(self) -> int:
        return self.now_us


@dataclass
class CollectingChannel:
    """Takes messages, refusing the first `refusals`; `until` waits for so many."""

    refusals: int = 0
    messages: list[Message] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False

    async def send(self, message: Message) -> Outcome:
        self.messages.append(message)
        self.arrived.set()
        return Failed("HTTP 500") if len(self.messages) <= self.refusals else Accepted()

    async def close(self) -> None:
        self.closed = True

    async def until(self, messages: int) -> None:
        while len(self.messages) < messages:
            self.arrived.clear()
            await self.arrived.wait()


@dataclass
class ScriptedTurn:
    """Takes one step after the other, then finds nothing to do. `until` waits for so many turns."""

    steps: list[Callable[[], TurnResult]] = field(default_factory=list)
    next_due_us: int | None = None
    turned_at_us: list[int] = field(default_factory=list)

    def __call__(self, engine: Engine, settings: Settings, now_us: int) -> TurnResult:
        self.turned_at_us.append(now_us)
        return self.steps.pop(0)() if self.steps else TurnResult([], self.next_due_us, False)

    async def until(self, turned: Callable[[list[int]], bool]) -> None:
        while not turned(self.turned_at_us):  # noqa: ASYNC110  turns are on a thread
            await asyncio.sleep(0.005)


@pytest.fixture
def outbox(database: str) -> Iterator[Outbox]:
    with open_outbox(database) as opened:
        yield opened


def alerts_while(
    outbox: Outbox, turn: ScriptedTurn, channel: CollectingChannel, story: Callable[[Clock], Awaitable[None]]
) -> Tally:
    """Runs the process while `story` goes on, then stops it."""

    async def main() -> Tally:
        clock, tally, stop = Clock(), Tally(), asyncio.Event()
        settings = Settings(b"", "")
        channels: Mapping[Carrier, Channel] = {Carrier.WEBHOOK: channel}
        process = asyncio.create_task(
            run_alerts(
                outbox.engine, PlainVault(), settings, clock, stop, tally, channels=channels, turn=turn
            )
        )
        try:
            await story(clock)
        finally:
            stop.set()
            await process
        return tally

    return asyncio.run(main())


def tells(outbox: Outbox, severity: Severity = Severity.P0) -> Callable[[], TurnResult]:
    """A turn that tells one contact by push."""
    channels = outbox.add_contact(PUSH)
    return lambda: TurnResult(outbox.tell(channels, severity), None, False)


def fails() -> TurnResult:
    raise RuntimeError("a turn's own fault")


def states(outbox: Outbox) -> list[str]:
    return [row.state for row in outbox.notifications()]


def test_what_a_turn_begins_is_sent_and_written_before_the_end(outbox: Outbox) -> None:
    channel, turn = CollectingChannel(), ScriptedTurn([tells(outbox)])
    alerts_while(outbox, turn, channel, lambda _: channel.until(1))
    assert states(outbox) == ["accepted"]
    assert channel.closed


@pytest.mark.parametrize("while_away", [False, True])
def test_a_clock_that_was_set_back_holds_up_no_retry(while_away: bool, outbox: Outbox) -> None:
    """Half an hour, while the process runs or while it was dead."""
    back_us = 1_800 * SECOND
    turn = ScriptedTurn([tells(outbox)])
    channel = CollectingChannel(refusals=1)
    if while_away:
        with writing(outbox.engine) as connection:
            beat(connection, "alerts", NOW + back_us, "")
            due = {"due_us": NOW + back_us + 30 * SECOND, "state": "pending"}
            waits = {"incident_id": outbox.incident_id, "epoch": 0, "name": "chase", "n": 0} | due
            connection.execute(insert(step).values(**waits))

    async def story(clock: Clock) -> None:
        await channel.until(1)
        if not while_away:
            await turn.until(lambda turned: len(turned) >= 1)
            clock.now_us -= back_us
        await asyncio.sleep(0.3)
        clock.now_us += 5 * SECOND
        await asyncio.wait_for(channel.until(2), PATIENCE_S)

    alerts_while(outbox, turn, channel, story)
    assert states(outbox) == ["accepted"]
    if while_away:
        with reading(outbox.engine) as connection:
            assert connection.scalar(select(step.c.due_us)) == NOW + 30 * SECOND


def test_what_a_crash_cut_off_is_sent_again_and_counted(outbox: Outbox) -> None:
    outbox.tell(outbox.add_contact(PUSH) * 3, Severity.P0)
    channel = CollectingChannel()
    tally = alerts_while(outbox, ScriptedTurn(), channel, lambda _: channel.until(3))
    assert tally.counts == {"possible_duplicates": 3, "accepted": 3}
    assert states(outbox) == ["accepted"] * 3


def test_what_a_turn_began_is_sent_though_the_answer_to_its_commit_was_lost(outbox: Outbox) -> None:
    """The connection ends during the commit: it happened, and nobody was told what to hand over."""
    tell = tells(outbox)

    def lost() -> TurnResult:
        tell()
        raise OperationalError("COMMIT", None, Exception("the connection was lost"))

    channel = CollectingChannel()
    tally = alerts_while(outbox, ScriptedTurn([lost]), channel, lambda _: channel.until(1))
    assert tally.counts == {"possible_duplicates": 1, "accepted": 1}
    assert states(outbox) == ["accepted"]
    assert [outcome for _, _, outcome in outbox.attempts()] == ["unknown", "accepted"]


def test_a_next_way_is_used_though_the_answer_to_the_outcomes_commit_was_lost(outbox: Outbox) -> None:
    two_ways = (Medium.SMS, Carrier.WEBHOOK, "http://sms")
    [push, _] = outbox.add_contact(PUSH, two_ways)

    def tell() -> TurnResult:
        told = outbox.tell([push], Severity.P0)
        losing_the_next_answer(outbox.engine)
        return TurnResult(told, None, False)

    channel = CollectingChannel(refusals=1)
    alerts_while(outbox, ScriptedTurn([tell]), channel, lambda _: channel.until(2))
    assert [message.address for message in channel.messages][:2] == ["http://push", "http://sms"]
    assert states(outbox)[1] == "accepted"


def test_what_is_in_hand_is_not_begun_again_after_an_error(outbox: Outbox) -> None:
    turn = ScriptedTurn([tells(outbox), fails, fails])
    channel = CollectingChannel()

    async def story(_: Clock) -> None:
        await channel.until(1)
        await turn.until(lambda turned: len(turned) >= 4)

    tally = alerts_while(outbox, turn, channel, story)
    assert len(channel.messages) == 1
    assert "possible_duplicates" not in tally.counts or tally.counts["possible_duplicates"] == 0


def test_a_refused_message_is_tried_again_when_its_time_comes(outbox: Outbox) -> None:
    channel = CollectingChannel(refusals=1)

    async def story(clock: Clock) -> None:
        await channel.until(1)
        while states(outbox) != ["waiting"]:  # noqa: ASYNC110  the outcome is written on a thread
            await asyncio.sleep(0.005)
        assert len(channel.messages) == 1
        clock.now_us += 2 * SECOND
        await channel.until(2)

    alerts_while(outbox, ScriptedTurn([tells(outbox)]), channel, story)
    assert states(outbox) == ["accepted"]
    assert len({message.key for message in channel.messages}) == 1


def test_a_turn_that_fails_is_tried_again(outbox: Outbox) -> None:
    channel, turn = CollectingChannel(), ScriptedTurn([fails, tells(outbox)])
    alerts_while(outbox, turn, channel, lambda _: channel.until(1))
    assert states(outbox) == ["accepted"]


def test_a_turn_that_says_more_is_followed_by_another(outbox: Outbox) -> None:
    channel = CollectingChannel()
    turn = ScriptedTurn([lambda: TurnResult([], None, True), tells(outbox)])
    alerts_while(outbox, turn, channel, lambda _: channel.until(1))
    assert states(outbox) == ["accepted"]


def test_a_turn_comes_when_a_step_is_due(outbox: Outbox) -> None:
    turn = ScriptedTurn(next_due_us=NOW + 60 * SECOND)

    async def story(clock: Clock) -> None:
        await turn.until(lambda at: at[-1:] == [NOW])
        await asyncio.sleep(0.2)  # the first check commits too, and brings a turn
        clock.now_us = NOW + 60 * SECOND
        await turn.until(lambda at: at[-1] == NOW + 60 * SECOND)

    alerts_while(outbox, turn, CollectingChannel(), story)
    assert set(turn.turned_at_us) == {NOW, NOW + 60 * SECOND}


def test_a_turn_comes_when_another_process_has_committed(outbox: Outbox) -> None:
    turn = ScriptedTurn()

    async def story(clock: Clock) -> None:
        await turn.until(lambda at: len(at) >= 1)
        clock.now_us = NOW + SECOND
        with writing(outbox.engine) as connection:
            connection.execute(registry_change.insert().values(at_us=NOW, by="test", what="x"))
        await turn.until(lambda at: at[-1] == NOW + SECOND)

    alerts_while(outbox, turn, CollectingChannel(), story)
    assert turn.turned_at_us[-1] == NOW + SECOND


def test_the_registrys_faults_stand_from_the_start(outbox: Outbox) -> None:
    async def story(_clock: Clock) -> None:
        while not (found := await asyncio.to_thread(_faults, outbox)):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        assert found == ["no_duty_desk"]

    alerts_while(outbox, ScriptedTurn(), CollectingChannel(), story)


def test_a_fire_message_given_up_is_a_standing_fault(outbox: Outbox) -> None:
    [lost] = outbox.tell(outbox.add_contact((Medium.PUSH, Carrier.WEBHOOK, "http://lost")), Severity.P0)
    with writing(outbox.engine) as connection:
        row = notification.c.id == lost.notification_id
        connection.execute(notification.update().where(row).values(state="dead"))

    async def story(_clock: Clock) -> None:
        while "undelivered_p0" not in await asyncio.to_thread(_faults, outbox):  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    alerts_while(outbox, ScriptedTurn(), CollectingChannel(), story)


def test_a_check_that_fails_keeps_no_other_from_being_made(outbox: Outbox) -> None:
    """Without that table the registry cannot be looked at."""
    [lost] = outbox.tell(outbox.add_contact((Medium.PUSH, Carrier.WEBHOOK, "http://lost")), Severity.P0)
    values = {"kind": "login", "who": "x", "address": "", "count": 1, "first_us": NOW, "last_us": NOW}
    with writing(outbox.engine) as connection:
        row = notification.c.id == lost.notification_id
        connection.execute(notification.update().where(row).values(state="dead"))
        connection.execute(refusal.insert().values(values))
        connection.execute(text("DROP TABLE substitution"))

    async def story(_clock: Clock) -> None:
        wanted = {"undelivered_p0", "publishers_refused"}
        async with asyncio.timeout(PATIENCE_S):
            while set(await asyncio.to_thread(_faults, outbox)) != wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    alerts_while(outbox, ScriptedTurn(), CollectingChannel(), story)


def _faults(outbox: Outbox) -> list[str]:
    with reading(outbox.engine) as connection:
        return list(connection.scalars(select(system_fault.c.code)))
