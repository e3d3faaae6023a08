"""Whose turn it is to write to a SQLite file, among all threads and processes.

SQLite keeps no line: a writer that waits looks for a gap, at last every 100 ms, and one that writes again
and again leaves gaps of a few ms. In a storm of 1,000 alarms a second ingest waited for up to 2.9 s because
of the alerts process (measured). Here a writer that waits stands at the head of a line of one, and who has
just written finds it taken and comes after.

It is a courtesy and decides nothing: SQLite's own lock keeps writers apart, with or without it. Where the
line cannot be had (a file system without locks, a writer that was stopped at its head) all write without.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_LOOK_S: Final = 0.001
"""Between two looks (chosen: short beside a transaction; some 10 µs each)."""
_PATIENCE_S: Final = 0.3
"""At the head of the line stands who waits for one transaction, which takes 100 ms at most as a rule; nobody
waits longer for who was stopped there (chosen)."""


@contextmanager
def at_the_head(database: str) -> Iterator[None]:
    """Stands at the head of the line to write to this file, until the block ends; who waits for that place
    gets it in no order. The kernel gives the place back when the process dies."""
    try:
        place = os.open(f"{database}-line", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:
        yield
        return
    try:
        until(lambda: _taken(place), _PATIENCE_S)
        yield
    finally:
        os.close(place)


def until(happened: Callable[[], bool], within_s: float) -> bool:
    """Looks every millisecond; whether it has happened within that time."""
    deadline = time.monotonic() + within_s
    while not happened():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_S)
    return True


def _taken(place: int) -> bool:
    """True as well where the file system has no such locks."""
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
