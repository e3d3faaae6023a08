"""A process that dies at any line of the journal, and a disk that is full for history only.

Nothing of the journal is replaced: the interpreter's own hooks end a call where a real process would end it.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from ingest import journal
from ingest.journal import Journal

_FOLDER = str(Path(journal.__file__).parent)
_FILES = ("journal", "reserve")


class Killed(BaseException):
    """The process dies here."""


@contextmanager
def killed_at_line(number: int) -> Iterator[None]:
    """Raises Killed at so manieth line of the journal that is run; 0 for never."""
    left, before = number, sys.gettrace()

    def trace(frame: FrameType, what: str, _arg: Any) -> Any:
        nonlocal left
        folder, name = os.path.split(frame.f_code.co_filename)
        if folder != _FOLDER or not name.startswith(_FILES):
            return None
        if what == "line":
            left -= 1
            if left == 0:
                raise Killed(f"{name}:{frame.f_lineno}")
        return trace

    if number:
        sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@contextmanager
def failing(what: str, name: str, error: int = errno.ENOSPC, segment: str = "*.journal") -> Iterator[None]:
    """The first write of a record into such a segment fails where `what` (c_call, c_return) of `name` is.

    c_return of pwrite: all of the record lies there, and nobody may count on it.
    """
    before = sys.getprofile()

    def hook(frame: FrameType, seen: str, arg: Any) -> None:
        if seen != what or getattr(arg, "__name__", "") != name:
            return
        above: FrameType | None = frame
        while above is not None and above.f_code.co_qualname != "OpenSegment.write":
            above = above.f_back
        if above is not None and above.f_locals["self"].segment.path.match(segment):
            raise OSError(error, os.strerror(error))

    sys.setprofile(hook)
    try:
        yield
    finally:
        sys.setprofile(before)


def abandon(dead: Journal) -> None:
    """What the end of a process does for its descriptors."""
    for descriptor in (dead._open._descriptor, dead._lock):
        with suppress(OSError):
            os.close(descriptor)


@contextmanager
def failing_read(after: int) -> Iterator[None]:
    """So manieth read of a file fails, the ones before it and behind it do not."""
    left, before = after, sys.getprofile()

    def hook(_frame: FrameType, seen: str, arg: Any) -> None:
        nonlocal left
        if seen == "c_call" and getattr(arg, "__name__", "") == "pread":
            left -= 1
            if left == 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO))

    sys.setprofile(hook)
    try:
        yield
    finally:
        sys.setprofile(before)
