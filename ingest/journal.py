"""The journal's writer: a record is on the disk before anybody hears of what it says.

The journal is the only spool: recovery and the series-store writer are readers of it with their own
positions. When its size bound is reached because the store does not follow, or the disk is full, records go
on into the reserve (`ingest.reserve`), marked as shed: recovery replays them like any other, the store passes
over their points. When there is room for a whole segment again, it goes on as before. Only when the reserve
is used up does `append` refuse; the tick then stops reading the socket and the broker keeps what comes.

Errors:
* JournalError
  * JournalLocked: another process writes to this folder.
  * JournalFull: neither journal nor reserve has room for the record; nothing was written.
An OSError of `append` (I/O error) leaves the journal usable: the half-written record is cut off before the
next attempt.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Final

import structlog

from ingest.journal_files import (
    DURABLE,
    FULL,
    READER,
    SLOT_HEAD_BYTES,
    Damage,
    Mark,
    Segment,
    list_segments,
    read_mark,
    sync_folder,
)
from ingest.journal_segment import OpenSegment, begin_slot, make_segment, resume_segment
from ingest.record import Record, encode_record
from ingest.reserve import SLOTS, Reserve

log = structlog.get_logger()

LOOK_S: Final = 1.0
"""While points are shed: between two looks for room (chosen; a look costs a file made and taken away)."""

RESERVE_S: Final = 10.0
"""Between two looks for room for the rest of the reserve (chosen)."""


class JournalError(Exception):
    """The journal cannot do what was asked."""


class JournalLocked(JournalError):
    """Another process holds the folder's lock."""


class JournalFull(JournalError):
    """The size bound is reached and the reserve used up. Readers or the snapshot must move on first."""


