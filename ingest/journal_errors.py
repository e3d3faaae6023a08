"""What the journal's writer fails with, and the lock that keeps it the only one.

Errors:
* JournalError
  * JournalLocked: another process writes to this folder.
  * JournalFull: neither journal nor reserve has room for the record; nothing was written.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class JournalError(Exception):
    """The journal cannot do what was asked."""


class JournalLocked(JournalError):
    """Another process holds the folder's lock."""


class JournalFull(JournalError):
    """The size bound is reached and the reserve used up. Readers or the snapshot must move on first."""


def take_lock(folder: Path) -> int:
    """The descriptor that holds the folder until it is closed. Raises JournalLocked, OSError."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise JournalLocked(f"{folder}: another process writes this journal") from None
    return descriptor
