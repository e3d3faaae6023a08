"""What a connection of the check is made of: the way there, who asks, for what, and how long it waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ingest.link import Link
from ingest.probes.finding import NotServed, Silent, TooSlow

SLOWEST_BYTES_S: Final = 8000
"""A line on which the check tells anything: 2,000 messages of 200 bytes then take a minute."""

Dial = Callable[[], Link]
"""Makes a connected link to the broker. Raises LinkLost or OSError."""


@dataclass(frozen=True, slots=True)
class Login:
    """User name and password; both empty where none are sent."""

    name: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a connection asks for, as in CONNECT. `expiry_s` 0: the session ends with the connection.

    `keep_alive_s`: on a slow line one connection waits for minutes while the other is at work (chosen).
    """

    clean: bool = True
    expiry_s: int = 0
    receive_maximum: int = 10_000
    max_packet_bytes: int = 327_680
    keep_alive_s: int = 300


@dataclass(frozen=True, slots=True)
class Waits:
    """`still_s`: how long nothing at all may come (chosen: a broker across a slow line answers within one
    second). `whole_s`: how long one step may take while something comes (see SLOWEST_BYTES_S)."""

    still_s: float = 5.0
    whole_s: float = 60.0


class Patience:
    """The clock of one step, which `restart`s with each sign of progress; `more_bytes` is one long packet."""

    def __init__(self, waits: Waits, *, more_bytes: int = 0) -> None:
        self._still_s = waits.still_s + more_bytes / SLOWEST_BYTES_S
        self._began = self._moved_at = time.monotonic()
        self._until = self._began + max(waits.whole_s, self._still_s)
        self._moved = False

    def restart(self) -> None:
        """Something came, or left."""
        self._moved_at, self._moved = time.monotonic(), True

    @property
    def idle_s(self) -> float:
        """How long ago that was."""
        return time.monotonic() - self._moved_at

    @property
    def rest_s(self) -> float:
        """What is left of it."""
        return min(self._moved_at + self._still_s, self._until) - time.monotonic()

    def end(self, what: str) -> NotServed:
        """What there is to say when it is over, and `what` is still missing."""
        if self._moved:
            passed_s = time.monotonic() - self._began
            return TooSlow(f"too slow to tell: {what} in {passed_s:.0f} s, though something came")
        return Silent(f"{what} within {self._still_s:.0f} s")
