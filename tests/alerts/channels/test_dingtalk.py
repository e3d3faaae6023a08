from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from alerts.channels.accounts import CLOCK_WRONG
from alerts.channels.channel import Accepted, Failed, Message, Outcome
from alerts.channels.dingtalk import DingtalkChannel
from tests.alerts.channels.providers import message
from tests.alerts.channels.sending import sent
from tests.alerts.channels.vendors.asked import Asked
from tests.alerts.channels.vendors.dingtalk import TOKEN, Dingtalk

NOW_S = 1_700_000_000.0
SECRET = "SECa1b2c3+/="


def through(robot: Dingtalk, *messages: Message, secret: str = "", clock_s: float = NOW_S) -> list[Outcome]:
    """Sends `messages` to the robot, whatever addresses they have."""

    def addressed(root: str) -> Sequence[Message]:
        address = f"{root}/robot/send?access_token={TOKEN}" + (f"#{secret}" if secret else "")
        return [replace(each, address=address) for each in messages]

    return sent(robot, lambda _: DingtalkChannel(clock=lambda: clock_s), addressed)


def test_a_message_arrives_as_text_with_its_link() -> None:
    robot = Dingtalk(NOW_S)
    assert through(robot, message("")) == [Accepted()]
    assert robot.texts == ["厨房 smoke\nhttp://a.example/x"]


def test_only_an_urgent_message_mentions_everybody() -> None:
    robot = Dingtalk(NOW_S)
    through(robot, message("", urgent=True), message("", urgent=False))
    assert robot.to_all == [True, False]


def test_a_secret_behind_the_hash_signs() -> None:
    robot = Dingtalk(NOW_S, secret=SECRET)
    assert through(robot, message(""), secret=SECRET) == [Accepted()]


def test_the_signature_is_the_one_that_openssl_makes() -> None:
    """printf '1700000000000\\nSECa1b2c3' | openssl dgst -sha256 -hmac SECa1b2c3 -binary | base64"""
    queries: list[dict[str, str]] = []

    class Kept(Dingtalk):
        def _unsafe(self, asked: Asked) -> str:
            queries.append(asked.query)
            return super()._unsafe(asked)

    assert through(Kept(NOW_S, secret="SECa1b2c3"), message(""), secret="SECa1b2c3") == [Accepted()]
    assert queries == [
        {
            "access_token": TOKEN,
            "timestamp": "1700000000000",
            "sign": "r3A3qrlgRa+TdR5aXyvO01zn0wmdf5B/XKtKbV42SDc=",
        }
    ]


@pytest.mark.parametrize("now_ms", range(1_700_000_000_000, 1_700_000_000_040))
def test_signatures_with_plus_and_slash_arrive_whole(now_ms: int) -> None:
    robot = Dingtalk(now_ms / 1000, secret=SECRET)
    assert through(robot, message(""), secret=SECRET, clock_s=now_ms / 1000) == [Accepted()]


@pytest.mark.parametrize(
    ("robot", "secret", "clock_s", "reason"),
    [
        (Dingtalk(NOW_S, secret=SECRET), "SECother", NOW_S, "the robot's signing secret does not match"),
        (Dingtalk(NOW_S, secret=SECRET), SECRET, NOW_S - 3700, CLOCK_WRONG),
        (
            Dingtalk(NOW_S, secret=SECRET),
            "",
            NOW_S,
            "the robot wants signatures: its secret is missing after # in the address",
        ),
        (Dingtalk(NOW_S, keyword="巡检"), "", NOW_S, "the robot wants a keyword that the message lacks"),
        (Dingtalk(NOW_S, listed=False), "", NOW_S, "our IP address is not on the robot's list"),
    ],
)
def test_what_the_robots_security_refuses_is_permanent_and_named(
    robot: Dingtalk, secret: str, clock_s: float, reason: str
) -> None:
    assert through(robot, message(""), secret=secret, clock_s=clock_s) == [Failed(reason, permanent=True)]


def test_security_in_words_of_the_vendor_alone_is_told_by_its_code() -> None:
    robot = Dingtalk(NOW_S, refuse_with={"errcode": 310000, "errmsg": "token 566cc69da782ec 13900000000"})
    assert through(robot, message("")) == [Failed("errcode 310000", permanent=True)]


def test_the_chinese_words_for_a_wrong_signature_are_known() -> None:
    robot = Dingtalk(NOW_S, refuse_with={"errcode": 310000, "errmsg": "机器人发送签名不匹配"})
    outcomes = through(robot, message(""), secret="SECother")
    assert outcomes == [Failed("the robot's signing secret does not match", permanent=True)]


def test_the_twenty_first_message_of_a_minute_waits_ten_minutes() -> None:
    outcomes = through(Dingtalk(NOW_S), *[message("")] * 21)
    assert outcomes == [*[Accepted()] * 20, Failed("errcode 130101", False, 600.0)]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {"status": 1111, "wait": 5, "source": "x5", "punish": "deny", "uuid": "9ff0"},
            Failed("held off by the provider's gateway", False, 5.0),
        ),
        (
            {"status": 1111, "wait": "soon", "punish": "deny"},
            Failed("held off by the provider's gateway"),
        ),
        (
            {"status": 1111, "wait": 10**9, "punish": "deny"},
            Failed("held off by the provider's gateway", False, 3600.0),
        ),
        ({"errcode": 410100, "errmsg": "发送速度太快而限流"}, Failed("errcode 410100", False, 600.0)),
        ({"errcode": -1, "errmsg": "系统繁忙"}, Failed("errcode -1")),
        ({"errcode": 400102, "errmsg": "机器人已停用"}, Failed("errcode 400102", permanent=True)),
        ({"errcode": 430102, "errmsg": "含有不合适的文本"}, Failed("errcode 430102", permanent=True)),
        ({"errcode": 999999}, Failed("errcode 999999")),
    ],
)
def test_codes_pass_last_or_are_worth_another_try(answer: dict[str, object], expected: Failed) -> None:
    assert through(Dingtalk(NOW_S, refuse_with=answer), message("")) == [expected]


def test_a_robot_that_does_not_exist_is_permanent() -> None:
    outcomes = sent(
        Dingtalk(NOW_S),
        lambda _: DingtalkChannel(),
        lambda root: [message(f"{root}/robot/send?access_token=other")],
    )
    assert outcomes == [Failed("errcode 300005", permanent=True)]


@pytest.mark.parametrize("text", ["烟" * 20_000, '"' * 20_000, "\\\n" * 20_000, "x\ud800y"])
def test_no_text_is_refused_for_its_length_or_letters(text: str) -> None:
    robot = Dingtalk(NOW_S)
    assert through(robot, message("", text=text)) == [Accepted()]
    assert robot.texts[0].endswith("\nhttp://a.example/x")
