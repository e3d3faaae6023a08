"""What every store of points answers, wherever it is: points of a series, the newest ones, and an outline for
a chart.

SeriesUnread           points cannot be read; the text says why and of which store, and holds no secret
└── (influx.asking)  what a server's answers add
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self, runtime_checkable

import numpy as np

from devices.model import Float64, Int64, Metric
from ingest.store.pieces import Sums, sums_of
from ingest.store.points import Points

OLDEST_NS: Final = -(2**63)
NEWEST_NS: Final = 2**63 - 1
"""The ends of time."""


class SeriesUnread(Exception):
    """Points cannot be read."""


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one sensing point: the number that this site gave it, by which the embedded store knows
    it, and the names by which a server does."""

    slot: int
    device: str
    channel: str
    metric: Metric


@dataclass(frozen=True, slots=True)
class Outline:
    """What a series did in pieces of equal length, those in which something was heard, in order of time.

    `begin_ns` of each; `count`: how many of its readings had a usable value; `doubtful`: how many had none,
    or a quality other than 0, so that a doubtful value counts in both; `least`, `mean` and `most` of the
    usable values, also of doubtful ones, NaN where there is none. As many readings were heard as the larger
    of the two, or more, up to both together: servers hold values and qualities apart, and count each.
    """

    step_ns: int
    begin_ns: Int64
    count: Int64
    doubtful: Int64
    least: Float64
    mean: Float64
    most: Float64

    def __len__(self) -> int:
        return len(self.begin_ns)

    @classmethod
    def of(cls, sums: Sums, from_ns: int, step_ns: int) -> Self:
        """Of sums as they were joined."""
        none = sums.count == 0
        return cls(
            step_ns,
            from_ns + sums.piece * step_ns,
            sums.count,
            sums.doubtful,
            np.where(none, np.nan, sums.least),
            np.where(none, np.nan, sums.total / np.maximum(sums.count, 1)),
            np.where(none, np.nan, sums.most),
        )

    @classmethod
    def joined(cls, parts: Sequence[Outline], step_ns: int) -> Self:
        """One after the other; no piece may be in two of them."""
        if not parts:
            return cls.of(Sums.of(()), 0, step_ns)
        return cls(
            step_ns,
            np.concatenate([part.begin_ns for part in parts]),
            np.concatenate([part.count for part in parts]),
            np.concatenate([part.doubtful for part in parts]),
            np.concatenate([part.least for part in parts]),
            np.concatenate([part.mean for part in parts]),
            np.concatenate([part.most for part in parts]),
        )


class History(Protocol):
    """A store of points. Not for several threads at once. What it cannot do raises SeriesUnread."""

    def read(self, series: Series, from_ns: int, to_ns: int, limit: int = ...) -> Points:
        """The oldest `limit` points in [from_ns, to_ns), in order of time, each at its own time."""

    def latest(self, many: Sequence[Series]) -> Points:
        """The newest point of each series that has one, in the order asked for."""

    def outline(self, series: Series, from_ns: int, to_ns: int, step_ns: int) -> Outline:
        """Pieces of `step_ns` from `from_ns` on, to before `to_ns`; the last may be shorter.

        The same of the same points in every store; means to 9 digits, where values do not cancel each other
        out. Raises ValueError where `step_ns` is not whole milliseconds, for more than 11,000 pieces
        (`pieces.MOST_PIECES`) and for a span of more than 292 years.

        Not guaranteed: that a reading counts once that a server has in two measurements, as it may for a
        device that was just registered.
        """

    def close(self) -> None:
        """Lets go of it."""


@runtime_checkable
class Lacking(Protocol):
    """History that may have answered with less than there is."""

    @property
    def lacks(self) -> str:
        """What was missing in its answers so far, and why; empty where nothing was."""


def lacks_of(history: History) -> str:
    """As `Lacking.lacks`; empty for a store that answers with all or not at all."""
    return history.lacks if isinstance(history, Lacking) else ""


def outline_of(points: Points, from_ns: int, to_ns: int, step_ns: int) -> Outline:
    """The outline of one series' points, in order of time, by any step; those outside [from_ns, to_ns) do not
    count."""
    return Outline.of(sums_of(points, from_ns, to_ns, step_ns), from_ns, step_ns)
