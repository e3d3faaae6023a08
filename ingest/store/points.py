"""Points as arrays: what goes into a series store and comes out of it, in one order and each once.

Pure. Points are kept under the time they were given. Two of one series with one time and different values are
both kept, in order of arrival; only when they are read does the later go to the next free nanosecond
(`separated`). So the answer depends on what was written and not on how it was merged meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from devices.model import Bool, Float64, Int32, Int64, UInt32

_INDEX_BITS: Final = 32
"""Sorting keys are slot and place in one int64: numpy sorts numbers several times faster than it sorts
places."""


@dataclass(frozen=True, slots=True)
class Points:
    """Points as parallel arrays: series, nanoseconds since 1970 UTC, value (NaN: unknown), quality bits."""

    slot: Int32
    ts_ns: Int64
    value: Float64
    quality: UInt32

    def __len__(self) -> int:
        return len(self.slot)

    @classmethod
    def empty(cls) -> Self:
        """No points."""
        return cls(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0), np.empty(0, np.uint32))

    @classmethod
    def joined(cls, parts: Sequence[Points]) -> Self:
        """One after the other."""
        if not parts:
            return cls.empty()
        return cls(
            np.concatenate([part.slot for part in parts]),
            np.concatenate([part.ts_ns for part in parts]),
            np.concatenate([part.value for part in parts]),
            np.concatenate([part.quality for part in parts]),
        )

    def __getitem__(self, which: slice | Int64 | Bool) -> Points:
        """Some of them: a slice (views), places or a mask (copies)."""
        return Points(self.slot[which], self.ts_ns[which], self.value[which], self.quality[which])


def ordered(points: Points) -> Points:
    """By series, then time; those of one series and time stay in order of arrival.

    Made for what arrives nearly in order of time: one sort by series, and only series in which a time goes
    back are sorted again. Slots must not be negative.
    """
    key = points.slot.astype(np.int64)
    key <<= _INDEX_BITS
    key |= np.arange(len(key))
    key.sort()
    slot = (key >> _INDEX_BITS).astype(np.int32)
    key &= (1 << _INDEX_BITS) - 1
    found = Points(slot, points.ts_ns.take(key), points.value.take(key), points.quality.take(key))
    back = np.flatnonzero((found.ts_ns[1:] < found.ts_ns[:-1]) & (found.slot[1:] == found.slot[:-1]))
    if not len(back):
        return found
    places = np.flatnonzero(np.isin(found.slot, np.unique(found.slot[back])))
    again = places[np.lexsort((found.ts_ns[places], found.slot[places]))]
    for column in (found.ts_ns, found.value, found.quality):  # the slots are in order already
        column[places] = column[again]
    return found


def without_repeats(points: Points) -> Points:
    """The same without points that are there before with series, time and value. Takes them as `ordered`
    gives them.

    NaN is a value like others here, and -0.0 is 0.0. The quality that came first stays.
    """
    if len(points) < 2:
        return points
    tied = np.zeros(len(points), np.bool_)
    tied[1:] = (points.ts_ns[1:] == points.ts_ns[:-1]) & (points.slot[1:] == points.slot[:-1])
    if not tied.any():
        return points
    tied[:-1] |= tied[1:]
    places = np.flatnonzero(tied)
    value = points.value[places]
    value = np.where(np.isnan(value), np.nan, value + 0.0).view(np.int64)
    columns = (value, points.ts_ns[places], points.slot[places])
    order = np.lexsort(columns)  # stable: the first to arrive is the first of its equals
    same = np.ones(max(len(order) - 1, 0), np.bool_)
    for column in columns:
        same &= column[order[1:]] == column[order[:-1]]
    keep = np.ones(len(points), np.bool_)
    keep[places[order[1:][same]]] = False
    return points[keep]


def separated(points: Points) -> Points:
    """Points of ONE series as they are read, each at a nanosecond of its own. Takes what `without_repeats`
    gives.

    The first to arrive with a time keeps it, whatever else there is; the others, in order of time and
    arrival, go to the next nanosecond that nobody has.
    """
    moved = np.flatnonzero(points.ts_ns[1:] == points.ts_ns[:-1]) + 1
    if not len(moved):
        return points
    ts_ns = points.ts_ns.copy()
    taken = set(np.unique(ts_ns).tolist())
    free = int(ts_ns[0])
    for place in moved.tolist():
        free = max(free, int(ts_ns[place]) + 1)
        while free in taken:
            free += 1
        ts_ns[place] = free
        free += 1
    order = np.argsort(ts_ns, kind="stable")
    return Points(points.slot, ts_ns[order], points.value[order], points.quality[order])


def bounds(points: Points, slot: int) -> tuple[int, int]:
    """Where the points of a series begin and end among `ordered` ones."""
    first, end = np.searchsorted(points.slot, (slot, slot + 1))
    return int(first), int(end)
