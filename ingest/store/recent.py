"""The newest points once more beside a server: what pages show while it is away, and without asking it.

A reader of the journal that holds nothing up: the journal does not wait for it. What it missed, and what it
gave up for want of room, it does not claim to have (`EmbeddedStore.begin_at`), nor what it has not read yet
(`recent_history`). Its file is a copy: one that cannot be used is deleted, and a new one begun.
"""

from __future__ import annotations

import errno
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from ingest.journal_files import Mark
from ingest.store.embedded import EmbeddedStore
from ingest.store.layout import StoreError
from ingest.store.points import Points
from ingest.store.recent_history import mark_of
from ingest.store.road import Load, Road
from ingest.store.writer import PRUNE_EVERY_S, REST_S

log = structlog.get_logger()

AHEAD_US: Final = 300_000_000
"""How far ahead of our clock a device's time is believed: points of so much later may have come before."""
FILES: Final = ("", "-wal", "-shm")
_KEPT_FOR_ALARMS: Final = "what is left of the disk is kept for alarms"
_WHAT_TO_DO: Final = (
    "pages ask the series server meanwhile; alarms go on. Make room on the disk, or lower store.recent_mb"
)


class RecentWriter:
    """Keeps the newest `keep_days` of points, `keep_bytes` at most, in a store of its own at `path`.

    `points` counts since start. Where it cannot write (a full disk) it waits, says so once, and when it goes
    on.
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
        self._mark: Mark | None = None
        self._aim: tuple[int, int] | None = None
        self._pruned_at = float("-inf")
        self._no_room = self._failing = False
        self._seen = 0
        self.points = 0

    @property
    def behind(self) -> int:
        """How many durable records of the journal are not in the file yet. May be asked from any thread."""
        road = self._road
        return max(0, road.durable - road.position) if road else 0

    @property
    def failing(self) -> bool:
        """Whether it waits: it cannot write, or the disk is kept for alarms."""
        return self._failing

    def run(self, stop: threading.Event) -> None:
        """Until `stop`. Raises nothing: whatever goes wrong here is no reason to write less to the server."""
        while not stop.is_set():
            more = False
            try:
                more = self.run_once()
                self._note(OSError(errno.ENOSPC, _KEPT_FOR_ALARMS) if self._no_room else None)
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
        self._aim = self._aim or (self._clock_us(), road.durable)
        load = road.ahead()
        points = load.points if load else Points.empty()
        self._no_room = not self._has_room() and not store.fits(points)
        if self._no_room:
            return False
        if load:
            self._write(store, load, points)
            road.pass_by(load)
        self._claim()
        return load is not None and load.full

    def close(self) -> None:
        """Lets go of all files."""
        for one in (self._road, self._store, self._mark):
            if one:
                one.close()
        self._road = self._store = self._mark = self._aim = None

    def _write(self, store: EmbeddedStore, load: Load, points: Points) -> None:
        """The file's position stays at the last record that was seen: damage behind it is met again after a
        restart, and is a hole as soon as another record follows."""
        if not load.records:
            return
        if hole_us := _after_hole(load, self._seen):
            store.begin_at((hole_us + AHEAD_US) * 1000)
        store.write(points, load.records[-1].seq)
        self._seen = load.records[-1].seq
        self.points += len(points)

    def _claim(self) -> None:
        """Whole until the time at which the journal held what by now was passed, if there is no hole at its
        end."""
        if self._mark and self._aim and self._seen >= self._aim[1]:
            self._mark.seq, self._aim = self._aim[0], None

    def _opened(self) -> tuple[EmbeddedStore, Road]:
        if self._mark is None:
            self._mark = Mark(mark_of(self._path))
            self._mark.seq = 0
        if self._store is None:
            self._store = EmbeddedStore(
                self._path, keep_days=self._keep_days, keep_bytes=self._keep_bytes, monotonic=self._monotonic
            )
        if self._road is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._seen = self._store.offset
            self._road = Road(self._folder, self._seen)
        return self._store, self._road

    def _begin_anew(self) -> None:
        self.close()
        mark_of(self._path).unlink(missing_ok=True)
        for ending in FILES:
            self._path.with_name(self._path.name + ending).unlink(missing_ok=True)

    def _note(self, trouble: Exception | None) -> None:
        """Says when it begins and when it is over."""
        if trouble and not self._failing:
            log.warning("recent_points_wait", error=str(trouble), do=_WHAT_TO_DO)
        elif self._failing and not trouble:
            log.warning("recent_points_go_on")
        self._failing = trouble is not None


def _after_hole(load: Load, passed: int) -> int:
    """The tick of the first record behind the last one that is missing; 0 where none is."""
    found, before = 0, passed
    for record in load.records:
        if record.seq != before + 1:
            found = record.tick_us
        before = record.seq
    return found
