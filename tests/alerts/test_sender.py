from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select

from alerts.callbacks import how_to_answer
from alerts.channels.channel import Accepted, Failed, Message, Outcome
from alerts.handover import Handover
from alerts.limits import Limit, Limits
from alerts.meter import Tally
from alerts.outbox import recover
from alerts.schema import attempt
from alerts.sender import Sender
from alerts.settings import Settings
from devices.database import reading, writing
from devices.model import Carrier, Medium, Severity
from tests.alerts.outboxes import NOW, SECOND, Outbox, PlainVault, open_outbox
from tests.databases import impatient_engine

P0, P1, P2 = Severity.P0, Severity.P1, Severity.P2
PUSH = (Medium.PUSH, Carrier.WEBHOOK, "http://push")
SMS = (Medium.SMS, Carrier.WEBHOOK, "sms")


class ScriptedChannel:
    """Answers by address; sends to `slow` ones wait for `released`. Remembers begins and ends in order."""

    def __init__(self, answers: dict[str, Outcome] | None = None, slow: Sequence[str] = ()) -> None:
        self.answers = answers or {}
        self.slow = set(slow)
        self.released = asyncio.Event()
        self.moved = asyncio.Event()
        self.begun: list[Message] = []
        self.ended: list[Message] = []
        self.most_at_once = 0

    async def send(self, message: Message) -> Outcome:
        self.begun.append(message)
        self.moved.set()
        self.most_at_once = max(self.most_at_once, len(self.begun) - len(self.ended))
        if message.address in self.slow:
            await self.released.wait()
        self.ended.append(message)
        self.moved.set()
        return self.answers.get(message.address, Accepted())

    async def close(self) -> None:
        return None

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self.moved.clear()
            await self.moved.wait()


class RaisingChannel(ScriptedChannel):
    async def send(self, message: Message) -> Outcome:
        raise RuntimeError(message.address)


@pytest.fixture
def outbox(database: str) -> Iterator[Outbox]:
    with open_outbox(database) as opened:
        yield opened


def with_sender(
    outbox: Outbox,
    channel: ScriptedChannel,
    run: Callable[[Sender, Tally], Awaitable[None]],
    *,
    senders: int = 8,
    send_timeout_s: float = 30.0,
    limits: Mapping[Carrier, Limits] | None = None,
) -> Tally:
    async def main() -> Tally:
        tally = Tally()
        settings = Settings(b"", "", send_timeout_s=send_timeout_s, senders=senders)
        sender = Sender(
            outbox.engine,
            PlainVault(),
            {Carrier.WEBHOOK: channel, Carrier.APPRISE: channel},
            settings,
            clock=lambda: NOW + SECOND,
            meter=tally,
            limits=limits,
        )
        sender.start()
        try:
            await run(sender, tally)
        finally:
            await sender.close(5.0)
        return tally

    return asyncio.run(main())


def sends(handovers: Sequence[Handover]) -> Callable[[Sender, Tally], Awaitable[None]]:
    async def run(sender: Sender, _tally: Tally) -> None:
        sender.submit(handovers)
        await sender.settle()

    return run


def states(outbox: Outbox) -> list[str]:
    return [row.state for row in outbox.notifications()]


def test_what_is_submitted_is_sent_with_its_key_and_written(outbox: Outbox) -> None:
    channel = ScriptedChannel()
    [handover] = outbox.tell(outbox.add_contact(PUSH), P0)
    tally = with_sender(outbox, channel, sends([handover]))
    assert channel.begun == [
        Message(
            handover.key,
            "http://push",
            Medium.PUSH,
            "smoke",
            "http://a.example/x",
            urgent=True,
            parts={"text": "smoke", "link": "http://a.example/x", "code": "x"},
        )
    ]
    assert states(outbox) == ["accepted"]
    assert tally.counts == {"accepted": 1}
    assert list(tally.begun_s) == [(P0.rank, 1.0)] and list(tally.ended_s) == [(P0.rank, 1.0)]


