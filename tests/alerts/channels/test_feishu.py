from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from alerts.channels.channel import Accepted, Failed, Message, Outcome
from alerts.channels.feishu import FeishuChannel
from tests.alerts.channels.providers import message, says
from tests.alerts.channels.sending import sent
from tests.alerts.channels.vendors.feishu import TOKEN, Feishu

NOW_S = 1_599_360_473.0
SECRET = "nIMtb7r3N9"


def through(bot: Feishu, *messages: Message, secret: str = "", clock_s: float = NOW_S) -> list[Outcome]:
    """Sends `messages` to the bot, whatever addresses they have."""

    def addressed(root: str) -> Sequence[Message]:
        address = f"{root}/open-apis/bot/v2/hook/{TOKEN}" + (f"#{secret}" if secret else "")
        return [replace(each, address=address) for each in messages]

    return sent(bot, lambda _: FeishuChannel(clock=lambda: clock_s), addressed)


def test_a_message_arrives_as_text_with_its_link() -> None:
    bot = Feishu(NOW_S)
    assert through(bot, message("")) == [Accepted()]
    assert bot.texts == ["厨房 smoke\nhttp://a.example/x"]


def test_a_bot_of_the_old_kind_says_yes_by_its_status_code() -> None:
    assert through(Feishu(NOW_S, old=True), message("")) == [Accepted()]


def test_a_secret_behind_the_hash_signs_time_and_secret_as_the_key() -> None:
    assert through(Feishu(NOW_S, secret=SECRET), message(""), secret=SECRET) == [Accepted()]


def test_the_signature_is_the_one_that_openssl_makes() -> None:
    """printf '' | openssl dgst -sha256 -mac HMAC -macopt hexkey:(time, line break, secret) | base64"""
    bodies: list[dict[str, object]] = []

    class Kept(Feishu):
        def _genuine(self, stamp: str, sign: str) -> bool:
            bodies.append({"timestamp": stamp, "sign": sign})
            return super()._genuine(stamp, sign)

    through(Kept(NOW_S, secret=SECRET), message(""), secret=SECRET)
    assert bodies == [{"timestamp": "1599360473", "sign": "Q4CrR3dgTyoxLH50UpHm3GHP+d/w2afwcssxNfokOcE="}]


@pytest.mark.parametrize(
    ("secret", "clock_s"), [("other", NOW_S), (SECRET, NOW_S - 3700), (SECRET, NOW_S + 3700), ("", NOW_S)]
)
def test_a_wrong_signature_or_clock_is_permanent(secret: str, clock_s: float) -> None:
    bot = Feishu(NOW_S, secret=SECRET)
    assert through(bot, message(""), secret=secret, clock_s=clock_s) == [Failed("code 19021", permanent=True)]


def test_a_keyword_that_the_message_lacks_is_permanent() -> None:
    assert through(Feishu(NOW_S, keyword="巡检"), message("")) == [Failed("code 19024", permanent=True)]


def test_an_unknown_bot_is_permanent() -> None:
    outcomes = sent(
        Feishu(NOW_S),
        lambda _: FeishuChannel(),
        lambda root: [message(f"{root}/open-apis/bot/v2/hook/other")],
    )
    assert outcomes == [Failed("code 19001", permanent=True)]


def test_the_sixth_message_of_a_second_waits_though_it_comes_with_status_400() -> None:
    outcomes = through(Feishu(NOW_S), *[message("")] * 6)
    assert outcomes == [*[Accepted()] * 5, Failed("code 9499", False, 5.0)]


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        ((200, {"code": 11232, "msg": "frequency limited psm[x]"}), Failed("code 11232", False, 5.0)),
        ((200, {"code": 11220, "msg": "Too many requests"}), Failed("code 11220", False, 5.0)),
        (
            (200, {"StatusCode": 9499, "StatusMessage": "too many request"}),
            Failed("StatusCode 9499", False, 5.0),
        ),
        ((400, {"code": 9499, "msg": "Bad Request"}), Failed("code 9499", permanent=True)),
        ((400, {"code": 9499, "msg": "something new"}), Failed("code 9499")),
        ((400, {"code": 9499}), Failed("code 9499")),
        ((200, {"code": 19022, "msg": "Ip Not Allowed"}), Failed("code 19022", permanent=True)),
        ((500, {"code": 1500, "msg": "internal error"}), Failed("code 1500")),
        ((200, {"code": 7, "msg": ["a", {"b": 1}]}), Failed("code 7")),
        ((502, {}), Failed("HTTP 502")),
    ],
)
def test_codes_pass_last_or_are_worth_another_try(
    refusal: tuple[int, dict[str, object]], expected: Failed
) -> None:
    assert through(Feishu(NOW_S, refuse_with=refusal), message("")) == [expected]


def test_a_limit_with_retry_after_is_waited_for() -> None:
    body = json.dumps({"code": 11232, "msg": "frequency limited"})
    outcomes = sent(
        says("429 Too Many", body, "Retry-After: 30"), lambda _: FeishuChannel(), lambda root: [message(root)]
    )
    assert outcomes == [Failed("code 11232", False, 30.0)]


@pytest.mark.parametrize("text", ["烟" * 20_000, '"' * 20_000, "\\\n" * 20_000, "x\ud800y"])
def test_no_text_is_refused_for_its_length_or_letters(text: str) -> None:
    bot = Feishu(NOW_S)
    assert through(bot, message("", text=text)) == [Accepted()]
    assert bot.texts[0].endswith("\nhttp://a.example/x")
