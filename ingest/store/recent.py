"""The newest points once more beside a server: what pages show while it is away, and without asking it.

A reader of the journal that holds nothing up: the journal does not wait for it. What it missed, and what it
gave up for want of room, it does not claim to have (`EmbeddedStore.begin_at`). Its file is a copy: one that
cannot be used is deleted, and a new one begun.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from ingest.store.embedded import EmbeddedStore
from ingest.store.layout import StoreError
from ingest.store.road import Load, Road
from ingest.store.writer import PRUNE_EVERY_S, REST_S

log = structlog.get_logger()

AHEAD_US: Final = 300_000_000
"""How far ahead of our clock a device's time is believed: points of so much later may have come before."""
FILES: Final = ("", "-wal", "-shm")


class RecentWriter:
    """Keeps the newest `keep_days` of points, `keep_bytes` at most, in a store of its own at `path`.

    `points` counts since start. Where it cannot write (a full disk) it waits, and says so once.
    """

    def __init__(
        self,
        folder: Path,
        path: Path,
        *,
        keep_days: float,
        keep_bytes: int,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        monotonic: Callable[[], float] = time.monotonic,
        has_room: Callable[[], bool] = lambda: True,
    ) -> None:
        """`folder` is the journal's."""
        self._folder, self._path = folder, path
        self._keep_days, self._keep_bytes = keep_days, keep_bytes
        self._clock_us, self._monotonic, self._has_room = clock_us, monotonic, has_room
        self._store: EmbeddedStore | None = None
        self._road: Road | None = None
        self._pruned_at = float("-inf")
        self._failing = False
        self.points = 0

    def run(self, stop: threading.Event) -> None:
        """Until `stop`. Raises nothing: whatever goes wrong here is no reason to write less to the server."""
        while not stop.is_set():
            more = False
            try:
                more = self.run_once()
                self._note(None)
            except (OSError, sqlite3.OperationalError) as error:
                self._note(error)
            except (sqlite3.DatabaseError, StoreError) as error:
                self._note(error)
                self._begin_anew()
            if not more:
                stop.wait(REST_S)
        self.close()

    def run_once(self) -> bool:
        """Writes one load, prunes where it is time; whether there is more. Raises as the store does."""
        store, road = self._opened()
        if self._monotonic() - self._pruned_at >= PRUNE_EVERY_S:
            self._pruned_at = self._monotonic()
            store.prune(self._clock_us())
        load = road.ahead()
        if load is None:
            return False
        points = load.points
        if not self._has_room() and not store.fits(points):
            return False
        if hole_us := _after_hole(load, road.position):
            store.begin_at((hole_us + AHEAD_US) * 1000)
        store.write(points, load.offset)
        road.pass_by(load)
        self.points += len(points)
        return load.full

    def close(self) -> None:
        """Lets go of all files."""
        if self._road:
            self._road.close()
        if self._store:
            self._store.close()
        self._road = self._store = None

    def _opened(self) -> tuple[EmbeddedStore, Road]:
        if self._store is None:
            self._store = EmbeddedStore(self._path, keep_days=self._keep_days, keep_bytes=self._keep_bytes)
        if self._road is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._road = Road(self._folder, self._store.offset)
        return self._store, self._road

    def _begin_anew(self) -> None:
        self.close()
        for ending in FILES:
            self._path.with_name(self._path.name + ending).unlink(missing_ok=True)

    def _note(self, trouble: Exception | None) -> None:
        if trouble and not self._failing:
            log.warning("recent_points_wait", error=str(trouble))
        self._failing = trouble is not None


def _after_hole(load: Load, passed: int) -> int:
    """The tick of the first record behind the last one that is missing; 0 where none is."""
    found, before = 0, passed
    for record in load.records:
        if record.seq != before + 1:
            found = record.tick_us
        before = record.seq
    return found
