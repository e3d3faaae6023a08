"""What servers hold of one series, put together again as points. Pure.

A server has a value and its quality as two fields, and those of a device that was of another kind before in
another measurement: each of these is a strand. A strand that was cut short says how far it is whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from devices.model import DeviceKind, Float64, Int64
from ingest.store.history import Series
from ingest.store.influx.words import QUALITY, UNREGISTERED, field, tag
from ingest.store.points import Points, ordered, without_repeats

MEASUREMENTS: Final = (*(kind.name.lower() for kind in DeviceKind if kind), UNREGISTERED)
"""Where points of a device can stand."""


def value_field(series: Series) -> str:
    """What servers call the metric."""
    return field(series.metric).decode()


def quality_field(series: Series) -> str:
    """What they call its quality."""
    return value_field(series) + QUALITY.decode()


def stored_tag(text: str) -> str:
    """A tag's value as servers hold it. The only backslashes in `tag` are those of line protocol."""
    return tag(text).decode().replace("\\", "")


@dataclass(frozen=True, slots=True)
class Strand:
    """Values of one field in one measurement: all there are up to `whole_to_ns`; of all times where that is
    None."""

    measurement: str
    field: str
    ts_ns: Int64
    number: Float64
    whole_to_ns: int | None = None


def strand(
    measurement: str, field: str, pairs: Iterable[tuple[int, float]], whole_to_ns: int | None = None
) -> Strand:
    """Of times and values."""
    kept = list(pairs)
    ts_ns = np.fromiter((at for at, _ in kept), np.int64, len(kept))
    number = np.fromiter((value for _, value in kept), np.float64, len(kept))
    return Strand(measurement, field, ts_ns, number, whole_to_ns)


def whole_before(strands: Sequence[Strand], to_ns: int) -> int:
    """Before when nothing is missing in any of them."""
    return min([to_ns, *(one.whole_to_ns + 1 for one in strands if one.whole_to_ns is not None)])


def points_of(strands: Sequence[Strand], series: Series, from_ns: int, to_ns: int) -> Points:
    """The points in [from_ns, to_ns), in order of time. What stands in two measurements with one time and
    value is one point."""
    parts = []
    for measurement in dict.fromkeys(one.measurement for one in strands):
        here = [one for one in strands if one.measurement == measurement]
        value = _column([one for one in here if one.field == value_field(series)])
        quality = _column([one for one in here if one.field == quality_field(series)])
        parts.append(_joined(value, quality, series.slot))
    points = without_repeats(ordered(Points.joined(parts)))
    return points[(points.ts_ns >= from_ns) & (points.ts_ns < to_ns)]


def _column(strands: Sequence[Strand]) -> tuple[Int64, Float64]:
    """Times in order, and a number for each. Of several of one time, which a server keeps that was sent a
    point twice or cut its time, it is the largest."""
    if not strands:
        return np.empty(0, np.int64), np.empty(0)
    ts_ns = np.concatenate([one.ts_ns for one in strands])
    number = np.concatenate([one.number for one in strands])
    order = np.lexsort((number, ts_ns))
    ts_ns, number = ts_ns[order], number[order]
    last = np.append(ts_ns[1:] != ts_ns[:-1], np.ones(min(len(ts_ns), 1), np.bool_))
    return ts_ns[last], number[last]


def _joined(value: tuple[Int64, Float64], quality: tuple[Int64, Float64], slot: int) -> Points:
    """Quality alone is a reading that had no usable value; a value alone is a good one."""
    ts_ns = np.union1d(value[0], quality[0])
    known, doubtful = np.full(len(ts_ns), np.nan), np.zeros(len(ts_ns), np.uint32)
    known[np.searchsorted(ts_ns, value[0])] = value[1]
    doubtful[np.searchsorted(ts_ns, quality[0])] = quality[1].astype(np.uint32)
    return Points(np.full(len(ts_ns), slot, np.int32), ts_ns, known, doubtful)
