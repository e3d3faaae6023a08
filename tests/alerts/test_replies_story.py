"""What people answer by SMS and keypad, as stories on virtual time."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from alerts import schema
from alerts.channels.receipts import Receipt, ReceiptState
from alerts.receipt_schema import receipt
from devices.database import writing
from devices.model import Carrier, Severity
from tests.alerts.provider import Provider, acts, notifications, outcomes, smoke
from tests.alerts.story import SECOND, Story


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


def test_with_several_incidents_open_the_note_names_the_others(story: Story, provider: Provider) -> None:
    story.overload("501")
    smoke(story, provider)
    story.at(20)
    provider.replies("grid_worker", "1")
    (row,) = story.table(schema.act)
    assert (row.incident_id, row.note) == (2, "另有未结束警情 #1 · also open: #1")


@pytest.mark.parametrize("word", ["1", "2"])
def test_received_and_false_alarm_are_about_the_sms_that_came_last_and_no_fire_before_it(
    word: str, story: Story, provider: Provider
) -> None:
    smoke(story, provider)
    story.at(10).transition("O3", "riser", Severity.P1, ())
    story.at(20)
    provider.replies("grid_worker", word)
    story.at(30)
    smoke(story, provider, "other")
    story.at(40)
    provider.replies("grid_worker", "1", vendor_id="second")
    rows = story.table(schema.act)
    assert [row.incident_id for row in rows] == [2, 3]
    assert rows[0].note == "另有未结束警情 #1 · also open: #1"
    told = story.between(40, 100).told("grid_worker")
    assert 1 in {one.incident_id for one in told.messages}, "the first fire goes on"


def test_who_needs_help_is_helped_at_the_worst(story: Story, provider: Provider) -> None:
    smoke(story, provider)
    story.at(10).transition("O3", "riser", Severity.P1, ())
    story.at(20)
    provider.replies("grid_worker", "3")
    assert [row.incident_id for row in story.table(schema.act)] == [1]


def test_a_number_nobody_has_does_nothing_and_its_words_are_not_kept(
    story: Story, provider: Provider
) -> None:
    smoke(story, provider)
    provider.replies("stranger", "1 my name is")
    assert acts(story) == []
    (row,) = story.table(receipt)
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
