"""The newest points beside a server as history that says from when on it is whole, and until when.

Until when says a mark beside the file, as the journal's marks are: the time at which the writer had passed
all that the journal then held. It is written after the points, so it is never ahead of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from ingest.journal_files import read_mark
from ingest.store.embedded_history import EmbeddedHistory
from ingest.store.history import NEWEST_NS, OLDEST_NS

FRESH_US: Final = 10_000_000
"""So far behind the clock it still counts as up to date (chosen: it is written once a second, a server not
more often; a page is older than that when it is looked at)."""
PATIENCE_S: Final = 1.0
"""With a file that is locked: a page waits for it, and the server has the same (chosen)."""


def mark_of(path: Path) -> Path:
    """Of the file at `path`: where its mark is."""
    return path.with_suffix(".until")


class RecentHistory(EmbeddedHistory):
    """Points of the file that `RecentWriter` writes."""

    _until_us = 0
    _clock_us: Callable[[], int]

    @classmethod
    def open(
        cls,
        path: Path,
        patience_s: float = PATIENCE_S,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> Self:
        """As `EmbeddedHistory.open`."""
        until_us = read_mark(mark_of(path))  # before the file: what is read later has more, not less
        found = super().open(path, patience_s)
        found._until_us, found._clock_us = until_us, clock_us
        return found

    @property
    def whole_to_ns(self) -> int:
        """What came in from here on may be missing; the end of time where it is up to date. A mark ahead of
        the clock, which went back since, says nothing: then all may be missing.

        Not guaranteed: readings that were observed earlier and came in later, as a device sends that was
        without a network.
        """
        behind_us = self._clock_us() - self._until_us
        if behind_us < -FRESH_US:
            return OLDEST_NS
        return NEWEST_NS if behind_us <= FRESH_US else self._until_us * 1000
