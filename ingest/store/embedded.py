"""The embedded series store: points in a SQLite file of their own, some thousand to a row.

Exactly once: points and the journal position they came from are written in one transaction, so after any
crash the position says precisely what is in the file, and the rest is read from the journal again.

Why synchronous=FULL and not NORMAL: with NORMAL a power cut may take back transactions that were committed,
points and position together. That alone would be harmless, the journal would be read again. But the journal
deletes segments by the position it is told; a position taken back behind a deleted segment is a hole. With
FULL a position is on the disk before the journal hears of it. The price is one sync per batch of thousands.

A write is one block per wide cell of slots (`layout`); blocks are merged as they become many (`merging`), a
bounded part at each write. Each merge is a transaction of its own: after any crash it has happened or it has
not.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import structlog

from ingest.store.ageing import AHEAD_US, Age, aged, begun
from ingest.store.ageing_told import tell_of_doubt
from ingest.store.block import BlockDamaged, decode_block
from ingest.store.layout import DAMAGED, DAY_NS, DONE, WIDE, open_for_writing
from ingest.store.merging import Cell, Merge, Sizes, Tally
from ingest.store.points import Points, ordered, without_repeats
from ingest.store.reader import SeriesReader
from ingest.store.rows import Row, by_day, merged_rows, rows_of

log = structlog.get_logger()

MERGED_PER_WRITTEN: Final = 2
"""Points of wide cells merged at a write for each point written, at most, and one merge beyond: twice what is
needed to keep up."""
WRITTEN_AND_MERGED: Final = 800_000
MERGED_ALWAYS: Final = 65_536
"""Points written and points merged in narrow cells between two prunings (5 s), together, and merged at least:
under the heaviest load narrow cells wait (chosen: 160,000 points a second leave no time for them)."""
SIZES: Final = Sizes()
HORIZON_STEP_NS: Final = 60 * 10**9
"""How exactly age is kept: a write a minute for it is enough (chosen)."""
POINT_BYTES: Final = 32
"""Of a point in a block at most: 24 before compression, and what compressing may add."""
SPARE_PAGES: Final = 16
"""For the indices, when a write may not grow the file (chosen)."""
_INSERT: Final = """
    INSERT INTO block (day, width, cell, tier, born, points, slot_min, slot_max, ts_min, ts_max, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_TALLY: Final = """
    SELECT day, width, cell, tier, count(*), sum(points) FROM block
    WHERE tier >= 0 AND tier < ? GROUP BY width, cell, day, tier
"""
_PLACE: Final = "SELECT id, day, width, cell, tier, points, ts_max, length(body) FROM block"
_TS_MAX: Final = 6
_BEGIN_AT: Final = "UPDATE whole SET since_ns = max(since_ns, ?)"
_CAME_BETWEEN: Final = "SELECT EXISTS (SELECT 1 FROM block WHERE ts_max > ? AND ts_max <= ?)"
_NEVER_PRUNED: Final = -(2**63)


class EmbeddedStore:
    """One file, one writer; readers in other processes open it with `SeriesReader`. Not for several threads.

    A point of a series with time and value that are there already is the same point. It is there once for
    every reader at once; `repeats` counts it, since start, when it is found: in a write those within it, the
    others when their blocks are merged, which may be days later or, for blocks that are done, never. `merged`
    counts points written again by merging, `damaged` blocks that could not be read when they were to be
    merged.

    Bounded by `keep_days`, and by `keep_bytes` where it is not 0. The file itself does not become smaller:
    what is freed is used again.

    Raises LayoutUnknown for a file that is none of ours.
    """

    def __init__(
        self,
        path: Path,
        *,
        keep_days: float,
        keep_bytes: int = 0,
        sizes: Sizes = SIZES,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`monotonic`: seconds that pass, whatever the clock says."""
        self.keep_days = keep_days
        self.keep_bytes = keep_bytes
        self.repeats = 0
        self.merged = 0
        self.damaged = 0
        self._sizes, self._monotonic = sizes, monotonic
        self._age: Age | None = None
        self._written = 0
        self._connection = open_for_writing(path)
        self._reader = SeriesReader(self._connection)
        self._tally = Tally(self._connection.execute(_TALLY, (DONE,)), sizes)
        (self._horizon_ns,) = self._connection.execute("SELECT horizon_ns FROM meta").fetchone()

    @property
    def offset(self) -> int:
        """The newest journal record whose points are in the store."""
        return int(self._connection.execute("SELECT offset FROM meta").fetchone()[0])

    def write(self, points: Points, offset: int) -> None:
        """All points and the offset in one transaction. Raises sqlite3.OperationalError with nothing written.

        Slots are not negative. Merges first what is due, so that blocks stay few.
        """
        self.merge(MERGED_PER_WRITTEN * len(points), narrow=False)
        distinct = without_repeats(ordered(points))
        with self._transaction() as connection:
            (born,) = connection.execute("SELECT writes FROM meta").fetchone()
            rows = [
                row for part in by_day(distinct) for row in rows_of(part, WIDE, 0, born, self._sizes.block)
            ]
            connection.executemany(_INSERT, rows)
            connection.execute("UPDATE meta SET offset = ?, writes = ?", (offset, born + 1))
        self._count(rows)
        self._written += len(points)
        self.repeats += len(points) - len(distinct)

    def begin_at(self, at_ns: int) -> None:
        """From here on it is whole, and not before: what came earlier may be missing."""
        with self._transaction() as connection:
            connection.execute(_BEGIN_AT, (at_ns,))

    def fits(self, points: Points) -> bool:
        """Whether pages that are free in the file hold them, so that it does not grow; rather no than yes.

        The log beside the file is used all the same: some 20 MB, there since the first writes.
        """
        if not len(points):
            return True
        cells = np.unique((points.ts_ns // DAY_NS << 20) + points.slot // WIDE)
        blocks = len(cells) + len(points) // self._sizes.block
        _, free, size = self._pages()
        return free * size >= POINT_BYTES * len(points) + (2 * blocks + SPARE_PAGES) * size

    def read(self, slot: int, from_ns: int, to_ns: int, limit: int = 10_000) -> Points:
        """As `SeriesReader.read`."""
        return self._reader.read(slot, from_ns, to_ns, limit)

    def latest(self, slots: Sequence[int]) -> Points:
        """As `SeriesReader.latest`."""
        return self._reader.latest(slots)

    def prune(self, now_us: int, *, blocks: int = 200) -> int:
        """Drops up to `blocks` blocks of which every point is too old, or the oldest while there is too much.

        Points older than `keep_days` (to the minute) are not read any more from here on, also while their
        block has younger ones. Merges a part of what is due. Gives how many points were dropped.

        A clock that is suddenly ahead drops nothing before it has been there for an hour (`ageing`).
        """
        now_us = self._believed(now_us)
        self._tally.turn_to(now_us * 1000 // DAY_NS)
        horizon_ns = (now_us - int(self.keep_days * 86_400e6)) * 1000
        if abs(horizon_ns - self._horizon_ns) >= HORIZON_STEP_NS:
            with self._transaction() as connection:
                connection.execute("UPDATE meta SET horizon_ns = ?", (horizon_ns,))
            self._horizon_ns = horizon_ns
        dropped = self._drop(self._too_old(blocks))
        dropped += self._drop(self._too_many(blocks))
        self.merge(max(WRITTEN_AND_MERGED - self._written, MERGED_ALWAYS))
        self._written = 0
        return dropped

    def merge(self, points: int, *, narrow: bool = True) -> int:
        """Merges what is due until about `points` points were written again; how many were.

        Without `narrow` only wide cells, of which there are few blocks to look through for every series.
        """
        done = 0
        while done < points and (merge := self._tally.due(narrow=narrow)):
            done += self._merge(merge)
        self.merged += done
        return done

    def close(self) -> None:
        """Lets go of the file."""
        self._connection.close()

    def _merge(self, merge: Merge) -> int:
        day, width, cell = merge.cell
        highest = DONE - 1 if merge.down else merge.tier
        query = (
            "SELECT id, tier, born, points FROM block"
            " WHERE width = ? AND cell = ? AND day = ? AND tier BETWEEN ? AND ? ORDER BY born, id"
        )
        with self._transaction() as connection:
            found = _oldest(
                connection.execute(query, (width, cell, day, merge.tier, highest)), self._sizes.at_once
            )
            parts = [self._part(number) for number, *_ in found]
            joined = Points.joined([part for part in parts if part is not None])
            distinct = without_repeats(ordered(joined))
            rows = merged_rows(distinct, merge, found[0][2], self._sizes.block)
            whole = [(row[0],) for row, part in zip(found, parts, strict=True) if part is not None]
            broken = [(DAMAGED, row[0]) for row, part in zip(found, parts, strict=True) if part is None]
            connection.executemany("DELETE FROM block WHERE id = ?", whole)
            connection.executemany("UPDATE block SET tier = ? WHERE id = ?", broken)
            connection.executemany(_INSERT, rows)
        for _, tier, _, points in found:
            self._tally.change(merge.cell, tier, -1, -points)
        self._count(rows)
        self.repeats += len(joined) - len(distinct)
        self.damaged += len(broken)
        return len(distinct)

    def _part(self, number: int) -> Points | None:
        (body,) = self._connection.execute("SELECT body FROM block WHERE id = ?", (number,)).fetchone()
        try:
            return decode_block(body)
        except BlockDamaged as error:
            log.error("block_damaged", block=number, error=str(error))
            return None

    def _count(self, rows: Iterable[Row]) -> None:
        for day, width, cell, tier, _, points, *_ in rows:
            self._tally.change(Cell(day, width, cell), tier, 1, points)

    def _believed(self, clock_us: int) -> int:
        """What points age by."""
        before, at_s = self._age, self._monotonic()
        if before:
            self._age = aged(before, clock_us, at_s)
        else:
            last_us = self._last_us()
            witnessed = last_us is not None and self._came_between(last_us + AHEAD_US, clock_us - AHEAD_US)
            self._age = begun(last_us, clock_us, at_s, witnessed=witnessed)
        tell_of_doubt(before, self._age)
        return self._age.now_us

    def _last_us(self) -> int | None:
        """By what points were too old when the store was last pruned, to the minute; None: never."""
        if self._horizon_ns == _NEVER_PRUNED:
            return None
        return int(self._horizon_ns // 1000 + self.keep_days * 86_400e6)

    def _came_between(self, from_us: int, to_us: int) -> bool:
        query = self._connection.execute(_CAME_BETWEEN, (from_us * 1000, to_us * 1000))
        return bool(query.fetchone()[0])

    def _too_old(self, limit: int) -> list[tuple[int, ...]]:
        query = f"{_PLACE} WHERE ts_max < ? ORDER BY ts_max LIMIT ?"
        return self._connection.execute(query, (self._horizon_ns, limit)).fetchall()

    def _too_many(self, limit: int) -> list[tuple[int, ...]]:
        """The oldest of the young enough, as many as it takes to come below `keep_bytes`."""
        if not self.keep_bytes:
            return []
        pages, free, size = self._pages()
        excess = (pages - free) * size - self.keep_bytes
        query = f"{_PLACE} WHERE ts_max >= ? ORDER BY ts_max LIMIT ?"
        chosen: list[tuple[int, ...]] = []
        if excess > 0:
            for row in self._connection.execute(query, (self._horizon_ns, limit)):
                chosen.append(row)
                excess -= row[-1]
                if excess <= 0:
                    break
        return chosen

    def _pages(self) -> tuple[int, int, int]:
        """How many there are, how many of them are free, and the bytes of one."""
        pages, free, size = (
            int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
        return pages, free, size

    def _drop(self, rows: Sequence[tuple[int, ...]]) -> int:
        """Says with it that the store begins behind them: the horizon alone goes back with the clock."""
        if not rows:
            return 0
        with self._transaction() as connection:
            connection.execute(_BEGIN_AT, (max(row[_TS_MAX] for row in rows) + 1,))
            connection.executemany("DELETE FROM block WHERE id = ?", [(row[0],) for row in rows])
        for _, day, width, cell, tier, points, *_ in rows:
            self._tally.change(Cell(day, width, cell), tier, -1, -points)
        return sum(row[5] for row in rows)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


def _oldest(rows: Iterable[tuple[int, int, int, int]], at_once: int) -> list[tuple[int, int, int, int]]:
    """The first of them (id, tier, born, points), up to what is merged at once, but two at least."""
    found: list[tuple[int, int, int, int]] = []
    points = 0
    for row in rows:
        points += row[3]
        if points > at_once and len(found) >= 2:
            break
        found.append(row)
    return found
