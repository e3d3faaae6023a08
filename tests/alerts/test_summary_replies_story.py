"""What a short reply to a summary does: "received" is of all that it lists, "false alarm" of nothing that its
reader cannot know, and who needs help is helped."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from alerts import schema
from alerts.case import Act
from alerts.channels.receipts import ReceiptState, SmsReply
from alerts.receiving import ACTS
from alerts.turn import run_turn
from devices.database import writing
from devices.model import Carrier, Severity
from devices.schema import contact_channel
from tests.alerts.provider import NUMBERS, Provider, acts, notifications, outcomes, smoke
from tests.alerts.seen import timeline
from tests.alerts.story import Story

SILENT = ("monitor-501", "smoke-401", "smoke-101")
"""Devices of three flats: three incidents, of which the grid worker is told as one after ten seconds."""


@pytest.fixture
def dark(story: Story, provider: Provider) -> Story:
    """The grid worker has a summary of three, and nothing else."""
    return tell_of_silence(story)


def tell_of_silence(story: Story) -> Story:
    first_s = story.now_s
    for uid in SILENT:
        story.transition("C1", uid, Severity.P1, ())
    assert [row.told_in for row in notifications(story, "grid_worker")[-3:]] == [None] * 3
    story.at(first_s + 11)
    assert summaries(story) == 1
    return story


def summaries(story: Story) -> int:
    return sum(row.told_in == row.id for row in notifications(story, "grid_worker"))


def done_by(story: Story) -> list[tuple[int, str, str]]:
    """Incident, act and what became of it."""
    return [(row.incident_id, row.act, row.outcome) for row in story.table(schema.act)]


def test_received_is_said_of_every_incident_that_the_summary_lists(dark: Story, provider: Provider) -> None:
    provider.replies("grid_worker", "1")
    assert sorted(done_by(dark)) == [(number, "acknowledge", "done") for number in (1, 2, 3)]
    assert acts(dark) == [("grid_worker", "acknowledge", "sms", "done")] * 3
    assert {one.state for one in dark.incidents()} == {"acknowledged"}
    assert outcomes(dark) == ["done"]


def test_who_says_it_again_has_said_it_once(dark: Story, provider: Provider) -> None:
    for vendor_id in "778":
        provider.replies("grid_worker", "1", vendor_id=vendor_id)
    assert len(acts(dark)) == 3


def test_what_a_second_summary_tells_of_again_is_answered_again(dark: Story, provider: Provider) -> None:
    provider.replies("grid_worker", "1", vendor_id="7")
    dark.at(600)
    for uid in ("smoke-501", "smoke-401", "landing-1"):
        dark.transition("C2", uid, Severity.P1, ())
    dark.at(1000)
    assert summaries(dark) == 2
    provider.replies("grid_worker", "1", vendor_id="8")
    said = sorted(number for number, act, _ in done_by(dark) if act == "acknowledge")
    assert said == [1, 1, 2, 2, 3, 4]


def test_what_grew_after_the_summary_is_not_answered_and_says_so(dark: Story, provider: Provider) -> None:
    dark.transition("C1", "smoke-501", Severity.P1, ())
    assert len(dark.incidents()) == 3
    provider.replies("grid_worker", "1")
    assert sorted(done_by(dark)) == [
        (1, "note", "done"),
        (2, "acknowledge", "done"),
        (3, "acknowledge", "done"),
    ]
    assert dark.incident(1).state == "dispatched"
    assert any("said of a summary, not of this" in line for line in timeline(dark, 1))


def test_a_fire_that_was_told_before_the_summary_is_not_answered_by_it(
    story: Story, provider: Provider
) -> None:
    smoke(story, provider)
    tell_of_silence(story)
    provider.replies("grid_worker", "1")
    assert (1, "note", "done") in done_by(story)
    assert [act for number, act, _ in done_by(story) if number != 1] == ["acknowledge"] * 3
    story.between(60, 61).told("grid_worker", by="voice")


def test_a_fire_that_is_told_after_the_summary_is_what_a_reply_is_about(
    dark: Story, provider: Provider
) -> None:
    smoke(dark, provider)
    provider.replies("grid_worker", "1")
    assert done_by(dark) == [(4, "acknowledge", "done")]


def test_a_false_alarm_said_to_a_summary_stops_nothing_and_its_sender_is_told_why(
    dark: Story, provider: Provider
) -> None:
    states = [one.state for one in dark.incidents()]
    provider.replies("grid_worker", "2")
    assert [(act, outcome) for _, act, outcome in done_by(dark)] == [("note", "done")]
    assert [one.state for one in dark.incidents()] == states
    assert all(one.false_alarm_us is None for one in dark.incidents())
    *_, summary, why = sorted(notifications(dark, "grid_worker"), key=lambda row: row.created_us)
    assert summary.told_in == summary.id
    assert why.text.startswith("Your reply did not take effect: it answered a summary of 3 alarms")
    assert (why.link, why.medium, why.attempts) == (summary.link, "sms", 1)
    assert [h.notification_id for h in dark.handovers].count(why.id) == 1
    number = done_by(dark)[0][0]
    assert any("said of a summary of 3, stopped none" in line for line in timeline(dark, number))
    dark.between(300, 330).told("building_secretary", by="voice")


def test_why_it_did_nothing_is_said_once_and_received_still_answers_the_summary(
    dark: Story, provider: Provider
) -> None:
    for vendor_id in "abc":
        provider.replies("grid_worker", "误报", vendor_id=vendor_id)
    said = [row for row in notifications(dark, "grid_worker") if "did not take effect" in row.text]
    assert len(said) == 1
    dark.at(20)
    provider.replies("grid_worker", "1")
    assert [act for _, act, _ in done_by(dark)][3:] == ["acknowledge"] * 3


def test_a_false_alarm_said_to_a_summary_of_one_incident_is_said_of_that_and_of_no_fire(
    story: Story, provider: Provider
) -> None:
    smoke(story, provider)
    tell_of_silence(story)
    with writing(story.engine) as connection:  # as where several messages of one incident were told together
        n = schema.notification.c
        others = update(schema.notification).where(n.told_in != n.id)
        connection.execute(others.values(told_in=None, state="dead"))
    provider.replies("grid_worker", "2")
    [(number, act, outcome)] = done_by(story)
    assert (act, outcome) == ("false_alarm", "done")
    assert number != 1
    assert story.incident(1).false_alarm_us is None


def test_who_needs_help_is_helped_at_the_worst(dark: Story, provider: Provider) -> None:
    provider.replies("grid_worker", "3")
    assert [(act, outcome) for _, act, outcome in done_by(dark)] == [("need_help", "done")]


def test_a_summary_that_never_arrived_is_not_what_a_reply_is_about(dark: Story, provider: Provider) -> None:
    with writing(dark.engine) as connection:
        arrived = schema.notification.c.told_in == schema.notification.c.id
        connection.execute(update(schema.notification).where(arrived).values(state="undelivered"))
    provider.replies("grid_worker", "1")
    assert len(done_by(dark)) == 1


@pytest.mark.parametrize(("key", "said"), [("1", ["acknowledge"] * 3), ("2", ["note"])])
def test_a_key_in_a_call_that_is_a_summary_does_the_same(
    story: Story, provider: Provider, key: str, said: list[str]
) -> None:
    with writing(story.engine) as connection:
        sms = contact_channel.c.medium == "sms"
        connection.execute(update(contact_channel).where(sms).values(removed_us=story.now_us))
    tell_of_silence(story)
    [call] = [row for row in notifications(story, "grid_worker") if row.told_in == row.id]
    assert call.medium == "voice"
    provider.says("grid_worker", ReceiptState.ANSWERED, keys=key, own_id=call.key)
    assert [row[1:] for row in acts(story)] == [(act, "voice", "done") for act in said]


@pytest.mark.parametrize(("key", "said"), [("1", ["acknowledge"] * 3), ("2", ["note"])])
def test_a_key_in_a_call_that_a_summary_led_on_to_does_the_same(
    dark: Story, provider: Provider, key: str, said: list[str]
) -> None:
    [summary] = [row for row in notifications(dark, "grid_worker") if row.told_in == row.id]
    provider.says("grid_worker", ReceiptState.FAILED, own_id=summary.key)
    call = notifications(dark, "grid_worker")[-1]
    assert (call.medium, call.text, call.told_in) == ("voice", summary.text, summary.id)
    provider.says("grid_worker", ReceiptState.ANSWERED, keys=key, own_id=call.key)
    assert [row[1:] for row in acts(dark)] == [(act, "voice", "done") for act in said]
    assert all(one.false_alarm_us is None for one in dark.incidents())


def test_many_replies_to_summaries_are_taken_a_turn_at_a_time_and_a_fire_beside_them_at_once(
    dark: Story, provider: Provider
) -> None:
    number, replies = NUMBERS["grid_worker"], ACTS  # three acts each
    for one in range(replies):
        said = SmsReply(Carrier.ALIYUN_SMS, number, "1", Act.ACKNOWLEDGE, dark.now_us, str(one))
        provider.posts(replies=(said,))
    dark.store(dark.row("S1", "smoke-501", Severity.P0))
    result = run_turn(dark.engine, dark.settings, dark.now_us)
    assert result.more
    assert 0 < outcomes(dark).count("") < replies
    assert {one.rank for one in result.handovers} == {Severity.P0.rank}
    dark.turn()
    assert outcomes(dark) == ["done"] * replies
