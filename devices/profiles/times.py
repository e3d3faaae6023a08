"""Times in payloads → microseconds UTC. What is no time becomes `NONSENSE_US`, never an exception."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import numpy as np

from devices.model import Int64

NONSENSE_US: Final = 1
"""Stands for a time that was given and means nothing; far outside every clock window, so it is flagged.
0 would say that no time was given."""
_LARGEST: Final = (1 << 63) - 1


def epoch_ms(value: object) -> int:
    """Milliseconds since 1970 as a number."""
    if type(value) is not int and type(value) is not float:
        return NONSENSE_US
    us = int(value * 1000) if abs(value) <= _LARGEST else 0
    return us if us and -_LARGEST <= us <= _LARGEST else NONSENSE_US


def epoch_ms_of(ms: Int64) -> Int64:
    """The same for whole numbers that are not negative."""
    us: Int64 = np.where((ms > 0) & (ms <= _LARGEST // 1000), ms * 1000, NONSENSE_US)
    return us


def iso(text: str) -> int:
    """ISO 8601 with an offset or Z; without one it could be any zone, which is nonsense."""
    try:
        instant = datetime.fromisoformat(text)
        return round(instant.timestamp() * 1e6) or NONSENSE_US if instant.tzinfo else NONSENSE_US
    except (ValueError, OverflowError):
        return NONSENSE_US
