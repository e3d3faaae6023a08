"""Points of one series in pieces of equal length: what an outline is made of. Pure.

Sums of some of the points can be joined with those of others, whoever worked them out: a part of a file, or a
server for one of its measurements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from devices.model import Float64, Int64
from ingest.store.points import Points

MOST_PIECES: Final = 11_000
"""Of one outline (chosen: some screens of points; VictoriaMetrics gives up to 30,000 of its own)."""
MS: Final = 1_000_000
_PAST_INT64: Final = 2**63


@dataclass(frozen=True, slots=True)
class Sums:
    """Of each piece, by its number: how many readings had a usable value (`count`), how many were doubtful,
    and the total, the least and the most of the usable values (0, inf and -inf where there was none)."""

    piece: Int64
    count: Int64
    doubtful: Int64
    total: Float64
    least: Float64
    most: Float64

    @classmethod
    def of(
        cls,
        piece: Sequence[int] | Int64,
        *,
        count: Sequence[float] | Int64 | None = None,
        doubtful: Sequence[float] | Int64 | None = None,
        total: Sequence[float] | Float64 | None = None,
        least: Sequence[float] | Float64 | None = None,
        most: Sequence[float] | Float64 | None = None,
    ) -> Self:
        """Of what is known; the rest says nothing when it is joined. The numbers need no order."""
        n = len(piece)
        return cls(
            np.asarray(piece, np.int64),
            np.zeros(n, np.int64) if count is None else np.asarray(count, np.int64),
            np.zeros(n, np.int64) if doubtful is None else np.asarray(doubtful, np.int64),
            np.zeros(n) if total is None else np.asarray(total, np.float64),
            np.full(n, np.inf) if least is None else np.asarray(least, np.float64),
            np.full(n, -np.inf) if most is None else np.asarray(most, np.float64),
        )

    @classmethod
    def joined(cls, parts: Sequence[Sums]) -> Sums:
        """Of all of them together: each piece once, in order."""
        if not sum(len(part.piece) for part in parts):
            return cls.of(())
        piece = np.concatenate([part.piece for part in parts])
        order = np.argsort(piece, kind="stable")
        piece = piece[order]
        starts = np.flatnonzero(np.append(True, piece[1:] != piece[:-1]))
        return cls(
            piece[starts],
            np.add.reduceat(np.concatenate([part.count for part in parts])[order], starts),
            np.add.reduceat(np.concatenate([part.doubtful for part in parts])[order], starts),
            np.add.reduceat(np.concatenate([part.total for part in parts])[order], starts),
            np.minimum.reduceat(np.concatenate([part.least for part in parts])[order], starts),
            np.maximum.reduceat(np.concatenate([part.most for part in parts])[order], starts),
        )


def check_pieces(from_ns: int, to_ns: int, step_ns: int) -> None:
    """Raises ValueError for a question that no store is asked: a step that is not whole milliseconds, more
    than `MOST_PIECES`, times or a span beyond 64 bits."""
    if step_ns < MS or step_ns % MS:
        raise ValueError(f"{step_ns} ns: a step is whole milliseconds, 1 at least")
    if not (-_PAST_INT64 <= from_ns < _PAST_INT64 and to_ns < _PAST_INT64 and step_ns < _PAST_INT64):
        raise ValueError("nanoseconds since 1970 have 64 bits")
    if to_ns - from_ns >= _PAST_INT64:
        raise ValueError("a span of more than 292 years")
    pieces = -((from_ns - to_ns) // step_ns)
    if pieces > MOST_PIECES:
        raise ValueError(f"{pieces} pieces: {MOST_PIECES} at most")


def sums_of(points: Points, from_ns: int, to_ns: int, step_ns: int) -> Sums:
    """Of one series' points, in order of time; those outside [from_ns, to_ns) do not count."""
    first, end = np.searchsorted(points.ts_ns, (from_ns, max(from_ns, to_ns)))
    points = points[int(first) : int(end)]
    usable = np.isfinite(points.value)
    each = Sums.of(
        (points.ts_ns - from_ns) // step_ns,
        count=usable.astype(np.int64),
        doubtful=(~usable | (points.quality != 0)).astype(np.int64),
        total=np.where(usable, points.value, 0.0),
        least=np.where(usable, points.value, np.inf),
        most=np.where(usable, points.value, -np.inf),
    )
    return Sums.joined([each])
