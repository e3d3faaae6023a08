"""How many may ask for stored values at once: somebody else's slow server must not use up the threads that
the board and the acts are served by."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

AT_ONCE: Final = 6
"""Requests that ask for history (chosen: two pages that ask for values and charts each take two or three; the
server has 40 threads for all pages)."""
AGAIN_S: Final = 2
"""When to ask again (chosen)."""


class Busy(Exception):
    """As many ask as may."""


class Gate:
    """Lets so many in at once. Nobody waits in front of it: a thread that waits is a thread less."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = threading.BoundedSemaphore(at_once)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Raises Busy at once where there is no room."""
        if not self._free.acquire(blocking=False):
            raise Busy
        try:
            yield
        finally:
            self._free.release()
