"""Which channel carries what: one of each, opened together."""

from __future__ import annotations

from collections.abc import Mapping

from alerts.channels.apprise import AppriseChannel
from alerts.channels.channel import Channel
from alerts.channels.webhook import WebhookChannel
from devices.model import Carrier


def open_channels() -> dict[Carrier, Channel]:
    """A channel for every carrier. Nothing is connected or started yet; `close_channels` when done."""
    return {Carrier.WEBHOOK: WebhookChannel(), Carrier.APPRISE: AppriseChannel()}


async def warm_channels(channels: Mapping[Carrier, Channel]) -> None:
    """Starts what takes long to start, before the first alarm needs it."""
    for channel in channels.values():
        if isinstance(channel, AppriseChannel):
            await channel.warm()


async def close_channels(channels: Mapping[Carrier, Channel]) -> None:
    """Closes them all, each whatever happens to the others."""
    for channel in channels.values():
        await channel.close()
