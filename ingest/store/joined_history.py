"""Two stores as one: what was kept here before a server was configured, and the server.

What both have is one point: some of the older may have been copied meanwhile. Servers keep times to the
millisecond and values to some digits less, so that is how a point is known again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

import numpy as np

from devices.model import Bool, Float64
from ingest.store.histories import newer
from ingest.store.history import History, Outline, Series, lacks_of
from ingest.store.points import Points, separated

_MS: Final = 1_000_000
ALIKE: Final = 1e-9
"""By how much of itself a value may differ from the same one elsewhere (VictoriaMetrics: 1e-11, measured)."""


class JoinedHistory:
    """`old` and `new`, which it closes. Raises what they raise: half an answer is none.

    Two readings of one series, one in each, count as one where they have one value within a millisecond. An
    outline takes the larger count of each piece, with its mean: in the piece in which the server was
    configured it counts too few.
    """

    def __init__(self, old: History, new: History) -> None:
        self._old, self._new = old, new

    @property
    def lacks(self) -> str:
        """As `Lacking.lacks`, of both."""
        return "; ".join(filter(None, (lacks_of(self._old), lacks_of(self._new))))

    def read(self, series: Series, from_ns: int, to_ns: int, limit: int = 10_000) -> Points:
        """As `History.read`."""
        old = self._old.read(series, from_ns, to_ns, limit)
        return united(old, self._new.read(series, from_ns, to_ns, limit))[:limit]

    def latest(self, many: Sequence[Series]) -> Points:
        """As `History.latest`; in the order of their slots."""
        return newer(self._old.latest(many), self._new.latest(many))

    def outline(self, series: Series, from_ns: int, to_ns: int, step_ns: int) -> Outline:
        """As `History.outline`."""
        old = self._old.outline(series, from_ns, to_ns, step_ns)
        return overlaid(old, self._new.outline(series, from_ns, to_ns, step_ns))

    def close(self) -> None:
        """Lets go of both."""
        with ExitStack() as held:
            held.callback(self._old.close)
            held.callback(self._new.close)


class Unreadable:
    """In the place of a store that cannot be read: nothing, for what `lacks` says."""

    def __init__(self, lacks: str) -> None:
        self.lacks = lacks

    def read(self, series: Series, from_ns: int, to_ns: int, limit: int = 10_000) -> Points:
        """No points."""
        return Points.empty()

    def latest(self, many: Sequence[Series]) -> Points:
        """No points."""
        return Points.empty()

    def outline(self, series: Series, from_ns: int, to_ns: int, step_ns: int) -> Outline:
        """No pieces."""
        return Outline.joined([], step_ns)

    def close(self) -> None:
        """There is nothing to let go of."""


def united(old: Points, new: Points) -> Points:
    """Points of one series, each in order of time; those of `new` that `old` has too are left out."""
    if not (len(old) and len(new)):
        return old if len(old) else new
    both = Points.joined([old, new])
    ms, of_old = both.ts_ns // _MS, np.arange(len(both)) < len(old)
    order = np.lexsort((both.value, ms))
    ms, value = ms[order], both.value[order]
    begins = np.append(True, (ms[1:] != ms[:-1]) | ~_alike(value[1:], value[:-1]))
    group = np.cumsum(begins) - 1
    known = np.bincount(group, weights=of_old[order]) > 0
    keep = np.ones(len(both), np.bool_)
    keep[order] = of_old[order] | ~known[group]
    found = both[keep]
    return separated(found[np.argsort(found.ts_ns, kind="stable")])


def _alike(one: Float64, other: Float64) -> Bool:
    with np.errstate(invalid="ignore"):  # infinities
        near = np.abs(one - other) <= ALIKE * np.maximum(np.abs(one), np.abs(other))
    found: Bool = (one == other) | (np.isnan(one) & np.isnan(other)) | (near & np.isfinite(one + other))
    return found


def overlaid(one: Outline, other: Outline) -> Outline:
    """Pieces of both. What both tell of a piece is told once: the larger counts, the mean of the larger count
    (of `one` where they are equal), the least and the most of both."""
    begin_ns = np.union1d(one.begin_ns, other.begin_ns)
    counts, doubts = np.zeros((2, len(begin_ns)), np.int64), np.zeros((2, len(begin_ns)), np.int64)
    values = np.full((3, 2, len(begin_ns)), np.nan)
    for row, part in enumerate((one, other)):
        places = np.searchsorted(begin_ns, part.begin_ns)
        counts[row, places], doubts[row, places] = part.count, part.doubtful
        for column, said in zip(values, (part.least, part.mean, part.most), strict=True):
            column[row, places] = said
    least, mean, most = values
    return Outline(
        one.step_ns,
        begin_ns,
        counts.max(axis=0),
        doubts.max(axis=0),
        np.fmin(*least),
        np.where(counts[1] > counts[0], mean[1], mean[0]),
        np.fmax(*most),
    )
