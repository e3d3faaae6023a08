"""What the turn hands to the sender: one attempt at one notification, already committed as started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from devices.model import Medium


@dataclass(frozen=True, slots=True)
class Handover:
    """One attempt to make now.

    `key` is the notification's idempotency key, sent along so that a provider can drop a repeat. `rank` is
    the severity's (0 and 1 are P0+ and P0: they have senders of their own). `started_us` is when the
    attempt was committed, `created_us` when the notification was. `parts` are the pieces of `text`.
    """

    notification_id: int
    n: int
    key: str
    incident_id: int
    contact_id: int
    channel_id: int
    medium: Medium
    rank: int
    text: str
    link: str
    created_us: int
    started_us: int
    language: str = "zh-CN"
    parts: Mapping[str, str] = field(default_factory=dict)


def pack_parts(parts: Mapping[str, str]) -> str:
    """As the outbox keeps them."""
    return msgspec.json.encode(parts).decode()


def read_parts(text: str) -> Mapping[str, str]:
    """None of them where they cannot be read: the text is complete by itself."""
    try:
        return msgspec.json.decode(text, type=dict[str, str])
    except msgspec.DecodeError:
        return {}
