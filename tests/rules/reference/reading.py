"""One reading, and what may be done with it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from devices.model import Quality

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
HARD: Final = Quality.SENTINEL | Quality.FAULT | Quality.TYPE_MISMATCH | Quality.INCOMPLETE
NOT_USABLE: Final = (
    HARD
    | Quality.DUPLICATE
    | Quality.STALE
    | Quality.RETAINED
    | Quality.REPLAYED
    | Quality.BACKFILL
    | Quality.LATE
)
Told = dict[str, Any]
"""A transition without its `why`."""


@dataclass(frozen=True)
class One:
    """One reading with when it was received."""

    slot: int
    value: float
    quality: Quality
    observed: int
    received: int
    nudge: int = 0

    @property
    def usable(self) -> bool:
        return not math.isnan(self.value) and not self.quality & NOT_USABLE

    @property
    def queued(self) -> bool:
        return bool(self.quality & Quality.QUEUED)
