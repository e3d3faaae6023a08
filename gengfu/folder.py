"""The data folder: who may use it, and where things lie in it.

Errors:
* FolderTaken: another process of the same name already works on this folder.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import IO, Final

FORMER_WAIT_S: Final = 20.0
"""How long what a killed service left behind may take to end: processes stop in 15 s (chosen)."""


class FolderTaken(Exception):
    """The lock of that name is held; the text names the folder and the holder's process id."""


def make_folder(folder: Path) -> None:
    """Makes the data folder, open to its owner only: what flats use by the hour is nobody else's business."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def write_private(path: Path, content: bytes) -> None:
    """Writes a file that only its owner can read, also where an older one was there."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def lock(folder: Path, name: str) -> IO[str]:
    """Takes `folder/name.lock` for the life of this process; the file object must be kept.

    One data folder, one service: two ingest processes on one journal would lose both their promises.
    """
    held = _take(folder, name)
    held.truncate(0)
    held.write(str(os.getpid()))
    held.flush()
    return held


def wait_free(folder: Path, name: str, timeout_s: float) -> None:
    """Returns when nobody holds the lock of that name; raises FolderTaken after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return _take(folder, name).close()
        except FolderTaken:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.05)


def _take(folder: Path, name: str) -> IO[str]:
    make_folder(folder)
    held = (folder / f"{name}.lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.seek(0)
        holder = held.read().strip() or "unknown"
        held.close()
        raise FolderTaken(f"{folder}: {name} already runs here (process {holder})") from None
    return held
