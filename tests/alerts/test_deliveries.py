"""The lines of the timeline that say what became of messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.deliveries import Delivery, added, lines_of
from alerts.sayings import pack, render
from devices.model import Medium, Role

NOW = 1_700_000_000_000_000


def one(
    fate: str, role: str = "family", medium: str = "push", incident: int = 1, at_us: int = NOW
) -> Delivery:
    return Delivery(incident, fate, role, medium, at_us, tries=3, reason="no answer in time")


def said(*deliveries: Delivery, language: str = "zh-CN") -> list[str]:
    return [render(line["text"], language) for line in lines_of(deliveries)]


@pytest.mark.parametrize(
    ("fate", "zh_cn", "en"),
    [
        ("handed_over", "已送出 1 条（短信 1）", "1 handed over (SMS 1)"),
        ("handed_over_late", "网格员 1（短信）：第 3 次才送出", "grid worker 1 by SMS: handed over at try 3"),
        (
            "given_up",
            "网格员 1（短信）：试 3 次未送出，不再重试：没有及时回应",
            "grid worker 1 by SMS: given up at try 3: no answer in time",
        ),
        (
            "closed_first",
            "网格员 1（短信）：未送出时警情已结束，不再重试",
            "grid worker 1 by SMS: not told, the incident was closed before it worked",
        ),
    ],
)
def test_every_fate_is_said_in_both_languages(fate: str, zh_cn: str, en: str) -> None:
    delivery = one(fate, "grid_worker", "sms")
    assert said(delivery) == [zh_cn]
    assert said(delivery, language="en") == [en]


def test_what_was_handed_over_is_counted_by_medium_and_stands_first() -> None:
    deliveries = [one("given_up"), *[one("handed_over", medium=m) for m in ("push", "sms", "push")]]
    assert said(*deliveries) == [
        "已送出 3 条（推送 2、短信 1）",
        "家属 1（推送）：试 3 次未送出，不再重试：没有及时回应",
    ]


def test_equal_failures_are_one_line_that_counts_the_roles() -> None:
    failures = [one("given_up", role) for role in ("neighbour", "family", "neighbour")]
    assert said(*failures, language="en") == [
        "neighbours 2, family 1 by push: given up at try 3: no answer in time"
    ]


def test_incidents_do_not_share_lines() -> None:
    lines = lines_of([one("handed_over"), one("handed_over", incident=2), one("handed_over", at_us=NOW + 5)])
    assert [(line["incident_id"], line["at_us"]) for line in lines] == [(1, NOW + 5), (2, NOW)]


def test_what_a_provider_answered_is_shown_as_it_is() -> None:
    delivery = Delivery(1, "given_up", "family", "push", NOW, 1, "code 9*2 of *")
    assert said(delivery) == ["家属 1（推送）：试 1 次未送出，不再重试：code 9*2 of *"]


@given(st.lists(st.tuples(st.sampled_from(Role), st.sampled_from(Medium)), min_size=2), st.data())
def test_two_lines_of_counts_read_as_if_they_had_been_one(
    told: list[tuple[Role, Medium]], data: st.DataObject
) -> None:
    deliveries = [one("handed_over", *who) for who in told]
    cut = data.draw(st.integers(1, len(told) - 1))
    (whole,), (first,), (second,) = (lines_of(d) for d in (deliveries, deliveries[:cut], deliveries[cut:]))
    assert added(first["text"], second["text"]) == whole["text"]


@pytest.mark.parametrize("other", [pack("related", other="2"), "a note", "", '{"say":"handed_over",'])
def test_other_lines_are_not_counts(other: str) -> None:
    (counts,) = lines_of([one("handed_over")])
    assert added(counts["text"], other) == added(other, counts["text"]) == ""
