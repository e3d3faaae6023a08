"""Following a log file that another process writes: across rotation, truncation and our own restarts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

READ_BYTES: Final = 1 << 20
"""At most so much in one look (chosen: a flood of refusals must not hold up the rest)."""
LINE_MAX: Final = 1 << 17
"""A longer line is let go: MQTT's longest topic and client id are 64 KiB each."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a file has been read; `inode` tells it from the next one of that name."""

    inode: int
    offset: int


class LogFollower:
    """Whole lines as they are added. `since` is where an earlier follower ended; without it reading begins at
    the end (`from_end`) or at the beginning of what is there now."""

    def __init__(self, path: Path, since: Position | None = None, *, from_end: bool = False) -> None:
        self._path, self._since, self._from_end = path, since, from_end
        self._file: IO[bytes] | None = None
        self._rest = b""
        self._inode = 0
        self._cut = False

    @property
    def position(self) -> Position | None:
        """Behind the last whole line that was given."""
        if self._file is None:
            return self._since
        return Position(self._inode, self._file.tell() - len(self._rest))

    def lines(self) -> list[str]:
        """What was added since the last look, READ_BYTES at most; nothing without a file. Raises OSError."""
        if self._file is None and not self._open():
            return []
        assert self._file is not None
        if os.fstat(self._file.fileno()).st_size < self._file.tell():
            self._file.seek(0)  # truncated in place
            self._rest, self._cut = b"", False
        data = self._file.read(READ_BYTES)
        if not data and self._replaced():
            data = self._file.read(READ_BYTES)  # written between our reading and the replacement
            if not data:
                self.close()
                return self.lines() if self._open() else []
        *whole, rest = (self._rest + data).split(b"\n")
        if self._cut and whole:  # the end of a line whose beginning was let go is no line
            self._cut, whole = False, whole[1:]
        self._cut = self._cut or len(rest) > LINE_MAX
        self._rest = b"" if self._cut else rest
        return [line[:LINE_MAX].decode("utf-8", "replace") for line in whole]

    def close(self) -> None:
        """Lets go of the file."""
        if self._file:
            self._file.close()
        self._file, self._rest, self._since, self._cut = None, b"", None, False

    def _open(self) -> bool:
        try:
            self._file = self._path.open("rb")
        except FileNotFoundError:
            self._from_end = False  # whatever comes there is new
            return False
        status = os.fstat(self._file.fileno())
        self._inode = status.st_ino
        if self._since and self._since.inode == status.st_ino and self._since.offset <= status.st_size:
            self._file.seek(self._since.offset)
        elif self._from_end and self._since is None:
            self._file.seek(0, os.SEEK_END)
        self._since, self._from_end = None, False
        return True

    def _replaced(self) -> bool:
        try:
            return self._path.stat().st_ino != self._inode
        except FileNotFoundError:
            return False
