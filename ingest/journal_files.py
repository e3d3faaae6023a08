"""What writer and readers of the journal share: segments, marks, and how bytes reach the disk.

A segment is a file named by its first record's seq, or a slot of the reserve (`ingest.reserve`): a file of
fixed size and name, whose head says with which seq its present use begins. What lies behind the last record
of a slot is from an earlier use; its records have lower numbers, so it is never taken for the present one.

A mark is an 8-byte file mapped into memory: the writer's `durable` and each reader's `reader-NAME`.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import struct
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ingest.record_bytes import MAGIC, Header, is_whole, read_header

SUFFIX: Final = ".journal"
SLOT_SUFFIX: Final = ".reserve"
SLOT_HEAD_BYTES: Final = 64
"""Records of a slot begin here."""
_SLOT_HEAD: Final = struct.Struct("<4sIq")
_SLOT_MAGIC: Final = b"GFR1"
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a write fails with where there is no room: the disk, a quota, a limit on file size."""
DURABLE: Final = "durable"
READER: Final = "reader-"


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of the journal that are no record: an error value, handed on instead of raised."""

    segment: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of the journal and the seq its name or head promises; `in_reserve`: a slot of the reserve."""

    first_seq: int
    path: Path
    in_reserve: bool = False

    @property
    def order(self) -> tuple[int, bool]:
        """Segments are read in this order. A slot with the seq of an empty segment comes after it."""
        return self.first_seq, self.in_reserve

    @property
    def start(self) -> int:
        """Where its first record lies."""
        return SLOT_HEAD_BYTES if self.in_reserve else 0


def segment_path(folder: Path, first_seq: int) -> Path:
    """Where the segment that starts with `first_seq` lies; names sort like numbers."""
    return folder / f"{first_seq:020d}{SUFFIX}"


def list_segments(folder: Path) -> list[Segment]:
    """All segments, oldest first, slots in use among them; files with other names are nobody's."""
    found = [Segment(int(path.stem), path) for path in folder.glob(f"*{SUFFIX}") if path.stem.isdecimal()]
    return sorted([*found, *_slots_in_use(folder)], key=lambda segment: segment.order)


def _slots_in_use(folder: Path) -> Iterator[Segment]:
    for path in folder.glob(f"*{SLOT_SUFFIX}"):
        first_seq = read_slot_head(path)
        if first_seq:
            yield Segment(first_seq, path, in_reserve=True)


def slot_head(first_seq: int) -> bytes:
    """The head of a slot whose use begins with `first_seq`."""
    crc = zlib.crc32(struct.pack("<q", first_seq))
    return _SLOT_HEAD.pack(_SLOT_MAGIC, crc, first_seq).ljust(SLOT_HEAD_BYTES, b"\0")


def read_slot_head(path: Path) -> int:
    """With which seq the slot's present use begins; 0 where it is free, or was taken away just now."""
    try:
        with path.open("rb") as file:
            head = file.read(SLOT_HEAD_BYTES)
    except FileNotFoundError:
        return 0
    if len(head) < SLOT_HEAD_BYTES:
        return 0
    first_seq: int = _SLOT_HEAD.unpack_from(head)[2]
    return first_seq if head == slot_head(first_seq) else 0


def next_record(data: bytes, at: int, after: int = -1) -> tuple[int, Header] | None:
    """Offset and header of the first whole record at or after `at` with a seq above `after`; an offset
    beyond `at` tells of damage.

    The checksum makes a false find in payload bytes as unlikely as 1 in 2^32 for each magic in them.
    """
    while (at := data.find(MAGIC, at)) >= 0:
        header = read_header(data, at)
        if header is not None and header.seq > after and is_whole(data, at, header):
            return at, header
        at += 1
    return None


def allocate(path: Path, size: int) -> None:
    """Gives the file `size` bytes of disk, so that writing within them needs no more. Bytes stay as they are.

    Not guaranteed on file systems that write every block to a new place (btrfs, ZFS).
    Raises OSError (`FULL`) where there is no room; then the file may be there, shorter.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:
            _fill(descriptor, size)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fill(descriptor: int, size: int) -> None:
    """For systems without posix_fallocate: zeros, but for a file that has its size already."""
    have = os.fstat(descriptor).st_size
    while have < size:
        have += os.pwrite(descriptor, bytes(min(1 << 20, size - have)), have)


def write_all(descriptor: int, data: bytes, at: int) -> None:
    """All of `data` at offset `at`, in as many writes as it takes."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, at)
        view, at = view[written:], at + written


def sync_file(descriptor: int) -> None:
    """Returns when the file's bytes are on the disk, as far as the disk tells the truth."""
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync there stops at the drive's cache
    elif hasattr(os, "fdatasync"):
        os.fdatasync(descriptor)
    else:
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Makes created, renamed and deleted names of `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Mark:
    """A seq that other processes read: one aligned 8-byte store and load, so it is never seen half-written.

    Not guaranteed: that it survives a power cut with its newest value. It is only ever behind then, which
    is harmless: a reader waits, a segment is kept longer.
    """

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if os.fstat(descriptor).st_size < 8:
                os.pwrite(descriptor, bytes(8), 0)  # blocks exist before the map: no SIGBUS on a full disk
                os.fsync(descriptor)
            self._map = mmap.mmap(descriptor, 8)
        finally:
            os.close(descriptor)
        self._cell = np.frombuffer(self._map, np.int64)

    @property
    def seq(self) -> int:
        """The newest value."""
        return int(self._cell[0])

    @seq.setter
    def seq(self, value: int) -> None:
        self._cell[0] = value

    def close(self) -> None:
        """Lets go of the file. The mark cannot be used afterwards."""
        del self._cell
        self._map.close()


def read_mark(path: Path) -> int:
    """The value of a mark another process keeps; 0 where there is none yet."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return 0
    return int.from_bytes(data[:8], sys.byteorder, signed=True) if len(data) >= 8 else 0
