"""Slow and broken providers, through every channel that posts to a robot or an application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from alerts.channels.channel import Channel, Failed, Message
from alerts.channels.dingtalk import DingtalkChannel
from alerts.channels.feishu import FeishuChannel
from alerts.channels.refusals import NOT_UNDERSTOOD
from alerts.channels.serverchan import ServerchanChannel
from alerts.channels.webhook import WebhookChannel
from alerts.channels.wecom_app import WecomAppChannel, WecomAppSettings
from alerts.channels.wecom_bot import WecomBotChannel
from tests.alerts.channels.providers import (
    Answer,
    Provider,
    breaks_off_in_the_body,
    message,
    provider,
    resets,
    says,
    stays_silent,
)
from tests.alerts.channels.sending import root

Opening = Callable[[float, str], Channel]
"""Given its time limit and where its server is."""
ROBOTS: dict[str, Opening] = {
    "dingtalk": lambda timeout_s, _: DingtalkChannel(timeout_s),
    "feishu": lambda timeout_s, _: FeishuChannel(timeout_s),
    "wecom_bot": lambda timeout_s, _: WecomBotChannel(timeout_s),
    "serverchan": lambda timeout_s, _: ServerchanChannel(timeout_s),
    "wecom_app": lambda timeout_s, at: WecomAppChannel(
        WecomAppSettings("secret-corp", 1, "secret-app", at), timeout_s
    ),
}
ALL: dict[str, Opening] = {**ROBOTS, "webhook": lambda timeout_s, _: WebhookChannel(timeout_s)}
every_channel = pytest.mark.parametrize("name", ALL)
every_robot = pytest.mark.parametrize("name", ROBOTS)


def addressed(name: str, served: Provider, urgent: bool = True) -> Message:
    return message("grid.07" if name == "wecom_app" else f"{served.url()}#secret-sign", urgent=urgent)


def failure(name: str, answer: Answer, timeout_s: float = 8.0) -> Failed:
    async def send() -> object:
        async with provider(answer) as served:
            channel = ALL[name](timeout_s, root(served))
            try:
                return await channel.send(addressed(name, served))
            finally:
                await channel.close()

    outcome = asyncio.run(send())
    assert isinstance(outcome, Failed)
    assert "secret" not in outcome.reason and "127.0.0.1" not in outcome.reason
    assert "grid.07" not in outcome.reason
    return outcome


@every_channel
def test_silence_is_a_failure(name: str) -> None:
    assert failure(name, stays_silent, timeout_s=0.2) == Failed("no answer in time")


@every_channel
def test_a_reset_is_a_failure(name: str) -> None:
    assert not failure(name, resets).permanent


@every_channel
def test_an_answer_that_breaks_off_is_a_failure(name: str) -> None:
    assert failure(name, breaks_off_in_the_body) == Failed("the connection broke off")


@every_channel
@pytest.mark.parametrize(
    ("status", "permanent"), [("503 Busy", False), ("404 Gone", True), ("302 Elsewhere", False)]
)
def test_a_status_without_a_code_speaks_for_itself(name: str, status: str, permanent: bool) -> None:
    assert failure(name, says(status, "<html>")) == Failed(f"HTTP {status[:3]}", permanent)


@every_channel
def test_429_is_tried_again_when_the_provider_says(name: str) -> None:
    assert failure(name, says("429 Too Many", "", "Retry-After: 7")) == Failed("HTTP 429", False, 7.0)


@every_robot
@pytest.mark.parametrize("page", ["<html>log in to the network</html>", "", "[]", "0", "{}", "x" * 100_000])
def test_a_200_that_is_not_the_providers_is_not_taken_for_delivery(name: str, page: str) -> None:
    assert failure(name, says("200 OK", page)) == Failed(NOT_UNDERSTOOD)


@every_channel
def test_a_silent_provider_does_not_hold_up_the_next_message(name: str) -> None:
    """Ten lesser messages hang; an urgent one is answered meanwhile."""

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        if b"lesser" in request:
            await stays_silent(request, writer)
        token = b'{"errcode": 0, "code": 0, "access_token": "t", "expires_in": 7200}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(token) + token)

    async def send() -> bool:
        async with provider(answer) as served:
            channel = ALL[name](8.0, root(served))
            hanging = [asyncio.create_task(channel.send(lesser(served))) for _ in range(10)]
            await served.wait_for(10)
            urgent = await channel.send(addressed(name, served))
            still = not any(task.done() for task in hanging)
            for task in hanging:
                task.cancel()
            await asyncio.gather(*hanging, return_exceptions=True)
            await channel.close()
            return still and not isinstance(urgent, Failed)

    def lesser(served: Provider) -> Message:
        plain = addressed(name, served, urgent=False)
        return Message(plain.key, plain.address, plain.medium, "lesser", plain.link, False)

    assert asyncio.run(send())


@every_channel
def test_cancelling_a_send_leaves_the_channel_usable(name: str) -> None:
    hung = asyncio.Event()

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        if not hung.is_set():
            hung.set()
            await stays_silent(request, writer)
        token = b'{"errcode": 0, "code": 0, "access_token": "t", "expires_in": 7200}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(token) + token)

    async def send() -> object:
        async with provider(answer) as served:
            channel = ALL[name](0.5, root(served))
            first = asyncio.create_task(channel.send(addressed(name, served)))
            await hung.wait()
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            await asyncio.sleep(0)
            outcome = await channel.send(addressed(name, served))
            if isinstance(
                outcome, Failed
            ):  # the token that hung was shared, and is asked for again after a second
                await asyncio.sleep(1.1)
                outcome = await channel.send(addressed(name, served))
            await channel.close()
            return outcome

    assert not isinstance(asyncio.run(send()), Failed)


@every_channel
def test_an_address_that_is_no_web_address_is_permanently_wrong(name: str) -> None:
    async def send() -> object:
        channel = ALL[name](8.0, "nonsense")
        plain = message("grid.07" if name == "wecom_app" else "13900000000#secret")
        outcome = await channel.send(plain)
        await channel.close()
        return outcome

    assert asyncio.run(send()) == Failed("the address is not a web address", permanent=True)
