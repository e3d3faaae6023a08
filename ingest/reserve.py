"""The journal's reserve: segment files whose place on the disk is taken before it is needed (contract 9).

A slot is written in place and its size never changes, so a full disk does not stop it. It is free again as
soon as the snapshot is past its records, whether or not the series store has read them: points in the
reserve are shed, everything else in it is in the snapshot. A disk that works therefore never runs out of it.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

import structlog

from ingest.journal_files import SLOT_HEAD_BYTES, SLOT_SUFFIX, allocate, sync_folder

log = structlog.get_logger()

SLOTS: Final = 8
"""Into how many files the reserve is divided (chosen: with half of them free a snapshot still has time)."""


class Reserve:
    """The slots in `folder`, `total_bytes` together; 0 for none. `in_use` are those that hold records.

    A disk without room gives a smaller reserve, or none: `keep` tries again. Slots of another size, from
    another configuration, go as soon as they are free.
    """

    def __init__(self, folder: Path, total_bytes: int, in_use: Collection[Path]) -> None:
        self._folder = folder
        self.slot_bytes = total_bytes // SLOTS
        self._free: list[Path] = []
        self._used: set[Path] = set(in_use)
        self._short_of_room = False
        for path in sorted(folder.glob(f"*{SLOT_SUFFIX}")):
            if path not in self._used and not self._fits(path):
                path.unlink()
        self.keep()

    @property
    def free(self) -> int:
        """How many slots can be taken."""
        return len(self._free)

    @property
    def bytes_ready(self) -> int:
        """How much the free slots hold."""
        return self.free * self.slot_bytes

    @property
    def is_whole(self) -> bool:
        """Whether all slots are there, in use or free."""
        return not self.slot_bytes or self.free + len(self._used) >= SLOTS

    def keep(self) -> None:
        """Makes the slots that are missing, as far as the disk has room. Cheap where none is."""
        known = {*self._free, *self._used}
        for number in range(SLOTS) if not self.is_whole else ():
            path = self._folder / f"{number:02d}{SLOT_SUFFIX}"
            if path in known:
                continue
            if self._is_taken(path):
                self._free.append(path)
            elif not self._make(path):
                return
        self._short_of_room = False

    def take(self) -> Path | None:
        """A free slot, from now on in use; None where there is none."""
        if not self._free:
            return None
        path = self._free.pop(0)
        self._used.add(path)
        return path

    def give_back(self, path: Path) -> None:
        """Nobody needs the records in this slot any more. Raises OSError."""
        if not self._fits(path):
            path.unlink(missing_ok=True)
            self._used.discard(path)
            return
        descriptor = os.open(path, os.O_RDWR)
        try:
            os.pwrite(descriptor, bytes(SLOT_HEAD_BYTES), 0)
        finally:
            os.close(descriptor)
        self._used.discard(path)
        self._free.append(path)

    def _make(self, path: Path) -> bool:
        try:
            allocate(path, self.slot_bytes)
        except OSError as error:
            if not self._short_of_room:
                have = self.free + len(self._used)
                log.error("reserve_has_no_room", slots=have, of=SLOTS, error=error.strerror)
            self._short_of_room = True
            path.unlink(missing_ok=True)
            return False
        sync_folder(self._folder)
        self._free.append(path)
        return True

    def _is_taken(self, path: Path) -> bool:
        """Whether a former start took its whole place on the disk already."""
        return path.exists() and self._fits(path) and path.stat().st_blocks * 512 >= self.slot_bytes

    def _fits(self, path: Path) -> bool:
        return 0 < self.slot_bytes == path.stat().st_size
