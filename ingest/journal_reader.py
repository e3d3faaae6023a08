"""Reading the journal while it is written, in this process or another.

A reader asks for what comes after a seq and follows the tail across segments. It never hands out a record
that the writer has not declared durable, so nothing it has seen can be cut off again. Bytes behind the last
durable record are not its business: they are a record under way, or the rest of one that failed.

A slot of the reserve may be written anew while it is read. Within a slot records follow each other without
a gap, so whatever is not the next one is not of the use that is being read.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from ingest.journal_files import (
    DURABLE,
    Damage,
    Segment,
    list_segments,
    next_record,
    read_mark,
    read_slot_head,
)
from ingest.record import Record
from ingest.record_bytes import HEADER_BYTES, Header, RecordDamaged, decode_body, is_whole, read_header

CHUNK_BYTES: Final = 1 << 20
"""How much is read from a segment at once (chosen: some tens of busy ticks)."""

READ_BYTES: Final = 1 << 25
"""How much is handed out at once: behind a stalled store one record can be megabytes (chosen: 32 MiB)."""


_NO_END: Final = 2**63 - 1


class JournalReader:
    """Records after `after`, in order, each once. Keeps one file open; not for use by several threads.

    Damage is a value between the records (counted in `damaged`): reading goes on with the next record whose
    checksum holds, in the same segment or the next. Records that were deleted before they were read are
    skipped in silence; a named reader meets that only where the reserve was used again: points it holds are
    shed in any case.
    """

    def __init__(self, folder: Path, after: int = 0) -> None:
        self._folder = folder
        self._next_seq = after + 1
        self._descriptor: int | None = None
        self._segment = Segment(0, folder)
        self._base = 0
        self._data = b""
        self._at = 0
        self._slot_seq = self._handed_out = 0
        self._before = _NO_END
        self._told: tuple[Segment, int] | None = None
        self._durable = self._loaded_durable = 0
        self.damaged = 0

    @property
    def position(self) -> int:
        """The seq of the newest record handed out (or skipped as damaged)."""
        return self._next_seq - 1

    @property
    def durable(self) -> int:
        """The newest seq the writer has declared durable; 0 without a journal."""
        return read_mark(self._folder / DURABLE)

    def read(self, limit: int = 256) -> list[Record | Damage]:
        """Up to `limit` records and about READ_BYTES; an empty list at the end of what is durable.

        Raises OSError with nothing lost: what was found before it is handed out, the next call meets it.
        """
        found: list[Record | Damage] = []
        self._handed_out = 0
        durable = self._durable = self.durable
        while len(found) < limit and self._handed_out < READ_BYTES and self._next_seq <= durable:
            try:
                one = self._read_one(durable)
            except OSError:
                if found:
                    break
                raise
            if one is not None:
                found.append(one)
        return found

    def close(self) -> None:
        """Lets go of the open segment."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _read_one(self, durable: int) -> Record | Damage | None:
        """One step: a record, a damage, or None when it only moved on."""
        if self._descriptor is None and not self._open_segment(durable):
            return None
        if self._loaded_durable < self._next_seq:
            self._load(CHUNK_BYTES)  # what was loaded may be a record that was torn and has been replaced
        header = self._header_here()
        if header is None or not is_whole(self._data, self._at, header) or not self._is_next(header):
            return self._after_the_last(durable)
        if header.seq > durable or header.seq >= self._before:
            self._to_the_next(self._later(), durable)
            return None
        start, self._at = self._at, self._at + header.size
        self._slot_seq = header.seq + 1
        if header.seq < self._next_seq:
            return None
        self._next_seq = header.seq + 1
        self._handed_out += header.size
        try:
            return decode_body(self._data, start, header)
        except RecordDamaged:
            return self._damage(self._base + start, header.size)

    def _is_next(self, header: Header) -> bool:
        """Whether it belongs to the use of the slot that is being read; always outside the reserve."""
        return not self._segment.in_reserve or header.seq == self._slot_seq

    def _open_segment(self, durable: int) -> bool:
        segments = list_segments(self._folder)
        if not segments:
            self._next_seq = durable + 1
            return False
        newest = max((s.first_seq for s in segments if s.first_seq <= self._next_seq), default=None)
        chosen = next((s for s in segments if s.first_seq == newest), segments[0])
        return self._enter(chosen)

    def _enter(self, segment: Segment) -> bool:
        """False where the segment was let go of just now: what is there must be looked up again.

        Records before its first one were let go of, if they were not read: it is never asked for them.
        """
        self.close()
        try:
            self._descriptor = os.open(segment.path, os.O_RDONLY)
        except FileNotFoundError:
            return False
        self._segment = segment
        self._base, self._data, self._at = segment.start, b"", 0
        self._slot_seq = segment.first_seq
        self._next_seq = max(self._next_seq, segment.first_seq)
        later = (one.first_seq for one in self._later())
        self._before = next((seq for seq in later if seq > segment.first_seq), _NO_END)
        return True

    def _later(self) -> list[Segment]:
        return [one for one in list_segments(self._folder) if one.order > self._segment.order]

    def _header_here(self) -> Header | None:
        """The header at the present place with its whole record loaded; None at the end or at damage."""
        if len(self._data) - self._at < HEADER_BYTES:
            self._load(CHUNK_BYTES)
        header = read_header(self._data, self._at)
        if header is not None and len(self._data) - self._at < header.size:
            self._load(max(CHUNK_BYTES, header.size))
        return header

    def _load(self, size: int) -> None:
        assert self._descriptor is not None
        self._data = os.pread(self._descriptor, size, self._base + self._at)
        self._base, self._at = self._base + self._at, 0
        self._loaded_durable = self._durable

    def _after_the_last(self, durable: int) -> Damage | None:
        """Not the next record here: the end of the segment, so the next one follows; or damage."""
        if self._used_again():
            self.close()  # what follows is looked up: a segment of the same seq may have come in its place
            return None
        rest = self._data[self._at : self._at + HEADER_BYTES]
        later = self._later()
        goes_on = bool(later) and later[0].first_seq <= self._next_seq  # then nothing is missing here
        ended = not any(rest) if self._segment.in_reserve else not rest
        if not (ended or goes_on):
            return self._skip_damage(durable, later[0].first_seq if later else durable + 1)
        if not later:
            self._next_seq = durable + 1  # declared durable and not there: it cannot be read, ever
            return self._damage(self._base + self._at, 0)
        self._to_the_next(later, durable)
        return None

    def _to_the_next(self, later: list[Segment], durable: int) -> None:
        """What is here comes after all that is asked for: goes to the next segment, or waits."""
        if later:
            self._enter(later[0])
        else:
            self._next_seq = durable + 1

    def _used_again(self) -> bool:
        """Whether the slot being read holds other records by now."""
        segment = self._segment
        return segment.in_reserve and read_slot_head(segment.path) != segment.first_seq

    def _skip_damage(self, durable: int, before: int) -> Damage | None:
        """Goes to the next whole record of this segment, durable or not, else to its end; what lies between
        is the damage. At the end of the newest segment it waits there: the next record can be written over
        what looks like damage.

        The bytes are read afresh: what was loaded before may be a torn record the writer has since replaced.
        """
        assert self._descriptor is not None
        start = self._base + self._at
        rest = os.pread(self._descriptor, os.fstat(self._descriptor).st_size - start, start)
        known = self._slot_seq - 1 if self._segment.in_reserve else -1
        found = next_record(rest, 0, after=known)
        if found and self._segment.in_reserve and found[1].seq >= before:
            found = None
        size = found[0] if found else len(rest)
        told, self._told = self._told == (self._segment, start), (self._segment, start)
        if found:
            self._slot_seq = found[1].seq
        elif before > durable:
            self._next_seq, self._data, self._base, self._at = durable + 1, b"", start, 0
            return self._damage(start, size) if not told else None
        self._base, self._data, self._at = start + size, b"", 0
        return self._damage(start, size) if size and not told else None

    def _damage(self, offset: int, size: int) -> Damage:
        self.damaged += 1
        return Damage(self._segment.path.name, offset, size)
