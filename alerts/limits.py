"""How much a carrier takes: so many in any stretch of time, for each address and for the whole account. Pure.

A limit is kept exactly: the times of what was sent stand in a window, and in no stretch of that length is
there more than the limit. (A bucket that refills lets twice as much through around its first refill.) Of each
window lesser messages use a part only; the rest is for P0 and P0+ (life_safety, "who is told"), which ask the
carrier all the same where it only refuses what is too much.

Not kept over a restart: what was sent before it is forgotten, and the carrier itself may then refuse.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from math import floor
from typing import Final, NamedTuple

from devices.model import Carrier

RESERVE: Final = 0.3
"""The part of every limit that only urgent messages use (life_safety: 30 %)."""
KEPT: Final = 20_000
"""Addresses remembered at most; beyond it those unused for longest go, with their windows (chosen: more than
a storm tells)."""


class Limit(NamedTuple):
    """At most `most` in any `per_s` seconds. With `lesser_only` urgent messages count but never wait."""

    most: int
    per_s: float
    lesser_only: bool = False

    @property
    def for_lesser(self) -> int:
        """Of it, for lesser messages. One at least: a limit of one has no part to keep back."""
        return max(1, floor(self.most * (1 - RESERVE)))


@dataclass(frozen=True, slots=True)
class Limits:
    """What a carrier says of itself: of one address (a robot, a callee), and of the site's account.

    `binding`: beyond them it punishes or is silent, so that urgent messages keep to them too. Where it just
    refuses, an urgent message asks it all the same: these numbers are what we know of it, and an account may
    have been granted more.
    """

    address: tuple[Limit, ...] = ()
    account: tuple[Limit, ...] = ()
    binding: bool = False


class _Window:
    """The times of what counts against one limit."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._length_us = round(limit.per_s * 1e6)
        self._sent_us: deque[int] = deque()

    def free_at_us(self, now_us: int, urgent: bool) -> int:
        """From when on one more may be sent; `now_us` or before: now."""
        self._let_go(now_us)
        if urgent and self._limit.lesser_only:
            return now_us
        room = self._limit.most if urgent else self._limit.for_lesser
        if len(self._sent_us) < room:
            return now_us
        return self._sent_us[len(self._sent_us) - room] + self._length_us

    def take(self, now_us: int) -> None:
        self._sent_us.append(now_us)

    def give_back(self, sent_us: int) -> None:
        if sent_us in self._sent_us:
            self._sent_us.remove(sent_us)

    def _let_go(self, now_us: int) -> None:
        """What is a window old, or was sent by a clock that has been put back since."""
        while self._sent_us and not now_us - self._length_us < self._sent_us[0] <= now_us:
            self._sent_us.popleft()


class Allowance:
    """Asked before every send. Takes O(limits) of time and, for each address used, a number for each message
    in its windows."""

    def __init__(self, limits: Mapping[Carrier, Limits]) -> None:
        """`limits` by carrier; a carrier that is not in it takes everything."""
        self._limits = limits
        self._windows: dict[Hashable, tuple[_Window, ...]] = {}

    def wait_us(self, carrier: Carrier, address: str, now_us: int, *, urgent: bool) -> int:
        """0 where one more may be sent now, which then counts; else how long until it may."""
        windows = tuple(self._of(carrier, address))
        free_us = max((window.free_at_us(now_us, urgent) for window in windows), default=now_us)
        if free_us > now_us and not (urgent and not self._limits[carrier].binding):
            return free_us - now_us
        for window in windows:
            window.take(now_us)
        return 0

    def give_back(self, carrier: Carrier, address: str, sent_us: int) -> None:
        """What was allowed at `sent_us` never reached the carrier: it does not count."""
        for window in self._of(carrier, address):
            window.give_back(sent_us)

    def _of(self, carrier: Carrier, address: str) -> Iterator[_Window]:
        limits = self._limits.get(carrier)
        if limits is None:
            return
        yield from self._known((carrier,), limits.account)
        yield from self._known((carrier, address), limits.address)

    def _known(self, whose: Hashable, limits: tuple[Limit, ...]) -> tuple[_Window, ...]:
        if not limits:
            return ()
        windows = self._windows.pop(whose, None) or tuple(_Window(limit) for limit in limits)
        self._windows[whose] = windows  # the last used stand last
        if len(self._windows) > KEPT:
            del self._windows[next(iter(self._windows))]
        return windows
