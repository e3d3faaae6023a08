"""Reading the embedded series store, beside its writer and other readers, in any process.

Promises: one call sees one state of the file, whatever is written, merged or dropped meanwhile. A block that
cannot be read is left out, named in the log and counted in `damaged`; the rest is read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

import numpy as np
import structlog

from devices.model import Int64
from ingest.store.block import BlockDamaged, decode_block
from ingest.store.layout import DAY_NS, NARROW, PATIENCE_S, WIDE, open_for_reading, whole_since_ns
from ingest.store.points import Points, bounds, ordered, separated, without_repeats

log = structlog.get_logger()

APART_NS: Final = 1_000_000
"""How far points of one time can have been separated: a million of them, one millisecond."""
PIECE_POINTS: Final = 500_000
"""Of a piece, about (chosen: 12 MB, some times as much while it is put in order)."""
_OLDEST: Final = -(2**63)
_NEWEST: Final = 2**63 - 1
_OF_SLOT: Final = (
    f"((width = {WIDE} AND cell = ?) OR (width = {NARROW} AND cell = ?)) AND slot_min <= ? AND slot_max >= ?"
    " AND ts_max >= ? AND ts_min < ?"
)


class SeriesReader:
    """Points of the embedded store. Not for several threads at once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Over a connection of `layout`, which it closes; `open` makes one."""
        self._connection = connection
        self._horizon_ns = _OLDEST
        self._damaged: set[int] = set()

    @classmethod
    def open(cls, path: Path, patience_s: float = PATIENCE_S) -> Self:
        """Opens the store beside its writer.

        Raises FileNotFoundError where there is no store yet, LayoutUnknown for another file.
        """
        return cls(open_for_reading(path, patience_s))

    @property
    def damaged(self) -> int:
        """How many blocks could not be read so far, each counted once."""
        return len(self._damaged)

    @property
    def whole_from_ns(self) -> int:
        """From when on every point that came in is there."""
        with self._one_state():
            return max(self._horizon_ns, whole_since_ns(self._connection))

    @property
    def damaged_blocks(self) -> list[int]:
        """The ids of those."""
        return sorted(self._damaged)

    @property
    def position(self) -> tuple[int, int]:
        """The newest journal record whose points are there, and the number of writes: other numbers later
        mean that somebody has written meanwhile."""
        offset, writes = self._connection.execute("SELECT offset, writes FROM meta").fetchone()
        return int(offset), int(writes)

    def read(self, slot: int, from_ns: int, to_ns: int, limit: int = 10_000) -> Points:
        """The oldest `limit` points of a series in [from_ns, to_ns), in order of time, each at its own time.

        Points that arrived with one time and different values stand at neighbouring nanoseconds, the first at
        the time itself. Not guaranteed where more than a million of them stand side by side.
        """
        with self._one_state():
            begin = max(from_ns - APART_NS, self._horizon_ns)
            found: list[Points] = []
            count = 0
            for day in self._days(slot, begin, to_ns):
                part = self._of_day(slot, day, begin, to_ns)
                if not len(part):
                    continue
                found.append(part)
                count += int(np.count_nonzero(part.ts_ns >= from_ns))
                if count >= limit and part.ts_ns[-1] < (day + 1) * DAY_NS - APART_NS:
                    break
        points = separated(Points.joined(found))
        first, end = np.searchsorted(points.ts_ns, (from_ns, to_ns))
        return points[int(first) : min(int(end), int(first) + limit)]

    def latest(self, slots: Sequence[int]) -> Points:
        """The newest point of each series that has one, in the order asked for."""
        with self._one_state():
            found = [self._latest(slot) for slot in slots]
        return Points.joined([one for one in found if one is not None])

    def count(self, slots: Sequence[int] | None = None) -> int:
        """How many points there are, of some series or all; each once, however often it arrived.

        Reads every block: for benches and checks, some seconds for ten million points.
        """
        wanted = None if slots is None else np.unique(np.asarray(slots, np.int64))
        with self._one_state():
            parts = (part for place in self._wide_cells() for part in self._distinct(*place))
            if wanted is None:
                return sum(len(part) for part in parts)
            return sum(int(np.count_nonzero(np.isin(part.slot, wanted))) for part in parts)

    def counts(self) -> Int64:
        """How many points each series has, at the place of its slot; each once, however often it arrived.

        Reads every block, as `count` does. As long as the highest slot demands.
        """
        with self._one_state():
            (highest,) = self._connection.execute("SELECT coalesce(max(slot_max), -1) FROM block").fetchone()
            found: Int64 = np.zeros((highest // NARROW + 1) * NARROW, np.int64)
            for place in self._wide_cells():
                for part in self._distinct(*place):
                    if len(part):
                        base = int(part.slot[0]) // NARROW * NARROW
                        found[base : base + NARROW] += np.bincount(part.slot - base, minlength=NARROW)
        return found

    def slots(self) -> list[int]:
        """All series that have points. Reads every block."""
        with self._one_state():
            horizon_ns = self._horizon_ns
            parts = self._blocks("SELECT id FROM block WHERE ts_max >= ?", horizon_ns)
            found = {slot for p in parts for slot in np.unique(p.slot[p.ts_ns >= horizon_ns]).tolist()}
        return sorted(found)

    def days(self) -> list[int]:
        """The days (UTC, counted from 1970) of which there are points."""
        query = "SELECT DISTINCT day FROM block WHERE ts_max >= (SELECT horizon_ns FROM meta) ORDER BY day"
        return [day for (day,) in self._connection.execute(query)]

    def pieces(self, day: int, most: int = PIECE_POINTS) -> Iterator[Points]:
        """All points of a day, each once, by series, time and arrival: all of some neighbouring series at a
        time, of `WIDE` slots and about `most` points at most; one series is one piece, however much it is.
        What has not gone down into narrow cells yet is beside that, as much as fills a wide cell.

        Each piece is one state of the file, all of them only where nobody writes meanwhile.
        """
        for first, end in self._ranges(day, most):
            with self._one_state():
                points = self._of_slots(day, first, end)
            if len(points):
                yield points

    def close(self) -> None:
        """Lets go of the file."""
        self._connection.close()

    @contextmanager
    def _one_state(self) -> Iterator[None]:
        self._connection.execute("BEGIN")
        try:
            query = "SELECT horizon_ns FROM meta"
            self._horizon_ns = int(self._connection.execute(query).fetchone()[0])
            yield
        finally:
            self._connection.execute("ROLLBACK")

    def _days(self, slot: int, from_ns: int, to_ns: int) -> list[int]:
        query = f"SELECT DISTINCT day FROM block WHERE {_OF_SLOT} ORDER BY day"  # noqa: S608
        return [day for (day,) in self._connection.execute(query, _place(slot, from_ns, to_ns))]

    def _of_day(self, slot: int, day: int, from_ns: int, to_ns: int) -> Points:
        """One series' points of one day with a time in [from_ns, to_ns), in order, each once."""
        query = f"SELECT id FROM block WHERE {_OF_SLOT} AND day = ? ORDER BY born, id"  # noqa: S608
        parts = []
        for block in self._blocks(query, *_place(slot, from_ns, to_ns), day):
            part = block[slice(*bounds(block, slot))]
            parts.append(part[(part.ts_ns >= from_ns) & (part.ts_ns < to_ns)])
        return without_repeats(ordered(Points.joined(parts)))

    def _ranges(self, day: int, most: int) -> list[tuple[int, int]]:
        """Which slots make a piece each: whole narrow cells, or parts of one that holds more than `most`."""
        ranges: list[tuple[int, int]] = []
        held = 0.0
        for cell, points in sorted(self._weights(day).items()):
            first, end = cell * NARROW, (cell + 1) * NARROW
            if ranges and held + points <= most and end - ranges[-1][0] <= WIDE:
                ranges[-1] = ranges[-1][0], end
                held += points
                continue
            parts = min(1 << (max(int(points / most), 1) - 1).bit_length(), NARROW)
            width = NARROW // parts
            ranges += [(start, start + width) for start in range(first, end, width)]
            held = points if parts == 1 else float(most)
        return ranges

    def _weights(self, day: int) -> dict[int, float]:
        """How many points the narrow cells of a day hold, about: those of wide cells as if spread evenly."""
        weights: dict[int, float] = {}
        query = "SELECT slot_min / ?, slot_max / ?, sum(points) FROM block WHERE day = ? GROUP BY 1, 2"
        for first, last, points in self._connection.execute(query, (NARROW, NARROW, day)):
            for cell in range(first, last + 1):
                weights[cell] = weights.get(cell, 0.0) + points / (last + 1 - first)
        return weights

    def _of_slots(self, day: int, first: int, end: int) -> Points:
        """Points of neighbouring series of one day, in order, each once."""
        query = "SELECT id FROM block WHERE day = ? AND slot_min < ? AND slot_max >= ? ORDER BY born, id"
        parts = []
        for block in self._blocks(query, day, end, first):
            begin, behind = np.searchsorted(block.slot, (first, end))
            part = block[int(begin) : int(behind)]
            parts.append(part[part.ts_ns >= self._horizon_ns])
        return without_repeats(ordered(Points.joined(parts)))

    def _latest(self, slot: int) -> Points | None:
        newest = self._newest_ns(slot)
        if newest is None:
            return None
        begin = max(newest - APART_NS, self._horizon_ns)
        days = range(begin // DAY_NS, newest // DAY_NS + 1)
        return separated(Points.joined([self._of_day(slot, day, begin, _NEWEST) for day in days]))[-1:]

    def _newest_ns(self, slot: int) -> int | None:
        """The newest time of a series: blocks from the youngest on, until none can hold a younger point."""
        query = f"SELECT id, ts_max FROM block WHERE {_OF_SLOT} ORDER BY ts_max DESC"  # noqa: S608
        place = _place(slot, self._horizon_ns, _NEWEST)
        newest: int | None = None
        for number, ts_max in self._connection.execute(query, place).fetchall():
            if newest is not None and ts_max <= newest:
                break
            for block in self._blocks("SELECT ?", number):
                times = block.ts_ns[slice(*bounds(block, slot))]
                if len(times) and times[-1] >= self._horizon_ns:
                    newest = max(int(times[-1]), newest or int(times[-1]))
        return newest

    def _wide_cells(self) -> list[tuple[int, int]]:
        query = "SELECT DISTINCT day, slot_min / ? FROM block ORDER BY 1, 2"
        return self._connection.execute(query, (WIDE,)).fetchall()

    def _distinct(self, day: int, cell: int) -> Iterator[Points]:
        """Points of one day and wide cell, each once, a narrow cell at a time: what is in the wide cell, and
        in the narrow ones below it."""
        wide = self._cell(day, WIDE, cell)
        per = WIDE // NARROW
        query = "SELECT DISTINCT cell FROM block WHERE width = ? AND day = ? AND cell >= ? AND cell < ?"
        rows = self._connection.execute(query, (NARROW, day, cell * per, (cell + 1) * per))
        below = {narrow for (narrow,) in rows}
        below |= set(np.unique(wide.slot // NARROW).tolist())
        for narrow in below:
            first, end = np.searchsorted(wide.slot, (narrow * NARROW, (narrow + 1) * NARROW))
            points = Points.joined([self._cell(day, NARROW, narrow), wide[int(first) : int(end)]])
            points = points[points.ts_ns >= self._horizon_ns]
            yield without_repeats(ordered(points))

    def _cell(self, day: int, width: int, cell: int) -> Points:
        query = "SELECT id FROM block WHERE width = ? AND cell = ? AND day = ? ORDER BY born, id"
        return ordered(Points.joined(list(self._blocks(query, width, cell, day))))

    def _blocks(self, query: str, *values: int) -> Iterator[Points]:
        """The blocks whose ids `query` gives, in its order, without those that cannot be read."""
        for (number,) in self._connection.execute(query, values).fetchall():
            row = self._connection.execute("SELECT body FROM block WHERE id = ?", (number,)).fetchone()
            try:
                yield decode_block(row[0])
            except BlockDamaged as error:
                if number not in self._damaged:
                    self._damaged.add(number)
                    log.error("block_damaged", block=number, error=str(error))


def _place(slot: int, from_ns: int, to_ns: int) -> tuple[int, int, int, int, int, int]:
    begin, end = max(from_ns, _OLDEST), min(to_ns, _NEWEST)
    return slot // WIDE, slot // NARROW, slot, slot, begin, end
