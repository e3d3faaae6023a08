"""What kernels see of one batch: its readings, and what other series of a device said last as of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.model import (
    HARD_QUALITY,
    METRIC_LIMIT,
    MUTE_QUALITY,
    Float64,
    Int16,
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


_QUEUED: Final = int(Quality.QUEUED)
_METRICS: Final = np.arange(METRIC_LIMIT + 1, dtype=np.int16)


@dataclass(frozen=True, slots=True)
class Ground:
    """What kernels stand on and do not change: the site's calendar, which series of a device are compared
    with each other, and their newest values."""

    calendar: Calendar
    kin: Kin
    latest: Latest


class _ByMetric(NamedTuple):
    """Rows and slots of a batch, metric by metric, and where in them those of each metric begin."""

    rows: Rows
    slots: Rows
    begins: list[int]

    @classmethod
    def of(cls, slot: Int32, metric: Int16) -> _ByMetric:
        rows = np.argsort(metric, kind="stable")
        begins = np.searchsorted(metric.take(rows), _METRICS)
        return cls(rows, slot.take(rows).astype(np.intp), begins.tolist())


class Look:
    """One batch as kernels judge it. `table` is the series as they are now.

    What all kernels ask of a batch is found once: `metric` is that of each reading, `whole` says that every
    reading is usable, `repeats` that some series has several.
    """

    __slots__ = (
        "_any_queued", "_by_metric", "_heard", "_repeats",
        "batch", "ground", "metric", "table", "whole",
    )  # fmt: skip

    def __init__(self, batch: ReadingBatch, table: SeriesTable, ground: Ground) -> None:
        self.batch = batch
        self.table = table
        self.ground = ground
        self.metric: Int16 = table.metric.take(batch.slot)
        bits = int(np.bitwise_or.reduce(batch.quality, initial=0))
        self.whole = not bits & UNSEEN and not bool(np.isnan(batch.value).any())
        self._any_queued = bool(bits & _QUEUED)
        self._repeats: bool | None = None
        self._by_metric: _ByMetric | None = None
        self._heard: dict[tuple[int, ...], tuple[Rows, Rows]] = {}

    @property
    def repeats(self) -> bool:
        """Whether some series has several readings: only then arrival order within the batch matters."""
        if self._repeats is None:
            ordered = np.sort(self.batch.slot)
            self._repeats = bool((ordered[1:] == ordered[:-1]).any())
        return self._repeats

    def heard(self, metrics: tuple[int, ...]) -> tuple[Rows, Rows]:
        """The readings of these metrics and their slots: metric by metric, each in the order of arrival. They
        are worked out once, whoever asks."""
        found = self._heard.get(metrics)
        if found is None:
            found = self._heard[metrics] = self._sorted_out(metrics)
        return found

    def _sorted_out(self, metrics: tuple[int, ...]) -> tuple[Rows, Rows]:
        if self._by_metric is None:
            self._by_metric = _ByMetric.of(self.batch.slot, self.metric)
        rows, slots, begins = self._by_metric
        if len(metrics) == 1:
            part = slice(begins[metrics[0]], begins[metrics[0] + 1])
            return rows[part], slots[part]
        parts = [slice(begins[one], begins[one + 1]) for one in metrics if begins[one] < begins[one + 1]]
        if len(parts) < 2:
            part = parts[0] if parts else slice(0)
            return rows[part], slots[part]
        return np.concatenate([rows[one] for one in parts]), np.concatenate([slots[one] for one in parts])

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
        if self.whole:
            return np.ones(len(rows), np.bool_)
        fit: NDArray[np.bool_] = (self.batch.quality.take(rows) & UNSEEN) == 0
        fit &= ~np.isnan(self.batch.value.take(rows))
        return fit

    @property
    def any_queued(self) -> bool:
        """Whether any reading waited for us."""
        return self._any_queued

    def queued(self, rows: Rows) -> NDArray[np.bool_]:
        """Which of these readings waited for us: holds and windows start again after them (contract 6)."""
        if not self._any_queued:
            return np.zeros(len(rows), np.bool_)
        waited: NDArray[np.bool_] = (self.batch.quality.take(rows) & _QUEUED) != 0
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
