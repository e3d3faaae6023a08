"""What is held of each series by its seat: how it stands in the registry, and what has changed of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import EngineInput, Int16, Int32, ReadingBatch, SeriesTable
from ingest.columns import Columns
from ingest.record import Standing
from ingest.seats import Seats

FACTS: Final = {
    "device": np.int32, "dwelling": np.int32, "reference": np.float64, "stair": np.int32,
    "building": np.int32, "area": np.int32, "parent": np.int32, "breaker": np.float32,
    "silence": np.float32, "insulation": np.uint8, "earthing": np.uint8, "kind": np.uint8,
}  # fmt: skip
"""The columns that the registry decides, and what devices say of themselves: those of a `Standing`."""
_UNKNOWN: Final = {name: math.nan if np.issubdtype(kind, np.floating) else 0 for name, kind in FACTS.items()}


class Seated:
    """The series by seat: the table the rules read, and the ways between seats and slots.

    59 bytes a series. `slot_of_seat` is the seating of a snapshot.
    """

    def __init__(self, slot_of_seat: Int32 | None) -> None:
        self._seats = Seats()
        self._changed: list[Int32] = []
        self._generation = 0
        self._table: SeriesTable | None = None
        self._series = Columns(
            {"row": np.int32, "metric": np.int16, "phase": np.uint8, "room": np.bool_, **FACTS}
        )
        if slot_of_seat is not None:
            self._seats.restore(slot_of_seat)
        self._grow()

    def __len__(self) -> int:
        """The number of seats, free ones and seat 0 included."""
        return len(self._series)

    @property
    def series(self) -> int:
        """How many series there are."""
        return len(self._seats) - 1 - self._seats.free

    @property
    def newest_slot(self) -> int:
        """The largest slot there is."""
        return self._seats.next_slot - 1

    def use(self, slots: Int32) -> None:
        """Notes slots seen in the journal, so that no new series gets one of them."""
        if len(slots):
            self._seats.use(int(slots.max()))

    def table(self) -> SeriesTable:
        """What the rules need of each series, by seat. Another object when something has changed.

        The columns are views. Between ticks they change in place: who has derived something from them is
        told by `take_changed` what to look at again. A copy for one changed device would cost a tick some
        50 bytes a series (50 ms at 4,000,000), and nobody needs the columns as they were.
        """
        if self._table is None:
            self._generation += 1
            columns = self._series
            self._table = SeriesTable(
                self._generation,
                metric=columns["metric"],
                device=columns["device"],
                dwelling=columns["dwelling"],
                reference_a=columns["reference"],
                stair=columns["stair"],
                building=columns["building"],
                area=columns["area"],
                parent=columns["parent"],
                breaker_a=columns["breaker"],
                silence_s=columns["silence"],
                insulation=columns["insulation"],
                earthing=columns["earthing"],
                kind=columns["kind"],
                phase=columns["phase"],
                room=columns["room"],
            )
        return self._table

    def slots_of(self, seats: Int32) -> Int32:
        """The slot of each seat."""
        return self._seats.slots(seats)

    def seats_of(self, slots: Int32) -> Int32:
        """The seat of each slot, 0 for a series that is gone."""
        return self._seats.seats(slots)

    def metrics_of(self, seats: Int32) -> Int16:
        """What the series on each seat measures, 0 for none."""
        found: Int16 = self._series["metric"].take(seats)
        return found

    def seated(self, batch: ReadingBatch) -> ReadingBatch:
        """The batch as the rules take it: by seat instead of by slot."""
        return replace(batch, slot=self._seats.seats(batch.slot))

    def seated_inputs(self, inputs: Iterable[EngineInput]) -> list[EngineInput]:
        """The same of people's acts, and of what is nobody's. An act on a series that is gone is nothing and
        left out."""
        seats = ((one, self._seats.seat(one.slot) if one.slot else 0) for one in inputs)
        return [replace(one, slot=seat) for one, seat in seats if seat or not one.slot]

    @property
    def has_changed(self) -> bool:
        """Whether `take_changed` has something to give."""
        return bool(self._changed)

    def take_changed(self) -> Int32:
        """The seats whose series may have become other ones, or stand otherwise, since the last call."""
        changed, self._changed = self._changed, []
        if not changed:
            return np.empty(0, np.int32)
        return np.unique(np.concatenate(changed))

    def standing(self, seats: Int32) -> Standing:
        """How the series on these seats stand in the registry, for the journal."""
        columns = self._series
        return Standing(self._seats.slots(seats), *(columns[name].take(seats) for name in FACTS))

    def stand(self, standing: Standing) -> Int32:
        """Takes what a journal record says of series, whatever the registry says now; their seats."""
        seats = self._seats.seats(standing.slot)
        here = np.flatnonzero(seats)
        seats = seats[here]
        facts: tuple[NDArray[Any], ...] = standing[1:]
        for name, values in zip(FACTS, facts, strict=True):
            self._series[name][seats] = values[here]
        self._table = None
        return seats

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """The seating, and how each series stands, as copies."""
        columns = self._series
        return {"slot": self._seats.snapshot(), **{name: columns[name].copy() for name in FACTS}}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """How each series stood at a snapshot, whose seating this index was made with.

        One of an earlier release lacks columns: there what is known now stands. Nothing was evaluated under
        them before, and to begin with what is unknown would journal every series once more.
        """
        for name in FACTS.keys() & arrays.keys():
            self._series[name][: len(arrays[name])] = arrays[name]
        self._table = None

    def _grow(self) -> None:
        """Lines for all seats; those of new ones are blank."""
        before = len(self._series)
        self._series.grow(len(self._seats))
        self._series["row"][before:] = -1
        for name, unknown in _UNKNOWN.items():
            self._series[name][before:] = unknown

    def _fill(self, seats: Int32, facts: Sequence[NDArray[Any]]) -> None:
        for name, values in zip(FACTS, facts, strict=True):
            self._series[name][seats] = values
        self._changed.append(seats)
        self._table = None

    def _wipe(self, seats: Int32) -> None:
        """The series on these seats are gone."""
        columns = self._series
        columns["row"][seats] = -1
        columns["metric"][seats] = columns["phase"][seats] = 0
        columns["room"][seats] = False
        for name, unknown in _UNKNOWN.items():
            columns[name][seats] = unknown
        self._seats.leave(seats)
        self._table = None
