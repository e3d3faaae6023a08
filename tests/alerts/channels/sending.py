"""Sends through a channel to a server of its own, and closes both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from alerts.channels.channel import Channel, Message, Outcome
from tests.alerts.channels.providers import Answer, Provider, provider


def sent(
    answer: Answer,
    open_channel: Callable[[str], Channel],
    messages: Callable[[str], Sequence[Message]],
) -> list[Outcome]:
    """One after the other; both callables are given `http://127.0.0.1:PORT`."""

    async def send() -> list[Outcome]:
        async with provider(answer) as served:
            channel = open_channel(root(served))
            try:
                return [await channel.send(each) for each in messages(root(served))]
            finally:
                await channel.close()

    return asyncio.run(send())


def root(served: Provider) -> str:
    return f"http://127.0.0.1:{served.port}"
