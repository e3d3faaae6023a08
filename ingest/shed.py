"""Points that were shed, counted for each device: exact, bounded in memory, at most one transaction a second.

What is not yet in the database stands in memory, in the snapshot and, after that, in the journal. Each row
says up to which record its device is counted, so that a replay counts nothing twice and misses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, bindparam, func, select, update
from sqlalchemy.exc import OperationalError

from devices.database import insert_new, reading, writing
from devices.model import Int32, Int64
from ingest.record import Record
from ingest.schema import shed

log = structlog.get_logger()

FLUSH_US: Final = 1_000_000
ROWS: Final = 500
"""Devices in one transaction (chosen: some milliseconds of SQLite; a tick must not wait longer)."""
_COLUMNS: Final = ("points", "first_us", "last_us", "upto")


@dataclass(frozen=True, slots=True)
class ShedRow:
    """How many points of a device were evaluated and not stored, and between which times they came."""

    device: str
    points: int
    first_us: int
    last_us: int


@dataclass(frozen=True, slots=True)
class _Try:
    """A write whose answer was lost: it may have happened."""

    seq: int
    numbers: NDArray[np.int64]
    points: Int64


class ShedCounts:
    """Counts in memory, by a number of its own for each device. One writer: the ingest process.

    `uid_of` names the device of a series slot. `total` counts points since the start of the process. Memory:
    36 bytes a device and 4 a series, only once points were shed.
    """

    def __init__(self, engine: Engine, uid_of: Callable[[int], str]) -> None:
        self._engine, self._uid_of = engine, uid_of
        self._number_of_slot = np.full(0, -1, np.int32)
        self._numbers: dict[str, int] = {}
        self._uids: list[str] = []
        self._columns = {name: np.zeros(0, np.int64) for name in _COLUMNS}
        self._seq = self._flushed_us = self._next = 0
        self._failing = False
        self._try: _Try | None = None
        self.total = 0
        with reading(engine) as connection:
            for row in connection.execute(select(shed.c.device, shed.c.seq)):
                number = self._number(row.device)  # first: it may put larger columns in place of these
                self._columns["upto"][number] = row.seq

    @property
    def waiting(self) -> int:
        """How many devices have counts that are not in the database yet."""
        return int(np.count_nonzero(self._columns["points"]))

    def count(self, record: Record) -> None:
        """Counts a record that was shed, live or replayed; does nothing for any other."""
        if not record.shed or not len(record.batch):
            return
        slots, times = np.unique(record.batch.slot, return_counts=True)
        numbers = self._numbers_of(slots)
        columns = self._columns
        fresh = columns["upto"][numbers] < record.seq
        numbers, times = numbers[fresh], times[fresh]
        first = numbers[columns["points"][numbers] == 0]
        columns["first_us"][first] = record.tick_us
        columns["last_us"][numbers] = record.tick_us
        np.add.at(columns["points"], numbers, times)
        self._seq = max(self._seq, record.seq)
        self.total += int(times.sum())

    def forget(self, slots: Sequence[int]) -> None:
        """The series with these slots are gone: who gets one next is another device."""
        known = np.array([slot for slot in slots if slot < len(self._number_of_slot)], np.int64)
        self._number_of_slot[known] = -1

    def flush(self, now_us: int) -> bool:
        """Writes up to ROWS devices, when a second has passed. True where it wrote; a busy database waits."""
        if abs(now_us - self._flushed_us) < FLUSH_US or not self.waiting:
            return False
        self._flushed_us = now_us
        try:
            self._look_after_the_last()
            taken = self._take()
            self._try = _Try(self._seq, taken, self._columns["points"][taken])
            with writing(self._engine) as connection:
                self._write(connection, taken)
        except OperationalError as error:
            if not self._failing:
                log.warning("shed_counts_wait", error=str(error.orig))
            self._failing = True
            return False
        self._settle(self._try)
        self._failing, self._try = False, None
        self._next = int(taken[-1]) + 1 if len(taken) else 0
        return True

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """What is not in the database yet, for the snapshot."""
        waiting = np.flatnonzero(self._columns["points"])
        names = "\0".join(self._uids[number] for number in waiting.tolist()).encode()
        arrays: dict[str, NDArray[Any]] = {name: self._columns[name][waiting] for name in _COLUMNS}
        return arrays | {"uids": np.frombuffer(names, np.uint8), "seq": np.array([self._seq], np.int64)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes the counts of a snapshot, but for devices that were written after it."""
        if not state or not len(state["points"]):
            return
        names = state["uids"].tobytes().decode().split("\0")
        for n, uid in enumerate(names):
            number = self._number(uid)
            if self._columns["upto"][number] == state["upto"][n]:
                for name in ("points", "first_us", "last_us"):
                    self._columns[name][number] = state[name][n]
        self._seq = max(self._seq, int(state["seq"][0]))

    def _numbers_of(self, slots: Int32) -> NDArray[np.int64]:
        highest = int(slots[-1])
        if highest >= len(self._number_of_slot):
            grown = np.full(max(highest + 1, 2 * len(self._number_of_slot)), -1, np.int32)
            grown[: len(self._number_of_slot)] = self._number_of_slot
            self._number_of_slot = grown
        for slot in slots[self._number_of_slot[slots] < 0].tolist():
            self._number_of_slot[slot] = self._number(_takeable(self._uid_of(slot)))
        return self._number_of_slot[slots].astype(np.int64)

    def _number(self, uid: str) -> int:
        number = self._numbers.setdefault(uid, len(self._uids))
        if number == len(self._uids):
            self._uids.append(uid)
            if number >= len(self._columns["points"]):
                more = np.zeros(max(64, number), np.int64)
                self._columns = {name: np.concatenate([a, more]) for name, a in self._columns.items()}
        return number

    def _take(self) -> NDArray[np.int64]:
        """The next devices to write, going round, so that none waits for ever."""
        waiting = np.flatnonzero(self._columns["points"])
        after = waiting[waiting >= self._next]
        return (after if len(after) else waiting)[:ROWS]

    def _write(self, connection: Connection, taken: NDArray[np.int64]) -> None:
        rows = [
            {
                "b_device": self._uids[number],
                "b_points": int(self._columns["points"][number]),
                "b_first": int(self._columns["first_us"][number]),
                "b_last": int(self._columns["last_us"][number]),
                "b_seq": self._seq,
            }
            for number in taken.tolist()
        ]
        if not rows:
            return
        fresh = [
            {
                "device": row["b_device"],
                "points": 0,
                "first_us": row["b_first"],
                "last_us": row["b_last"],
                "seq": 0,
            }
            for row in rows
        ]
        connection.execute(insert_new(connection, shed), fresh)
        connection.execute(_ADD, rows)

    def _look_after_the_last(self) -> None:
        """Takes out of the counts what the last write counted after all, though its answer was lost."""
        if self._try is None:
            return
        last = self._try
        names = [self._uids[number] for number in last.numbers.tolist()]
        with reading(self._engine) as connection:
            query = select(shed.c.device).where(shed.c.device.in_(names), shed.c.seq == last.seq)
            written = {self._numbers[name] for name in connection.scalars(query)}
        there = np.array([number in written for number in last.numbers.tolist()], np.bool_)
        self._settle(_Try(last.seq, last.numbers[there], last.points[there]))
        self._try = None

    def _settle(self, done: _Try) -> None:
        self._columns["points"][done.numbers] -= done.points
        self._columns["upto"][done.numbers] = done.seq


def _takeable(uid: str) -> str:
    """As every database takes it: no NUL, no lone surrogate."""
    return uid.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


_ADD: Final = (
    update(shed)
    .where(shed.c.device == bindparam("b_device"))
    .values(points=shed.c.points + bindparam("b_points"), last_us=bindparam("b_last"), seq=bindparam("b_seq"))
)


def list_shed(connection: Connection, device: str = "") -> list[ShedRow]:
    """Devices of which points were shed, most points first; only `device` where it is given."""
    c = shed.c
    query = select(c.device, c.points, c.first_us, c.last_us).order_by(c.points.desc(), c.device)
    if device:
        query = query.where(c.device == device)
    return [ShedRow(*row) for row in connection.execute(query)]


def shed_total(connection: Connection) -> int:
    """All points that were ever shed, as far as the database knows."""
    return int(connection.scalar(select(func.sum(shed.c.points))) or 0)
