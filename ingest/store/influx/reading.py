"""Reading points back from a server, as the embedded store's reader reads its file.

Promises: what was written is read with its time, value and quality, in order of time, whatever kind the
device was of meanwhile. VictoriaMetrics keeps whole milliseconds; elsewhere late readings stand at the
nanosecond at which they were written (`lines.settled`). Nothing stands before 1970.

Errors: those of `reading_answers`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, Self

import numpy as np

from ingest.store.influx.flux import Flux
from ingest.store.influx.influxql import InfluxQL
from ingest.store.influx.reading_answers import LIMITS, Asking, Limits
from ingest.store.influx.reading_dialect import Dialect, dialect_of
from ingest.store.influx.reading_points import SeriesName, Strand, points_of, whole_before
from ingest.store.influx.server import Account
from ingest.store.influx.victoria import Victoria
from ingest.store.points import Points, separated

PAGE: Final = 50_000
"""Rows that a server is asked for at once (chosen: some MB of an answer)."""
LATEST_NS: Final = 2**63 - 2
"""The end of time in InfluxDB."""


class Language(Protocol):
    """One series in the words of a server."""

    def page(self, name: SeriesName, from_ns: int, to_ns: int, most: int) -> list[Strand]:
        """Strands from `from_ns` on, some of them whole to before `to_ns` only in part. At least one point
        or some time further, so that asking again behind what is whole comes to an end."""

    def newest(self, name: SeriesName) -> list[Strand]:
        """What holds the newest point."""


class ServerReader:
    """Points of one server. Not for several threads at once."""

    def __init__(
        self, account: Account, dialect: Dialect, *, limits: Limits = LIMITS, page: int = PAGE
    ) -> None:
        self._asking = Asking(account, limits)
        self._language = _language(self._asking, account, dialect)
        self._page = page

    @classmethod
    def open(cls, account: Account, limits: Limits = LIMITS) -> Self:
        """In the language of whatever answers. Raises Away where nothing does."""
        with Asking(account, limits) as asking:
            dialect = dialect_of(account, asking.ping())
        return cls(account, dialect, limits=limits)

    def read(
        self, name: SeriesName, from_ns: int, to_ns: int, limit: int = 10_000, *, slot: int = 0
    ) -> Points:
        """The oldest `limit` points of a series in [from_ns, to_ns), in order of time, each at its own time;
        all of them have this slot."""
        begin, end = max(from_ns, 0), min(to_ns, LATEST_NS)
        found: list[Points] = []
        count = 0
        while begin < end and count < limit:
            strands = self._language.page(name, begin, end, min(self._page, limit - count))
            until = whole_before(strands, end)
            found.append(points_of(strands, name, begin, until, slot))
            count += len(found[-1])
            begin = until
        return separated(Points.joined(found))[:limit]

    def latest(self, names: Sequence[SeriesName]) -> Points:
        """The newest point of each series that has one, in the order asked for; its slot is the place of its
        name. One question for each."""
        found = [
            points_of(self._language.newest(name), name, 0, LATEST_NS, place)[-1:]
            for place, name in enumerate(names)
        ]
        return Points.joined(found)

    def close(self) -> None:
        """Lets go of its connections."""
        self._asking.close()


class SlotReader:
    """A server read by slots, as `SeriesReader` is."""

    def __init__(self, reader: ServerReader, names: Mapping[int, SeriesName]) -> None:
        self._reader, self._names = reader, names

    def read(self, slot: int, from_ns: int, to_ns: int, limit: int = 10_000) -> Points:
        """As `SeriesReader.read`. Raises SeriesUnread; KeyError for a slot without a name."""
        return self._reader.read(self._names[slot], from_ns, to_ns, limit, slot=slot)

    def latest(self, slots: Sequence[int]) -> Points:
        """As `SeriesReader.latest`. Raises as `read`."""
        found = self._reader.latest([self._names[slot] for slot in slots])
        asked = np.asarray(slots, np.int32)
        return Points(asked[found.slot], found.ts_ns, found.value, found.quality)

    def close(self) -> None:
        """Lets go of the server."""
        self._reader.close()


def _language(asking: Asking, account: Account, dialect: Dialect) -> Language:
    if dialect == Dialect.VICTORIA:
        return Victoria(asking, account)
    return Flux(asking, account) if dialect == Dialect.FLUX else InfluxQL(asking, account)
