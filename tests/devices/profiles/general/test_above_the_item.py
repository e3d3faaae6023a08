"""Paths that lead above the item of a group, objects with several conditions, and measuring that failed."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.profiles.described import DescribedProfile
from devices.profiles.fast.fast_way import FastWay
from devices.profiles.language.paths import path_of
from tests.devices.profiles.describing import decode, described, heard, values
from tests.devices.profiles.listening import Registry

NESTED = """
name = "acme"
[[message]]
name = "report"
topics = ["acme/report"]
[[message.group]]
each = ["boxes[].values.{key}", "boxes[].{key}"]
name = "{^^.kind}{key}"
device = ["acme:{^^.id}", "acme:{^.id}"]
time = [{ path = "^^.at", format = "s" }, { path = "^.at", format = "s" }]
when = { lacks = ["^^.^off^"] }
[message.group.names]
"heat" = "temperature"
"oddheat" = { metric = "temperature", channel = "odd" }
""".replace("^^.^off^", "^^.off")


def test_a_path_leads_to_what_the_item_stands_in() -> None:
    boxes = [
        {"id": 1, "at": 1735689600, "values": {"heat": 20}},
        {"id": 2, "at": 1735689601, "kind": "odd", "values": {"heat": 21}},
    ]
    registry = Registry()
    decoded = decode(described(NESTED), ("acme/report", {"boxes": boxes}), registry=registry)
    assert [registry.places[row] for row in decoded.row] == [("acme:2", "odd")]
    assert decoded.observed_us.tolist() == [1735689601_000_000]


@pytest.mark.parametrize("nobody", [{}, {"id": ""}, {"id": " "}, {"id": None}, {"id": "x" * 250}, {"id": []}])
def test_an_item_that_names_nobody_is_the_messages_own_and_suspect(nobody: dict[str, Any]) -> None:
    boxes = [
        {"id": 1, "kind": "odd", "values": {"heat": 20}},
        {**nobody, "kind": "odd", "values": {"heat": 21}},
    ]
    found = heard(described(NESTED), ("acme/report", {"boxes": boxes}))
    assert found == [
        ("acme:1", "odd", "temperature", 20.0, []),
        ("topic:acme/report", "odd", "temperature", 21.0, ["suspect"]),
    ]


def test_above_the_payload_there_is_nothing() -> None:
    text = NESTED.replace("^^.kind", "^^^^^^^.kind").replace("boxes[].values.", "boxes[].values.")
    decoded = decode(described(text), ("acme/report", {"boxes": [{"id": 1, "values": {"heat": 20}}]}))
    assert [one.reason for one in decoded.rejected] == ["nothing_known"]


def test_circumstances_are_asked_above_as_well() -> None:
    box = {"id": 1, "kind": "odd", "values": {"heat": 20}}
    assert values(described(NESTED), ("acme/report", {"boxes": [box]})) == {"odd/temperature": 20.0}
    off = {"boxes": [box | {"off": None}]}
    assert len(decode(described(NESTED), ("acme/report", off)).row) == 0


@pytest.mark.parametrize("text", ["^", "^.", "^x", "^^", "^^^^^^^^^.x", "^$.x"])
def test_what_is_no_path_above_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"follow|at most"):
        path_of(text)


def test_a_key_that_begins_with_the_sign_stands_in_backquotes() -> None:
    assert path_of("`^x`").steps == ("^x",)


OBJECTS = """
name = "acme"
[[message]]
name = "carrier"
topics = ["acme/up"]
object = "object"
[[object]]
name = "anybody's"
fallback = true
where = [{ heat = true }, { damp = true }]
values = { heat = "temperature", damp = "humidity" }
[[object]]
name = "ours"
where = [{ model = ["A"] }, { model = ["B"], heat = true }]
[object.values]
heat = { metric = "temperature", channel = "ours", faults = ["Broken"] }
loop = { metric = "humidity", scale = 6.25, offset = -25, broken_below = 3.6 }
"""


@pytest.mark.parametrize(
    ("said", "channel"),
    [
        ({"model": "A", "heat": 1}, "ours"),
        ({"model": "B", "heat": 1}, "ours"),
        ({"model": "C", "heat": 1}, ""),
        ({"heat": 1}, ""),
    ],
)
def test_one_condition_of_several_is_enough_and_a_fallback_is_asked_last(
    said: dict[str, Any], channel: str
) -> None:
    (reading,) = heard(described(OBJECTS), ("acme/up", {"object": said}))
    assert reading[1:4] == (channel, "temperature", 1.0)


def test_a_word_of_failure_is_a_fault_and_another_word_the_wrong_type() -> None:
    for word, quality in (("broken", ["fault"]), (" BROKEN ", ["fault"]), ("cosy", ["type_mismatch"])):
        found = heard(described(OBJECTS), ("acme/up", {"object": {"model": "A", "heat": word}}))
        assert [(value, flags) for *_, value, flags in found] == [(None, quality)]


def _loop(profile: DescribedProfile, *milliamperes: float) -> list[tuple[float | None, list[str]]]:
    messages = [("acme/up", {"object": {"model": "A", "loop": one}}) for one in milliamperes]
    return [(value, quality) for *_, value, quality in heard(profile, *messages)]


def test_a_wire_is_broken_below_the_vendors_number() -> None:
    assert _loop(described(OBJECTS), 3.59, 3.6, 20) == [(None, ["fault"]), (-2.5, []), (100.0, [])]


@cache
def _slow_and_quick() -> tuple[DescribedProfile, DescribedProfile]:
    """One that reads all the general way, and one that has learnt the form of a loop's messages."""
    slow, quick = described(OBJECTS), described(OBJECTS)
    slow.fast, quick.fast = None, FastWay(quick.carrying)
    for _ in range(50):
        _loop(quick, 4.0)
    assert len(quick.fast) == 1
    return slow, quick


@settings(deadline=None)
@given(st.lists(st.floats(0, 25), min_size=1, max_size=8))
def test_read_by_its_form_a_broken_wire_is_the_same(milliamperes: list[float]) -> None:
    slow, quick = _slow_and_quick()
    assert _loop(quick, *milliamperes) == _loop(slow, *milliamperes)
