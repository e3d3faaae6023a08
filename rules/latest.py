"""The newest value of series that are compared with other series of their device, as of any reading.

In a batch several series of one device come one after another. What was known when a reading arrived is the
state before the batch, moved on by the readings above its row: found with one search for a whole batch, so
that arrival order counts and no reading waits for its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import (
    HARD_QUALITY,
    MUTE_QUALITY,
    Float64,
    Int32,
    Int64,
    Metric,
    Quality,
    ReadingBatch,
    SeriesTable,
)
from rules.pairs import Pairs, State
from rules.rounds import Rows

METRICS: Final = (
    Metric.TEMPERATURE,
    Metric.TEMPERATURE_AMBIENT,
    Metric.CURRENT,
    Metric.VOLTAGE,
    Metric.POWER_ACTIVE,
)
"""Metrics that other series are compared with."""
_UNUSABLE: Final = int(HARD_QUALITY | MUTE_QUALITY | Quality.DUPLICATE | Quality.LATE | Quality.STALE)
_ROW_BITS: Final = 24
"""A batch has fewer rows than 2**24."""


class Latest:
    """Value and time of the newest usable reading of each series of METRICS: 29 bytes each.

    The order of calls in a tick: `begin` with the batch, any number of `of`, `end`.
    """

    def __init__(self, table: SeriesTable) -> None:
        blank = {"value": np.float64(np.nan), "at_us": np.int64(0)}
        self._pairs = Pairs([METRICS], blank, table)
        self._keys: Int64 = np.empty(0, np.int64)
        self._rows: Rows = np.empty(0, np.intp)

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        """Takes a changed series table; see `Pairs.adopt`."""
        self._pairs.adopt(table, changed)

    def forget(self, slots: Int32) -> None:
        """These slots are gone."""
        self._pairs.forget(slots)

    def begin(self, batch: ReadingBatch) -> None:
        """Takes the batch that `of` will be asked about."""
        rows, _ = self._pairs.expand(batch.slot)
        usable = ((batch.quality.take(rows) & _UNUSABLE) == 0) & ~np.isnan(batch.value.take(rows))
        rows = rows[usable]
        keys = (batch.slot.take(rows).astype(np.int64) << _ROW_BITS) | rows
        order = np.argsort(keys)
        self._keys, self._rows = keys[order], rows[order]

    def of(self, batch: ReadingBatch, rows: Rows, slots: Int32) -> tuple[Float64, Int64]:
        """See `Look.of`."""
        if not self._pairs.n:
            return np.full(len(slots), np.nan), np.zeros(len(slots), np.int64)
        known = (slots > 0) & (slots < len(self._pairs.table))
        pair = self._pairs.first(np.where(known, slots, 0).astype(np.int32))
        value = np.where(pair >= 0, self._pairs.state["value"].take(pair, mode="clip"), np.nan)
        at = np.where(pair >= 0, self._pairs.state["at_us"].take(pair, mode="clip"), 0)
        if len(self._keys):
            wanted = (slots.astype(np.int64) << _ROW_BITS) | rows
            found = np.searchsorted(self._keys, wanted, side="right") - 1
            key = self._keys[np.maximum(found, 0)]
            here = known & (found >= 0) & ((key >> _ROW_BITS) == slots)
            row = self._rows[np.maximum(found, 0)]
            value = np.where(here, batch.value[row], value)
            at = np.where(here, batch.observed_us[row], at)
        return value, at

    def end(self, batch: ReadingBatch) -> None:
        """The batch is judged: its newest readings are what is known from here on."""
        if not len(self._keys):
            return
        slot = batch.slot[self._rows]
        last = np.append(slot[1:] != slot[:-1], True)
        rows = self._rows[last]
        pair = self._pairs.expand(batch.slot[rows])[1]
        self._pairs.state["value"][pair] = batch.value[rows]
        self._pairs.state["at_us"][pair] = batch.observed_us[rows]
        self._keys, self._rows = self._keys[:0], self._rows[:0]

    def snapshot(self) -> State:
        """Copies of all state."""
        return self._pairs.snapshot()

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot, as far as the series still are what they were."""
        self._pairs.restore(state, np.zeros(1, np.int16))
