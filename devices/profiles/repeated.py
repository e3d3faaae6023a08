"""Keys that stand more often in the octets of JSON than in what was read of it.

Where an object has a key twice, a reader keeps the last value, and the first may have been a fire. Only that
a key is hidden is told here; what it says is for the search in the octets (`rescue`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import repeat
from operator import contains
from typing import Any, Final

TWICE: Final = "stands more often in the message than can be read: twice in one object"
"""Why a message is refused that hides a life flag, behind its key."""

Counts = dict[str, int]


class RepeatedKeys:
    """Looks for some keys; costs one search for plain octets where a message has none of them."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._octets = {key: f'"{key}"'.encode() for key in keys if key}
        self._as_key = {
            key: re.compile(re.escape(octets) + rb"[ \t\r\n]{0,64}:") for key, octets in self._octets.items()
        }

    def hidden(self, payload: bytes, tree: object) -> str:
        """The first key that stands more often in `payload` than in `tree`, "" for none. Never raises."""
        there = [key for key, octets in self._octets.items() if octets in payload]
        if not there:
            return ""
        read = counted(tree, there)
        return next((key for key in there if self._count(key, payload) > read[key]), "")

    def doubtful(self, payloads: Sequence[bytes], usual: Counts) -> list[int]:
        """The places of messages that have one of the keys more often than is `usual`: somebody must look
        closer. Costs one count of plain octets for each key, and one look into each message for those that
        are usual: a key that stands twice here and not at all there comes to the same sum."""
        whole = b"".join(payloads)
        found: set[int] = set()
        for key, each in usual.items():
            octets = self._octets[key]
            as_often = whole.count(octets) == each * len(payloads)
            if as_often and (not each or (each == 1 and all(map(contains, payloads, repeat(octets))))):
                continue
            found |= {n for n, payload in enumerate(payloads) if payload.count(octets) > each}
        return sorted(found)

    def usual(self, tree: object) -> Counts:
        """How often each key stands in a message that was understood."""
        return counted(tree, self._octets)

    def _count(self, key: str, payload: bytes) -> int:
        return len(self._as_key[key].findall(payload))


def counted(tree: Any, keys: Collection[str]) -> Counts:  # noqa: ANN401
    """How often each of some keys is one in a tree of objects and lists."""
    found = dict.fromkeys(keys, 0)
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        if type(value) is dict:
            for key in found:
                if key in value:
                    found[key] += 1
            waiting += [one for one in value.values() if type(one) is dict or type(one) is list]
        elif type(value) is list:
            waiting += [one for one in value if type(one) is dict or type(one) is list]
    return found