def test_a_fire_is_not_held_up_by_200_slow_lesser_messages(outbox: Outbox) -> None:
    async def run(sender: Sender, _tally: Tally) -> None:
        sender.submit(lesser)
        await channel.until(lambda: bool(channel.begun))
        sender.submit([urgent])
        await channel.until(lambda: bool(channel.ended))
        assert [message.key for message in channel.ended] == [urgent.key]
        channel.released.set()
        await sender.settle()

    channel = ScriptedChannel(slow=["http://push"])
    lesser = outbox.tell(outbox.add_contact(PUSH) * 200, P2)
    [urgent] = outbox.tell(outbox.add_contact((Medium.PUSH, Carrier.WEBHOOK, "http://other")), P0)
    with_sender(outbox, channel, run)
    assert states(outbox) == ["accepted"] * 201


@pytest.mark.parametrize("severity", [P0, P2])
def test_500_messages_to_a_slow_phone_hold_nobody_else_up(outbox: Outbox, severity: Severity) -> None:
    """Of either lane. The slow ones end only when the other's has been handed over."""

    async def run(sender: Sender, _tally: Tally) -> None:
        sender.submit(slow)
        await channel.until(lambda: len(channel.begun) == 2)
        sender.submit([other])
        await channel.until(lambda: bool(channel.ended))
        assert [message.key for message in channel.ended] == [other.key]
        assert [message.key for message in channel.begun] == [slow[0].key, slow[1].key, other.key]
        channel.released.set()
        await sender.settle()

    channel = ScriptedChannel(slow=["http://push"])
    slow = outbox.tell(outbox.add_contact(PUSH) * 500, severity)
    [other] = outbox.tell(outbox.add_contact((Medium.PUSH, Carrier.WEBHOOK, "http://other")), severity)
    with_sender(outbox, channel, run)
    over = {"accepted", "waiting"} if severity is P0 else {"accepted"}  # a fire stands aside for a second
    assert set(states(outbox)) <= over


def test_eight_times_the_senders_of_a_lane_are_under_way_at_once_and_no_more(outbox: Outbox) -> None:
    async def run(sender: Sender, _tally: Tally) -> None:
        sender.submit(handovers)
        await channel.until(lambda: len(channel.begun) == 16)
        channel.released.set()
        await sender.settle()

    addresses = [f"http://push-{n}" for n in range(20)]
    channel = ScriptedChannel(slow=addresses)
    ways = [(Medium.PUSH, Carrier.WEBHOOK, address) for address in addresses]
    handovers = outbox.tell([number for way in ways for number in outbox.add_contact(way)], P2)
    with_sender(outbox, channel, run, senders=4)
    assert (channel.most_at_once, len(channel.ended)) == (16, 20)


def test_a_provider_that_hangs_holds_half_of_the_senders_and_the_others_are_told(outbox: Outbox) -> None:
    async def run(sender: Sender, _tally: Tally) -> None:
        sender.submit(handovers)
        await channel.until(lambda: any(message.address == "http://well" for message in channel.ended))
        hanging.append(len(channel.begun) - len(channel.ended))
        channel.released.set()
        await sender.settle()

    hanging: list[int] = []
    channel = ScriptedChannel(slow=["13900000000"])
    hung = [(Medium.SMS, Carrier.APPRISE, "13900000000")] * 10
    ways = [*hung, (Medium.PUSH, Carrier.WEBHOOK, "http://well")]
    handovers = outbox.tell([number for way in ways for number in outbox.add_contact(way)], P0)
    with_sender(outbox, channel, run, senders=8)
    assert hanging == [2]
    assert set(states(outbox)) <= {"accepted", "waiting"}