class Journal:
    """The one writer of a folder. One `append` is one write and one fdatasync; nothing is buffered.

    `readers` names those whose positions hold segments back (`reader-NAME` files; a missing one holds all).
    `at_least` is the smallest seq to continue with where the folder knows less (it was lost): numbers that
    readers, snapshot or database have seen must never mean another record. `max_bytes` bounds what lies
    outside the reserve, `reserve_bytes` is the reserve. While points are shed, `may_return` says whether
    there is room for history again; `monotonic` is a clock for LOOK_S.
    """

    def __init__(
        self,
        folder: Path,
        *,
        segment_bytes: int,
        max_bytes: int,
        readers: tuple[str, ...] = ("store",),
        at_least: int = 1,
        reserve_bytes: int = 0,
        may_return: Callable[[], bool] = lambda: True,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._max_bytes = max_bytes
        self._readers = readers
        self._may_return, self._monotonic = may_return, monotonic
        self._looked_s = -math.inf
        self._reserve_looked_s = monotonic()
        self._kept_after = self._newest_snapshot = 0
        self._lock = _take_lock(folder)
        self._durable = Mark(folder / DURABLE)
        self.damage: list[Damage] = []
        """What could not be read of the newest segment when it was opened, before its last whole record."""
        self._next_seq = at_least
        self._segments = list_segments(folder)
        self._open: OpenSegment
        used = [one.path for one in self._segments if one.in_reserve]
        self.reserve = Reserve(folder, reserve_bytes, used)
        self._sizes = {one.path: one.path.stat().st_size for one in self._segments if not one.in_reserve}
        self._open_newest(max(at_least, self._durable.seq + 1))

    @property
    def next_seq(self) -> int:
        """The seq the next record must carry."""
        return self._next_seq

    @property
    def bytes_on_disk(self) -> int:
        """The size of all segments outside the reserve together."""
        return sum(self._sizes.values())

    @property
    def shedding(self) -> bool:
        """Whether records go into the reserve now."""
        return self._open.segment.in_reserve

    @property
    def is_pressed(self) -> bool:
        """Whether at most half of the reserve is free: a snapshot would make room."""
        return self.shedding and self.reserve.free <= SLOTS // 2

    @property
    def at_the_brim(self) -> bool:
        """Whether the last slot of the reserve is half full: the next tick may be one too many."""
        return self.shedding and not self.reserve.free and self._open.end > self.reserve.slot_bytes // 2

    def append(self, record: Record) -> bool:
        """Returns when the record is durable: whether it was shed.

        Raises JournalFull or OSError with nothing of it promised.
        """
        if record.seq != self._next_seq:
            raise ValueError(f"record {record.seq} is not the next one, {self._next_seq}")
        shed = self.shedding and not self._returns()
        if not shed:
            try:
                self._write(encode_record(record))
            except (JournalFull, OSError) as error:
                if not self._sheds(error):
                    raise
                shed = True
        if shed:
            self._write_reserve(encode_record(replace(record, shed=True)))
        self._next_seq = record.seq + 1
        self._durable.seq = record.seq
        return shed

    def keep_after(self, seq: int, newest: int = 0) -> None:
        """Recovery will never again need records up to `seq`; lets go of the segments nobody needs.

        `newest` is the seq of the newest snapshot: slots of the reserve are let go by it where none is free.
        """
        self._kept_after, self._newest_snapshot = seq, max(seq, newest)
        self.trim()

    def keep_reserve(self) -> None:
        """Makes slots that are missing, as far as the disk has room; looks every RESERVE_S."""
        now_s = self._monotonic()
        if not self.reserve.is_whole and now_s - self._reserve_looked_s >= RESERVE_S:
            self._reserve_looked_s = now_s
            self.reserve.keep()

    def trim(self) -> int:
        """Lets go of segments that every named reader and the snapshot are past, and of slots that the
        snapshot is past; returns how many."""
        kept = self._kept_after
        floor = min([kept, *(read_mark(self._folder / f"{READER}{name}") for name in self._readers)])
        slots_floor = kept if self.reserve.free else self._newest_snapshot
        past = [
            one
            for one, after in pairwise(self._segments)
            if after.first_seq <= (slots_floor if one.in_reserve else floor) + 1
        ]
        for one in past:
            self._forget(one)
        if past:
            sync_folder(self._folder)
        return len(past)

    def close(self) -> None:
        """Lets go of files and lock. What was appended is durable already."""
        self._open.close()
        self._durable.close()
        os.close(self._lock)

    def _write(self, data: bytes) -> None:
        """Into the segment outside the reserve, or the next one."""
        self._make_room(len(data))
        if not self._open.fits(len(data)):
            self._switch_to(make_segment(self._folder, self._next_seq, self._segment_bytes))
        self._open.write(data)
        self._sizes[self._open.segment.path] = self._open.end

    def _make_room(self, size: int) -> None:
        if self.bytes_on_disk + size <= self._max_bytes:
            return
        self.trim()
        if self.bytes_on_disk + size > self._max_bytes:
            raise JournalFull(
                f"{self.bytes_on_disk} bytes wait for their readers; the bound is {self._max_bytes}"
            )

    def _sheds(self, error: JournalFull | OSError) -> bool:
        """Goes over to the reserve; False where this error does not call for it or nothing is free."""
        if isinstance(error, OSError) and error.errno not in FULL:
            return False
        old = self._open
        if not self.reserve.free:
            return False
        with contextlib.suppress(OSError):  # what cannot be cut off is passed over by its seq
            old.cut()
            old.sync()
        self._switch_to(self._fresh_slot())
        log.error("points_are_shed", seq=self._next_seq, why=str(error))
        self._looked_s = self._monotonic()
        return True

    def _write_reserve(self, data: bytes) -> None:
        if len(data) > self.reserve.slot_bytes - SLOT_HEAD_BYTES:
            raise JournalFull(f"a record of {len(data)} bytes is too long for the reserve")
        if not self._open.fits(len(data)):
            self._switch_to(self._fresh_slot())
        self._open.write(data)

    def _fresh_slot(self) -> OpenSegment:
        path = self.reserve.take()
        if path is None:
            raise JournalFull("journal and reserve are full; a snapshot or the store must make room")
        try:
            return begin_slot(path, self._next_seq, self.reserve.slot_bytes)
        except OSError:
            self.reserve.give_back(path)
            raise

    def _returns(self) -> bool:
        """Goes back to a segment outside the reserve where there is room for one; looks every LOOK_S."""
        if self._monotonic() - self._looked_s < LOOK_S:
            return False
        self._looked_s = self._monotonic()
        self.trim()
        room = min(self._segment_bytes, self._max_bytes // 8)  # not for a moment only
        if self.bytes_on_disk + room > self._max_bytes or not self._may_return():
            return False
        try:
            fresh = make_segment(self._folder, self._next_seq, self._segment_bytes, probe=room)
        except OSError as error:
            if error.errno not in FULL:
                raise
            return False
        self._switch_to(fresh)
        log.warning("points_are_stored_again", seq=self._next_seq)
        return True

    def _switch_to(self, fresh: OpenSegment) -> None:
        old = self._open
        old.close()
        self._take_up(fresh)
        if old.is_empty:
            self._forget(old.segment)

    def _take_up(self, fresh: OpenSegment) -> None:
        self._open = fresh
        self._segments = sorted([*self._segments, fresh.segment], key=lambda one: one.order)
        if not fresh.segment.in_reserve:
            self._sizes[fresh.segment.path] = 0

    def _forget(self, segment: Segment) -> None:
        """Takes a segment away whose records nobody needs."""
        self._segments.remove(segment)
        if segment.in_reserve:
            self.reserve.give_back(segment.path)
        else:
            del self._sizes[segment.path]
            segment.path.unlink(missing_ok=True)

    def _open_newest(self, at_least: int) -> None:
        """Continues the newest segment after its last whole record; what follows that is a torn tail."""
        if not self._segments:
            self._next_seq = max(at_least, 1)
            self._start_afresh()
            return
        self._open, last_seq, self.damage = resume_segment(self._segments[-1], self._segment_bytes)
        if not self.shedding:
            self._sizes[self._open.segment.path] = self._open.end
        self._next_seq = last_seq + 1
        if at_least > self._next_seq:
            log.error("journal_behind", next_seq=self._next_seq, continues_with=at_least)
            self._next_seq = at_least
            self._open.close()
            self._start_afresh()
        self._durable.seq = self._next_seq - 1

    def _start_afresh(self) -> None:
        """A new segment; a slot where the disk has no room for one. Raises OSError where neither is there."""
        try:
            fresh = make_segment(self._folder, self._next_seq, self._segment_bytes)
        except OSError as error:
            if error.errno not in FULL or not self.reserve.free:
                raise
            fresh = self._fresh_slot()
        self._take_up(fresh)
        self._durable.seq = self._next_seq - 1


def _take_lock(folder: Path) -> int:
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise JournalLocked(f"{folder}: another process writes this journal") from None
    return descriptor
