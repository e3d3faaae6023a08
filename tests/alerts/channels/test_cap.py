from __future__ import annotations

import asyncio
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.channels.cap import CapChannel, CapSettings, cap_alert
from alerts.channels.channel import Accepted, Failed, Message, Outcome
from tests.alerts.channels.dispatching import to
from tests.alerts.channels.providers import (
    Answer,
    breaks_off_in_the_body,
    provider,
    resets,
    says,
    stays_silent,
)
from tests.alerts.channels.vendors.cap import complaints, text_of, texts_of

NOW_S = 1_795_363_352.0
SETTINGS = CapSettings("gengfu.site.example", "更夫")
SENT = "2026-11-23T00:02:32+08:00"
BEFORE = "gengfu.site.example,7/1/at_once/0/3/push,2026-11-23T00:00:00+08:00"
ADDRESS = "https://119.example/cap/secret-path"


def written(message: Message, replaces: str = "", settings: CapSettings = SETTINGS) -> ElementTree.Element:
    raw = cap_alert(settings, message, SENT, replaces)
    assert complaints(raw) == []
    return ElementTree.fromstring(raw)


def through(
    answer: Answer, *messages: Message, timeout_s: float = 8.0, settings: CapSettings = SETTINGS
) -> tuple[list[Outcome], list[bytes]]:
    async def main() -> tuple[list[Outcome], list[bytes]]:
        async with provider(answer) as served:
            channel = CapChannel(settings, timeout_s, clock=lambda: NOW_S)
            outcomes = [
                await channel.send(replace(one, address=one.address or served.url())) for one in messages
            ]
            await channel.close()
            return outcomes, served.requests

    outcomes, requests = asyncio.run(main())
    for one in outcomes:
        assert not isinstance(one, Failed) or not any(word in one.reason for word in ("127.0", "secret"))
    return outcomes, requests


def test_a_message_says_everything_in_the_order_of_the_standard() -> None:
    alert = written(to(ADDRESS))
    assert [text_of(alert, name) for name in ("identifier", "sender", "sent", "status", "msgType")] == [
        "7/1/first/0/3/sms",
        "gengfu.site.example",
        SENT,
        "Actual",
        "Alert",
    ]
    assert [text_of(alert, name) for name in ("scope", "addresses", "incidents")] == [
        "Private",
        "119.example",
        "7",
    ]
    assert {name: text_of(alert, "info", name) for name in ("event", "senderName", "headline")} == {
        "event": "烟雾报警",
        "senderName": "更夫",
        "headline": "烟雾报警 3栋2单元501厨房",
    }
    assert text_of(alert, "info", "description") == "3栋2单元501厨房 14:02 烟雾报警"
    assert text_of(alert, "info", "instruction") == "立即查看"
    assert text_of(alert, "info", "web") == "https://a.example/a/7-3-abcdefghijklmnopqrstuv"
    assert text_of(alert, "info", "area", "areaDesc") == "3栋2单元501厨房"


@pytest.mark.parametrize(
    ("severity", "urgent", "scale", "categories", "response"),
    [
        ("P0+", True, ("Immediate", "Extreme", "Observed"), ["Fire"], ["Evacuate"]),
        ("P0", True, ("Immediate", "Extreme", "Likely"), ["Fire"], []),
        ("P1", False, ("Immediate", "Severe", "Likely"), ["Fire", "Safety"], []),
        ("P2", False, ("Expected", "Moderate", "Possible"), ["Fire", "Safety"], []),
        ("P3", False, ("Future", "Minor", "Possible"), ["Fire", "Safety"], []),
        ("", True, ("Immediate", "Extreme", "Likely"), ["Fire"], []),
        ("", False, ("Unknown", "Unknown", "Unknown"), ["Fire"], []),
    ],
)
def test_the_severity_in_the_words_of_the_standard(
    severity: str, urgent: bool, scale: tuple[str, str, str], categories: list[str], response: list[str]
) -> None:
    alert = written(to(ADDRESS, urgent=urgent, severity=severity))
    assert tuple(text_of(alert, "info", n) for n in ("urgency", "severity", "certainty")) == scale
    assert (texts_of(alert, "category"), texts_of(alert, "responseType")) == (categories, response)


def test_what_is_said_again_is_an_update_of_what_was_said() -> None:
    alert = written(to(ADDRESS, why_now="60 秒无人应答"), BEFORE)
    assert (text_of(alert, "msgType"), text_of(alert, "references")) == ("Update", BEFORE)


def test_what_was_said_before_a_restart_is_said_as_an_alert() -> None:
    assert text_of(written(to(ADDRESS, why_now="60 秒无人应答")), "msgType") == "Alert"


