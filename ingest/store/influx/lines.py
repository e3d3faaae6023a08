"""Line protocol out of arrays: points of a batch as request bodies. Pure.

Points that stand side by side with one device, channel and time share a line, as the readings of a message
do. Text is made once for each different value, time and series of a batch; what is left for a point is
picking references and joining.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, Float64, Int16, Int32, Int64, Quality, UInt32
from ingest.store.influx.words import QUALITY, field
from ingest.store.points import Points

BODY_POINTS: Final = 5_000
"""Points of one request, about (measured: larger bodies are not taken any faster)."""
SLICE: Final = 4 * BODY_POINTS
"""Points made into text at once, so that the first bodies are on their way while others are made (chosen)."""
_PLACES: Final = 999
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio (Knuth, multiplicative hashing)."""
Texts = NDArray[np.object_]


class Named(Protocol):
    """The names of series by slot."""

    def rows(self, slots: Int32) -> Int32:
        """The sensing point of each series; 0 for one that has no name."""

    def metrics(self, slots: Int32) -> Int16:
        """What each measures."""

    @property
    def heads(self) -> Texts:
        """A line up to its fields, by sensing point."""


@dataclass(frozen=True, slots=True)
class Body:
    """Lines for one request, whole, and how many points are in them."""

    lines: bytes
    points: int


def bodies(
    points: Points, names: Named, most: int = BODY_POINTS, slice_points: int = SLICE
) -> Iterator[Body]:
    """All points as bodies of about `most` points each, made as they are asked for. Every series must have a
    name."""
    for start in range(0, len(points), slice_points):
        yield from _bodies(points[start : start + slice_points], names, most)


def _bodies(points: Points, names: Named, most: int) -> Iterator[Body]:
    ts_ns = settled(points)
    rows = names.rows(points.slot)
    begins = np.ones(len(points), np.bool_)
    begins[1:] = (rows[1:] != rows[:-1]) | (ts_ns[1:] != ts_ns[:-1])
    pieces = np.empty((len(points), 4), np.object_)
    pieces[:, 0] = np.where(begins, names.heads.take(rows), b",")
    pieces[:, 1], pieces[:, 2] = _fields(names.metrics(points.slot), points.value, points.quality)
    pieces[:, 3] = _ends(ts_ns, begins)
    for a, b in pairwise(_cuts(begins, most)):
        yield Body(b"".join(pieces[a:b].ravel().tolist()), b - a)


def settled(points: Points) -> Int64:
    """The nanosecond of each point in the server, where a second value of one series and time would replace
    the first. Readings in a row were told apart when they came in; a late one is put at one of the other
    nanoseconds of its microsecond by its value, so that it is there again when it is written again.

    Not guaranteed: that two late ones of one time and different values are told apart (998 in 999).
    """
    late = (points.quality & np.uint32(Quality.LATE)) != 0
    if not late.any():
        return points.ts_ns
    ts_ns = points.ts_ns.copy()
    bits = (points.value[late] + 0.0).view(np.uint64)
    place = ((bits * _MIX) >> np.uint64(32)) % np.uint64(_PLACES)
    ts_ns[late] = ts_ns[late] // 1000 * 1000 + 1 + place.astype(np.int64)
    return ts_ns


def _fields(metric: Int16, value: Float64, quality: UInt32) -> tuple[Texts, Texts]:
    """Per point its field's name up to the value, and the value with its quality. What is no number is
    written as the quality alone: a field without a value says nothing."""
    unknown = ~np.isfinite(value)
    plain = ~unknown & (quality == 0)
    different, which = np.unique(value, return_inverse=True)
    written = _texts([repr(one).encode() for one in different.tolist()]).take(which)
    known = np.unique(metric).tolist()
    of_metric = np.empty(max(known) + 1, np.object_)
    of_metric[known] = _texts([_name(one) + b"=" for one in known])
    named = of_metric.take(metric)
    if not plain.all():
        _say_quality(named, written, metric, quality, unknown, np.flatnonzero(~plain))
    return named, written


def _say_quality(
    named: Texts, written: Texts, metric: Int16, quality: UInt32, unknown: Bool, at: Int64
) -> None:
    """Writes quality behind the values at these places, or in place of them; text once for each kind."""
    key = metric[at].astype(np.int64) << 33 | quality[at].astype(np.int64) << 1 | unknown[at]
    kinds, which = np.unique(key, return_inverse=True)
    said = _texts([_said(one >> 33, one >> 1 & 0xFFFFFFFF) for one in kinds.tolist()])
    lost = unknown[at]
    named[at[lost]], written[at[lost]] = b"", said.take(which[lost])
    kept = at[~lost]
    written[kept] = written[kept] + b"," + said.take(which[~lost])


def _said(metric: int, quality: int) -> bytes:
    return _name(metric) + b"%s=%di" % (QUALITY, quality)


def _name(metric: int) -> bytes:
    """Of a metric that only a newer release knows, which wrote to this journal, its number: what is in the
    journal must not hold up what comes behind it."""
    try:
        return field(metric)
    except ValueError:
        return b"metric_%d" % metric


def _ends(ts_ns: Int64, begins: Bool) -> Texts:
    """Behind the last point of each line its time and a line's end, behind the others nothing."""
    last = np.append(begins[1:], True)
    ends = np.full(len(ts_ns), b"", np.object_)
    different, which = np.unique(ts_ns[last], return_inverse=True)
    ends[last] = _texts([b" %d\n" % one for one in different.tolist()]).take(which)
    return ends


def _cuts(begins: Bool, most: int) -> list[int]:
    """Where bodies begin and end: at the first line that begins after each `most` points."""
    lines = np.append(np.flatnonzero(begins), len(begins))
    wanted = np.arange(most, len(begins), most)
    found = lines[np.searchsorted(lines, wanted)]
    cuts: list[int] = np.unique(np.concatenate(([0], found, [len(begins)]))).tolist()
    return cuts


def _texts(made: Sequence[bytes]) -> NDArray[Any]:
    texts = np.empty(len(made), np.object_)
    texts[:] = made
    return texts
