"""Who may take up time in a tick: so many of those that want to, taking turns from tick to tick.

Messages come in much the same order in every tick. Were it always the first ones that may teach a form, those
that never fit one would keep all others from it for good.
"""

from __future__ import annotations


class Turns:
    """At most `most` a tick. Who asks at one place of ticks of one length has its turn after at most
    length / `most` + 1 ticks."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._first = 0
        self._asked = 0
        self._asked_before = 1
        self._given = 0

    def start_tick(self) -> None:
        """Time goes on."""
        self._asked_before = max(1, self._asked)
        self._first = (self._first + self._most) % self._asked_before
        self._asked = self._given = 0

    def mine(self) -> bool:
        """Asked once by each that wants to: whether it may."""
        place, self._asked = self._asked, self._asked + 1
        if self._given >= self._most or (place - self._first) % self._asked_before >= self._most:
            return False
        self._given += 1
        return True
