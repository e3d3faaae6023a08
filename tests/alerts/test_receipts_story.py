"""What came back of messages, as stories on virtual time: the rungs that one climbs, crashes and faults."""

from __future__ import annotations

import signal
import subprocess
import sys

from sqlalchemy import update

from alerts import schema
from alerts.case import Act
from alerts.channels.channel import Failed
from alerts.channels.receipts import Receipt, ReceiptState, SmsReply
from alerts.outbox import Ended, due_retries, write_outcomes
from alerts.receipt_schema import receipt
from alerts.turn import run_turn
from devices.database import writing
from devices.model import Carrier, Medium, Severity
from tests.alerts.provider import NUMBERS, Provider, acts, notifications, outcomes, smoke
from tests.alerts.seen import timeline
from tests.alerts.story import SECOND, Story

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
        first = receipt.c.state == "read"
        connection.execute(update(receipt).where(first).values(state="word of a later release"))
    story.smoke("other")
    assert outcomes(story) == ["fault", "done"]
    assert len(notifications(story, "family")) == 2
    assert len(story.incidents()) == 2