def test_the_most_severe_and_then_the_oldest_goes_first(outbox: Outbox) -> None:
    channel = ScriptedChannel()
    ways = outbox.add_contact(PUSH)
    [young] = outbox.tell(ways, P1, NOW + 5)
    [lesser] = outbox.tell(ways, P2, NOW)
    [old] = outbox.tell(ways, P1, NOW + 1)
    with_sender(outbox, channel, sends([lesser, young, old]), senders=2)
    assert [message.key for message in channel.begun] == [old.key, young.key, lesser.key]


def test_an_urgent_failure_goes_to_the_next_way_at_once(outbox: Outbox) -> None:
    channel = ScriptedChannel({"http://push": Failed("HTTP 500")})
    push, _ = outbox.add_contact(PUSH, SMS)
    tally = with_sender(outbox, channel, sends(outbox.tell([push], P0)))
    assert [message.address for message in channel.begun] == ["http://push", "sms"]
    assert states(outbox) == ["waiting", "accepted"]
    assert tally.counts == {"failed": 1, "accepted": 1}


def test_a_send_without_an_end_is_cut_off_and_tried_again(outbox: Outbox) -> None:
    channel = ScriptedChannel(slow=["http://push"])
    with_sender(outbox, channel, sends(outbox.tell(outbox.add_contact(PUSH), P2)), send_timeout_s=0.01)
    assert (states(outbox), channel.ended) == (["waiting"], [])


def test_a_channel_that_raises_costs_one_message_and_no_sender(outbox: Outbox) -> None:
    handovers = outbox.tell(outbox.add_contact(PUSH) * 3, P2)
    with_sender(outbox, RaisingChannel(), sends(handovers), senders=2)
    assert states(outbox) == ["waiting"] * 3


def test_a_carrier_without_a_channel_is_dead(outbox: Outbox) -> None:
    handovers = outbox.tell(outbox.add_contact((Medium.SMS, Carrier.CAP, "sms://1")), P2)
    with_sender(outbox, ScriptedChannel(), sends(handovers))
    assert states(outbox) == ["dead"]


def test_outcomes_survive_a_locked_database_and_nothing_is_sent_twice(outbox: Outbox, database: str) -> None:
    """Another process holds the write lock while the outcomes come in."""
    handovers = outbox.tell(outbox.add_contact(PUSH) * 5, P0)
    impatient = Outbox(impatient_engine(database), outbox.incident_id, iter(()))
    blocker = writing(outbox.engine)
    blocker.__enter__()
    channel = ScriptedChannel()

    async def run(sender: Sender, _tally: Tally) -> None:
        sender.submit(handovers)
        await channel.until(lambda: len(channel.ended) == 5)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sender.settle(), 0.3)
        assert states(outbox) == ["sending"] * 5
        blocker.__exit__(None, None, None)
        await sender.settle()

    with_sender(impatient, channel, run)
    impatient.engine.dispose()
    assert states(outbox) == ["accepted"] * 5
    assert len(channel.begun) == 5


def test_closing_leaves_what_does_not_end_in_time_to_the_next_start(outbox: Outbox) -> None:
    async def main() -> None:
        sender = Sender(
            outbox.engine,
            PlainVault(),
            {Carrier.WEBHOOK: channel, Carrier.APPRISE: channel},
            Settings(b"", "", senders=2),
            clock=lambda: NOW,
            meter=Tally(),
        )
        sender.start()
        sender.submit(slow + quick)
        await sender.close(0.2)

    channel = ScriptedChannel(slow=["http://push"])
    slow = outbox.tell(outbox.add_contact(PUSH), P2)
    quick = outbox.tell(outbox.add_contact(SMS), P0)
    asyncio.run(main())
    assert states(outbox) == ["sending", "accepted"]
    with writing(outbox.engine) as connection:
        assert [h.notification_id for h in recover(connection, NOW)] == [slow[0].notification_id]


ONE_A_MINUTE = {Carrier.WEBHOOK: Limits(address=(Limit(1, 60),), binding=True)}


