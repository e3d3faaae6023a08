"""Blind indexes for the process that faces the internet: it finds whose number it is and opens nothing.

It holds no key that opens seals. When the key file changes it takes up the new keys in the same way.
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

from devices.vault import Vault, VaultError


class NumberFinder:
    """The indexes under which a number may stand in the registry."""

    def __init__(self, path: Path) -> None:
        """Raises KeyMissing or KeyUnreadable, as `Vault.open` does."""
        self._path = path
        self._lock = threading.Lock()
        self._seen = _mark(path)
        self._indexes = Vault.open(path).indexing()

    def indexes(self, text: str) -> tuple[bytes, ...]:
        """As `Vault.blind_indexes`. One `stat` a call; a file that cannot be read changes nothing."""
        mark = _mark(self._path)
        if mark != self._seen:
            with self._lock, contextlib.suppress(VaultError):  # what was known goes on
                self._indexes, self._seen = Vault.open(self._path).indexing(), mark
        return self._indexes(text)


def _mark(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
