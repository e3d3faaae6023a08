"""Room on the disk that is kept for alarms: a file that is deleted at the first write that finds none.

Database and snapshots lie beside the journal. When the disk is full they take the ballast's place, so that
transitions are still committed and snapshots still made. It is made anew when there is room to spare; until
then the series store writes nothing into what was meant for alarms.
"""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from ingest.journal_files import FULL, allocate

log = structlog.get_logger()

NAME: Final = "ballast"
LOOK_S: Final = 10.0
"""Between two looks whether it is there and can be made again (chosen)."""
REST_S: Final = 60.0
"""After it was deleted it is not made again for so long: a disk about to be full is not emptied by a look
(chosen)."""
SPARE: Final = 2
"""It is made again where so many times its size is free (chosen: making it must not fill the disk)."""
_SQLITE_FULL: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
"""A quota or a limit on file size comes as an I/O error."""
_DISK_FULL: Final = "53100"
"""PostgreSQL's; its data may lie on the same disk."""


class Ballast:
    """The file at `path` with `size` bytes; 0 for none. `monotonic` is a clock for LOOK_S and REST_S."""

    def __init__(self, path: Path, size: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path, self._size, self._monotonic = path, size, monotonic
        self._looked_s = self._released_s = -math.inf
        self._thread: threading.Thread | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is there, or none is asked for."""
        return not self._size or self._is_there()

    @property
    def leaves_room(self) -> bool:
        """Whether history may be written: the ballast is there, or more than its place is free."""
        return self.is_whole or _free_bytes(self._path.parent) > self._size

    def keep(self) -> None:
        """Makes it where it is missing and there is room to spare; looks every LOOK_S. Raises nothing.

        Takes as long as the disk needs for it: for the start.
        """
        if self._is_due():
            self._make()

    def keep_behind(self) -> None:
        """As `keep`, in a thread of its own: a tick does not wait for the disk."""
        busy = self._thread is not None and self._thread.is_alive()
        if not busy and self._is_due():
            self._thread = threading.Thread(target=self._make, name="ballast", daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Returns when it is not being made any more."""
        if self._thread:
            self._thread.join()

    def _is_due(self) -> bool:
        now_s = self._monotonic()
        if now_s - self._looked_s < LOOK_S or now_s - self._released_s < REST_S:
            return False
        self._looked_s = now_s
        return True

    def _make(self) -> None:
        fresh = self._path.with_suffix(".new")
        try:
            if self._is_there() if self._size else not self._path.exists():
                return
            self._path.unlink(missing_ok=True)
            if not self._size or _free_bytes(self._path.parent) < SPARE * self._size:
                return
            released_s = self._released_s
            allocate(fresh, self._size)
            if released_s == self._released_s:
                fresh.replace(self._path)
            else:  # room was needed meanwhile
                fresh.unlink()
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink(missing_ok=True)
            log.warning("ballast_not_made", error=error.strerror)

    def release(self, error: BaseException) -> None:
        """Deletes it where `error` says that there was no room (`finds_no_room`). Raises nothing."""
        is_being_made = self._thread is not None and self._thread.is_alive()
        if finds_no_room(error) and (drop_ballast(self._path) or is_being_made):
            self._released_s = self._monotonic()

    def _is_there(self) -> bool:
        try:
            return self._path.stat().st_size == self._size
        except OSError:
            return False


def drop_ballast(path: Path) -> bool:
    """Deletes it, from whichever process finds the disk full first; whether it was there."""
    try:
        path.unlink()
    except OSError:
        return False
    log.error("ballast_dropped", path=str(path))
    return True


def finds_no_room(error: BaseException) -> bool:
    """Whether a write failed for want of room: of a file, of SQLite, of PostgreSQL."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", None) or 0
        return (code & 0xFF) in _SQLITE_FULL
    if isinstance(cause, OSError):
        return cause.errno in FULL
    return getattr(cause, "sqlstate", "") == _DISK_FULL


def _free_bytes(folder: Path) -> int:
    """What is free to us; 0 where the disk does not say."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return 0
    return found.f_bavail * found.f_frsize
