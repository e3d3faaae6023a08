"""Messages with parts through one channel to one server, and what came of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from alerts.channels.channel import Channel, Failed, Message, Outcome
from devices.model import Medium
from tests.alerts.channels.providers import Answer, Provider, provider

PARTS: Mapping[str, str] = {
    "severity": "P0",
    "what": "烟雾报警",
    "where": "3栋2单元501厨房",
    "since": "14:02",
    "do": "立即查看",
    "why_now": "",
    "text": "3栋2单元501厨房 14:02 烟雾报警",
    "link": "https://a.example/a/7-3-abcdefghijklmnopqrstuv",
    "code": "7-3-abcdefghijklmnopqrstuv",
}
SECRETS = ("13900001234", "Secret", "secret", "Gu5t9", "a.example", "127.0.0.1")


def to(address: str, language: str = "zh-CN", urgent: bool = True, **parts: str) -> Message:
    """A message to `address` with the usual parts, some replaced."""
    filled = {**PARTS, **parts}
    return Message(
        key="7/1/first/0/3/sms",
        address=address,
        medium=Medium.SMS,
        text=filled["text"],
        link=filled["link"],
        urgent=urgent,
        language=language,
        parts=filled,
    )


def send(
    open_channel: Callable[[Provider], Channel], answer: Answer, *messages: Message
) -> tuple[list[Outcome], list[bytes]]:
    """Sends them one after the other; no reason may tell an address or a secret."""

    async def main() -> tuple[list[Outcome], list[bytes]]:
        async with provider(answer) as served:
            channel = open_channel(served)
            try:
                outcomes = [await channel.send(one) for one in messages]
            finally:
                await channel.close()
            return outcomes, served.requests

    outcomes, requests = asyncio.run(main())
    for one in outcomes:
        assert not isinstance(one, Failed) or not any(secret in one.reason for secret in SECRETS)
    return outcomes, requests
