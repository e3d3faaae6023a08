"""Waiting for a server that takes or gives nothing now, without asking it all the time."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Final

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 30.0
"""Doubled each time (full jitter, chosen), and as long as the server says."""


class Stopped(Exception):
    """Somebody wants no more of it."""


class Waiting:
    """Says when it begins and when it is over, once each however many threads wait. For several threads."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """`tell` takes lines for a person, from any thread."""
        self._tell, self._lock = tell, threading.Lock()
        self._stop, self._waits = threading.Event(), False

    def pause(self, why: str, tries: int, wish_s: float | None = None) -> None:
        """Before the server is asked again, after so many `tries`. Raises Stopped after `stop`."""
        with self._lock:
            said, self._waits = self._waits, True
        if not said:
            self._tell(f"waits for the server: {why}")
        wait_s = min(FIRST_WAIT_S * 2 ** min(tries, 10), LONGEST_WAIT_S)
        self.rest(max(wish_s or 0.0, random.uniform(0, wait_s)))  # noqa: S311 - no secret: it spreads tries

    def rest(self, rest_s: float) -> None:
        """Raises Stopped after `stop`, at once where somebody rests."""
        if self._stop.wait(max(rest_s, 0.0)):
            raise Stopped

    def answered(self) -> None:
        """The server has answered."""
        if self._waits:
            with self._lock:
                said, self._waits = self._waits, False
            if said:
                self._tell("goes on")

    def stop(self) -> None:
        """Nobody waits any longer."""
        self._stop.set()
