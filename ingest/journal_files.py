"""What writer and readers of the journal share: segments, marks, and how bytes reach the disk.

A segment is a file named by its first record's seq. A mark is an 8-byte file mapped into memory: the
writer's `durable` and each reader's `reader-NAME`.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ingest.record import MAGIC, Header, is_whole, read_header

SUFFIX: Final = ".journal"
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
    """One file of the journal and the seq its name promises."""

    first_seq: int
    path: Path


def segment_path(folder: Path, first_seq: int) -> Path:
    """Where the segment that starts with `first_seq` lies; names sort like numbers."""
    return folder / f"{first_seq:020d}{SUFFIX}"


def list_segments(folder: Path) -> list[Segment]:
    """All segments, oldest first; files with other names are nobody's."""
    found = [Segment(int(path.stem), path) for path in folder.glob(f"*{SUFFIX}") if path.stem.isdecimal()]
    return sorted(found, key=lambda segment: segment.first_seq)


def next_record(data: bytes, at: int) -> tuple[int, Header] | None:
    """Offset and header of the first whole record at or after `at`; an offset beyond `at` tells of damage.

    The checksum makes a false find in payload bytes as unlikely as 1 in 2^32 for each magic in them.
    """
    while (at := data.find(MAGIC, at)) >= 0:
        header = read_header(data, at)
        if header is not None and is_whole(data, at, header):
            return at, header
        at += 1
    return None


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
