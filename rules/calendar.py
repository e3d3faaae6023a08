"""The site's local time, for bins and nights: as numbers that were worked out elsewhere, so that rules stay
pure.

A night carries the date of the evening it began in; an hour is a whole hour of local time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from devices.model import Int32, Int64

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US


@dataclass(frozen=True, slots=True)
class Calendar:
    """What to add to UTC: `offset_us[k]` from `from_us[k]` on; the first holds for all time before.

    Both arrays have one entry or more, `from_us` in rising order. One entry is a zone without summer time.
    """

    from_us: Int64
    offset_us: Int64

    @classmethod
    def fixed(cls, hours: float) -> Calendar:
        """A zone that is always so many hours ahead of UTC."""
        return cls(np.zeros(1, np.int64), np.array([round(hours * HOUR_US)], np.int64))

    def local_us(self, us: Int64) -> Int64:
        """Local wall time as microseconds since 1970-01-01 00:00 of the same clock."""
        if len(self.from_us) == 1:
            local: Int64 = us + self.offset_us[0]
            return local
        period = np.searchsorted(self.from_us, us, side="right") - 1
        return us + self.offset_us[np.maximum(period, 0)]

    def hours(self, us: Int64) -> Int32:
        """Whole local hours since 1970; `% 24` is the hour of the day."""
        return (self.local_us(us) // HOUR_US).astype(np.int32)

    def days(self, us: Int64) -> Int32:
        """Local days since 1970-01-01."""
        return (self.local_us(us) // DAY_US).astype(np.int32)
