"""The journal's writer: a record is on the disk before anybody hears of what it says.

The journal is the only spool: recovery and the series-store writer are readers of it with their own
positions. When its size bound is reached because the store does not follow, or the disk is full, records go
on into the reserve (`ingest.reserve`), marked as shed: recovery replays them like any other, the store passes
over their points. When there is room for a whole segment again, it goes on as before. Only when the reserve
is used up does `append` refuse; the tick then stops reading the socket and the broker keeps what comes.

An OSError of `append` (I/O error) leaves the journal usable: the half-written record is cut off before the
next attempt. Where a file fails again and again the next one is tried, then the reserve.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import structlog

from ingest.journal_errors import JournalFull, take_lock
from ingest.journal_files import DURABLE, FULL, READER, Damage, Mark, read_mark
from ingest.journal_opening import open_newest
from ingest.journal_segment import OpenSegment, begin_slot, make_segment
from ingest.journal_shelf import Shelf
from ingest.record import Record
from ingest.record_bytes import encode_record
from ingest.reserve import SLOTS

log = structlog.get_logger()

LOOK_S: Final = 1.0
"""While points are shed: between two looks for room (chosen; a look costs a file made and taken away)."""

RESERVE_S: Final = 10.0
"""Between two looks for room for the rest of the reserve (chosen)."""

TRIES: Final = 3
"""So often in a row a file may fail before another one is taken, and twice that before the reserve is
(chosen: with the tick's waits 0.4 and 1.6 seconds)."""


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
        self._lock = take_lock(folder)
        self._durable = Mark(folder / DURABLE)
        self._failures = 0
        self._shelf = Shelf(folder, reserve_bytes)
        self.reserve = self._shelf.reserve
        opened = open_newest(folder, self._shelf, segment_bytes, max(at_least, self._durable.seq + 1))
        self._open, self._next_seq = opened.segment, opened.next_seq
        self.damage: list[Damage] = opened.damage
        """What could not be read of the newest segment when it was opened, before its last whole record."""
        self._durable.seq = self._next_seq - 1

    @property
    def next_seq(self) -> int:
        """The seq the next record must carry."""
        return self._next_seq

    @property
    def bytes_on_disk(self) -> int:
        """The size of all segments outside the reserve together."""
        return self._shelf.bytes_on_disk

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
        """Whether the last slot of the reserve is half full: the next tick may be one too many.

        Never where no reserve is asked for any more: there is nothing to wait for then.
        """
        has_last = self.shedding and self.reserve.slot_bytes > 0 and not self.reserve.free
        return has_last and self._open.is_half_full

    def append(self, record: Record) -> bool:
        """Returns when the record is durable: whether it was shed.

        Raises JournalFull or OSError with nothing of it promised.
        """
        if record.seq != self._next_seq:
            raise ValueError(f"record {record.seq} is not the next one, {self._next_seq}")
        try:
            shed = self._put(record)
        except OSError as error:
            self._failures += error.errno not in FULL
            raise
        self._failures = 0
        self._next_seq = record.seq + 1
        self._durable.seq = record.seq
        return shed

    def keep_after(self, seq: int, newest: int = 0) -> None:
        """Recovery will never again need records up to `seq`; lets go of the segments nobody needs.

        `newest` is the seq of the newest snapshot: slots of the reserve are let go by it where none is free.
        """
        self._kept_after, self._newest_snapshot = seq, max(seq, newest)
        self.trim()
        self._begin_anew()

    def keep_reserve(self) -> None:
        """Makes slots that are missing, as far as the disk has room; looks every RESERVE_S.

        Looks for room for history too: at the brim nothing is appended, and on a quiet site little is. Raises
        nothing.
        """
        if self.shedding and not self._returns() and self.at_the_brim:
            with contextlib.suppress(OSError):
                self._begin_anew()
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
        past = self._shelf.past(floor, slots_floor)
        self._shelf.forget(*past)
        return len(past)

    def close(self) -> None:
        """Lets go of files and lock. What was appended is durable already."""
        self._open.close()
        self._durable.close()
        os.close(self._lock)

    def _put(self, record: Record) -> bool:
        """The record is on the disk: whether it was shed."""
        if not (self.shedding and not self._returns()):
            try:
                self._write(encode_record(record))
                return False
            except (JournalFull, OSError) as error:
                if not self._sheds(error):
                    raise
        self._write_reserve(encode_record(replace(record, shed=True)))
        return True

    @property
    def _file_is_bad(self) -> bool:
        """Whether the open file has failed so often that another one is worth a try now."""
        return self._failures > 0 and self._failures % TRIES == 0 and not self._open.is_empty

    def _write(self, data: bytes) -> None:
        """Into the segment outside the reserve, or the next one."""
        self._make_room(len(data))
        if self._file_is_bad or not self._open.fits(len(data)):
            self._switch_to(make_segment(self._folder, self._next_seq, self._segment_bytes))
        self._open.write(data)
        self._shelf.grew(self._open.segment, self._open.end)

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
        self._open.settle()  # also where it stays: nobody may meet half a record as if it were damage
        passing = isinstance(error, OSError) and error.errno not in FULL and self._failures + 1 < 2 * TRIES
        if passing or not self.reserve.free:
            return False
        self._switch_to(self._shelf.begin_slot(self._next_seq))
        log.error("points_are_shed", seq=self._next_seq, why=str(error))
        self._looked_s = self._monotonic()
        return True

    def _write_reserve(self, data: bytes) -> None:
        is_bad = self._file_is_bad and self.reserve.free
        if is_bad or not self._open.fits(len(data)):
            self._switch_to(self._shelf.begin_slot(self._next_seq, len(data)))
        self._open.write(data)

    def _returns(self) -> bool:
        """Goes back to a segment outside the reserve where there is room for one; looks every LOOK_S."""
        if self._monotonic() - self._looked_s < LOOK_S:
            return False
        self._looked_s = self._monotonic()
        with contextlib.suppress(OSError):
            self.trim()
        room = min(self._segment_bytes, self._max_bytes // 8)  # not for a moment only
        may = self._may_return() or not self.reserve.slot_bytes  # without a reserve nothing else is left
        if self.bytes_on_disk + room > self._max_bytes or not may:
            return False
        try:
            self._open.must_settle()  # no second copy of the next record, marked as shed
            fresh = make_segment(self._folder, self._next_seq, self._segment_bytes, probe=room)
        except OSError:
            return False
        self._switch_to(fresh)
        log.warning("points_are_stored_again", seq=self._next_seq)
        return True

    def _begin_anew(self) -> None:
        """At the brim: the last slot from its beginning, once the newest snapshot has all that is in it."""
        if self.at_the_brim and self._newest_snapshot >= self._next_seq - 1:
            path, most = self._open.segment.path, self._open.most
            self._switch_to(begin_slot(path, self._next_seq, most))

    def _switch_to(self, fresh: OpenSegment) -> None:
        old = self._open
        if old.segment.path != fresh.segment.path:
            old.settle()
        old.close()
        self._open = fresh
        self._shelf.add(fresh.segment)
        if old.is_empty and old.segment.path != fresh.segment.path:
            with contextlib.suppress(OSError):  # it stays, and goes with the next trim
                self._shelf.forget(old.segment)
