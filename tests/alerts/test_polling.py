"""Asking providers what became of messages, with a clock that the tests move."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select, update

from alerts.channels.carriers import Accounts, open_channels
from alerts.channels.channel import Accepted, Failed
from alerts.channels.receipts import Posted, Receipt, ReceiptState, SmsReply
from alerts.channels.webhook import WebhookChannel
from alerts.outbox import Ended, write_outcomes
from alerts.polling import LOOK_S, REFUSED_S, Answer, Asked, Polls, Source, sources_of
from alerts.receipt_schema import receipt
from alerts.receipts_kept import nobody
from alerts.receiving import hear_receipts
from alerts.schema import attempt, incident
from devices.database import reading, writing
from devices.model import Carrier, Medium, Severity
from tests.alerts.channels.providers import provider
from tests.alerts.channels.test_aliyun_sms import NOW_S, channel_to
from tests.alerts.channels.test_tencent_sms import channel_to as tencent_to
from tests.alerts.channels.vendors.aliyun import Aliyun
from tests.alerts.channels.vendors.tencent import Tencent
from tests.alerts.outboxes import NOW, SECOND, Outbox, PlainVault, open_outbox
from tests.alerts.test_process import Clock
from tests.databases import PATIENCE_S

MINUTE = 60 * SECOND
SMS = (Medium.SMS, Carrier.ALIYUN_SMS, "13900001234")


@pytest.fixture
def outbox(database: str) -> Iterator[Outbox]:
    with open_outbox(database) as opened:
        with writing(opened.engine) as connection:
            connection.execute(update(incident).values(state="dispatched"))
        yield opened


@dataclass
class Provider:
    """Answers with what a test says; remembers what it was asked."""

    says: Answer = field(default_factory=Posted)
    asked: list[Asked] = field(default_factory=list)

    async def about(self, one: Asked, now_us: int) -> Answer:
        self.asked.append(one)
        if isinstance(self.says, Posted) and not self.says.receipts:
            return Posted((Receipt(Carrier.ALIYUN_SMS, one.receipt, ReceiptState.ACCEPTED, now_us),))
        return self.says


def taken(outbox: Outbox, count: int = 1) -> None:
    """Messages that the provider took at NOW, each with a receipt."""
    for _ in range(count):
        [handover] = outbox.tell(outbox.add_contact(SMS), Severity.P0)
        accepted = Accepted(receipt=f"biz-{handover.notification_id}")
        with writing(outbox.engine) as connection:
            write_outcomes(connection, [Ended(handover, accepted, NOW, Carrier.ALIYUN_SMS)])


def polls(outbox: Outbox, clock: Clock, **sources: Source) -> Polls:
    by_carrier = {Carrier(name): source for name, source in sources.items()}
    return Polls(outbox.engine, PlainVault(), by_carrier, lambda _, __: (7,), clock)


def look(outbox: Outbox, vendor: Provider, at_us: int) -> float:
    asking = polls(outbox, Clock(at_us), aliyun_sms=Source(vendor.about))
    return asyncio.run(asking.look(Carrier.ALIYUN_SMS))


def rows(outbox: Outbox, table: Any) -> list[Any]:
    with reading(outbox.engine) as connection:
        return list(connection.execute(select(table)))


def test_a_message_that_was_taken_is_asked_about_until_it_was_delivered(outbox: Outbox) -> None:
    taken(outbox)
    vendor = Provider()
    assert look(outbox, vendor, NOW + MINUTE - 1) == LOOK_S
    assert vendor.asked == []
    look(outbox, vendor, NOW + MINUTE)
    look(outbox, vendor, NOW + MINUTE)
    assert vendor.asked == [Asked("biz-1", NOW, "13900001234")]
    assert rows(outbox, receipt) == []  # that it was accepted is known
    vendor.says = Posted((Receipt(Carrier.ALIYUN_SMS, "biz-1", ReceiptState.DELIVERED, NOW + MINUTE),))
    look(outbox, vendor, NOW + 2 * MINUTE)
    with writing(outbox.engine) as connection:
        hear_receipts(connection, NOW + 2 * MINUTE)
    assert outbox.notifications()[0].delivered_us == NOW + MINUTE
    look(outbox, vendor, NOW + 100 * MINUTE)
    assert len(vendor.asked) == 2


def test_nobody_is_asked_after_three_days(outbox: Outbox) -> None:
    taken(outbox)
    vendor = Provider()
    look(outbox, vendor, NOW + 72 * 60 * MINUTE)
    look(outbox, vendor, NOW + 100 * 60 * MINUTE)
    assert len(vendor.asked) == 1
    assert [row.ask_us for row in rows(outbox, attempt)] == [None]


def test_an_address_is_not_shown_where_values_are_logged() -> None:
    assert "139" not in repr(Asked("biz", 1, "13900001234"))


def test_a_provider_that_fails_is_asked_again_later(outbox: Outbox) -> None:
    taken(outbox, 2)
    vendor = Provider(Failed("HTTP 500"))
    look(outbox, vendor, NOW + MINUTE)
    assert rows(outbox, receipt) == []
    look(outbox, vendor, NOW + 2 * MINUTE)
    assert len(vendor.asked) == 4


def test_what_is_told_twice_is_told_once(outbox: Outbox) -> None:
    taken(outbox)
    told = Posted((Receipt(Carrier.ALIYUN_SMS, "biz-1", ReceiptState.FAILED, NOW, "GONE"),))
    for minutes in (1, 2, 5):
        look(outbox, Provider(told), NOW + minutes * MINUTE)
    assert [row.state for row in rows(outbox, receipt)] == ["failed"]


def test_a_lump_is_kept_and_the_rest_taken_at_once_while_an_incident_is_open(outbox: Outbox) -> None:
    reply = SmsReply(Carrier.TENCENT_SMS, "+8613900001234", "1", None, NOW)
    lumps = [Posted(replies=(reply,)), Posted()]

    async def lump(_: int) -> Answer:
        return lumps.pop(0)

    asking = polls(outbox, Clock(), tencent_sms=Source(lumps=(lump,)))
    assert asyncio.run(asking.look(Carrier.TENCENT_SMS)) < 1
    assert asyncio.run(asking.look(Carrier.TENCENT_SMS)) == LOOK_S
    assert [row.contacts for row in rows(outbox, receipt)] == ["7"]
    outbox.close_incident(NOW)
    assert asyncio.run(asking.look(Carrier.TENCENT_SMS)) == LOOK_S  # nothing is left to take


def test_a_provider_that_refuses_lumps_is_left_alone_for_a_while(outbox: Outbox) -> None:
    async def lump(_: int) -> Answer:
        return Failed("no leave")

    asking = polls(outbox, Clock(), tencent_sms=Source(lumps=(lump,)))
    assert asyncio.run(asking.look(Carrier.TENCENT_SMS)) == REFUSED_S


def test_one_that_does_not_answer_delays_no_other(outbox: Outbox) -> None:
    taken(outbox)
    hanging, answered = asyncio.Event(), asyncio.Event()

    async def hangs(_: int) -> Answer:
        hanging.set()
        await asyncio.Event().wait()
        return Posted()

    async def answers(one: Asked, now_us: int) -> Answer:
        await hanging.wait()
        answered.set()
        return Posted()

    async def scene() -> None:
        asking = polls(
            outbox,
            Clock(NOW + MINUTE),
            tencent_sms=Source(lumps=(hangs,)),
            aliyun_sms=Source(answers),
        )
        task = asyncio.create_task(asking.run())
        await answered.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scene())


def test_a_look_that_breaks_is_logged_and_the_next_one_comes(outbox: Outbox) -> None:
    looked = asyncio.Event()
    calls = 0

    async def breaks(_: int) -> Answer:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ValueError("nonsense")
        looked.set()
        return Posted()

    async def no_pause(_: float) -> None:
        await asyncio.sleep(0)

    async def scene() -> None:
        asking = polls(outbox, Clock(), tencent_sms=Source(lumps=(breaks,)))
        task = asyncio.create_task(asking.run(no_pause))
        await looked.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scene())


def test_a_real_channel_is_asked_for_its_own_message(outbox: Outbox) -> None:
    taken(outbox)
    vendor = Aliyun(NOW_S)
    vendor.details = [{"PhoneNum": "13900001234", "SendStatus": 2, "ErrCode": "GONE"}]

    async def scene() -> None:
        async with provider(vendor) as served:
            channel = channel_to(served)
            sources = sources_of({Carrier.ALIYUN_SMS: channel, Carrier.WEBHOOK: WebhookChannel()})
            assert list(sources) == [Carrier.ALIYUN_SMS]
            clock = Clock(NOW + MINUTE)
            await Polls(outbox.engine, PlainVault(), sources, nobody, clock).look(Carrier.ALIYUN_SMS)
            await channel.close()

    asyncio.run(scene())
    assert [row["BizId"] for row in vendor.taken] == ["biz-1"]
    assert [(row.receipt, row.state, row.detail) for row in rows(outbox, receipt)] == [
        ("biz-1", "failed", "GONE")
    ]


def test_without_accounts_nobody_is_asked() -> None:
    assert sources_of(open_channels(Accounts())) == {}


def test_what_was_pulled_and_not_kept_is_asked_for_number_by_number(outbox: Outbox) -> None:
    """The process was killed between the vendor's answer, which it gives once, and our commit."""
    number, at_s = "+8613900001234", NOW // SECOND
    report = {"SerialNo": "5000:1", "PhoneNumber": number, "ReportStatus": "SUCCESS", "UserReceiveTime": at_s}
    reply = {"PhoneNumber": number, "ReplyContent": "1", "ReplyTime": at_s + 30}
    [handover] = outbox.tell(
        outbox.add_contact((Medium.SMS, Carrier.TENCENT_SMS, "13900001234")), Severity.P0
    )
    with writing(outbox.engine) as connection:
        taken_by = Ended(handover, Accepted(receipt="5000:1"), NOW, Carrier.TENCENT_SMS)
        write_outcomes(connection, [taken_by])
    vendor = Tencent("sms", at_s + 60)
    vendor.by_number = {"PullSmsSendStatus": [report], "PullSmsReplyStatus": [reply]}
    vendor.pulls = dict(vendor.by_number)

    async def scene() -> None:
        async with provider(vendor) as served:
            channel = tencent_to(served, now_s=at_s + 60)
            killed = [await channel.poll(NOW), await channel.poll_replies(NOW)]
            assert all(isinstance(one, Posted) and (one.receipts or one.replies) for one in killed)
            for _ in range(2):  # a start, and another
                sources = sources_of({Carrier.TENCENT_SMS: channel})
                asking = Polls(outbox.engine, PlainVault(), sources, lambda _, __: (7,), Clock(NOW + MINUTE))
                task = asyncio.create_task(asking.run(lambda _: asyncio.sleep(0.01)))
                before = len(vendor.taken)
                async with asyncio.timeout(PATIENCE_S):
                    while len(rows(outbox, receipt)) < 2 or len(vendor.taken) < before + 6:  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                with writing(outbox.engine) as connection:
                    hear_receipts(connection, NOW + MINUTE)
            await channel.close()

    asyncio.run(scene())
    assert [row.outcome for row in rows(outbox, receipt)].count("") == 0
    assert sorted((row.state, row.at_us, row.act) for row in rows(outbox, receipt)) == [
        ("delivered", NOW, ""),
        ("reply", NOW + 30 * SECOND, "acknowledge"),
    ]
    assert outbox.notifications()[0].delivered_us == NOW
