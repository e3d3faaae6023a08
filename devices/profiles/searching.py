"""What is searched of messages that nobody can read, and how much of it: bounded in a tick, whoever sends,
and shared out so that whoever floods leaves enough for another's fire.

A search costs 0.1 to 1.2 µs an octet, by what the octets are (measured with hostile messages). Short messages
are always searched; the beginnings of longer ones, as much as a device's own message has, and long ones
whole, as long as the tick has octets left for either (`devices.profiles.shares`). What is left out is counted
and shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, TypeVar

from devices.profiles.shares import Shares

LEAST: Final = 256
"""Octets of each message that are searched whatever else comes (chosen: most detectors send fewer)."""
HEAD: Final = 2_048
"""Octets that count as the beginning of a message (chosen: an uplink of a LoRaWAN server, the longest message
that a single detector sends, has some 1,500)."""
TICK_OCTETS: Final = 1 << 18
"""Octets of beginnings, and of longer messages, that are searched in one tick (chosen: the longest message
that is read by default, 256 KiB, so that either holds a tick up by some 0.3 s at the very worst, measured on
a busy machine)."""
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_SAME_BLANK: Final = bytes.maketrans(b"\t\n\v\f\r\0", b"      ")
_RUN: Final = re.compile(rb"[\s\x00]{5,}+")


class Searching:
    """How much may be searched in the tick at hand; shared by all profiles of a decoder.

    However much comes on topics below one prefix of up to `shares.LEVELS_MAX` levels, a message on a topic
    that is not below it is searched to its first `HEAD` octets. Not promised: more than `HEAD` of a longer
    one, and `HEAD` of each of many beside a flood (`Shares`).
    """

    def __init__(self, octets: int | None = None) -> None:
        """`octets`: as many a tick for beginnings, as many for long messages; None: no bound, for a trial of
        single messages."""
        self._is_bound = octets is not None
        self._heads, self._whole = Shares(octets or 0), Shares(octets or 0)
        self.short = 0
        """How many messages were too long to be searched whole, since the start."""

    def start_tick(self) -> None:
        """A new tick begins."""
        self._heads.start_tick()
        self._whole.start_tick()

    def part(self, payload: bytes, topic: str) -> bytes:
        """As much of a payload as is searched now: all of it, or its beginning, which is counted."""
        size = len(payload)
        if size <= LEAST or not self._is_bound or (size > HEAD and self._whole.take(topic, size)):
            return payload
        head = payload[: HEAD if self._heads.take(topic, min(size, HEAD)) else LEAST]
        self.short += len(head) < size
        return head


PLACES_MAX: Final = 8_192
"""Places of one message that are looked at, by all kinds that it could be (chosen: four times the values that
one message may have)."""
One = TypeVar("One")


class Places:
    """How many places of the message at hand may still be looked at."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = PLACES_MAX

    def each(self, some: Iterable[One], cost: int = 1) -> Iterator[One]:
        """As many of these as there are places left, each of which counts as `cost`."""
        for one in some:
            if self.left <= 0:
                return
            self.left -= cost
            yield one


@lru_cache(maxsize=2)
def searchable(payload: bytes) -> bytes:
    """The octets as they are searched: UTF-16 that says so by its byte order mark as UTF-8, and long runs of
    blanks as one. Of UTF-16 with names and words of ASCII every other octet is 0. Never raises."""
    if payload[:2] in _UTF_16 and payload.count(0) >= len(payload) // 4:
        payload = payload.decode("utf-16", errors="replace").encode(errors="replace")
    if b"     " in payload.translate(_SAME_BLANK):
        return _RUN.sub(_one_blank, payload)
    return payload


def _one_blank(run: re.Match[bytes]) -> bytes:
    """A NUL where there is one, for it may end a text that is cut off."""
    return b"\0" if b"\0" in run[0] else b" "


@lru_cache(maxsize=2)
def lowered(payload: bytes) -> bytes:
    """The octets with letters in lower case, to look for names in any."""
    return payload.lower()
