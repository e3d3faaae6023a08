"""What a receipt that says 'not delivered' leads to, as stories on virtual time."""

from __future__ import annotations

from sqlalchemy import update

from alerts import schema
from alerts.case import Act
from alerts.channel_proofs import bounced_channels
from alerts.channels.receipts import Receipt, ReceiptState
from alerts.turn import run_turn
from devices.database import reading, writing
from devices.model import Carrier, Medium, Severity
from devices.schema import contact_channel
from tests.alerts.provider import Provider, notifications, smoke
from tests.alerts.seen import timeline
from tests.alerts.story import SECOND, Story


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
