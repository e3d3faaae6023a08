"""A short reply does nothing to a fire where the SMS that came last was about nothing open (what has ended, a
test of a contact, a report) or was a summary, by whichever way."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, update

from alerts import schema
from alerts.case import Act
from alerts.channels.receipts import ReceiptState, SmsReply, act_of
from alerts.memo_schema import memo
from alerts.memos import Kind, Memo, keep_memos
from devices.database import writing
from devices.model import Carrier, Medium, Severity
from devices.people import Way
from devices.schema import contact_channel
from tests.alerts.memo_post import MINUTE, MemoPost
from tests.alerts.provider import NUMBERS, Provider, notifications, smoke
from tests.alerts.seen import timeline
from tests.alerts.story import SECOND, Story
from tests.alerts.test_summary_replies_story import done_by, tell_of_silence

FIRE = 1
WHO = "grid_worker"


@pytest.fixture
def burning(story: Story, provider: Provider) -> Story:
    """A fire that the grid worker was told of by SMS, and by SMS of nothing else."""
    smoke(story, provider)
    return story.at(20)


@pytest.fixture
def both(burning: Story) -> Story:
    """After the fire a summary of three silent flats, by SMS too."""
    return tell_of_silence(burning)


def summary_of(story: Story) -> Any:
    [row] = [row for row in notifications(story, WHO) if row.told_in == row.id]
    return row


def cancel(story: Story) -> None:
    """The desk ends all but the fire."""
    for one in story.incidents():
        if one.id != FIRE:
            assert story.answers("operator", Act.CANCEL, "power is back", incident=one.id).outcome == "done"


def second_telephone(story: Story) -> None:
    """The grid worker's next way after the first SMS is another."""
    with writing(story.engine) as connection:
        way = contact_channel.c
        mine = way.contact_id == story.block.contacts[WHO]
        connection.execute(
            update(contact_channel).where(mine, way.medium == "voice").values(removed_us=story.now_us)
        )
        values = {
            "contact_id": story.block.contacts[WHO],
            "medium": "sms",
            "carrier": "aliyun_sms",
            "rank": 9,
        }
        connection.execute(insert(contact_channel).values(**values, address_sealed=b"x", address_index=b""))


def set_message(story: Story, number: int, **values: Any) -> None:
    with writing(story.engine) as connection:
        connection.execute(
            update(schema.notification).where(schema.notification.c.id == number).values(**values)
        )


def assert_the_fire_goes_on(story: Story) -> None:
    assert [act for number, act, _ in done_by(story) if number == FIRE and act != "note"] == []
    assert story.incident(FIRE).false_alarm_us is None
    assert story.incident(FIRE).state == "dispatched"


@pytest.mark.parametrize("word", ["1", "2"])
def test_a_reply_to_a_summary_of_what_has_ended_is_a_note_and_the_fire_goes_on(
    both: Story, provider: Provider, word: str
) -> None:
    cancel(both)
    both.at(45)
    provider.replies(WHO, word)
    assert done_by(both)[3:] == [(FIRE, "note", "done")]
    assert any("said of nothing open, nothing done" in line for line in timeline(both, FIRE))
    assert_the_fire_goes_on(both)
    both.between(46, 120).told(WHO, by="voice")


@pytest.mark.parametrize("word", ["1", "2"])
def test_a_reply_to_one_message_of_what_has_ended_is_a_note_and_the_fire_goes_on(
    burning: Story, provider: Provider, word: str
) -> None:
    burning.transition("C1", "smoke-401", Severity.P1, ())
    burning.at(31)
    last = notifications(burning, WHO)[-1]
    assert (last.incident_id, last.medium, last.told_in) == (2, "sms", None)
    cancel(burning)
    burning.at(45)
    provider.replies(WHO, word)
    assert done_by(burning)[1:] == [(FIRE, "note", "done")]
    assert_the_fire_goes_on(burning)


def test_who_needs_help_is_helped_at_the_fire_whatever_came_last(both: Story, provider: Provider) -> None:
    cancel(both)
    provider.replies(WHO, "3")
    assert done_by(both)[3:] == [(FIRE, "need_help", "done")]


def test_a_message_of_the_fire_after_what_has_ended_is_answered_as_ever(
    both: Story, provider: Provider
) -> None:
    cancel(both)
    both.at(100)
    smoke(both, provider, "other")
    provider.replies(WHO, "1")
    assert done_by(both)[3:] == [(5, "acknowledge", "done")]


def test_a_summary_that_went_on_by_the_next_telephone_is_still_the_summary(
    burning: Story, provider: Provider
) -> None:
    second_telephone(burning)
    tell_of_silence(burning)
    summary = summary_of(burning)
    provider.says(WHO, ReceiptState.FAILED, own_id=summary.key)
    carried = notifications(burning, WHO)[-1]
    assert (carried.medium, carried.text, carried.told_in) == ("sms", summary.text, summary.id)
    burning.at(40)
    provider.replies(WHO, "2")
    assert [act for _, act, _ in done_by(burning)] == ["note"]
    assert_the_fire_goes_on(burning)
    why = notifications(burning, WHO)[-1]
    assert why.text.startswith("Your reply did not take effect")
    assert why.channel_id == carried.channel_id, "not by the telephone that could not be reached"
    burning.at(41)
    provider.replies(WHO, "1")
    assert sorted(number for number, act, _ in done_by(burning) if act == "acknowledge") == [2, 3, 4]
    assert_the_fire_goes_on(burning)


