"""Memos on virtual time over the block of the stories: begun, taken or refused by providers, and heard of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select, update

from alerts.channels.channel import Accepted, Failed, Outcome
from alerts.channels.receipts import Posted, Receipt, ReceiptState, SmsReply, act_of
from alerts.handover import Handover
from alerts.memo_schema import memo
from alerts.memos import begin_memos, end_memos
from alerts.outbox import Ended
from alerts.pulse import beat
from alerts.reach_settings import ReachSettings
from alerts.receipts_kept import keep_posted
from alerts.tests_asked import AskedTest, NotTested, TestOutcome, ask_tests, outcomes_of
from devices import schema as registry
from devices.database import reading, writing
from devices.model import Carrier, Medium, Role
from tests.alerts.block import add_contact
from tests.alerts.story import Story

CARRIERS = {
    Medium.PUSH: Carrier.FEISHU,
    Medium.SMS: Carrier.ALIYUN_SMS,
    Medium.VOICE: Carrier.ALIYUN_VOICE,
    Medium.EMAIL: Carrier.SMTP,
}
MINUTE = 60_000_000


@dataclass
class MemoPost:
    """Everybody of the cast has a robot, an SMS and a call."""

    story: Story
    settings: ReachSettings = field(default_factory=ReachSettings)

    def __post_init__(self) -> None:
        way = registry.contact_channel
        with writing(self.story.engine) as connection:
            for medium, carrier in CARRIERS.items():
                connection.execute(
                    update(way).where(way.c.medium == str(medium)).values(carrier=str(carrier))
                )

    def asks(
        self, *codes: str, channel: int = 0, wait_min: int = 2
    ) -> tuple[list[AskedTest], list[NotTested]]:
        now_us = self.story.now_us
        with writing(self.story.engine) as connection:
            ids = {self.story.block.contacts[code] for code in codes}
            return ask_tests(
                connection, ids, self.settings, by="test", now_us=now_us,
                until_us=now_us + wait_min * MINUTE, channel_id=channel,
            )  # fmt: skip

    def begins(self) -> list[Handover]:
        with writing(self.story.engine) as connection:
            return begin_memos(connection, self.story.now_us, 100)

    def ends(self, handover: Handover, outcome: Outcome) -> None:
        carrier = CARRIERS[handover.medium]
        with writing(self.story.engine) as connection:
            end_memos(connection, [Ended(handover, outcome, self.story.now_us, carrier)])

    def takes(self, handovers: Collection[Handover]) -> None:
        """Providers take them; those with receipts name them."""
        for one in handovers:
            named = CARRIERS[one.medium] in {Carrier.ALIYUN_SMS, Carrier.ALIYUN_VOICE}
            self.ends(one, Accepted(receipt=f"biz{one.notification_id}" if named else ""))

    def refuses(self, handover: Handover, why: str, *, for_good: bool) -> None:
        self.ends(handover, Failed(why, for_good))

    def hears(self, handover: Handover, state: ReceiptState, detail: str = "", keys: str = "") -> None:
        receipt = Receipt(
            CARRIERS[handover.medium],
            f"biz{handover.notification_id}",
            state,
            self.story.now_us,
            detail,
            keys,
        )
        self._posts(Posted((receipt,)))

    def replies(self, who: str, text: str) -> None:
        reply = SmsReply(Carrier.ALIYUN_SMS, "+86139", text, act_of(text), self.story.now_us, f"r-{text}")
        self._posts(Posted((), (reply,)), [self.story.block.contacts[who]])

    def _posts(self, posted: Posted, contacts: Collection[int] = ()) -> None:
        with writing(self.story.engine) as connection:
            keep_posted(connection, posted, lambda _c, _a: list(contacts), self.story.now_us)
        self.story.turn()

    def outcomes(self, asked: list[AskedTest]) -> dict[tuple[str, str], TestOutcome]:
        with reading(self.story.engine) as connection:
            found = outcomes_of(connection, asked)
        return {(one.code, str(one.way.medium)): found[one.memo_id] for one in asked}

    def memos(self) -> list[Any]:
        return self.story.table(memo)

    def told(self) -> list[tuple[str, str, str]]:
        """Contact, medium and kind of every memo."""
        codes = {number: code for code, number in self.story.block.contacts.items()}
        return [(codes[row.contact_id], row.medium, row.kind) for row in self.memos()]

    def alerts_beats(self) -> None:
        with writing(self.story.engine) as connection:
            beat(connection, "alerts", self.story.now_us, "")

    def bind(self, code: str, role: Role, kind: str, place_id: int, *media: Medium) -> None:
        """A contact of this code in the role, made where it is new."""
        contacts = self.story.block.contacts
        with writing(self.story.engine) as connection:
            if code not in contacts:
                contacts[code] = add_contact(connection, code, media)
                for medium in media:
                    mine = registry.contact_channel.c.contact_id == contacts[code]
                    connection.execute(
                        update(registry.contact_channel)
                        .where(mine, registry.contact_channel.c.medium == str(medium))
                        .values(carrier=str(CARRIERS[medium]))
                    )
            values = {"contact_id": contacts[code], "role": str(role), "place_kind": kind}
            connection.execute(
                insert(registry.binding).values(**values, place_id=place_id, bound_us=self.story.now_us)
            )

    def channel_of(self, code: str, medium: Medium) -> int:
        way = registry.contact_channel.c
        with reading(self.story.engine) as connection:
            query = select(way.id).where(
                way.contact_id == self.story.block.contacts[code], way.medium == str(medium)
            )
            return int(connection.execute(query).scalar_one())
