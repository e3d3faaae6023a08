"""Looking up host names on threads of a lane's own.

The event loop's default executor is small and shared by everything: six hanging look-ups of lesser
messages would hold up the next urgent one. Each lane therefore brings its own threads.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult

_THREADS: Final = 8
"""Look-ups at once in one lane (chosen; answers are cached by the connector)."""


class LaneResolver(AbstractResolver):
    """Resolves through the operating system, on `_THREADS` threads that nobody else uses."""

    def __init__(self, lane: str) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"resolve-{lane}")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of `host`; raises OSError when there are none."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._pool, _look_up, host, port, family)
        return [_result(host, port, entry_family, address) for entry_family, address in found]

    async def close(self) -> None:
        """Gives up look-ups not yet begun; one that hangs in the system ends with its own time limit."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int, family: socket.AddressFamily) -> list[tuple[socket.AddressFamily, str]]:
    entries = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
    return [(entry[0], str(entry[4][0])) for entry in entries]


def _result(host: str, port: int, family: socket.AddressFamily, address: str) -> ResolveResult:
    return ResolveResult(
        hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
    )
