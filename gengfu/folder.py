"""The data folder: who may use it, and where things lie in it.

Errors:
* FolderTaken: another process of the same name already works on this folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from devices.keyring import ENVIRONMENT, is_in_environment

FORMER_WAIT_S: Final = 20.0
"""How long what a killed service left behind may take to end: processes stop in 15 s (chosen)."""


class FolderTaken(Exception):
    """The lock of that name is held; the text names the folder and the holder's process id."""


def make_folder(folder: Path) -> None:
    """Makes the data folder, open to its owner only: what flats use by the hour is nobody else's business.

    One that is there and ours is closed to others. Left as it is: somebody else's, and a folder that is meant
    for all (sticky).
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = folder.stat()
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid == os.geteuid() and mode & 0o077 and not mode & stat.S_ISVTX:
        folder.chmod(mode & 0o700)


def write_private(path: Path, content: bytes) -> None:
    """Writes a file that only its owner can read, also where an older one was there."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def lock(folder: Path, name: str) -> IO[str]:
    """Takes `folder/name.lock` for the life of this process; the file object must be kept.

    One data folder, one service: two ingest processes on one journal would lose both their promises. The file
    holds the process's number, and a second line `GENGFU_KEY` where its keys come from the environment.
    """
    held = _take(folder, name)
    held.truncate(0)
    held.write(str(os.getpid()) + (f"\n{ENVIRONMENT}" if is_in_environment() else ""))
    held.flush()
    return held


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock: the process's number as it wrote it, and whether its keys come from $GENGFU_KEY."""

    pid: str
    environment: bool


def holder_of(folder: Path, name: str) -> Holder | None:
    """Who holds the lock of that name now; None for nobody. Takes nothing, and makes no file."""
    with contextlib.suppress(FileNotFoundError), (folder / f"{name}.lock").open(encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return _read_holder(file)
    return None


def _read_holder(file: IO[str]) -> Holder:
    pid, *more = file.read().split() or ["unknown"]
    return Holder(pid, ENVIRONMENT in more)


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
        holder = _read_holder(held)
        held.close()
        raise FolderTaken(f"{folder}: {name} already runs here (process {holder.pid})") from None
    return held
