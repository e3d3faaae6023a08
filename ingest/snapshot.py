"""The whole state of the ingest process in a file, so that recovery replays minutes and not months.

A file is a header (magic, CRC-32, length of the description), a msgpack description of the arrays and the
arrays' bytes. It is written under another name, synced and renamed; the newest two are kept, so that one bad
file costs a longer replay and nothing else.
"""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from ingest.journal_files import sync_file, sync_folder

log = structlog.get_logger()

_MAGIC: Final = b"GFS2"
_HEADER: Final = struct.Struct("<4sII")
_SUFFIX: Final = ".snapshot"
_KEPT: Final = 2
_STRETCH: Final = 4 << 20
"""Bytes that go to the disk at once. Whoever syncs a file waits for what others have written
before: with the whole state of 400,000 series (242 MB) in one piece a record of the journal waited 97 ms, in
stretches 26 ms at worst (measured, ext4 on a disk of 1.2 GB/s); on a slow disk it would be seconds."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """State after record `seq` was evaluated, committed and acknowledged.

    `last_input_id` is the newest engine input taken. `arrays` belong to stamps, rules and tail, by prefix.
    """

    seq: int
    last_input_id: int
    arrays: Mapping[str, NDArray[Any]]

    def part(self, prefix: str) -> dict[str, NDArray[Any]]:
        """The arrays under `prefix`, by their names without it."""
        return {name.removeprefix(prefix): a for name, a in self.arrays.items() if name.startswith(prefix)}


class _Described(msgspec.Struct, array_like=True):
    seq: int
    last_input_id: int
    columns: list[tuple[str, str, list[int]]]


class SnapshotFolder:
    """Snapshots in one folder, written in a thread of their own: a big state must not hold up a tick.

    Compressing and writing let go of the interpreter lock; what the tick pays is the copy of its arrays.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._thread: threading.Thread | None = None
        self._kept: list[int] = []
        self.failures = 0
        self.failed_by: Exception | None = None
        """Why the last one could not be saved; None where it was."""

    @property
    def busy(self) -> bool:
        """Whether a snapshot is being written."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def safe_seq(self) -> int:
        """Records up to this are in both kept snapshots: the journal may let go of them. 0: in none."""
        return min(self._kept) if len(self._kept) >= _KEPT else 0

    @property
    def newest_seq(self) -> int:
        """Records up to this are in the newest snapshot; 0 without any."""
        return max(self._kept, default=0)

    @property
    def saved_us(self) -> int:
        """When the newest was written, by the time of its file; 0 without any."""
        return max((path.stat().st_mtime_ns // 1000 for path in self._paths()), default=0)

    def save(self, snapshot: Snapshot) -> None:
        """Returns when the snapshot is durable. Raises OSError, MemoryError; nothing is left then."""
        path = self._folder / f"{snapshot.seq:020d}{_SUFFIX}"
        fresh = path.with_suffix(".new")
        try:
            with fresh.open("wb", buffering=0) as file:
                for stretch in stretches(_encode(snapshot)):
                    _write_all(file, stretch)
                    sync_file(file.fileno())
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)  # there only where it failed
        sync_folder(self._folder)
        self._kept = [*(s for s in self._kept if s != snapshot.seq), snapshot.seq][-_KEPT:]
        for old in self._paths()[:-_KEPT]:
            old.unlink(missing_ok=True)

    def save_behind(self, snapshot: Snapshot) -> None:
        """Saves in the thread. Does nothing while the one before is being written."""
        if self.busy:
            return
        self._thread = threading.Thread(target=self._save_quietly, args=(snapshot,), name="snapshot")
        self._thread.start()

    def wait(self) -> None:
        """Returns when nothing is being written any more."""
        if self._thread:
            self._thread.join()

    def load(self) -> Snapshot | None:
        """The newest snapshot that is whole, None without any."""
        loaded = []
        for path in self._paths()[::-1]:
            snapshot = _decode(path.read_bytes())
            if snapshot is None:
                log.error("snapshot_damaged", file=path.name)
                path.unlink()
            else:
                loaded.append(snapshot)
        self._kept = sorted(snapshot.seq for snapshot in loaded)
        return loaded[0] if loaded else None

    def _save_quietly(self, snapshot: Snapshot) -> None:
        try:
            self.save(snapshot)
            self.failed_by = None
        except Exception as error:  # also MemoryError: a thread that just ended would look like success
            self.failures += 1
            self.failed_by = error
            log.error("snapshot_failed", error=str(error) or type(error).__name__, times=self.failures)

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{_SUFFIX}"))


def stretches(parts: Iterable[bytes | memoryview], size: int = _STRETCH) -> Iterator[bytearray | memoryview]:
    """The same bytes in pieces of `size`, the last one shorter. Small parts are put together, long ones are
    not copied but at their ends."""
    small = bytearray()
    for part in parts:
        if len(small) + len(part) < size:
            small += part
            continue
        view, rest = memoryview(part), size - len(small)
        small += view[:rest]
        yield small
        for at in range(rest, len(view) - size + 1, size):
            yield view[at : at + size]
        small = bytearray(view[len(view) - (len(view) - rest) % size :])
    if small:
        yield small


def _write_all(file: FileIO, stretch: bytearray | memoryview) -> None:
    """A raw file may take less than it is given."""
    left = memoryview(stretch)
    while left:
        left = left[file.write(left) or 0 :]


def _encode(snapshot: Snapshot) -> list[bytes | memoryview]:
    columns = [(name, array.dtype.str, list(array.shape)) for name, array in snapshot.arrays.items()]
    described = msgspec.msgpack.encode(_Described(snapshot.seq, snapshot.last_input_id, columns))
    parts: list[bytes | memoryview] = [described]
    parts += [array.reshape(-1).view(np.uint8).data for array in snapshot.arrays.values() if array.size]
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    return [_HEADER.pack(_MAGIC, crc, len(described)), *parts]


def _decode(data: bytes) -> Snapshot | None:
    """The snapshot in `data`, None where it is not whole."""
    if len(data) < _HEADER.size:
        return None
    magic, crc, length = _HEADER.unpack_from(data)
    if magic != _MAGIC or zlib.crc32(memoryview(data)[_HEADER.size :]) != crc:
        return None
    at = _HEADER.size + length
    described = msgspec.msgpack.decode(data[_HEADER.size : at], type=_Described)
    arrays = {}
    for name, dtype, shape in described.columns:
        array: NDArray[Any] = np.frombuffer(data, dtype, int(np.prod(shape)), at).reshape(shape).copy()
        arrays[name] = array
        at += array.nbytes
    return Snapshot(described.seq, described.last_input_id, arrays)
