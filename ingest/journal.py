"""The journal's writer: a record is on the disk before anybody hears of what it says.

The journal is the only spool: recovery and the series-store writer are readers of it with their own
positions. When it is full, `append` refuses, the tick stops reading the socket and the broker keeps what
comes (back-pressure). Shedding points instead, from a preallocated reserve (contract 9), is not built yet.

Errors:
* JournalError
  * JournalLocked: another process writes to this folder.
  * JournalFull: the size bound is reached and no segment can be deleted yet; nothing was written.
An OSError of `append` (disk full, I/O error) leaves the journal usable: the half-written record is cut off
before the next attempt.
"""

from __future__ import annotations

import fcntl
import os
from itertools import pairwise
from pathlib import Path

import structlog

from ingest.journal_files import (
    DURABLE,
    READER,
    Damage,
    Mark,
    list_segments,
    next_record,
    read_mark,
    segment_path,
    sync_file,
    sync_folder,
)
from ingest.record import Record, encode_record

log = structlog.get_logger()


class JournalError(Exception):
    """The journal cannot do what was asked."""


class JournalLocked(JournalError):
    """Another process holds the folder's lock."""


class JournalFull(JournalError):
    """The size bound is reached. Readers must move on before anything can be appended."""


class Journal:
    """The one writer of a folder. One `append` is one write and one fdatasync; nothing is buffered.

    `readers` names those whose positions hold segments back (`reader-NAME` files; a missing one holds all).
    `at_least` is the smallest seq to continue with where the folder knows less (it was lost): numbers that
    readers, snapshot or database have seen must never mean another record.
    """

    def __init__(
        self,
        folder: Path,
        *,
        segment_bytes: int,
        max_bytes: int,
        readers: tuple[str, ...] = ("store",),
        at_least: int = 1,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._max_bytes = max_bytes
        self._readers = readers
        self._kept_after = 0
        self._torn = False
        self._next_seq = at_least
        self._lock = _take_lock(folder)
        self._durable = Mark(folder / DURABLE)
        self.damage: list[Damage] = []
        """What could not be read of the newest segment when it was opened, before its last whole record."""
        self._sizes = {found.first_seq: found.path.stat().st_size for found in list_segments(folder)}
        self._open_newest(max(at_least, self._durable.seq + 1))

    @property
    def next_seq(self) -> int:
        """The seq the next record must carry."""
        return self._next_seq

    @property
    def bytes_on_disk(self) -> int:
        """The size of all segments together."""
        return sum(self._sizes.values())

    def append(self, record: Record) -> None:
        """Returns when the record is durable. Raises JournalFull or OSError with nothing of it promised."""
        if record.seq != self._next_seq:
            raise ValueError(f"record {record.seq} is not the next one, {self._next_seq}")
        data = encode_record(record)
        self._make_room(len(data))
        if self._torn:
            os.ftruncate(self._descriptor, self._size)  # also after a failed fdatasync: its pages are not
            self._torn = False  # trustworthy, so the record is written anew
        if self._size and self._size + len(data) > self._segment_bytes:
            self._roll()
        self._torn = True
        _write_all(self._descriptor, data, self._size)
        sync_file(self._descriptor)
        self._torn = False
        self._size += len(data)
        self._sizes[self._first_seq] = self._size
        self._next_seq = record.seq + 1
        self._durable.seq = record.seq

    def keep_after(self, seq: int) -> None:
        """Recovery will never again need records up to `seq`; deletes the segments nobody needs."""
        self._kept_after = seq
        self.trim()

    def trim(self) -> int:
        """Deletes segments that every named reader and the snapshot are past; returns how many."""
        floor = min(
            [self._kept_after, *(read_mark(self._folder / f"{READER}{name}") for name in self._readers)]
        )
        firsts = sorted(self._sizes)
        past = [first for first, after in pairwise(firsts) if after <= floor + 1]
        for first in past:
            segment_path(self._folder, first).unlink(missing_ok=True)
            del self._sizes[first]
        if past:
            sync_folder(self._folder)
        return len(past)

    def close(self) -> None:
        """Lets go of files and lock. What was appended is durable already."""
        os.close(self._descriptor)
        self._durable.close()
        os.close(self._lock)

    def _make_room(self, size: int) -> None:
        if self.bytes_on_disk + size <= self._max_bytes:
            return
        self.trim()
        if self.bytes_on_disk + size > self._max_bytes:
            raise JournalFull(
                f"{self.bytes_on_disk} bytes wait for their readers; the bound is {self._max_bytes}"
            )

    def _roll(self) -> None:
        sync_file(self._descriptor)
        old = self._descriptor
        self._start_segment(self._next_seq)
        os.close(old)

    def _start_segment(self, first_seq: int) -> None:
        path = segment_path(self._folder, first_seq)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        self._first_seq, self._size, self._next_seq = first_seq, 0, first_seq
        self._sizes[first_seq] = 0
        os.fsync(self._descriptor)
        sync_folder(self._folder)

    def _open_newest(self, at_least: int) -> None:
        """Continues the newest segment after its last whole record; what follows that is a torn tail."""
        if not self._sizes:
            self._start_segment(max(at_least, 1))
            self._durable.seq = self._next_seq - 1
            return
        self._first_seq = max(self._sizes)
        path = segment_path(self._folder, self._first_seq)
        end, last_seq = self._scan(path)
        self._descriptor = os.open(path, os.O_RDWR)
        os.ftruncate(self._descriptor, end)
        os.fsync(self._descriptor)  # a record written but not yet synced when the process died is one now
        self._size = self._sizes[self._first_seq] = end
        self._next_seq = last_seq + 1
        if at_least > self._next_seq:
            log.error("journal_behind", next_seq=self._next_seq, continues_with=at_least)
            self._roll_to(at_least)
        self._durable.seq = self._next_seq - 1

    def _roll_to(self, first_seq: int) -> None:
        old = self._descriptor
        self._start_segment(first_seq)
        os.close(old)

    def _scan(self, path: Path) -> tuple[int, int]:
        data, end, last_seq = path.read_bytes(), 0, self._first_seq - 1
        while found := next_record(data, end):
            start, header = found
            if start > end:
                self.damage.append(Damage(path.name, end, start - end))
                log.error("journal_damaged", segment=path.name, offset=end, size=start - end)
            end, last_seq = start + header.size, header.seq
        if end < len(data):
            log.warning("journal_tail_cut", segment=path.name, offset=end, size=len(data) - end)
        return end, last_seq


def _take_lock(folder: Path) -> int:
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise JournalLocked(f"{folder}: another process writes this journal") from None
    return descriptor


def _write_all(descriptor: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, at)
        view, at = view[written:], at + written
