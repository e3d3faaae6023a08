from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from alerts.channels.channel import Accepted, Failed, Message, Outcome
from alerts.channels.wecom_app import WecomAppChannel, WecomAppSettings
from tests.alerts.channels.providers import Answer, message, provider
from tests.alerts.channels.sending import root, sent
from tests.alerts.channels.vendors.wecom import AGENT_ID, CORP_ID, SECRET, WecomServer

PARTS = {"severity": "P0", "what": "烟感报警", "where": "3-2-501"}


def opened(at: str, secret: str = SECRET) -> WecomAppChannel:
    return WecomAppChannel(WecomAppSettings(CORP_ID, AGENT_ID, secret, at))


def through(server: Answer, *messages: Message, secret: str = SECRET) -> list[Outcome]:
    return sent(server, lambda at: opened(at, secret), lambda _: messages)


def at_once(server: WecomServer, messages: Sequence[Message]) -> list[Outcome]:
    async def send() -> list[Outcome]:
        async with provider(server) as served:
            channel = opened(root(served))
            try:
                return await asyncio.gather(*(channel.send(each) for each in messages))
            finally:
                await channel.close()

    return asyncio.run(send())


def told(text: str = "厨房 smoke", link: str = "http://a.example/x", language: str = "zh-CN") -> Message:
    return replace(message("grid.07", text=text), link=link, language=language, parts=PARTS)


def test_a_card_opens_the_link_with_one_tap() -> None:
    server = WecomServer()
    assert through(server, told("厨房冒烟\n请速查看")) == [Accepted(receipt="msg-1")]
    assert server.sent == [
        {
            "touser": "grid.07",
            "agentid": AGENT_ID,
            "safe": 0,
            "msgtype": "textcard",
            "textcard": {
                "title": "P0 烟感报警 · 3-2-501",
                "description": "厨房冒烟<br>请速查看",
                "url": "http://a.example/x",
                "btntxt": "处理",
            },
        }
    ]


def test_the_button_speaks_the_contacts_language() -> None:
    server = WecomServer()
    through(server, told(language="en"))
    assert server.sent[0]["textcard"]["btntxt"] == "Open"  # type: ignore[index]


def test_a_text_too_long_for_a_card_goes_as_text_with_its_link() -> None:
    server = WecomServer()
    through(server, told("烟" * 170), told("烟" * 171))
    assert [each["msgtype"] for each in server.sent] == ["textcard", "text"]
    assert server.sent[1]["text"] == {"content": "烟" * 171 + "\nhttp://a.example/x"}


def test_without_a_link_there_is_no_card() -> None:
    server = WecomServer()
    through(server, told(link=""))
    assert server.sent[0]["text"] == {"content": "厨房 smoke"}


def test_a_card_of_nothing_but_a_link_says_its_title_twice() -> None:
    server = WecomServer()
    through(server, told("http://a.example/x"))
    assert server.sent[0]["textcard"]["description"] == "P0 烟感报警 · 3-2-501"  # type: ignore[index]


@pytest.mark.parametrize(
    "text", ["烟" * 20_000, "烟\n" * 100, '"' * 2_100, "x\ud800y", "<a href='x'>点我</a>"]
)
def test_no_text_is_refused_for_its_length_or_letters(text: str) -> None:
    server = WecomServer()
    assert through(server, told(text)) == [Accepted(receipt="msg-1")]
    assert "<a" not in str(server.sent[0])


@pytest.mark.parametrize("address", ["@all", "a|b", "", "王芳", "a b", "x" * 65, "a\n"])
def test_an_address_that_is_not_one_member_is_never_sent_to(address: str) -> None:
    server = WecomServer()
    outcomes = through(server, replace(told(), address=address))
    assert outcomes == [Failed("the address is not one member's account", permanent=True)]
    assert server.given == 0


def test_many_sends_at_once_ask_for_one_token() -> None:
    server = WecomServer(answers_slowly=True)
    outcomes = at_once(server, [told()] * 30)
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert server.given == 1


@pytest.mark.parametrize("code", [40014, 42001])
def test_a_token_that_ended_early_is_replaced_and_the_message_sent_again(code: int) -> None:
    server = WecomServer(ended={"t1+/="}, ended_code=code)

    async def send() -> list[Outcome]:
        async with provider(server) as served:
            clock = [0.0]
            channel = WecomAppChannel(
                WecomAppSettings(CORP_ID, AGENT_ID, SECRET, root(served)), clock=lambda: clock[0]
            )
            server.ended.clear()
            first = await channel.send(told())
            server.ended.add("t1+/=")
            clock[0] = 10.0
            later = await asyncio.gather(*(channel.send(told()) for _ in range(10)))
            await channel.close()
            return [first, *later]

    outcomes = asyncio.run(send())
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert server.given == 2
    assert len(server.sent) == 11


def test_a_token_that_the_server_never_takes_is_tried_no_more_than_twice() -> None:
    server = WecomServer(ended={"t1+/="}, stubborn=True)
    assert through(server, told()) == [Failed("errcode 40014")]
    assert server.tries == 2
    assert server.given == 1


def test_a_wrong_secret_is_permanent_and_sends_nothing() -> None:
    server = WecomServer()
    assert through(server, told(), secret="other") == [Failed("errcode 40001", permanent=True)]
    assert server.tries == 0


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (45009, Failed("errcode 45009", False, 60.0)),
        (-1, Failed("errcode -1")),
        (40013, Failed("errcode 40013", permanent=True)),
    ],
)
def test_no_token_is_a_failure_of_the_message(code: int, expected: Failed) -> None:
    assert through(WecomServer(refuse_token_with=code), told()) == [expected]


@pytest.mark.parametrize("expires_in", [7200, "7200", None, -5, 10**30, "soon", True])
def test_any_life_of_a_token_is_borne(expires_in: object) -> None:
    server = WecomServer(expires_in=expires_in)
    assert through(server, told()) == [Accepted(receipt="msg-1")]


def test_a_member_is_found_in_whatever_case() -> None:
    server = WecomServer()
    assert through(server, replace(told(), address="zhangsan")) == [Accepted(receipt="msg-1")]


def test_an_unknown_member_is_permanent() -> None:
    assert through(WecomServer(), replace(told(), address="nobody")) == [
        Failed("errcode 81013", permanent=True)
    ]


def test_an_unknown_member_beside_the_code_zero_is_permanent() -> None:
    assert through(WecomServer(lenient=True), replace(told(), address="nobody")) == [
        Failed("the member is unknown, or outside of what the application may see", permanent=True)
    ]


def test_a_member_without_a_licence_is_permanent() -> None:
    assert through(WecomServer(unlicensed={"grid.07"}), told()) == [
        Failed("the member has no licence for the application", permanent=True)
    ]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (45009, Failed("errcode 45009", False, 60.0)),
        (45033, Failed("errcode 45033", False, 2.0)),
        (60020, Failed("errcode 60020", permanent=True)),
        (4711, Failed("errcode 4711")),
    ],
)
def test_codes_pass_last_or_are_worth_another_try(code: int, expected: Failed) -> None:
    assert through(WecomServer(refuse_with=code), told()) == [expected]


def test_settings_do_not_show_their_secret() -> None:
    assert SECRET not in repr(WecomAppSettings(CORP_ID, AGENT_ID, SECRET))
