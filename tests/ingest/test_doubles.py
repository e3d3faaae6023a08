"""A message that comes once for each of two filters counts once."""

from __future__ import annotations

from ingest.doubles import NEAR_US, Doubles
from tests.devices.profiles.describing import described

OWN = """
name = "{name}"
[[message]]
name = "all"
topics = ["{topic}"]
values.v = "voltage"
"""


def doubles(*topics: str) -> Doubles:
    return Doubles([described(OWN.format(name=f"p{n}", topic=topic)) for n, topic in enumerate(topics)])


def test_what_two_filters_take_is_heard_once_and_the_rest_as_often_as_it_comes() -> None:
    twice = doubles("a/{id}", "{place}/b")
    topics = ["a/b", "a/b", "a/c", "a/c", "x/b", "x/b", "a/b", "a/b"]
    payloads = [b"1", b"1", b"1", b"1", b"1", b"1", b"2", b"3"]
    assert twice.copies(topics, payloads, 1) == {1}


def test_a_device_that_says_the_same_again_is_heard_again() -> None:
    twice = doubles("a/{id}", "{place}/b")
    assert twice.copies(["a/b"] * 4, [b"1"] * 4, 1) == {1, 3}


def test_what_is_said_again_after_something_else_is_heard() -> None:
    twice = doubles("a/{id}", "{place}/b")
    assert twice.copies(["a/b"] * 3, [b"ON", b"OFF", b"ON"], 1) == set()
    twice = doubles("a/{id}", "{place}/b")
    assert twice.copies(["a/b"] * 2, [b"ON", b"OFF"], 1) == set()
    assert twice.copies(["a/b"], [b"ON"], 2) == set()


def test_copies_right_behind_each_message_are_told_from_what_changes() -> None:
    twice = doubles("a/{id}", "{place}/b")
    said = [b"ON", b"ON", b"OFF", b"OFF", b"ON", b"ON"]
    assert twice.copies(["a/b"] * 6, said, 1) == {1, 3, 5}
    assert twice.copies(["a/b"], [b"ON"], 2) == set()


def test_a_copy_in_the_next_tick_is_one_and_long_after_it_is_none() -> None:
    twice = doubles("a/{id}", "{place}/b")
    assert twice.copies(["a/b"], [b"1"], 1) == set()
    assert twice.copies(["a/b"], [b"1"], 2) == {0}
    assert twice.copies(["a/b"], [b"1"], 3) == set()
    assert twice.copies(["a/b"], [b"1"], 4 + NEAR_US) == set()


def test_filters_that_do_not_overlap_cost_nothing() -> None:
    assert not doubles("a/{id}", "b/{id}")
    assert not doubles("a/{id+}", "a/{id}")
