"""Blocking work on threads of a lane's own, for libraries that know no asyncio.

Urgent and lesser messages share no thread, so that no number of slow lesser ones holds up an urgent one. An
errand that nobody waits for any more (time is up, the caller gave up) is cut: its socket is shut down under
it, so that its thread comes free. A look-up or a connect that hangs is not cut: it ends by its own limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")

_THREADS: Final = 16
"""Errands at once in one lane of one channel (chosen: as many as the Apprise process has)."""


class Errand:
    """What the work knows of its time, and how it is cut."""

    def __init__(self, timeout_s: float) -> None:
        self._end_s = time.monotonic() + timeout_s
        self._lock = threading.Lock()
        self._is_cut = False
        self._shut: Callable[[], None] | None = None

    @property
    def left_s(self) -> float:
        """Seconds left; 0 when it is over or cut."""
        return 0.0 if self._is_cut else max(self._end_s - time.monotonic(), 0.0)

    def on_cut(self, shut: Callable[[], None]) -> None:
        """`shut` is called, from another thread, when the errand is cut; at once when it is already."""
        with self._lock:
            self._shut = shut
            is_cut = self._is_cut
        if is_cut:
            shut()

    def cut(self) -> None:
        """Ends the work as soon as it can. Harmless after its end."""
        with self._lock:
            self._is_cut = True
            shut = self._shut
        if shut:
            shut()


class Errands:
    """Runs work on 16 threads a lane."""

    def __init__(self, name: str) -> None:
        self._pools = {
            urgent: ThreadPoolExecutor(_THREADS, f"{name}-{'urgent' if urgent else 'lesser'}")
            for urgent in (True, False)
        }
        self._running: set[Errand] = set()

    async def run(self, work: Callable[[Errand], T], *, urgent: bool, timeout_s: float) -> T:
        """What `work` gives. Raises TimeoutError when the time is up, waiting for a thread included."""
        errand = Errand(timeout_s)
        self._running.add(errand)
        try:
            future = self._pools[urgent].submit(work, errand)
            return await asyncio.wait_for(asyncio.wrap_future(future), timeout_s)
        finally:
            self._running.discard(errand)
            errand.cut()

    def close(self) -> None:
        """Cuts what runs and begins nothing more."""
        for errand in list(self._running):
            errand.cut()
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)


def shut_socket(sock: object) -> None:
    """Breaks a connection that another thread waits on; that thread closes it. No socket is fine."""
    if isinstance(sock, socket.socket):
        with contextlib.suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not the TLS socket's own, which drops its state
