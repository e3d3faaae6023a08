from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from alerts.channels.channel import Accepted, Failed, Message, Outcome
from alerts.channels.serverchan import ServerchanChannel
from tests.alerts.channels.providers import message
from tests.alerts.channels.sending import sent
from tests.alerts.channels.vendors.serverchan import KEY, KEY_3, Serverchan

NOON_IN_CHINA_S = 19_676 * 86_400 + 4 * 3_600.0
TURBO = f"{KEY}.send"
THIRD = f"send/{KEY_3}.send"
USED_UP = "the key's messages of the day are used up"


def through(
    service: Serverchan, *messages: Message, path: str = TURBO, clock_s: float = NOON_IN_CHINA_S
) -> list[Outcome]:
    """Sends `messages` to the service, whatever addresses they have."""

    def addressed(root: str) -> Sequence[Message]:
        return [replace(each, address=f"{root}/{path}") for each in messages]

    return sent(service, lambda _: ServerchanChannel(clock=lambda: clock_s), addressed)


@pytest.mark.parametrize("path", [TURBO, THIRD])
def test_a_message_arrives_with_title_text_and_link(path: str) -> None:
    service = Serverchan()
    parts = {"severity": "P0", "what": "烟感报警", "where": "3-2-501"}
    assert through(service, replace(message("", text="厨房冒烟\n请速查看"), parts=parts), path=path) == [
        Accepted()
    ]
    assert service.sent == [
        {
            "title": "P0 烟感报警 · 3-2-501",
            "desp": "厨房冒烟\n\n请速查看\n\n<http://a.example/x>",
            "short": "厨房冒烟 请速查看",
        }
    ]


def test_without_parts_the_first_line_heads_the_message() -> None:
    service = Serverchan()
    through(service, message("", text="厨房冒烟\n请速查看"))
    assert service.sent[0]["title"] == "厨房冒烟"


def test_without_a_link_the_text_stands_alone() -> None:
    service = Serverchan()
    through(service, replace(message("", text="厨房冒烟"), link=""))
    assert service.sent[0]["desp"] == "厨房冒烟"


@pytest.mark.parametrize("path", [TURBO, THIRD])
def test_the_sixth_message_of_a_day_waits_until_midnight_in_china(path: str) -> None:
    outcomes = through(Serverchan(), *[message("")] * 6, path=path)
    assert outcomes == [*[Accepted()] * 5, Failed(USED_UP, False, 12 * 3600.0)]


def test_a_wrong_key_is_permanent() -> None:
    assert through(Serverchan(), message(""), path="SCTother.send") == [
        Failed("the key is wrong", permanent=True)
    ]


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        ((400, {"code": 40001, "message": "[AUTH]错误的Key"}), Failed("the key is wrong", permanent=True)),
        ((200, {"code": 461, "message": "错误的Key"}), Failed("code 461", permanent=True)),
        (
            (400, {"code": 40001, "message": "[AUTH]超过当天的发送次数限制[5]"}),
            Failed(USED_UP, False, 43200.0),
        ),
        ((400, {"code": 40001, "scode": 461}), Failed("the key is wrong", permanent=True)),
        ((400, {"code": 40001, "scode": "471"}), Failed(USED_UP, False, 43200.0)),
        ((400, {"code": 40001, "message": "something new"}), Failed("code 40001")),
        ((400, {"code": 40010, "message": "bad title"}), Failed("code 40010", permanent=True)),
        ((200, {"code": 0, "data": {"errno": 1024, "error": "x"}}), Failed("errno 1024")),
        ((200, {"code": 0}), None),
        ((522, {}), Failed("HTTP 522")),
    ],
)
def test_codes_pass_last_or_are_worth_another_try(
    refusal: tuple[int, dict[str, object]], expected: Failed | None
) -> None:
    assert through(Serverchan(refuse_with=refusal), message("")) == [expected or Accepted()]


@pytest.mark.parametrize("text", ["烟" * 20_000, "\\\n" * 20_000, '"' * 20_000, "x" * 33, "x\ud800y"])
def test_no_text_is_refused_for_its_length_or_letters(text: str) -> None:
    service = Serverchan()
    assert through(service, message("", text=text)) == [Accepted()]
    assert service.sent[0]["desp"].endswith("\n\n<http://a.example/x>")
