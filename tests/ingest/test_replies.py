"""Answers: to the topics that the site allows, none that could end our connection, and only so many."""

from __future__ import annotations

import pytest

from devices.profiles.profile import Reply
from ingest.replies import MOST_A_TICK, PAYLOAD_BYTES, TOPIC_CHARS, Replies


def test_without_a_named_profile_nothing_is_ever_answered() -> None:
    replies = Replies()
    replies.note([Reply("a/b", b"x")])
    assert replies.take() == []
    assert (replies.sent, replies.left_out) == (0, 0)


def test_answers_go_where_the_templates_lead_and_nowhere_else() -> None:
    replies = Replies(["sys/+/reply"])
    wanted = [Reply("sys/d1/reply", b"1"), Reply("sys/d1/x/reply", b"2"), Reply("cmnd/d1/POWER", b"3")]
    replies.note(wanted)
    assert replies.take() == wanted[:1]
    assert replies.left_out == 2
    replies.allow(["cmnd/#"])
    replies.note(wanted)
    assert replies.take() == wanted[2:]


@pytest.mark.parametrize(
    "topic", ["", "a/+", "a/#", "a/\0", "a/\ud800", "a/\n", "a/" + "x" * TOPIC_CHARS], ids=repr
)
def test_no_device_can_make_us_send_a_topic_that_is_none(topic: str) -> None:
    replies = Replies(["#"])
    replies.note([Reply(topic, b"x")])
    assert replies.take() == []
    assert replies.left_out == 1


def test_a_tick_sends_so_many_and_no_more() -> None:
    replies = Replies(["a/#"])
    replies.note([Reply(f"a/{n}", b"x") for n in range(MOST_A_TICK - 1)])
    replies.note([Reply("a/long", bytes(PAYLOAD_BYTES + 1)), Reply("a/x", b"x"), Reply("a/y", b"x")])
    taken = replies.take()
    assert (len(taken), taken[-1].topic, replies.left_out) == (MOST_A_TICK, "a/x", 2)
    replies.count(len(taken), 10)
    assert (replies.sent, replies.left_out) == (10, MOST_A_TICK - 10 + 2)
