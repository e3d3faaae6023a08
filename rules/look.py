"""What kernels see of one batch: its readings, and what other series of a device said last as of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from devices.model import (
    HARD_QUALITY,
    MUTE_QUALITY,
    Float64,
    Int32,
    Int64,
    Quality,
    ReadingBatch,
    SeriesTable,
)
from rules.calendar import Calendar
from rules.kin import Kin
from rules.latest import Latest
from rules.rounds import Rows

UNSEEN: Final = int(HARD_QUALITY | MUTE_QUALITY | Quality.DUPLICATE | Quality.LATE | Quality.STALE)
"""Readings that neither raise, clear nor count for a hold (contracts 4 and 7)."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What kernels stand on and do not change: the site's calendar, which series of a device are compared
    with each other, and their newest values."""

    calendar: Calendar
    kin: Kin
    latest: Latest


@dataclass(frozen=True, slots=True)
class Look:
    """One batch as kernels judge it. `table` is the series as they are now."""

    batch: ReadingBatch
    table: SeriesTable
    ground: Ground

    @property
    def calendar(self) -> Calendar:
        """The site's local time."""
        return self.ground.calendar

    @property
    def kin(self) -> Kin:
        """Finds series of the same device."""
        return self.ground.kin

    def usable(self, rows: Rows) -> NDArray[np.bool_]:
        """Which of these readings may count for anything but a life flag."""
        batch = self.batch
        fit: NDArray[np.bool_] = ((batch.quality.take(rows) & UNSEEN) == 0) & ~np.isnan(
            batch.value.take(rows)
        )
        return fit

    def queued(self, rows: Rows) -> NDArray[np.bool_]:
        """Which of these readings waited for us: holds and windows start again after them (contract 6)."""
        waited: NDArray[np.bool_] = (self.batch.quality.take(rows) & int(Quality.QUEUED)) != 0
        return waited

    def of(self, rows: Rows, slots: Int32) -> tuple[Float64, Int64]:
        """Value and observed time of the newest usable reading of `slots` that arrived before each of `rows`,
        or is that row. NaN and 0 where there was none, and where the slot is 0.

        Only series of metrics that some kernel names in `compares` are remembered. Who asks for the same
        series again and again keeps its place (`Latest.place`) and asks by `newest`.
        """
        return self.newest(rows, self.ground.latest.place(slots))

    def newest(self, rows: Rows, place: Int32) -> tuple[Float64, Int64]:
        """As `of`, by the places of the series; `rows` and `place` broadcast."""
        return self.ground.latest.at(self.batch, rows, place)