def test_the_end_cancels_what_was_said() -> None:
    alert = written(to(ADDRESS, ended="1"), BEFORE)
    assert (text_of(alert, "msgType"), text_of(alert, "references")) == ("Cancel", BEFORE)
    assert texts_of(alert, "responseType") == ["AllClear"]
    assert text_of(alert, "info", "urgency") == "Past"


@pytest.mark.parametrize("how", ["part", "setting"])
def test_a_drill_is_an_exercise(how: str) -> None:
    message = to(ADDRESS, drill="1") if how == "part" else to(ADDRESS)
    alert = written(message, settings=replace(SETTINGS, exercise=how == "setting"))
    assert text_of(alert, "status") == "Exercise"


def test_a_message_without_parts_is_a_whole_one() -> None:
    message = replace(to(ADDRESS), parts={}, text="3栋 烟雾报警", link="")
    alert = written(message)
    assert text_of(alert, "info", "event") == "3栋 烟雾报警"
    assert text_of(alert, "info", "area", "areaDesc") == "地点不明"
    assert text_of(written(replace(message, language="en")), "info", "area", "areaDesc") == "place unknown"
    with_area = written(message, settings=replace(SETTINGS, area="幸福小区"))
    assert text_of(with_area, "info", "area", "areaDesc") == "幸福小区"


@given(
    text=st.text(max_size=200),
    where=st.text(max_size=200),
    key=st.text(min_size=1),
    sender=st.text(min_size=1),
)
def test_any_text_makes_a_good_message(text: str, where: str, key: str, sender: str) -> None:
    message = replace(to(ADDRESS, text=text, where=where, what=text), key=key)
    raw = cap_alert(replace(SETTINGS, sender=sender), message, SENT)
    ours = [one for one in complaints(raw) if not one.startswith(("identifier", "sender"))]
    assert ours == []  # a key or name of control characters alone cannot be: both are ours


def test_it_is_posted_as_cap_with_key_and_authorization() -> None:
    settings = replace(SETTINGS, authorization="Bearer secret-token")
    outcomes, requests = through(says("202 Accepted"), to(""), settings=settings)
    head, _, body = requests[0].partition(b"\r\n\r\n")
    assert outcomes == [Accepted()]
    assert b"Content-Type: application/cap+xml; charset=utf-8" in head
    assert b"Idempotency-Key: 7/1/first/0/3/sms" in head
    assert b"Authorization: Bearer secret-token" in head
    assert complaints(body) == []
    assert text_of(ElementTree.fromstring(body), "sent") == SENT
    assert "secret" not in repr(settings)


def test_the_second_word_to_one_platform_refers_to_the_first_that_it_took() -> None:
    first = to("")
    again = replace(to("", why_now="无人应答"), key="7/1/again/0/3/push")
    other = replace(again, key="8/1/again/0/3/push")
    _, requests = through(says("200 OK"), first, again, other)
    alerts = [ElementTree.fromstring(one.partition(b"\r\n\r\n")[2]) for one in requests]
    assert [text_of(one, "msgType") for one in alerts] == ["Alert", "Update", "Alert"]
    assert text_of(alerts[1], "references") == f"gengfu.site.example,7/1/first/0/3/sms,{SENT}"


def test_what_a_platform_refused_is_not_referred_to() -> None:
    _, requests = through(says("500 Broken"), to(""), to("", why_now="无人应答"))
    again = ElementTree.fromstring(requests[1].partition(b"\r\n\r\n")[2])
    assert text_of(again, "msgType") == "Alert"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (says("200 OK", '{"code": 0}'), Accepted()),
        (says("200 OK", "<alert><msgType>Ack</msgType></alert>"), Accepted()),
        (
            says("200 OK", '<?xml version="1.0"?><cap:alert><cap:msgType>Error</cap:msgType></cap:alert>'),
            Failed("the platform answers with a CAP Error"),
        ),
        (says("200 OK", '{"code": 4001, "message": "bad"}'), Failed("code 4001")),
        (says("200 OK", '{"success": false}'), Failed("success false")),
        (says("400 Bad"), Failed("HTTP 400", permanent=True)),
        (says("503 Busy", "", "Retry-After: 7"), Failed("HTTP 503", False, 7.0)),
        (says("307 Elsewhere", "", "Location: /other"), Failed("HTTP 307")),
    ],
)
def test_what_an_answer_means(answer: Answer, outcome: Outcome) -> None:
    assert through(answer, to(""))[0] == [outcome]


def test_broken_and_silent_platforms_are_failures() -> None:
    for answer in (resets, breaks_off_in_the_body):
        (outcome,), _ = through(answer, to(""))
        assert isinstance(outcome, Failed) and not outcome.permanent
    assert through(stays_silent, to(""), timeout_s=0.2)[0] == [Failed("no answer in time")]


def test_an_address_that_is_no_web_address_is_permanently_wrong() -> None:
    assert through(says("200 OK"), to("ftp://x/y"))[0] == [
        Failed("the address is not a web address", permanent=True)
    ]