def test_the_question_which_is_still_about_the_summary_by_the_next_telephone(
    burning: Story, provider: Provider
) -> None:
    second_telephone(burning)
    tell_of_silence(burning)
    provider.replies(WHO, "2", vendor_id="a")
    which = notifications(burning, WHO)[-1]
    provider.says(WHO, ReceiptState.FAILED, own_id=which.key)
    carried = notifications(burning, WHO)[-1]
    assert (carried.id != which.id, carried.text) == (True, which.text)
    burning.at(40)
    provider.replies(WHO, "2", vendor_id="b")
    assert [act for _, act, _ in done_by(burning)] == ["note", "note"]
    assert_the_fire_goes_on(burning)


def test_a_summary_that_the_provider_never_said_it_took_may_have_come_all_the_same(
    both: Story, provider: Provider
) -> None:
    set_message(
        both, summary_of(both).id, state="waiting", accepted_us=None, next_try_us=both.now_us + MINUTE
    )
    provider.replies(WHO, "2")
    assert [act for _, act, _ in done_by(both)] == ["note"]
    assert_the_fire_goes_on(both)


def test_a_summary_whose_last_try_was_after_the_fire_may_be_what_came_last(
    story: Story, provider: Provider
) -> None:
    tell_of_silence(story)
    story.at(60)
    smoke(story, provider)
    story.at(80)
    summary = summary_of(story)
    set_message(
        story, summary.id, state="waiting", accepted_us=None, attempts=2, next_try_us=story.now_us + MINUTE
    )
    with writing(story.engine) as connection:
        tried = {"notification_id": summary.id, "n": 2, "started_us": story.now_us - SECOND}
        connection.execute(insert(schema.attempt).values(**tried, outcome="failed", detail="no answer"))
    provider.replies(WHO, "2")
    assert [act for _, act, _ in done_by(story)] == ["note"]
    assert story.incident(4).false_alarm_us is None


def test_a_reply_that_is_quicker_than_the_providers_answer_is_about_the_summary(
    both: Story, provider: Provider
) -> None:
    said = SmsReply(Carrier.ALIYUN_SMS, NUMBERS[WHO], "2", act_of("2"), both.now_us, "q")
    provider.posts(replies=(said,))
    set_message(both, summary_of(both).id, accepted_us=both.now_us + 2 * SECOND)
    both.now_us += 3 * SECOND
    both.turn()
    assert [act for _, act, _ in done_by(both)] == ["note"]
    assert_the_fire_goes_on(both)


def test_false_alarm_said_to_a_test_of_a_contact_ends_no_fire(story: Story) -> None:
    post = MemoPost(story)
    post.asks("family")
    begun = post.begins()
    story.at(5)
    story.smoke("501")  # came to the family as a push: the test is their last SMS
    story.at(20)
    post.replies("family", "2")
    assert done_by(story) == [(FIRE, "note", "done")], "its accept is not known: it may have come"
    post.takes(begun)
    post.replies("family", "误报")
    assert done_by(story) == [(FIRE, "note", "done")] * 2
    assert_the_fire_goes_on(story)
    post.replies("family", "3")
    assert done_by(story)[2:] == [(FIRE, "need_help", "done")]


@pytest.mark.parametrize("word", ["1", "2"])
def test_a_reply_to_a_report_ends_no_fire(story: Story, word: str) -> None:
    post = MemoPost(story)
    story.smoke("501")
    story.at(20)
    family = story.block.contacts["family"]
    way = Way(post.channel_of("family", Medium.SMS), Medium.SMS, Carrier.ALIYUN_SMS, 1)
    report = Memo("memo/report/1", Kind.REPORT, family, way, "en", "3 places have nobody.", {})
    with writing(story.engine) as connection:
        keep_memos(connection, [report], story.now_us, story.now_us + MINUTE)
        connection.execute(
            update(memo).values(
                state="accepted", attempts=1, started_us=story.now_us, accepted_us=story.now_us
            )
        )
    story.at(25)
    post.replies("family", word)
    assert done_by(story) == [(FIRE, "note", "done")]
    assert_the_fire_goes_on(story)


def test_a_test_that_was_refused_for_good_is_not_what_a_reply_is_about(story: Story) -> None:
    post = MemoPost(story)
    post.asks("family")
    [sms] = [one for one in post.begins() if one.medium is Medium.SMS]
    post.refuses(sms, "number unknown", for_good=True)
    story.at(5)
    story.smoke("501")
    story.at(20)
    post.replies("family", "1")
    assert done_by(story) == [(FIRE, "acknowledge", "done")]
