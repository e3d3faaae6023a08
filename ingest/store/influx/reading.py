"""Reading points back from a server, as the embedded store's reader reads its file.

Promises: what was written is read with its time, value and quality, in order of time, whatever kind the
device was of meanwhile. VictoriaMetrics keeps whole milliseconds; elsewhere late readings stand at the
nanosecond at which they were written (`lines.settled`). Nothing stands before 1970.

Errors: those of `asking`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Protocol, Self

import numpy as np

from ingest.store.history import Outline, Series
from ingest.store.influx.asking import LIMITS, Asking, Away, Limits, NotUnderstood
from ingest.store.influx.flux import Flux
from ingest.store.influx.influxql import InfluxQL
from ingest.store.influx.reading_dialect import Dialect, dialect_of
from ingest.store.influx.reading_points import Strand, points_of, whole_before
from ingest.store.influx.server import Account
from ingest.store.influx.stretches import Stretch, stretches
from ingest.store.influx.victoria import Victoria
from ingest.store.pieces import Sums, check_pieces
from ingest.store.points import Points, separated

PAGE: Final = 50_000
"""Rows that a server is asked for at once (chosen: some MB of an answer)."""
LATEST_NS: Final = 2**63 - 2
"""The end of time in InfluxDB."""


class Language(Protocol):
    """One series in the words of a server."""

    def page(self, series: Series, from_ns: int, to_ns: int, most: int) -> list[Strand]:
        """Strands from `from_ns` on, some of them whole to before `to_ns` only in part. At least one point
        or some time further, so that asking again behind what is whole comes to an end."""

    def newest(self, series: Series) -> list[Strand]:
        """What holds the newest point."""

    first_ns: int
    """Before this it says nothing of sums."""

    def sums(self, series: Series, stretch: Stretch) -> list[Sums]:
        """Of the pieces of a stretch by their numbers in it, in any parts; worked out by the server."""


class ServerReader:
    """Points of one server. Not for several threads at once."""

    def __init__(
        self,
        account: Account,
        dialect: Dialect,
        *,
        limits: Limits = LIMITS,
        page: int = PAGE,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._asking = Asking(account, limits)
        self._language = _language(self._asking, account, dialect)
        self._page, self._whole_s, self._monotonic = page, limits.whole_s, monotonic

    @classmethod
    def open(cls, account: Account, limits: Limits = LIMITS) -> Self:
        """In the language of whatever answers. Raises Away where nothing does."""
        with Asking(account, limits) as asking:
            dialect = dialect_of(account, asking.product())
        return cls(account, dialect, limits=limits)

    def read(self, series: Series, from_ns: int, to_ns: int, limit: int = 10_000) -> Points:
        """As `History.read`."""
        begin, end = max(from_ns, 0), min(to_ns, LATEST_NS)
        found: list[Points] = []
        count = 0
        while begin < end and count < limit:
            strands = self._language.page(series, begin, end, min(self._page, limit - count))
            until = whole_before(strands, end)
            found.append(points_of(strands, series, begin, until))
            count += len(found[-1])
            begin = until
        return separated(Points.joined(found))[:limit]

    def latest(self, many: Sequence[Series]) -> Points:
        """As `History.latest`. One question for each; Away where all of them take longer than one answer
        may."""
        found: list[Points] = []
        deadline_s = self._monotonic() + self._whole_s
        for one in many:
            if self._monotonic() > deadline_s:
                raise Away(f"{self._asking.url}: not all newest points within {self._whole_s:g} s")
            found.append(points_of(self._language.newest(one), one, 0, LATEST_NS)[-1:])
        return Points.joined(found)

    def outline(self, series: Series, from_ns: int, to_ns: int, step_ns: int) -> Outline:
        """As `History.outline`; the server works it out. VictoriaMetrics leaves out what is before 1971, and
        counts a point that was sent twice as two where it is not started with `-dedup.minScrapeInterval`."""
        check_pieces(from_ns, to_ns, step_ns)
        found = [
            self._placed(part, stretch)
            for stretch in stretches(from_ns, to_ns, step_ns, self._language.first_ns, LATEST_NS)
            for part in self._language.sums(series, stretch)
        ]
        return Outline.of(Sums.joined(found), from_ns, step_ns)

    def _placed(self, part: Sums, stretch: Stretch) -> Sums:
        if not np.all((part.piece >= 0) & (part.piece < stretch.pieces)):
            raise NotUnderstood(f"{self._asking.url}: sums of times that were not asked for")
        return replace(part, piece=part.piece + stretch.first)

    def close(self) -> None:
        """Lets go of its connections."""
        self._asking.close()


def _language(asking: Asking, account: Account, dialect: Dialect) -> Language:
    if dialect == Dialect.VICTORIA:
        return Victoria(asking, account)
    return Flux(asking, account) if dialect == Dialect.FLUX else InfluxQL(asking, account)
