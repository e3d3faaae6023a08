"""The newest value of series that are compared with other series of their device, as of any reading.

In a batch several series of one device come one after another. What was known when a reading arrived is the
state before the batch, moved on by the readings above its row: each series has a mark of where in the batch
it is, so that arrival order counts and no reading waits for its neighbours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
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

NOWHERE: Final = -1
"""The place of a series that is not remembered."""
_NOT_HERE: Final = -1
"""The row of a series that is not in the batch."""
_SEVERAL: Final = -2
"""The row of a series that is in the batch more than once: its rows are in `_keys`."""
_UNUSABLE: Final = int(HARD_QUALITY | MUTE_QUALITY | Quality.DUPLICATE | Quality.LATE | Quality.STALE)
_ROW_BITS: Final = 24
"""A batch has fewer rows than 2**24."""
_BLANK: Final = np.array([np.float64(np.nan).view(np.int64), 0], np.int64)
"""A value's bits, and its time."""
_NO_ROWS: Final = np.empty(0, np.intp)
_NO_KEYS: Final = np.empty(0, np.int64)


class Latest:
    """Value and time of the newest usable reading of each series of `metrics`: 33 bytes each, 4 a slot.

    A series is asked for by its place (`place`), which holds until the next `adopt` that its slot is changed
    in. The order of calls in a tick: `begin` with the batch, any number of `at`, `end`.
    """

    def __init__(self, table: SeriesTable, metrics: Collection[Metric]) -> None:
        self.metrics = tuple(sorted(metrics))
        self._pairs = Pairs([self.metrics], {"newest": _BLANK}, table, {"row": np.int32(_NOT_HERE)})
        self._rows: Rows = _NO_ROWS
        self._pair: Rows = _NO_ROWS
        self._keys: Int64 = _NO_KEYS
        self._marked = False

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        """Takes a changed series table; see `Pairs.adopt`."""
        self._pairs.adopt(table, changed)

    def forget(self, slots: Int32) -> None:
        """These slots are gone."""
        self._pairs.forget(slots)

    def place(self, slots: Int32) -> Int32:
        """What `at` is asked with for each of these slots; NOWHERE for those that are not remembered."""
        return self._pairs.first(slots).astype(np.int32)

    def begin(self, batch: ReadingBatch, heard: tuple[Rows, Rows] | None = None) -> None:
        """Takes the batch that `at` will be asked about; one that had no `end` is as if it had not been.

        `heard`, where all readings are usable: which are of `metrics`, and their slots (`Look.heard`).
        """
        self._let_go()
        if heard is not None:
            self._rows, self._pair = self._pairs.heard(*heard)
            return
        rows, pair = self._pairs.expand(batch.slot)
        usable = (batch.quality.take(rows) & _UNUSABLE) == 0
        usable &= ~np.isnan(batch.value.take(rows))
        self._rows, self._pair = rows[usable], pair[usable]

    def at(self, batch: ReadingBatch, rows: Rows, place: Int32) -> tuple[Float64, Int64]:
        """Value and observed time of the newest usable reading of each place that arrived before its row in
        `rows`, or is that row; NaN and 0 where there was none. `rows` and `place` broadcast."""
        if not self._pairs.n:
            return np.full(place.shape, np.nan), np.zeros(place.shape, np.int64)
        if not self._marked:
            self._mark()
        newest = self._whole().take(place, mode="clip").view(np.int64)
        value: Float64 = newest[..., 0::2].view(np.float64).copy()
        at: Int64 = newest[..., 1::2].copy()
        row: Int32 = self._pairs.facts["row"].take(place, mode="clip")
        if len(self._keys):
            self._find_among_several(row, rows, place)
        here = np.flatnonzero(row.view(np.uint32) <= rows)  # what is not here is far beyond any row
        if len(here):
            last = row.reshape(-1).take(here)
            value.reshape(-1)[here] = batch.value.take(last)
            at.reshape(-1)[here] = batch.observed_us.take(last)
        nowhere = place < 0
        if nowhere.any():
            np.copyto(value, np.nan, where=nowhere)
            np.copyto(at, 0, where=nowhere)
        return value, at

    def end(self, batch: ReadingBatch) -> None:
        """The batch is judged: its newest readings are what is known from here on."""
        if len(self._pair):  # of several readings of one series the last is left behind
            newest = np.empty((len(self._pair), 2), np.int64)
            newest[:, 0] = batch.value.take(self._rows).view(np.int64)
            newest[:, 1] = batch.observed_us.take(self._rows)
            self._whole()[self._pair] = newest.view(np.complex128).reshape(-1)
        self._let_go()

    def snapshot(self) -> State:
        """Copies of all state."""
        return self._pairs.snapshot()

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot, as far as the series still are what they were."""
        self._pairs.restore(state, np.zeros(1, np.int16))

    def _let_go(self) -> None:
        if self._marked:
            self._pairs.facts["row"][self._pair] = _NOT_HERE
        self._rows, self._pair, self._keys, self._marked = _NO_ROWS, _NO_ROWS, _NO_KEYS, False

    def _whole(self) -> NDArray[np.complex128]:
        """What is known, each as one thing of 16 bytes, which is found and put in one go."""
        whole: NDArray[np.complex128] = self._pairs.state["newest"].view(np.complex128).reshape(-1)
        return whole

    def _mark(self) -> None:
        """Says of each series of the batch where in it it is."""
        self._marked = True
        rows, pair, row = self._rows, self._pair, self._pairs.facts["row"]
        row[pair] = rows
        again = row[pair] != rows
        if again.any():
            several = self._pairs.company(pair, again)
            row[pair[several]] = _SEVERAL
            self._keys = np.sort((pair[several] << _ROW_BITS) | rows[several])

    def _find_among_several(self, row: Int32, rows: Rows, place: Int32) -> None:
        """Puts into `row` the last of the rows of each place that is in the batch more than once."""
        found = np.nonzero(row == _SEVERAL)
        if not len(found[0]):
            return
        where = place[found].astype(np.int64)
        wanted = (where << _ROW_BITS) | np.broadcast_to(rows, row.shape)[found]
        key = self._keys[np.maximum(np.searchsorted(self._keys, wanted, side="right") - 1, 0)]
        same = key >> _ROW_BITS == where
        row[found] = np.where(same, key & ((1 << _ROW_BITS) - 1), _NOT_HERE)