def test_a_fire_over_the_carriers_limit_goes_by_the_next_way_at_once_and_is_tried_again(
    outbox: Outbox,
) -> None:
    ways = outbox.add_contact(PUSH, SMS)
    handovers = outbox.tell(ways[:1], P0) + outbox.tell(ways[:1], P0)
    channel = ScriptedChannel()
    with_sender(outbox, channel, sends(handovers), limits=ONE_A_MINUTE)
    assert sorted(message.address for message in channel.begun) == ["http://push", "sms"]
    assert sorted(states(outbox)) == ["accepted", "accepted", "waiting"]
    waiting = next(row for row in outbox.notifications() if row.state == "waiting")
    assert waiting.next_try_us == NOW + SECOND + 60 * SECOND


def test_a_lesser_message_over_the_carriers_limit_waits_until_there_is_room(outbox: Outbox) -> None:
    ways = outbox.add_contact(PUSH, SMS)
    channel = ScriptedChannel()
    with_sender(
        outbox, channel, sends(outbox.tell(ways[:1], P2) + outbox.tell(ways[:1], P2)), limits=ONE_A_MINUTE
    )
    assert [message.address for message in channel.begun] == ["http://push"]
    assert sorted(states(outbox)) == ["accepted", "waiting"]


def test_a_message_goes_out_with_its_pieces_and_its_language(outbox: Outbox) -> None:
    [handover] = outbox.tell(outbox.add_contact(PUSH), P0)
    channel = ScriptedChannel()
    told = replace(handover, language="en", parts={"what": "smoke"}, link="http://a.example/a/k3y")
    with_sender(outbox, channel, sends([told]))
    [message] = channel.begun
    assert message.language == "en"
    assert message.parts == {"what": "smoke", "text": told.text, "link": told.link, "code": "k3y"}


def test_what_the_provider_calls_the_message_is_kept_with_its_carrier(outbox: Outbox) -> None:
    handovers = outbox.tell([*outbox.add_contact(PUSH), *outbox.add_contact(SMS)], P0)
    named = ScriptedChannel({"http://push": Accepted(receipt="biz-1")})
    with_sender(outbox, named, sends(handovers))
    with reading(outbox.engine) as connection:
        kept = connection.execute(select(attempt.c.carrier, attempt.c.receipt).order_by(attempt.c.id)).all()
    assert [tuple(row) for row in kept] == [("webhook", "biz-1"), (None, None)]


@pytest.mark.parametrize(
    ("carrier", "language", "how"),
    [
        (Carrier.ALIYUN_SMS, "zh-CN", "回复1收到 2误报 3求助"),
        (Carrier.TENCENT_VOICE, "en", "Press 1 received, 2 false alarm, 3 help"),
        (Carrier.WEBHOOK, "en", ""),
    ],
)
def test_people_are_told_how_to_answer_where_answers_can_be_heard(
    carrier: Carrier, language: str, how: str
) -> None:
    assert how_to_answer(carrier, language) == how


def test_what_never_reached_the_carrier_uses_up_nothing(outbox: Outbox) -> None:
    ways = outbox.add_contact(PUSH)
    channel = ScriptedChannel({"http://push": Failed("no connection", unreached=True)})
    handovers = outbox.tell(ways, P2) + outbox.tell(ways, P2)
    with_sender(outbox, channel, sends(handovers), limits=ONE_A_MINUTE)
    assert len(channel.begun) == 2


def test_one_number_in_two_spellings_is_one_callee(outbox: Outbox) -> None:
    numbers = [(Medium.SMS, Carrier.WEBHOOK, text) for text in ("13900000000", "+86 139 0000 0000")]
    channel = ScriptedChannel()
    handovers = [one for number in numbers for one in outbox.tell(outbox.add_contact(number), P2)]
    with_sender(outbox, channel, sends(handovers), limits=ONE_A_MINUTE)
    assert len(channel.begun) == 1
