"""A provider of SMS and calls in stories: it takes messages, and its receipts and replies come back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from alerts import schema
from alerts.channels.channel import Accepted
from alerts.channels.receipts import Posted, Receipt, ReceiptState, SmsReply, act_of
from alerts.handover import Handover
from alerts.outbox import Ended, write_outcomes
from alerts.receipt_schema import receipt
from alerts.receipts_kept import keep_posted
from alerts.turn import run_turn
from devices.database import reading, writing
from devices.model import Carrier, Medium, Severity
from tests.alerts.story import Story

NUMBERS = {"family": "+8613900000501", "grid_worker": "+8613900000001", "neighbour": "+8613900000401"}


class Provider:
    """Takes messages, names them after their notification, and sends back what a test says."""

    def __init__(self, story: Story) -> None:
        self.story = story

    def takes(self, *handovers: Handover, carrier: Carrier = Carrier.ALIYUN_SMS) -> list[Handover]:
        """The messages that are under way, each with a receipt of its own; further ways that it led to."""
        ended = [
            Ended(h, Accepted(receipt=f"biz-{h.notification_id}"), self.story.now_us, carrier)
            for h in handovers
        ]
        with writing(self.story.engine) as connection:
            return write_outcomes(connection, ended)

    def says(self, who: str, state: ReceiptState, keys: str = "", own_id: str = "") -> None:
        """A receipt of the newest message to `who`; decided in a turn."""
        self.posts(self.receipt(who, state, keys, own_id))
        self.story.turn()

    def receipt(self, who: str, state: ReceiptState, keys: str = "", own_id: str = "") -> Receipt:
        newest = notifications(self.story, who)[-1]
        carrier = Carrier.ALIYUN_VOICE if newest.medium == "voice" else Carrier.ALIYUN_SMS
        name = "" if own_id else f"biz-{newest.id}"
        return Receipt(carrier, name, state, self.story.now_us, "CODE", keys, own_id)

    def posts(self, *receipts: Receipt, replies: tuple[SmsReply, ...] = ()) -> None:
        with writing(self.story.engine) as connection:
            keep_posted(connection, Posted(receipts, replies), self._find, self.story.now_us)

    def replies(self, who: str, text: str, vendor_id: str = "", at_us: int = 0) -> None:
        """A text from the number of `who`; decided in a turn."""
        number = NUMBERS.get(who, "+8613999999999")
        at_us = at_us or self.story.now_us
        reply = SmsReply(Carrier.ALIYUN_SMS, number, text, act_of(text), at_us, vendor_id or text)
        self.posts(replies=(reply,))
        self.story.turn()

    def _find(self, _connection: Any, address: str) -> list[int]:
        found = [code for code, number in NUMBERS.items() if number == address]
        return [self.story.block.contacts[code] for code in found]


def smoke(story: Story, provider: Provider, flat: str = "501") -> list[Handover]:
    """A fire; everything told at once was taken by the provider, with receipts."""
    story.store(story.row("S1", f"smoke-{flat}", Severity.P0))
    handovers = run_turn(story.engine, story.settings, story.now_us).handovers
    carrier = Carrier.ALIYUN_SMS
    provider.takes(*[h for h in handovers if h.medium is Medium.SMS], carrier=carrier)
    provider.takes(*[h for h in handovers if h.medium is not Medium.SMS], carrier=Carrier.ALIYUN_VOICE)
    story.turn()
    return handovers


def notifications(story: Story, who: str) -> list[Any]:
    n = schema.notification
    mine = n.c.contact_id == story.block.contacts[who]
    with reading(story.engine) as connection:
        return list(connection.execute(select(n).where(mine).order_by(n.c.id)))


def acts(story: Story) -> list[tuple[str, str, str, str]]:
    codes = {number: code for code, number in story.block.contacts.items()}
    return [
        (codes[int(row.actor.partition(":")[2])], row.act, row.via, row.outcome)
        for row in story.table(schema.act)
    ]


def outcomes(story: Story) -> list[str]:
    return [row.outcome for row in story.table(receipt)]
