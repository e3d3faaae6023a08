"""Who is next: waiting handovers in fair order, few at once through one channel, and never all through one
provider. Pure, no clock, no tasks."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple

from alerts.addresses import Destination
from alerts.channels.channel import Failed
from alerts.handover import Handover

AT_ONCE: Final = 2
"""Sends under way through one channel (chosen: one that hangs leaves a second, and a telephone or a desk's
webhook that takes half a second an answer holds two senders and no more)."""

LOOKS: Final = 2
"""Looks in a row after a first one at which nothing has moved: then the provider does not answer."""


class Waiting(NamedTuple):
    """A handover in line; the order of the fields is the order of the line. `key` keeps it strict."""

    rank: int
    turn: int
    created_us: int
    key: tuple[int, int]
    handover: Handover
    way: Destination | Failed
    keys: tuple[_Key, ...]
    """What it keeps busy: its channel and its provider; of a way that failed there is none to ask."""


_Key = tuple[str, int | str]


def _busy(handover: Handover, way: Destination | Failed) -> tuple[_Key, ...]:
    channel = ("channel", handover.channel_id)
    return (channel, ("provider", way.provider)) if isinstance(way, Destination) else (channel,)


class Line:
    """A line ordered by severity, then by whose turn it is, then by age.

    A contact's first message of a severity goes before anyone's second: each takes the turn after its
    contact's last one, and the first joins at the turn being served. So however much waits for one contact,
    another's is next; and nobody waits for ever, since a contact has one message a turn. A handover whose
    channel has `AT_ONCE` under way, or whose provider has `share`, stands aside and costs nobody time: a
    provider that does not answer holds no more senders than that. Who stands aside for one of which no send
    ends at all is let go by `give_up`.

    Every call takes O(log n) of what waits, but that `take` also moves aside what it passes: each handover
    once, and once more at most for each end of a send of its channel or provider. Remembers, beside what
    waits and is under way, one number a contact and severity until nobody waits.
    """

    def __init__(self, share: int = 1 << 30) -> None:
        """`share`: sends under way through one provider at most."""
        self._share = share
        self._heap: list[Waiting] = []
        self._aside: dict[_Key, list[Waiting]] = {}
        self._under_way: dict[_Key, int] = {}
        self._looks: dict[_Key, int] = {}
        """At how many looks somebody stood aside for it and no send had ended since the one before."""
        self._serving: dict[int, int] = {}
        self._last: dict[tuple[int, int], int] = {}

    def join(self, handover: Handover, way: Destination | Failed) -> None:
        """Puts a handover in line. Those of one contact that come together should be given oldest first."""
        whose = handover.rank, handover.contact_id
        turn = max(self._serving.get(handover.rank, 0), self._last.get(whose, -1) + 1)
        self._last[whose] = turn
        key = handover.notification_id, handover.n
        busy = _busy(handover, way)
        heappush(self._heap, Waiting(handover.rank, turn, handover.created_us, key, handover, way, busy))

    def take(self) -> Waiting | None:
        """The next one, from now on under way; None while nothing can be sent."""
        while self._heap:
            one = heappop(self._heap)
            busy = next((key for key in one.keys if self._is_busy(key)), None)
            if busy is None:
                for key in one.keys:
                    self._under_way[key] = self._under_way.get(key, 0) + 1
                self._serving[one.rank] = max(self._serving.get(one.rank, 0), one.turn)
                return one
            heappush(self._aside.setdefault(busy, []), one)
        if not self._aside:  # nobody waits: the next to come begin afresh
            self._serving.clear()
            self._last.clear()
        return None

    def end(self, one: Waiting) -> None:
        """The send is over: the first that stood aside for its channel, or its provider, is back in line."""
        for key in one.keys:
            self._looks.pop(key, None)
            self._under_way[key] -= 1
            if not self._under_way[key]:
                del self._under_way[key]
            if aside := self._aside.get(key):
                heappush(self._heap, heappop(aside))
                if not aside:
                    del self._aside[key]

    def waiting(self) -> list[Waiting]:
        """Everything that is not under way yet, in no order."""
        return [*self._heap, *(one for aside in self._aside.values() for one in aside)]

    def give_up(self) -> list[Waiting]:
        """A look at who stands aside, to be had at even intervals. Takes out and gives the first tries that
        stand aside for a channel or a provider of which no send has ended since `LOOKS` looks before.

        Only the first: it has no failure behind it and gives up nothing but its place. A later try keeps its
        place; whether it leads on meanwhile is for `alerts.patience`.
        """
        self._looks = {key: self._looks.get(key, -1) + 1 for key in self._aside}
        return [one for key, looks in self._looks.items() if looks >= LOOKS for one in self._first_tries(key)]

    def _first_tries(self, key: _Key) -> list[Waiting]:
        aside = self._aside.pop(key)
        if later := [one for one in aside if one.handover.n > 1]:
            heapify(later)
            self._aside[key] = later
        return sorted(one for one in aside if one.handover.n == 1)

    def _is_busy(self, key: _Key) -> bool:
        return self._under_way.get(key, 0) >= (AT_ONCE if key[0] == "channel" else self._share)
