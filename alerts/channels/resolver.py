"""Looking up host names on threads of a lane's own.

The event loop's default executor is small and shared by everything: six hanging look-ups of lesser
messages would hold up the next urgent one. Each lane therefore brings its own threads.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any, Final

_THREADS: Final = 8
"""Look-ups at once in one lane (chosen; answers are kept for a minute)."""
KEPT_S: Final = 60.0
"""How long an answer is used (chosen: names that are moved in an emergency are given short lives)."""
_NAMES_MAX: Final = 1_000
"""Names remembered at most; beyond it all are asked for anew (chosen)."""

_Name = tuple[str, int]
AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""As `socket.getaddrinfo` gives it: family, type, protocol, name, and what a socket connects to."""


class LaneResolver:
    """Resolves through the operating system, on `_THREADS` threads that nobody else uses. Those who ask for
    one name at the same time wait for one look-up."""

    def __init__(self, lane: str) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"resolve-{lane}")
        self._asked: dict[_Name, asyncio.Future[list[AddressInfo]]] = {}
        self._since_s: dict[_Name, float] = {}

    async def resolve(self, host: str, port: int) -> list[AddressInfo]:
        """The addresses of `host`, which may be one itself; raises OSError when there are none."""
        if found := _itself(host, port):
            return found
        loop, key = asyncio.get_running_loop(), (host, port)
        asked = self._asked.get(key)
        if asked is None or not self._is_good(key, asked, loop.time()):
            if len(self._asked) >= _NAMES_MAX:
                self._asked.clear()
                self._since_s.clear()
            asked = loop.run_in_executor(self._pool, _look_up, host, port)
            self._asked[key], self._since_s[key] = asked, loop.time()
        return await asyncio.shield(asked)  # others may wait for it who are not cancelled

    def _is_good(self, key: _Name, asked: asyncio.Future[list[AddressInfo]], now_s: float) -> bool:
        """Under way, or found not long ago: a name that is not found may be there the next moment."""
        if not asked.done():
            return True
        return asked.exception() is None and now_s - self._since_s[key] <= KEPT_S

    async def close(self) -> None:
        """Gives up look-ups not yet begun; one that hangs in the system ends with its own time limit."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _itself(host: str, port: int) -> list[AddressInfo]:
    try:
        address = ip_address(host)
    except ValueError:
        return []
    if address.version == 6:
        return [(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port, 0, 0))]
    return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))]


def _look_up(host: str, port: int) -> list[AddressInfo]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, kind, protocol, "", where) for family, kind, protocol, _, where in found]
