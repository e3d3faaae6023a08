"""Which sequence numbers of a device were seen: a window of the last 64, tolerant of reordering."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, Int32, Int64, UInt8, UInt32
from ingest.columns import Columns
from ingest.record import Proof

WIDTH: Final = 64
"""How many numbers back a message may come and still be known as new or seen (chosen; one machine word)."""
MEMORY_US: Final = 3_600_000_000
"""A window without a message for an hour is forgotten (chosen: longer than clients go on resending)."""
RESEND_MS: Final = 10_000
"""How long after a message without a time of its own the same number and content is its resend (chosen: a
client that sends at least once resends within seconds; a detector that starts again takes longer)."""
_MS_RANGE: Final = 1 << 32
"""Times of numbers are kept in milliseconds modulo 49 days; none in a live window is older than 64 hours."""
_ALL: Final = (1 << WIDTH) - 1


class SeqWindows:
    """One window per device that numbers its messages.

    A message is a duplicate when its number is in the window with the same checksum of topic and payload, and
    `proof` allows it. The same number with other content, or a number 64 or more behind, is a device that
    started again: it is accepted and the window starts anew. Without the checksum a detector that restarts
    after twenty messages would have its next twenty swallowed, and one of them may be the fire.

    The checksum is not enough where the content holds no time: number 1, smoke, after a restart is byte for
    byte the fire before. Such a message is a duplicate for RESEND_MS only; after that it is a restart. With a
    true life flag it is never one: a resend is then evaluated twice and stored as a second point. The price
    within RESEND_MS of a restart: a repeated message without a life flag is taken for a resend.
    """

    def __init__(self) -> None:
        self._row_of = Columns({"row": np.int32})
        self._windows = Columns(
            {
                "last": np.int64,
                "seen": np.uint64,
                "heard_us": np.int64,
                "marks": (np.uint64, WIDTH),
            }
        )
        """`marks`: for each number in the window, when it was first heard (upper half, milliseconds) and the
        checksum of what it said (lower half), side by side because they are fetched together."""
        self._place = Columns({"at": np.int32})
        self._windows.grow(1)

    def admit(self, device: Int32, seq: Int64, checksum: UInt32, proof: UInt8, received_us: int) -> Bool:
        """Takes one tick's messages in arrival order; True where the message is a duplicate.

        Messages with device 0 or seq -1 are never duplicates and leave no trace.
        """
        duplicate = np.zeros(len(device), np.bool_)
        numbered = (device > 0) & (seq >= 0)
        if not numbered.any():
            return duplicate
        if numbered.all() and self._admit_usual(device, seq, checksum, received_us):
            return duplicate
        at = np.flatnonzero(numbered)
        rows = self._rows_for(device[at])
        order = np.argsort(rows, kind="stable")
        at, rows = at[order], rows[order]
        starts = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]])
        plain = self._is_plain(rows, seq[at], starts, received_us)
        lengths = np.diff(np.r_[starts, len(rows)])
        self._advance(rows, seq[at], checksum[at], np.repeat(plain, lengths), received_us)
        for start, length in zip(starts[~plain].tolist(), lengths[~plain].tolist(), strict=True):
            for i in at[start : start + length].tolist():
                duplicate[i] = self._one(
                    int(rows[start]), int(seq[i]), int(checksum[i]), Proof(proof[i]), received_us
                )
        self._windows["heard_us"][rows] = received_us
        return duplicate

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """All windows as arrays."""
        return self._row_of.snapshot("window.") | self._windows.snapshot("window.")

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Takes the windows of a snapshot."""
        self._row_of.restore("window.", arrays)
        self._windows.restore("window.", arrays)

    def _admit_usual(self, device: Int32, seq: Int64, checksum: UInt32, received_us: int) -> bool:
        """The usual tick, each device once and its number larger than before; False where it is another."""
        rows, windows = self._rows_for(device), self._windows
        last = windows["last"].take(rows)
        moved = seq - last
        if int(moved.min()) <= 0 or received_us - int(windows["heard_us"].take(rows).min()) > MEMORY_US:
            return False
        self._place.grow(len(windows))
        place, numbers = self._place["at"], np.arange(len(rows), dtype=np.int32)
        place[rows] = numbers
        if not np.array_equal(place.take(rows), numbers):
            return False
        seen = windows["seen"].take(rows) << np.minimum(moved, WIDTH - 1).astype(np.uint64)
        if int(moved.max()) >= WIDTH:
            seen[moved >= WIDTH] = 0
        seen |= np.uint64(1)
        windows["seen"][rows] = seen
        windows["last"][rows] = seq
        windows["heard_us"][rows] = received_us
        self._note(rows, seq, checksum, received_us)
        return True

    def _note(self, rows: NDArray[Any], seq: Int64, checksum: UInt32, received_us: int) -> None:
        """Writes when and with which content each number was heard."""
        mark = checksum.astype(np.uint64)
        mark |= np.uint64(received_us // 1000 % _MS_RANGE << 32)
        self._windows["marks"].reshape(-1)[rows.astype(np.int64) * WIDTH + (seq & (WIDTH - 1))] = mark

    def _rows_for(self, device: Int32) -> NDArray[Any]:
        self._row_of.grow(int(device.max()) + 1)
        rows = self._row_of["row"][device]
        if not rows.all():
            new = np.unique(device[rows == 0])
            first = len(self._windows)
            self._windows.grow(first + len(new))
            self._windows["last"][first:] = -1
            self._row_of["row"][new] = np.arange(first, first + len(new))
            rows = self._row_of["row"][device]
        return rows

    def _is_plain(self, rows: NDArray[Any], seq: Int64, starts: NDArray[Any], received_us: int) -> Bool:
        """Per run of one device: whether its window is fresh and its numbers only grow, the usual case."""
        before = np.empty_like(seq)
        before[1:] = seq[:-1]
        before[starts] = self._windows["last"][rows[starts]]
        grows = np.logical_and.reduceat(seq > before, starts)
        fresh = received_us - self._windows["heard_us"][rows[starts]] <= MEMORY_US
        result: Bool = grows & fresh
        return result

    def _advance(
        self, rows: NDArray[Any], seq: Int64, checksum: UInt32, plain: NDArray[Any], received_us: int
    ) -> None:
        """All runs whose numbers only grow, at once."""
        if not plain.any():
            return
        rows, seq, checksum = rows[plain], seq[plain], checksum[plain]
        starts = np.flatnonzero(np.r_[True, rows[1:] != rows[:-1]])
        ends = np.r_[starts[1:], len(rows)] - 1
        who, newest = rows[starts], seq[ends]
        moved = newest - self._windows["last"][who]
        kept = np.where(
            moved < WIDTH, self._windows["seen"][who] << np.minimum(moved, WIDTH - 1).astype(np.uint64), 0
        )
        behind = np.repeat(newest, np.diff(np.r_[starts, len(rows)])) - seq
        bits = np.where(behind < WIDTH, np.uint64(1) << np.minimum(behind, WIDTH - 1).astype(np.uint64), 0)
        self._windows["seen"][who] = kept | np.bitwise_or.reduceat(bits, starts)
        self._windows["last"][who] = newest
        self._note(rows, seq, checksum, received_us)

    def _one(self, row: int, seq: int, checksum: int, proof: Proof, received_us: int) -> bool:
        """One message against its window, in plain steps. True where it is a duplicate."""
        last, seen = int(self._windows["last"][row]), int(self._windows["seen"][row])
        forgotten = received_us - int(self._windows["heard_us"][row]) > MEMORY_US
        behind = last - seq
        here = 0 <= behind < WIDTH and bool(seen >> behind & 1) and not forgotten
        first_ms, said = divmod(int(self._windows["marks"][row, seq % WIDTH]), 1 << 32)
        if here and said == checksum:
            if proof is Proof.SAME_INSTANT:
                return True
            if (received_us // 1000 - first_ms) % _MS_RANGE <= RESEND_MS:
                return proof is not Proof.NOTHING
        if here or behind >= WIDTH or forgotten:
            last, seen = seq, 1
        elif behind < 0:
            last, seen = seq, ((seen << -behind) | 1) & _ALL if -behind < WIDTH else 1
        else:
            seen |= 1 << behind
        self._windows["last"][row], self._windows["seen"][row] = last, seen
        self._windows["heard_us"][row] = received_us
        self._windows["marks"][row, seq % WIDTH] = received_us // 1000 % _MS_RANGE << 32 | checksum
        return False
