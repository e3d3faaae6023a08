"""Values read from the database that many pages ask for at once, kept until they are another.

Two hundred pages ask within the same second after each change. One of them reads; those that ask meanwhile
wait for it a moment, and else take what was there before: their next question comes within two seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from sqlalchemy import Connection

from alerts.dwelling_states_homes import Estate, read_estate, registry_version
from alerts.dwelling_states_picture import Picture, Spot, picture_of
from alerts.dwelling_states_read import deserted_places, mark_of, read_now
from devices.unreachable import standing_version

T = TypeVar("T")

APART_S: Final = 0.5
"""Between two reads of what is so now (chosen: less than the second that a page waits before it asks a last
time after a storm, so that time it sees the end of it)."""
OLDEST_S: Final = 10.0
"""What depends on the clock alone, windows that begin and end, is seen after this at the latest (chosen: as
often as an idle page asks)."""
WAIT_S: Final = 0.25
"""How long a page waits for another's read (chosen)."""
REST: Final = 20
"""What takes long to read rests so many times as long (chosen: at most a twentieth of one processor)."""
REACH_S: Final = 60
"""Who can be reached is looked up again after this at the latest (chosen)."""


class Kept(Generic[T]):
    """The newest value and the version it is of. One thread reads at a time."""

    def __init__(
        self, apart_s: float = 0.0, rest: int = 0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._apart_s, self._rest, self._monotonic = apart_s, rest, monotonic
        self._lock = threading.Lock()
        self._kept: tuple[object, T] | None = None
        self._next_at = float("-inf")

    def of(self, version: object, read: Callable[[], T]) -> T:
        """That of this version; an older one within `apart_s` of the last read or `rest` times as long as
        it took, and while another thread reads for longer than WAIT_S. Raises what `read` raises where there
        is none yet or it is this thread that reads."""
        kept = self._kept
        if kept and (kept[0] == version or self._monotonic() < self._next_at):
            return kept[1]
        if not self._lock.acquire(timeout=WAIT_S if kept else -1):
            assert kept is not None
            return kept[1]
        try:
            kept = self._kept
            if kept and kept[0] == version:
                return kept[1]
            began = self._monotonic()
            value = read()
            took = self._monotonic() - began
            self._kept = version, value
            self._next_at = began + max(self._apart_s, self._rest * took)
            return value
        finally:
            self._lock.release()


class Pictures:
    """The site's picture as it is now, for all threads of the process."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._estates: Kept[Estate] = Kept(rest=REST, monotonic=monotonic)
        self._deserted: Kept[tuple[Spot, ...]] = Kept(rest=REST, monotonic=monotonic)
        self._pictures: Kept[Picture] = Kept(APART_S, monotonic=monotonic)

    def now(self, connection: Connection, now_us: int) -> Picture:
        """The same object until something is another. What was committed before the question is in it, but
        for what comes within APART_S of another change, and for registrations, moves and contacts on a site
        so large that reading them takes long. Raises what the database raises."""
        estate = self._estates.of(registry_version(connection), lambda: read_estate(connection))
        stands = standing_version(connection, now_us), now_us // (REACH_S * 1_000_000)
        deserted = self._deserted.of(stands, lambda: deserted_places(connection, now_us))
        version = mark_of(connection), estate, deserted, int(self._monotonic() // OLDEST_S)
        return self._pictures.of(version, lambda: picture_of(estate, read_now(connection, now_us, deserted)))
