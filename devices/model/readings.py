"""Readings: many at once, each with how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import Final

import numpy as np

from devices.model.arrays import Float64, Int32, Int64, UInt16, UInt32


class Quality(IntFlag):
    """A set of flags on one reading; 0 is good. Hard flags make the value NaN. Journalled: never renumber."""

    SENTINEL = 1 << 0
    FAULT = 1 << 1
    TYPE_MISMATCH = 1 << 2
    INCOMPLETE = 1 << 3
    OUT_OF_RANGE = 1 << 4
    SUSPECT = 1 << 5
    ESTIMATED = 1 << 6
    STALE = 1 << 7
    RETAINED = 1 << 8
    REPLAYED = 1 << 9
    BACKFILL = 1 << 10
    CLOCK_INVALID = 1 << 11
    CLOCK_SKEW = 1 << 12
    TZ_ASSUMED = 1 << 13
    DUPLICATE = 1 << 14
    LATE = 1 << 15
    QUEUED = 1 << 16

    @property
    def names(self) -> list[str]:
        """The flags set, in lower case, as `gengfu decode` prints them."""
        return [flag.name.lower() for flag in Quality if flag in self and flag.name]


HARD_QUALITY: Final = Quality.SENTINEL | Quality.FAULT | Quality.TYPE_MISMATCH | Quality.INCOMPLETE
"""With any of these the value is NaN: it neither raises nor clears a value alarm (contract 4)."""
MUTE_QUALITY: Final = Quality.RETAINED | Quality.REPLAYED | Quality.BACKFILL
"""With any of these a reading updates state but opens no new alarm, except smoke (contract 7)."""


@dataclass(frozen=True, slots=True)
class ReadingBatch:
    """Readings of one tick in arrival order, as parallel arrays of length n.

    `slot` is the persistent number of the series (table `series`); in the batch that the rules are given it
    is the series' place in their `SeriesTable` (`ingest/seats.py`). `observed_us` is the device's time
    where it gave a sane one, else `received_us`. `nudge_ns` (0..999) separates readings of one series
    with one time in the store: the later gets +1 ns. NaN values carry a hard quality flag.
    """

    received_us: int
    slot: Int32
    observed_us: Int64
    nudge_ns: UInt16
    value: Float64
    quality: UInt32

    def __len__(self) -> int:
        return len(self.slot)

    @classmethod
    def empty(cls, received_us: int) -> ReadingBatch:
        """A batch of no readings, for ticks that carry only engine inputs or time."""
        return cls(
            received_us,
            np.empty(0, np.int32),
            np.empty(0, np.int64),
            np.empty(0, np.uint16),
            np.empty(0, np.float64),
            np.empty(0, np.uint32),
        )

    @property
    def observed_ns(self) -> Int64:
        """The store's time stamp: nanoseconds, unique per series."""
        return self.observed_us * 1000 + self.nudge_ns
