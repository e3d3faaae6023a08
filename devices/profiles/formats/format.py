"""What a format is: a function from a payload to a tree of dict, list, str, int, float, bool and None.

A format says what stands in a payload, never what it means: that is the profile's. It raises `Unreadable` and
nothing else, whatever the octets, and its work is bounded by their number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from devices.profiles.profile import Reason

if TYPE_CHECKING:
    from devices.profiles.language.file import Message
    from devices.profiles.memory import Memory

DETAIL_MAX = 300
"""Width of the dead letter's column."""


class Unreadable(Exception):
    """A payload that its format cannot read: the reason, and where exactly or in whose words."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail[:DETAIL_MAX])
        self.reason = reason
        self.detail = detail[:DETAIL_MAX]


class FormatContext(NamedTuple):
    """What a format may know beside the payload.

    `captures`: names bound by the topic. `memory`: what the profile has learnt; formats write to it only what
    a payload said. `options`: the message kind, for `separator` and `columns`. `received_us`: when the
    payload came, 0 where nobody knows.
    """

    captures: Mapping[str, str]
    memory: Memory
    options: Message
    received_us: int = 0


Tree = Any
"""A value that stands in a payload: dict (with str keys), list, str, int, float, bool or None."""
Format = Callable[[bytes, FormatContext], Tree]
Codec = Callable[[bytes, int | None], dict[str, Any]]
"""Octets and the port they came on (LoRaWAN's fPort, None where not said) to the object that the vendor's own
decoder makes of them. Raises `Unreadable`."""
