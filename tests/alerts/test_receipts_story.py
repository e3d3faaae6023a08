"""What came back of messages: rungs, next ways, and answers by SMS and keypad, as stories on virtual time."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, update

from alerts import schema
from alerts.case import Act
from alerts.channel_proofs import bounced_channels
from alerts.channels.channel import Accepted, Failed
from alerts.channels.receipts import Posted, Receipt, ReceiptState, SmsReply, act_of
from alerts.handover import Handover
from alerts.outbox import Ended, due_retries, write_outcomes
from alerts.receipts_kept import keep_posted
from alerts.sayings import render
from alerts.turn import run_turn
from devices.database import reading, writing
from devices.model import Carrier, Medium, Severity
from devices.schema import contact_channel
from tests.alerts.story import SECOND, Story, a_story

NUMBERS = {"family": "+8613900000501", "grid_worker": "+8613900000001", "neighbour": "+8613900000401"}


@pytest.fixture
def story(database: str) -> Iterator[Story]:
    with a_story(database) as opened:
        yield opened


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


@pytest.fixture
def provider(story: Story) -> Provider:
    """Nobody has a push way: people are told by SMS first, then by call."""
    with writing(story.engine) as connection:
        push = contact_channel.c.medium == "push"
        connection.execute(update(contact_channel).where(push).values(removed_us=story.now_us))
    return Provider(story)


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


def timeline(story: Story, number: int = 1) -> list[str]:
    rows = story.table(schema.incident_change)
    return [render(row.text, "en") for row in rows if row.incident_id == number]


def acts(story: Story) -> list[tuple[str, str, str, str]]:
    codes = {number: code for code, number in story.block.contacts.items()}
    return [
        (codes[int(row.actor.partition(":")[2])], row.act, row.via, row.outcome)
        for row in story.table(schema.act)
    ]


def outcomes(story: Story) -> list[str]:
    return [row.outcome for row in story.table(schema.receipt)]


# rungs


def test_a_message_climbs_from_accepted_to_delivered_to_read_and_the_timeline_counts_it(
    story: Story, provider: Provider
) -> None:
    smoke(story, provider)
    story.at(2)
    provider.says("family", ReceiptState.DELIVERED)
    story.at(3)
    provider.says("family", ReceiptState.READ)
    (message,) = notifications(story, "family")
    assert message.accepted_us < message.delivered_us < message.read_us
    assert message.read_us == story.now_us
    assert timeline(story)[-2:] == ["1 delivered (SMS 1)", "1 read or picked up (SMS 1)"]


def test_a_late_or_repeated_lower_receipt_changes_nothing(story: Story, provider: Provider) -> None:
    smoke(story, provider)
    provider.says("family", ReceiptState.READ)
    before, said = notifications(story, "family"), timeline(story)
    story.at(5)
    for state in (ReceiptState.DELIVERED, ReceiptState.FAILED, ReceiptState.READ):
        provider.says("family", state)
    assert notifications(story, "family") == before
    assert timeline(story) == said
    assert outcomes(story) == ["done", "nothing", "nothing"]


def test_a_receipt_that_is_quicker_than_our_own_commit_counts_when_the_outcome_is_written(
    story: Story, provider: Provider
) -> None:
    story.store(story.row("S1", "smoke-501", Severity.P0))
    handovers = run_turn(story.engine, story.settings, story.now_us).handovers
    provider.posts(provider.receipt("family", ReceiptState.FAILED))
    run_turn(story.engine, story.settings, story.now_us)
    assert outcomes(story) == ["unknown"]
    provider.takes(*handovers)
    begun = run_turn(story.engine, story.settings, story.now_us).handovers
    assert [h.medium for h in begun] == [Medium.VOICE]
    assert outcomes(story) == ["done"]


def test_a_try_whose_answer_was_lost_counts_by_our_own_name_and_is_not_made_again(
    story: Story, provider: Provider
) -> None:
    story.store(story.row("S1", "smoke-501", Severity.P0))
    handovers = run_turn(story.engine, story.settings, story.now_us).handovers
    [mine] = [h for h in handovers if h.contact_id == story.block.contacts["family"]]
    with writing(story.engine) as connection:
        write_outcomes(connection, [Ended(mine, Failed("no answer in time"), story.now_us)])
    provider.posts(Receipt(Carrier.ALIYUN_SMS, "x", ReceiptState.DELIVERED, story.now_us, own_id=mine.key))
    run_turn(story.engine, story.settings, story.now_us)
    with writing(story.engine) as connection:
        again = due_retries(connection, story.now_us + 60 * SECOND, 100)
    assert mine.notification_id not in {h.notification_id for h in again}


def test_a_receipt_of_nothing_of_ours_is_kept_and_changes_nothing(story: Story, provider: Provider) -> None:
    smoke(story, provider)
    provider.posts(Receipt(Carrier.TENCENT_SMS, "biz-1", ReceiptState.FAILED, story.now_us))
    provider.posts(Receipt(Carrier.ALIYUN_SMS, "", ReceiptState.FAILED, story.now_us))
    before = story.table(schema.notification)
    story.turn()
    assert outcomes(story) == ["unknown", "unknown"]
    assert story.table(schema.notification) == before


# not delivered


def test_an_undelivered_message_goes_by_the_next_way_at_once(story: Story, provider: Provider) -> None:
    smoke(story, provider)
    story.at(3)
    provider.says("family", ReceiptState.FAILED)
    by_sms, by_voice = notifications(story, "family")
    assert (by_sms.state, by_voice.medium, by_voice.created_us) == ("undelivered", "voice", story.now_us)
    assert timeline(story)[-1] == "family 1 by SMS: not delivered, the next way is tried: CODE"
    provider.says("family", ReceiptState.FAILED)
    assert len(notifications(story, "family")) == 2  # of nothing we were told of: the call has no receipt yet


def test_a_lesser_message_too_goes_by_the_next_way_at_once(story: Story, provider: Provider) -> None:
    story.store(story.row("O3", "monitor-501", Severity.P1))
    handovers = run_turn(story.engine, story.settings, story.now_us).handovers
    provider.takes(*handovers)
    story.turn()
    before = len(notifications(story, "grid_worker"))
    provider.says("grid_worker", ReceiptState.FAILED)
    assert len(notifications(story, "grid_worker")) == before + 1


def test_who_has_answered_is_not_told_by_a_next_way(story: Story, provider: Provider) -> None:
    smoke(story, provider)
    story.at(2).answers("family", Act.ACKNOWLEDGE)
    story.at(3)
    provider.says("family", ReceiptState.FAILED)
    assert [row.state for row in notifications(story, "family")] == ["undelivered"]
    assert timeline(story)[-1] == "family 1 by SMS: not delivered: CODE"


def test_nobody_is_told_by_a_next_way_of_what_has_ended_or_was_called_false(
    story: Story, provider: Provider
) -> None:
    smoke(story, provider)
    story.at(2).answers("grid_worker", Act.FALSE_ALARM)
    provider.says("family", ReceiptState.FAILED)
    assert len(notifications(story, "family")) == 1


def test_a_number_that_bounced_is_known_until_a_later_message_reaches_it(
    story: Story, provider: Provider
) -> None:
    smoke(story, provider)
    provider.says("family", ReceiptState.FAILED)
    sms = notifications(story, "family")[0].channel_id
    with reading(story.engine) as connection:
        ((channel, bounced),) = bounced_channels(connection).items()
    assert (channel, bounced.count, bounced.detail) == (sms, 1, "CODE")
    story.at(30).store(story.row("S1", "smoke-501-b", Severity.P0_PLUS))
    handovers = run_turn(story.engine, story.settings, story.now_us).handovers
    provider.takes(*[h for h in handovers if h.medium is Medium.SMS])
    newest = [row for row in notifications(story, "family") if row.medium == "sms"][-1]
    provider.posts(
        Receipt(Carrier.ALIYUN_SMS, f"biz-{newest.id}", ReceiptState.DELIVERED, story.now_us + SECOND)
    )
    story.turn()
    with reading(story.engine) as connection:
        assert bounced_channels(connection) == {}


def test_a_call_that_nobody_picked_up_goes_on_by_the_next_way_and_is_no_wrong_number(
    story: Story, provider: Provider
) -> None:
    with writing(story.engine) as connection:
        first = contact_channel.c.medium == "voice"
        connection.execute(update(contact_channel).where(first).values(medium="sms"))
    smoke(story, provider)
    sms = notifications(story, "family")[0]
    with writing(story.engine) as connection:
        mine = schema.notification.c.id == sms.id
        connection.execute(update(schema.notification).where(mine).values(medium="voice"))
    provider.posts(Receipt(Carrier.ALIYUN_SMS, f"biz-{sms.id}", ReceiptState.FAILED, story.now_us))
    story.turn()
    assert len(notifications(story, "family")) == 2
    with reading(story.engine) as connection:
        assert bounced_channels(connection) == {}


# answers


def test_a_key_in_a_call_is_an_act_and_stops_the_own_roles_steps(story: Story, provider: Provider) -> None:
    smoke(story, provider)
    story.at(3)
    provider.says("grid_worker", ReceiptState.FAILED)
    call = notifications(story, "grid_worker")[-1]
    receipt = Receipt(Carrier.ALIYUN_VOICE, f"biz-{call.id}", ReceiptState.ANSWERED, story.now_us, keys="1")
    with writing(story.engine) as connection:  # its outcome, as the sender writes it
        connection.execute(
            update(schema.attempt)
            .where(schema.attempt.c.notification_id == call.id)
            .values(carrier="aliyun_voice", receipt=f"biz-{call.id}")
        )
    story.at(10)
    provider.posts(receipt)
    story.turn()
    assert acts(story) == [("grid_worker", "acknowledge", "voice", "done")]
    assert notifications(story, "grid_worker")[-1].read_us is not None
    story.between(11, 3600).not_told("grid_worker", "grid_worker-2")


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("1", "acknowledge"),
        ("１", "acknowledge"),
        ("收到", "acknowledge"),
        ("OK", "acknowledge"),
        ("2", "false_alarm"),
        ("误报", "false_alarm"),
        ("False", "false_alarm"),
        ("3 求助", "need_help"),
        ("求助", "need_help"),
        ("help", "need_help"),
        ("4", "note"),
        ("马上回来", "note"),
    ],
)
def test_a_reply_is_an_act_of_its_sender(story: Story, provider: Provider, text: str, act: str) -> None:
    smoke(story, provider)
    story.at(5)
    provider.replies("family", text)
    assert acts(story) == [("family", act, "sms", "done")]
    (row,) = story.table(schema.act)
    assert row.note == (text if act == "note" else "")
    assert outcomes(story) == ["done"]


def test_a_reply_twice_is_one_act(story: Story, provider: Provider) -> None:
    smoke(story, provider)
    provider.replies("family", "1", vendor_id="77")
    provider.replies("family", "1", vendor_id="77")
    assert len(acts(story)) == 1


def test_with_several_incidents_open_it_is_the_worst_and_newest_and_the_note_says_so(
    story: Story, provider: Provider
) -> None:
    story.overload("501")
    smoke(story, provider)
    story.at(20)
    provider.replies("grid_worker", "1")
    (row,) = story.table(schema.act)
    assert (row.incident_id, row.note) == (2, "另有未结束警情 #1 · also open: #1")


def test_the_worst_goes_before_the_newest_and_of_two_as_bad_the_newest(
    story: Story, provider: Provider
) -> None:
    smoke(story, provider)
    story.at(10).transition("O3", "riser", Severity.P1, ())
    story.at(20)
    provider.replies("grid_worker", "1")
    story.at(30)
    smoke(story, provider, "other")
    story.at(40)
    provider.replies("grid_worker", "1", vendor_id="second")
    assert [row.incident_id for row in story.table(schema.act)] == [1, 3]


def test_a_number_nobody_has_does_nothing_and_its_words_are_not_kept(
    story: Story, provider: Provider
) -> None:
    smoke(story, provider)
    provider.replies("stranger", "1 my name is")
    assert acts(story) == []
    (row,) = story.table(schema.receipt)
    assert (row.outcome, row.text, row.contacts) == ("nobody", "", "")


def test_a_reply_after_the_end_is_a_note_for_a_day(story: Story, provider: Provider) -> None:
    smoke(story, provider)
    with writing(story.engine) as connection:
        ended = {"state": "closed", "closed_us": story.now_us}
        connection.execute(update(schema.incident).values(**ended))
        connection.execute(update(schema.step).values(state="stopped"))
    story.next_due_us = None
    story.at(3600)
    provider.replies("family", "2")
    assert acts(story) == [("family", "note", "sms", "done")]
    story.at(90_000)
    provider.replies("family", "3 help")
    assert outcomes(story) == ["done", "no_incident"]


def test_an_answer_from_before_a_second_fire_does_not_stop_it(story: Story, provider: Provider) -> None:
    smoke(story, provider)
    early_us = story.at(100).now_us
    story.at(200).transition("S1", "smoke-501-b", Severity.P0, ())
    story.at(205)
    provider.replies("grid_worker", "1", at_us=early_us)
    assert acts(story) == [("grid_worker", "acknowledge", "sms", "done")]
    story.between(206, 300).told("grid_worker")


def test_a_providers_clock_that_is_behind_loses_no_answer(story: Story, provider: Provider) -> None:
    smoke(story, provider)
    story.at(10)
    provider.replies("grid_worker", "1", at_us=story.now_us - 3600 * SECOND)
    story.between(11, 600).not_told("grid_worker", "grid_worker-2")


# crashes and faults


def test_a_kill_between_inbox_and_decision_loses_nothing_and_doubles_nothing(
    story: Story, provider: Provider, database: str
) -> None:
    smoke(story, provider)
    story.at(5)
    reply = SmsReply(Carrier.ALIYUN_SMS, NUMBERS["grid_worker"], "1", Act.ACKNOWLEDGE, story.now_us, "9")
    provider.posts(provider.receipt("family", ReceiptState.FAILED), replies=(reply,))
    killed = [sys.executable, "-m", "tests.alerts.killed_turn", database, str(story.now_us)]
    assert subprocess.run(killed, check=False, capture_output=True).returncode == -signal.SIGKILL
    assert outcomes(story) == ["", ""]
    assert acts(story) == []
    story.turn()
    story.turn()
    assert [row.medium for row in notifications(story, "family")] == ["sms", "voice"]
    assert acts(story) == [("grid_worker", "acknowledge", "sms", "done")]
    assert outcomes(story) == ["done", "done"]


def test_a_receipt_that_cannot_be_decided_is_set_aside_and_costs_no_other(
    story: Story, provider: Provider
) -> None:
    smoke(story, provider)
    provider.posts(
        provider.receipt("neighbour", ReceiptState.READ), provider.receipt("family", ReceiptState.FAILED)
    )
    with writing(story.engine) as connection:
        first = schema.receipt.c.state == "read"
        connection.execute(update(schema.receipt).where(first).values(state="word of a later release"))
    story.smoke("other")
    assert outcomes(story) == ["fault", "done"]
    assert len(notifications(story, "family")) == 2
    assert len(story.incidents()) == 2
