"""Looking up host names on threads of a lane's own.

The event loop's default executor is small and shared by everything: six hanging look-ups of lesser
messages would hold up the next urgent one. Each lane therefore brings its own threads.

An answer that has grown old is used all the same while the name servers are slow or silent (RFC 8767): one
dead name server costs the system's resolver 5 s, which is longer than a connection may take.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any, Final, NamedTuple

_THREADS: Final = 8
"""Look-ups at once in one lane (chosen; answers are kept for a minute)."""
KEPT_S: Final = 60.0
"""How long an answer is used (chosen: names that are moved in an emergency are given short lives)."""
OLD_S: Final = 86_400.0
"""How long an answer is used when no newer one comes (RFC 8767 suggests one to three days)."""
_PATIENCE_S: Final = 0.3
"""How long a look-up is waited for where there is an old answer (chosen; RFC 8767 allows for 1.8 s, which is
too much of a fire's first try)."""
_NAMES_MAX: Final = 1_000
"""Names remembered at most; beyond it the one that was found longest ago goes (chosen)."""
_NONE_SUCH: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
"""The name servers have answered: there is no such name, or it has no address."""

_Name = tuple[str, int]
AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""As `socket.getaddrinfo` gives it: family, type, protocol, name, and what a socket connects to."""


LookUp = Callable[[str, int], list[AddressInfo]]


class _Found(NamedTuple):
    addresses: list[AddressInfo]
    since_s: float


class LaneResolver:
    """Resolves through the operating system, on `_THREADS` threads that nobody else uses. Those who ask for
    one name at the same time wait for one look-up.

    An answer is used for `KEPT_S`. After that a look-up renews it: for `_PATIENCE_S` it is waited for, then
    the old answer is used, for a day, and the look-up goes on behind. Of a name never found it is waited for.
    """

    def __init__(
        self, lane: str, look_up: LookUp | None = None, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        """`look_up` blocks, the operating system's when left out; `clock_s` gives seconds from any begin."""
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"resolve-{lane}")
        self._look_up = look_up or _look_up
        self._clock_s = clock_s
        self._found: dict[_Name, _Found] = {}
        self._asked: dict[_Name, asyncio.Future[list[AddressInfo]]] = {}

    async def resolve(self, host: str, port: int) -> list[AddressInfo]:
        """The addresses of `host`, which may be one itself; raises OSError when there are none."""
        if found := _itself(host, port):
            return found
        key = host, port
        old = self._found.get(key)
        age_s = self._clock_s() - old.since_s if old else 0.0
        if old and age_s <= KEPT_S:
            return old.addresses
        asked = self._asked.get(key) or self._ask(key)
        if old and age_s <= OLD_S:
            return await _newer(asked, old.addresses)
        return await asyncio.shield(asked)  # others may wait for it who are not cancelled

    def _ask(self, key: _Name) -> asyncio.Future[list[AddressInfo]]:
        asked = asyncio.get_running_loop().run_in_executor(self._pool, self._look_up, *key)
        self._asked[key] = asked
        asked.add_done_callback(lambda done: self._note(key, done))
        return asked

    def _note(self, key: _Name, asked: asyncio.Future[list[AddressInfo]]) -> None:
        """A look-up is over. What failed is asked for anew: a name may be there the next moment."""
        del self._asked[key]
        if asked.cancelled():
            return
        error = asked.exception()
        if error is not None and not _is_none_such(error):
            return
        self._found.pop(key, None)
        if error is None:
            self._found[key] = _Found(asked.result(), self._clock_s())
            if len(self._found) > _NAMES_MAX:
                del self._found[next(iter(self._found))]

    async def close(self) -> None:
        """Gives up look-ups not yet begun; one that hangs in the system ends with its own time limit."""
        self._pool.shutdown(wait=False, cancel_futures=True)


async def _newer(asked: asyncio.Future[list[AddressInfo]], old: list[AddressInfo]) -> list[AddressInfo]:
    await asyncio.wait([asked], timeout=_PATIENCE_S)
    if not asked.done() or asked.cancelled():
        return old
    error = asked.exception()
    if error is not None and not _is_none_such(error):
        return old
    return asked.result()


def _is_none_such(error: BaseException) -> bool:
    return isinstance(error, socket.gaierror) and error.errno in _NONE_SUCH


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
