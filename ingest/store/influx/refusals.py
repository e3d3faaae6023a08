"""Telling somebody that a server refuses values, without a line in the log for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import structlog

from ingest.store.influx.putting import RefusedLine

log = structlog.get_logger()

TOLD_EVERY_S: Final = 600.0
"""Between two lines of the log, at least (chosen)."""
_ADVICE: Final = (
    "these values are not stored, all others are: `gengfu deadletter list` shows them; what the words mean is"
    " in docs/influxdb.md (a limit on series, a field of another type, points older than the server keeps)"
)


class Refusals:
    """Says it when it begins, and while it goes on every `TOLD_EVERY_S`."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._told_s = float("-inf")

    def note(self, refused: Sequence[RefusedLine], in_all: int) -> None:
        """Those of one load, and how many there were since start."""
        now_s = self._monotonic()
        if refused and now_s - self._told_s >= TOLD_EVERY_S:
            self._told_s = now_s
            log.warning("store_refuses_values", error=refused[0].why, refused=in_all, do=_ADVICE)
