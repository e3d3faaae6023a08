"""Reading the journal while it is written, in this process or another.

A reader asks for what comes after a seq and follows the tail across segments. It never hands out a record
that the writer has not declared durable, so nothing it has seen can be cut off again.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from ingest.journal_files import DURABLE, Damage, Segment, list_segments, next_record, read_mark
from ingest.record import HEADER_BYTES, Header, Record, RecordDamaged, decode_body, is_whole, read_header

CHUNK_BYTES: Final = 1 << 20
"""How much is read from a segment at once (chosen: some tens of busy ticks)."""


class JournalReader:
    """Records after `after`, in order, each once. Keeps one file open; not for use by several threads.

    Damage is a value between the records (counted in `damaged`): reading goes on with the next record whose
    checksum holds, in the same segment or the next. Records that were deleted before they were read are
    skipped in silence; named readers never meet that.
    """

    def __init__(self, folder: Path, after: int = 0) -> None:
        self._folder = folder
        self._next_seq = after + 1
        self._descriptor: int | None = None
        self._segment = Segment(0, folder)
        self._base = 0
        self._data = b""
        self._at = 0
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
        """Up to `limit` records; an empty list at the end of what is durable. Raises OSError."""
        found: list[Record | Damage] = []
        durable = self.durable
        while len(found) < limit and self._next_seq <= durable:
            one = self._read_one(durable)
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
        if self._descriptor is None and not self._open_segment():
            self._next_seq = durable + 1
            return None
        header = self._header_here()
        if header is None:
            return self._after_the_last(durable)
        if not is_whole(self._data, self._at, header):
            return self._skip_damage(durable)
        start, self._at = self._at, self._at + header.size
        if header.seq < self._next_seq:
            return None
        self._next_seq = header.seq + 1
        try:
            return decode_body(self._data, start, header)
        except RecordDamaged:
            return self._damage(self._base + start, header.size)

    def _open_segment(self) -> bool:
        segments = list_segments(self._folder)
        if not segments:
            return False
        chosen = next((s for s in reversed(segments) if s.first_seq <= self._next_seq), segments[0])
        self._enter(chosen)
        return True

    def _enter(self, segment: Segment) -> None:
        self.close()
        self._descriptor = os.open(segment.path, os.O_RDONLY)
        self._segment = segment
        self._base, self._data, self._at = 0, b"", 0

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
        self._base += self._at
        self._data = os.pread(self._descriptor, size, self._base)
        self._at = 0

    def _after_the_last(self, durable: int) -> Damage | None:
        """No header here: the end of the segment, so the next one follows; or damage."""
        if len(self._data) > self._at:
            return self._skip_damage(durable)
        later = [s for s in list_segments(self._folder) if s.first_seq > self._segment.first_seq]
        if later:
            self._enter(later[0])
            return None
        self._next_seq = durable + 1  # declared durable and not there: it cannot be read, ever
        return self._damage(self._base + self._at, 0)

    def _skip_damage(self, durable: int) -> Damage | None:
        """Goes to the next whole record of this segment, else to its end; what lies between is the damage.

        The bytes are read afresh: what was loaded before may be a torn record the writer has since replaced.
        """
        assert self._descriptor is not None
        start = self._base + self._at
        rest = os.pread(self._descriptor, os.fstat(self._descriptor).st_size - start, start)
        found = next_record(rest, 0)
        size = found[0] if found and found[1].seq <= durable else len(rest)
        self._base, self._data, self._at = start + size, b"", 0
        return self._damage(start, size) if size else None

    def _damage(self, offset: int, size: int) -> Damage:
        self.damaged += 1
        return Damage(self._segment.path.name, offset, size)
