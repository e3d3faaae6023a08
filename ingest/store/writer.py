"""From the journal to the series store: a reader of the journal with its own position, in its own process."""

from __future__ import annotations

import errno
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import structlog

from ingest.ballast import finds_no_room
from ingest.journal_files import READER, Mark
from ingest.store.layout import StoreError
from ingest.store.points import Points
from ingest.store.road import Road

log = structlog.get_logger()

NAME: Final = "store"
REST_S: Final = 1.0
"""How long the writer rests after a batch that was not full: a store is written once a second, in blocks as
large as the load is (measured: a point in 160,000 costs a third of one in 20,000)."""
PRUNE_EVERY_S: Final = 5.0
LONGEST_WAIT_S: Final = 30.0
STORE_FAILS: Final = (OSError, sqlite3.DatabaseError)
"""What a store raises that cannot be used: locked, without room (`OperationalError`), or damaged."""
_MOVE_AWAY: Final = (
    "stop the service, move points.db, points.db-wal and points.db-shm away, and start it: a new file is"
    " made. Only history is in it; alarms go on"
)


class SeriesStore(Protocol):
    """Where points go. What `write` took is durable with its offset, or neither is."""

    repeats: int
    """How many points since start were there already and were not stored again."""

    @property
    def offset(self) -> int:
        """The newest journal record whose points are in the store."""

    def write(self, points: Points, offset: int) -> None:
        """All points and the offset, or nothing. Raises sqlite3.DatabaseError or OSError."""

    def fits(self, points: Points) -> bool:
        """Whether `write` would put them where there is room already, and take no more of the disk."""

    def prune(self, now_us: int) -> int:
        """Deletes a bite of what is too old; how many points. Raises as `write` does."""


class StoreWriter:
    """Moves points from the journal in `folder` to `store`, each exactly once, and tells the journal how far.

    Points of records that were shed are passed over, also where their records can still be read.
    `points`, `passed_over` and `damaged` count since start; `behind` is how many records wait. `has_room`
    says whether the disk may be used for history; while it may not, only what fits into room that the store
    freed is written.
    """

    def __init__(
        self,
        folder: Path,
        store: SeriesStore,
        *,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        monotonic: Callable[[], float] = time.monotonic,
        has_room: Callable[[], bool] = lambda: True,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._store = store
        self._clock_us = clock_us
        self._monotonic = monotonic
        self._has_room = has_room
        self._road = Road(folder, store.offset)
        self._mark = Mark(folder / f"{READER}{NAME}")
        self._mark.seq = store.offset
        self._pruned_at = 0.0
        self._failing = False
        self._unpruned: Exception | None = None
        self._full = False
        self.points = self.passed_over = 0

    @property
    def behind(self) -> int:
        """How many durable records are not in the store yet."""
        return max(0, self._road.durable - self._mark.seq)

    @property
    def failing(self) -> bool:
        """Whether the store did not take the last batch (points wait in the journal), or no pruning."""
        return self._failing

    @property
    def repeats(self) -> int:
        """How many of `points` the store had already: same series, time and value."""
        return self._store.repeats

    @property
    def damaged(self) -> int:
        """How often the journal could not be read."""
        return self._road.damaged

    def run_once(self) -> int:
        """Writes one batch; how many records it was, 0 when there is nothing.

        Raises as the store does, and OSError where there is no room for history.
        """
        load = self._road.ahead()
        self._full = load is not None and load.full
        if load is None:
            return 0
        points = load.points
        if not self._has_room() and not self._store.fits(points):
            raise OSError(errno.ENOSPC, "what is left of the disk is kept for alarms")
        self._store.write(points, load.offset)
        self._road.pass_by(load)
        self._mark.seq = load.offset
        self.points += len(points)
        self.passed_over += load.shed_points
        return max(len(load.records), 1)

    def run(self, stop: threading.Event) -> None:
        """Writes until `stop`. A store that cannot be written now is tried again; nothing is skipped.

        It is pruned all the while: of a disk full of history only that gives room back.
        """
        wait_s = REST_S
        while not stop.is_set():
            refused: Exception | None = None
            written = 0
            try:
                written = self.run_once()
            except STORE_FAILS as error:
                refused = error
            freed = self._prune_sometimes()
            self._note(refused or self._unpruned)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S) if refused and not freed else REST_S
            if refused or not written or not self._full:
                stop.wait(wait_s)
        self.close()

    def close(self) -> None:
        """Lets go of the journal's files."""
        self._road.close()
        self._mark.close()

    def _prune_sometimes(self) -> int:
        """How many points were dropped; what went wrong is in `_unpruned` until the next time."""
        if self._monotonic() - self._pruned_at < PRUNE_EVERY_S:
            return 0
        self._pruned_at, self._unpruned = self._monotonic(), None
        try:
            return self._store.prune(self._clock_us())
        except STORE_FAILS as error:
            self._unpruned = error
            return 0

    def _note(self, trouble: Exception | None) -> None:
        """Says when it begins and when it is over."""
        if trouble and not self._failing:
            log.error("store_waits", error=str(trouble), **advice(trouble))
        elif self._failing and not trouble:
            log.warning("store_goes_on")
        self._failing = trouble is not None


def advice(trouble: Exception) -> dict[str, str]:
    """What somebody can do about a store that cannot be used, as a field of the log; empty where nothing."""
    if finds_no_room(trouble):
        return {"do": "make room on the disk, lower store.keep_days, or bound the store with store.keep_mb"}
    waits = isinstance(trouble, sqlite3.OperationalError) or not isinstance(
        trouble, sqlite3.DatabaseError | StoreError
    )
    return {} if waits else {"do": _MOVE_AWAY}
