"""Who is next: waiting handovers in fair order, few at once through one channel. Pure, no clock, no tasks."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Final, NamedTuple

from alerts.addresses import Destination
from alerts.channels.channel import Failed
from alerts.handover import Handover

AT_ONCE: Final = 2
"""Sends under way through one channel (chosen: one that hangs leaves a second, and a telephone or a desk's
webhook that takes half a second an answer holds two senders and no more)."""


class Waiting(NamedTuple):
    """A handover in line; the order of the fields is the order of the line. `key` keeps it strict."""

    rank: int
    turn: int
    created_us: int
    key: tuple[int, int]
    handover: Handover
    way: Destination | Failed


class Line:
    """A line ordered by severity, then by whose turn it is, then by age.

    A contact's first message of a severity goes before anyone's second: each takes the turn after its
    contact's last one, and the first joins at the turn being served. So however much waits for one contact,
    another's is next; and nobody waits for ever, since a contact has one message a turn. A handover whose
    channel has `AT_ONCE` under way stands aside and costs nobody time.

    Every call takes O(log n) of what waits, but that `take` also moves aside what it passes: each handover
    once, and once more at most for each end of a send of its channel. Remembers, beside what waits and is
    under way, one number a contact and severity until nobody waits.
    """

    def __init__(self) -> None:
        self._heap: list[Waiting] = []
        self._aside: dict[int, list[Waiting]] = {}
        self._under_way: dict[int, int] = {}
        self._serving: dict[int, int] = {}
        self._last: dict[tuple[int, int], int] = {}

    def join(self, handover: Handover, way: Destination | Failed) -> None:
        """Puts a handover in line. Those of one contact that come together should be given oldest first."""
        whose = handover.rank, handover.contact_id
        turn = max(self._serving.get(handover.rank, 0), self._last.get(whose, -1) + 1)
        self._last[whose] = turn
        key = handover.notification_id, handover.n
        heappush(self._heap, Waiting(handover.rank, turn, handover.created_us, key, handover, way))

    def take(self) -> Waiting | None:
        """The next one, from now on under way; None while nothing can be sent."""
        while self._heap:
            one = heappop(self._heap)
            channel = one.handover.channel_id
            under_way = self._under_way.get(channel, 0)
            if under_way < AT_ONCE:
                self._under_way[channel] = under_way + 1
                self._serving[one.rank] = max(self._serving.get(one.rank, 0), one.turn)
                return one
            heappush(self._aside.setdefault(channel, []), one)
        if not self._aside:  # nobody waits: the next to come begin afresh
            self._serving.clear()
            self._last.clear()
        return None

    def end(self, one: Waiting) -> None:
        """The send is over: the first that stood aside for its channel is back in line."""
        channel = one.handover.channel_id
        self._under_way[channel] -= 1
        if not self._under_way[channel]:
            del self._under_way[channel]
        if aside := self._aside.get(channel):
            heappush(self._heap, heappop(aside))
            if not aside:
                del self._aside[channel]
