"""Where a series sits in memory. A slot is a series' number for ever; a seat is its place in our arrays.

Slots are never used twice: they stand in the journal, the store, open incidents and people's acts. Seats are
private to this process and its snapshots; a series that is gone leaves its seat to another
(docs/decisions/2026-11-21-slots.md).
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np

from devices.model import Int32
from ingest.columns import Columns


class Seats:
    """Slots by seat and seats by slot. Seat 0 is nobody's, slot 0 means none.

    8 bytes a series, 4 for one that is gone.
    """

    def __init__(self) -> None:
        self._slot_of = Columns({"slot": np.int32})
        self._seat_of = Columns({"seat": np.int32})
        self._slot_of.grow(1)
        self._free: list[int] = []
        self._next_slot = 1

    def __len__(self) -> int:
        """The number of seats, free ones and seat 0 included."""
        return len(self._slot_of)

    @property
    def free(self) -> int:
        """How many seats wait for a series."""
        return len(self._free)

    @property
    def next_slot(self) -> int:
        """The lowest slot that was never used, as far as is known here."""
        return self._next_slot

    def slots(self, seats: Int32) -> Int32:
        """The slot of the series on each seat."""
        found: Int32 = self._slot_of["slot"].take(seats)
        return found

    def seats(self, slots: Int32) -> Int32:
        """The seat of each slot, 0 for a series that has none."""
        if len(slots) and int(slots.max()) >= len(self._seat_of):
            self._seat_of.grow(int(slots.max()) + 1)
        found: Int32 = self._seat_of["seat"].take(slots)
        return found

    def seat(self, slot: int) -> int:
        """The seat of one slot, 0 where it has none."""
        return int(self._seat_of["seat"][slot]) if 0 < slot < len(self._seat_of) else 0

    def use(self, slot: int) -> None:
        """Notes that a slot is used somewhere, so that no new series gets it."""
        self._next_slot = max(self._next_slot, slot + 1)

    def take(self, slots: Sequence[int]) -> list[int]:
        """Seats for series that have none: the lowest free ones first, then new ones."""
        free, end = self._free, len(self._slot_of)
        seats = [heapq.heappop(free) for _ in range(min(len(free), len(slots)))]
        seats += range(end, end + len(slots) - len(seats))
        self._seat(slots, seats)
        return seats

    def restore(self, slot_of: Int32) -> None:
        """Takes the seats of a snapshot; only before the first `take`."""
        self._slot_of.grow(len(slot_of))
        seats = np.flatnonzero(slot_of)
        self._seat(slot_of[seats].tolist(), seats.tolist())
        self._free = (np.flatnonzero(slot_of[1:] == 0) + 1).tolist()

    def leave(self, seats: Int32) -> None:
        """The series on these seats are gone."""
        self._seat_of["seat"][self._slot_of["slot"][seats]] = 0
        self._slot_of["slot"][seats] = 0
        for seat in seats.tolist():
            heapq.heappush(self._free, seat)

    def snapshot(self) -> Int32:
        """The slot on each seat, as a copy."""
        copy: Int32 = self._slot_of["slot"].copy()
        return copy

    def _seat(self, slots: Sequence[int], seats: Sequence[int]) -> None:
        if not slots:
            return
        self._slot_of.grow(max(seats) + 1)
        self._seat_of.grow(max(slots) + 1)
        self._slot_of["slot"][seats] = slots
        self._seat_of["seat"][slots] = seats
        self._next_slot = max(self._next_slot, max(slots) + 1)
