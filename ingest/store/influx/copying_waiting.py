"""Waiting for a server that takes or gives nothing now, without asking it all the time."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Final

FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 30.0
"""Doubled each time (full jitter, chosen), and as long as the server says."""
DENIED_S: Final = 60.0
"""How long a denial is waited out (chosen: a server that starts may deny for a moment; else somebody has to
set something right, and should not find us waiting in the morning)."""


class Stopped(Exception):
    """Somebody wants no more of it."""


class Denied(Exception):
    """The server denies us, and has for `DENIED_S`; the text is what it says."""


class Waiting:
    """Says when it begins and when it is over, once each however many threads wait. For several threads."""

    def __init__(
        self,
        tell: Callable[[str], None],
        *,
        denied_s: float = DENIED_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`tell` takes lines for a person, from any thread."""
        self._tell, self._lock = tell, threading.Lock()
        self._denied_s, self._monotonic = denied_s, monotonic
        self._stop, self._waits = threading.Event(), False
        self._denied_since_s: float | None = None

    def pause(
        self,
        why: str,
        tries: int,
        wish_s: float | None = None,
        *,
        denied: bool = False,
        whom: str = "the server",
    ) -> None:
        """Before it is asked again, after so many `tries`. `denied`: not before somebody has set something
        right. Raises Stopped after `stop`, Denied."""
        with self._lock:
            said, self._waits = self._waits, True
            since_s = self._denied_for(denied=denied)
        if since_s >= self._denied_s:
            raise Denied(why)
        if not said:
            self._tell(f"waits for {whom}: {why}")
        wait_s = min(FIRST_WAIT_S * 2 ** min(tries, 10), LONGEST_WAIT_S)
        self.rest(max(wish_s or 0.0, random.uniform(0, wait_s)))  # noqa: S311 - no secret: it spreads tries

    def rest(self, rest_s: float) -> None:
        """Raises Stopped after `stop`, at once where somebody rests."""
        if self._stop.wait(max(rest_s, 0.0)):
            raise Stopped

    def _denied_for(self, *, denied: bool) -> float:
        """Negative where we are not denied, or only now."""
        if not denied:
            self._denied_since_s = None
            return -1.0
        if self._denied_since_s is None:
            self._denied_since_s = self._monotonic()
            return -1.0
        return self._monotonic() - self._denied_since_s

    def answered(self) -> None:
        """The server has answered."""
        if self._waits:
            with self._lock:
                said, self._waits = self._waits, False
                self._denied_since_s = None
            if said:
                self._tell("goes on")

    def stop(self) -> None:
        """Nobody waits any longer."""
        self._stop.set()
