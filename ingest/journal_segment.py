"""The segment that is being written: whole records up to `end`, and nothing of what could not be written."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import structlog

from ingest.journal_files import (
    Damage,
    Segment,
    next_record,
    segment_path,
    slot_head,
    sync_file,
    sync_folder,
    write_all,
)
from ingest.record_bytes import HEADER_BYTES

log = structlog.get_logger()


class OpenSegment:
    """One segment of the journal, open for writing. `end` is the offset after its last record.

    Behind the last record of a slot stand zeros as long as a record's header, so that bytes of an earlier
    use are never where the next record would be.
    """

    def __init__(self, segment: Segment, end: int, most: int) -> None:
        """`most` bytes are written to it at most (`most` of the object). Raises OSError."""
        self.segment = segment
        self.end = end
        self.most = most
        self._descriptor = os.open(segment.path, os.O_RDWR)
        self._torn = False

    @property
    def is_empty(self) -> bool:
        """Whether it holds no record."""
        return self.end == self.segment.start

    @property
    def is_half_full(self) -> bool:
        """Whether more than half of its room is used."""
        return self.end > self.most // 2

    def fits(self, size: int) -> bool:
        """Whether so many bytes go into it. An empty one outside the reserve takes a record of any size."""
        return self.end + size <= self.most or (self.is_empty and not self.segment.in_reserve)

    def write(self, data: bytes) -> None:
        """Returns when the record is durable. Raises OSError with nothing of it promised."""
        if self._torn:  # also after a failed fdatasync: its pages are not trustworthy, so it is written anew
            self.cut()
        self._torn = True
        rest = min(HEADER_BYTES, self.most - self.end - len(data)) if self.segment.in_reserve else 0
        write_all(self._descriptor, data + bytes(rest) if rest else data, self.end)
        sync_file(self._descriptor)
        self._torn = False
        self.end += len(data)

    def cut(self) -> None:
        """Takes away what lies behind the last record. Raises OSError."""
        if self.segment.in_reserve:
            rest = min(HEADER_BYTES, self.most - self.end)
            write_all(self._descriptor, bytes(rest), self.end)
        else:
            os.ftruncate(self._descriptor, self.end)
        self._torn = False

    def must_settle(self) -> None:
        """Takes away what a failed write has left, if one did, and makes that durable. Raises OSError."""
        if self._torn:
            self.cut()
            self.sync()

    def settle(self) -> None:
        """As `must_settle`, as far as the disk lets it."""
        with contextlib.suppress(OSError):
            self.must_settle()

    def sync(self) -> None:
        """Returns when all of it is on the disk: a record that was written and never synced is one then."""
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Lets go of the file."""
        os.close(self._descriptor)


def make_segment(folder: Path, first_seq: int, most: int, *, probe: int = 0) -> OpenSegment:
    """A new segment outside the reserve. With `probe` the disk must have so many bytes for it now.

    Raises OSError, and leaves nothing behind then.
    """
    path = segment_path(folder, first_seq)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        if probe and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, probe)
            os.ftruncate(descriptor, 0)
        os.fsync(descriptor)
        sync_folder(folder)
        return OpenSegment(Segment(first_seq, path), 0, most)
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        raise
    finally:
        os.close(descriptor)


def begin_slot(path: Path, first_seq: int, size: int) -> OpenSegment:
    """A slot of the reserve, from now on with records from `first_seq` on. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        write_all(descriptor, slot_head(first_seq) + bytes(HEADER_BYTES), 0)
    finally:
        os.close(descriptor)
    segment = Segment(first_seq, path, in_reserve=True)
    return OpenSegment(segment, segment.start, size)


def resume_segment(segment: Segment, most: int) -> tuple[OpenSegment, int, list[Damage]]:
    """The newest segment after its last whole record, that record's seq, and what could not be read before.

    What follows the last record is a torn tail and is cut off. Raises OSError.
    """
    data = segment.path.read_bytes()
    end, last_seq = segment.start, segment.first_seq - 1
    damage = []
    while found := next_record(data, end, after=last_seq):
        start, header = found
        if start > end:
            damage.append(Damage(segment.path.name, end, start - end))
            log.error("journal_damaged", segment=segment.path.name, offset=end, size=start - end)
        end, last_seq = start + header.size, header.seq
    torn = any(data[end : end + HEADER_BYTES]) if segment.in_reserve else end < len(data)
    if torn:
        log.warning("journal_tail_cut", segment=segment.path.name, offset=end, size=len(data) - end)
    opened = OpenSegment(segment, end, segment.path.stat().st_size if segment.in_reserve else most)
    opened.cut()
    opened.sync()
    return opened, last_seq, damage
