"""The embedded series store: points in a SQLite file of their own.

Exactly once: points and the journal position they came from are written in one transaction, so after any
crash the position says precisely what is in the file, and the rest is read from the journal again.

Why synchronous=FULL and not NORMAL: with NORMAL a power cut may take back transactions that were committed,
points and position together. That alone would be harmless, the journal would be read again. But the journal
deletes segments by the position it is told; a position taken back behind a deleted segment is a hole. With
FULL a position is on the disk before the journal hears of it. The price is one sync per batch of thousands.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from devices.model import Float64, Int32, Int64, UInt32

_TABLES: Final = """
    CREATE TABLE IF NOT EXISTS points (
        slot INTEGER NOT NULL, ts_ns INTEGER NOT NULL, value REAL, quality INTEGER NOT NULL,
        PRIMARY KEY (slot, ts_ns)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS meta (id INTEGER PRIMARY KEY CHECK (id = 1), offset INTEGER NOT NULL);
    INSERT OR IGNORE INTO meta VALUES (1, 0);
"""
_INSERT: Final = "INSERT INTO points VALUES (?, ?, ?, ?)"
Row = tuple[int, int, float, int]


@dataclass(frozen=True, slots=True)
class Points:
    """Points as parallel arrays: series, nanoseconds since 1970 UTC, value (NaN: unknown), quality bits."""

    slot: Int32
    ts_ns: Int64
    value: Float64
    quality: UInt32

    def __len__(self) -> int:
        return len(self.slot)

    @classmethod
    def empty(cls) -> Points:
        """No points."""
        return cls(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint32))


class EmbeddedStore:
    """One file, one writer; readers in other processes open it too. Not for several threads at once.

    `repeats` counts the points since start that were there already, with time and value (`write`).
    """

    def __init__(self, path: Path, *, keep_days: float) -> None:
        self.keep_days = keep_days
        self.repeats = 0
        self._prune_after = 0
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "fullfsync=ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(_TABLES)

    @property
    def offset(self) -> int:
        """The newest journal record whose points are in the store."""
        return int(self._connection.execute("SELECT offset FROM meta").fetchone()[0])

    def write(self, points: Points, offset: int) -> None:
        """All points and the offset in one transaction. Raises sqlite3.OperationalError with nothing written.

        A point that is there already with the same value is the same point: a reading sent again late. It is
        counted in `repeats`. With another value it goes to the next free nanosecond: the stamps separate
        neighbours, this separates what came out of order.
        """
        order = np.lexsort((points.ts_ns, points.slot))  # neighbours on a page are written together
        columns = (points.slot, points.ts_ns, points.value, points.quality)
        rows = list(zip(*(column[order].tolist() for column in columns), strict=True))
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            repeats = self._insert(rows)
            connection.execute("UPDATE meta SET offset = ?", (offset,))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self.repeats += repeats

    def read(self, slot: int, from_ns: int, to_ns: int, limit: int = 10_000) -> Points:
        """The oldest `limit` points of a series in [from_ns, to_ns), in order of time."""
        return _points(
            self._connection.execute(
                "SELECT slot, ts_ns, value, quality FROM points"
                " WHERE slot = ? AND ts_ns >= ? AND ts_ns < ? ORDER BY ts_ns LIMIT ?",
                (slot, from_ns, to_ns, limit),
            )
        )

    def latest(self, slots: Sequence[int]) -> Points:
        """The newest point of each series that has one."""
        query = "SELECT slot, ts_ns, value, quality FROM points WHERE slot = ? ORDER BY ts_ns DESC LIMIT 1"
        return _points(row for slot in slots for row in self._connection.execute(query, (slot,)))

    def prune(self, now_us: int, *, series: int = 200, points: int = 5_000) -> int:
        """Deletes up to `points` points older than `keep_days` from the next `series` series.

        Small bites that go round all series: no long transaction, and no second index on time to keep up.
        """
        before_ns = (now_us - int(self.keep_days * 86_400e6)) * 1000
        deleted = 0
        for _ in range(series):
            found = self._connection.execute(
                "SELECT slot FROM points WHERE slot > ? ORDER BY slot LIMIT 1", (self._prune_after,)
            ).fetchone()
            if found is None:
                self._prune_after = 0
                break
            deleted += self._prune_series(int(found[0]), before_ns, points - deleted)
            if deleted >= points:
                break
            self._prune_after = int(found[0])
        return deleted

    def close(self) -> None:
        """Lets go of the file."""
        self._connection.close()

    def _prune_series(self, slot: int, before_ns: int, limit: int) -> int:
        return self._connection.execute(
            "DELETE FROM points WHERE slot = ? AND ts_ns IN"
            " (SELECT ts_ns FROM points WHERE slot = ? AND ts_ns < ? ORDER BY ts_ns LIMIT ?)",
            (slot, slot, before_ns, limit),
        ).rowcount

    def _insert(self, rows: list[Row]) -> int:
        """Inserts what is not there yet; how many were."""
        repeats = 0
        self._connection.execute("SAVEPOINT batch")
        try:
            self._connection.executemany(_INSERT, rows)
        except sqlite3.IntegrityError:
            self._connection.execute("ROLLBACK TO batch")
            repeats = sum(not self._insert_one(*row) for row in rows)
        self._connection.execute("RELEASE batch")
        return repeats

    def _insert_one(self, slot: int, ts_ns: int, value: float, quality: int) -> bool:
        """Inserts at the next free nanosecond; False where the same point is there."""
        while True:
            there = self._connection.execute(
                "SELECT value FROM points WHERE slot = ? AND ts_ns = ?", (slot, ts_ns)
            ).fetchone()
            if there is None:
                self._connection.execute(_INSERT, (slot, ts_ns, value, quality))
                return True
            if there[0] == value or (there[0] is None and value != value):  # noqa: PLR0124 - NaN is NULL here
                return False
            ts_ns += 1


def _points(rows: Iterable[tuple[int, int, float | None, int]]) -> Points:
    found = list(rows)
    if not found:
        return Points.empty()
    slot, ts_ns, value, quality = zip(*found, strict=True)
    return Points(
        np.array(slot, np.int32),
        np.array(ts_ns, np.int64),
        np.array(value, np.float64),  # None becomes NaN
        np.array(quality, np.uint32),
    )
