"""How often a login may be tried: pure counting, the time is an argument."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from typing import Final

WINDOW_US: Final = 5 * 60 * 1_000_000
PAIR_LIMIT: Final = 5
ADDRESS_LIMIT: Final = 30
CAPACITY: Final = 4096
"""Chosen. A login alone is not limited: a stranger elsewhere could lock the operator out at night."""


def network_of(address: str) -> str:
    """The address as limits count it: IPv6 by its /64, where one customer has them all."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))


class LoginLimiter:
    """Counts failed logins per (login, address) and per address within a window.

    Bounded: at most `capacity` counters, the least recently touched goes first. Not thread-safe by itself:
    the session's door calls it on the event loop only.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._failures: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._failures)

    def allows(self, login: str, address: str, now_us: int) -> bool:
        """False when this pair or this address failed too often within the window."""
        place = network_of(address)
        pair = self._count((login, place), now_us)
        return pair < PAIR_LIMIT and self._count(("", place), now_us) < ADDRESS_LIMIT

    def failed(self, login: str, address: str, now_us: int) -> None:
        """Notes one failure. Noted before the password is checked, so that parallel tries count too."""
        place = network_of(address)
        for key in ((login, place), ("", place)):
            count = self._count(key, now_us)
            started = self._failures[key][0] if count else now_us
            self._failures[key] = (started, count + 1)
            self._failures.move_to_end(key)
        while len(self._failures) > self._capacity:
            self._failures.popitem(last=False)

    def succeeded(self, login: str, address: str) -> None:
        """Forgets the failures of this pair; the address keeps its own, less the try that was right."""
        place = network_of(address)
        self._failures.pop((login, place), None)
        started, count = self._failures.get(("", place), (0, 0))
        if count:
            self._failures["", place] = (started, count - 1)

    def _count(self, key: tuple[str, str], now_us: int) -> int:
        started, count = self._failures.get(key, (0, 0))
        return count if now_us - started < WINDOW_US else 0
