"""Where the points of the embedded store stand in a server, and whether they stand there. Pure.

A server has one value for each series and nanosecond, VictoriaMetrics for each millisecond: points that share
a place are one there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from devices.model import Bool, Float64, Int64
from ingest.store.influx.lines import settled
from ingest.store.points import Points

MS: Final = 1_000_000
_DIGITS: Final = 1e-11
_BESIDE: Final = 1e-13
"""What VictoriaMetrics may change of a value, against itself and against the largest of its series and day:
it keeps decimal numbers that share an exponent (measured: 1e-12 and 1e-14)."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Of the points of one series: which the server has not, which it has with another value or quality, and
    where among the server's points each stands that it has."""

    missing: Bool
    different: Bool
    place: Int64

    @property
    def all_there(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.missing.any() or self.different.any())


def placed(points: Points) -> Points:
    """Each at its place, by series and place. Of several at one place it is the last to arrive, or of later
    time: the one that stands there when they are written in this order. Takes what `SeriesReader.pieces`
    gives."""
    ts_ns = settled(points)
    points = Points(points.slot, ts_ns, points.value, points.quality)
    same_slot = points.slot[1:] == points.slot[:-1]
    if (same_slot & (ts_ns[1:] < ts_ns[:-1])).any():
        points = points[np.lexsort((ts_ns, points.slot))]  # stable
    last = np.ones(len(points), np.bool_)
    last[:-1] = (points.slot[1:] != points.slot[:-1]) | (points.ts_ns[1:] != points.ts_ns[:-1])
    return points if last.all() else points[last]


def compared(ours: Points, theirs: Points, *, whole_ms: bool) -> Compared:
    """Whether a server's points of one series hold `ours`, which `placed` gave. What it has beside is no
    fault. With `whole_ms` it keeps milliseconds: one of those that share one has to be there."""
    ts_ns = ours.ts_ns // MS * MS if whole_ms else ours.ts_ns
    place = np.searchsorted(theirs.ts_ns, ts_ns)
    if not len(theirs):
        return Compared(np.ones(len(ours), np.bool_), np.zeros(len(ours), np.bool_), place)
    place = np.minimum(place, len(theirs) - 1)
    missing = theirs.ts_ns[place] != ts_ns
    value, quality = theirs.value[place], theirs.quality[place]
    known = np.isfinite(ours.value)
    fits = np.where(known, _close(ours.value, value, whole_ms=whole_ms), np.isnan(value))
    told = quality == ours.quality
    if whole_ms:
        fits, told = _in_one_millisecond(ts_ns, known, fits, told)
    return Compared(missing, ~missing & ~(fits & told), place)


def shared(points: Points) -> int:
    """How many of them are joined with another one in a server of milliseconds. By series and time."""
    ms = points.ts_ns // MS
    return int(np.count_nonzero((ms[1:] == ms[:-1]) & (points.slot[1:] == points.slot[:-1])))


def _close(ours: Float64, theirs: Float64, *, whole_ms: bool) -> Bool:
    same: Bool = ours == theirs
    if whole_ms and not same.all():
        usable = np.abs(ours[np.isfinite(ours)])
        with np.errstate(invalid="ignore", over="ignore"):
            allowed = np.abs(ours) * _DIGITS + usable.max(initial=0.0) * _BESIDE
            same = same | (np.abs(ours - theirs) <= allowed)
    return same


def _in_one_millisecond(ts_ns: Int64, known: Bool, fits: Bool, told: Bool) -> tuple[Bool, Bool]:
    """Of those that share one any may be the one that is there; but where any has a value, one of those."""
    starts = np.flatnonzero(np.append(True, ts_ns[1:] != ts_ns[:-1]))
    counts = np.diff(np.append(starts, len(ts_ns)))
    any_known = np.repeat(np.logical_or.reduceat(known, starts), counts)
    fits = fits & (known | ~any_known)
    return (
        np.repeat(np.logical_or.reduceat(fits, starts), counts),
        np.repeat(np.logical_or.reduceat(told, starts), counts),
    )
