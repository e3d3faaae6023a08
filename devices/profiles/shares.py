"""A tick's octets shared out among those who speak, of whom nobody knows how much the others will say. Pure.

Who published a message is not to be seen; its topic is, and whoever may publish has a prefix of topics of his
own (docs/broker.md), below which he may invent as many as he likes. So shares follow the topic's levels. Half
of the octets are for whoever comes first. When they are gone, the other half is given away so that at each
level whoever has had some gets no more than half of what there is for him and those beside him.
"""

from __future__ import annotations

from typing import Final

LEVELS_MAX: Final = 6
"""Levels of a topic that tell who speaks; those behind them are not looked at (chosen: no shipped profile
knows a publisher by more than four, and with the octets of a tick it is the most for which half of a half of
a half still holds a beginning)."""


class Shares:
    """Octets of one tick, given away message by message and never taken back.

    R is the half of `octets` that is shared. Where all that came before stands below one prefix of j levels,
    j at most `LEVELS_MAX`, and none of it asked for more than R / 2**j octets, a message of so many on a
    topic that is not below that prefix is given them. Where f roots flood side by side, so is one of R / 2**f
    on another root. Each message that is given some leaves less for the next: not promised is how much there
    is for many who say little each beside one who floods, nor anything beside messages of more than R / 2**j,
    the first of which may have all that is left.

    Remembers a number for each level of those who were given some of R, until the tick ends.
    """

    __slots__ = ("_first", "_free", "_left", "_octets", "_used")

    def __init__(self, octets: int) -> None:
        self._octets = octets
        self._first = self._free = octets // 2
        self._left = octets - self._first
        self._used: dict[int, int] = {}

    def start_tick(self) -> None:
        """All is there again."""
        self._free, self._left = self._first, self._octets - self._first
        if self._used:
            self._used = {}

    def take(self, topic: str, size: int) -> bool:
        """Whether a message on a topic is given so many octets."""
        beyond = size - self._free
        if beyond <= 0:
            self._free -= size
            return True
        room = self._left
        if beyond > room:
            return False
        speakers = _speakers(topic)
        for one in speakers:
            used = self._used.get(one, 0)
            if used:
                room = (room + used) // 2 - used
            if beyond > room:
                return False
        for one in speakers:
            self._used[one] = self._used.get(one, 0) + beyond
        self._free, self._left = 0, self._left - beyond
        return True


def _speakers(topic: str) -> list[int]:
    """A number for each beginning of a topic that ends with a level, as far as they are looked at. Two of
    them are one by a chance of some 1 in 2**61."""
    numbers, number = [], 0
    for level in topic.split("/", LEVELS_MAX)[:LEVELS_MAX]:
        number = hash((number, level))
        numbers.append(number)
    return numbers
