"""Points put into a real server as the writer writes them, and what a reader must give of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from devices.model import Int16, Int32, Metric
from ingest.store.history import Series
from ingest.store.influx.lines import bodies
from ingest.store.influx.reading import ServerReader
from ingest.store.influx.reading_dialect import Dialect
from ingest.store.influx.server import Account
from ingest.store.influx.words import head
from ingest.store.points import Points
from tests.ingest.influx.house import account_at
from tests.series_servers import GIVEN, INFLUX2, INFLUX16, INFLUX18, KINDS, VICTORIA, SeriesServer

START_NS = 1_790_000_000_000_000_000
END_NS = START_NS + 3600 * 10**9
MS = 1_000_000
ASKED = [
    (INFLUX16, Dialect.INFLUXQL),
    (INFLUX18, Dialect.INFLUXQL),
    (INFLUX18, Dialect.FLUX),
    *((one, dialect) for one in INFLUX2 for dialect in (Dialect.INFLUXQL, Dialect.FLUX)),
    (VICTORIA, Dialect.VICTORIA),
    *((GIVEN, one) for one in Dialect if GIVEN in KINDS and one != Dialect.VICTORIA),
]
"""Servers, and the languages in which they are asked."""


class Names:
    """Series of devices of one kind, for `bodies`; slots begin with 1."""

    def __init__(self, names: Mapping[int, Series], kind: str) -> None:
        size = max(names) + 1
        self._metric = np.zeros(size, np.int16)
        self.heads: NDArray[np.object_] = np.full(size, b"", np.object_)
        for slot, name in names.items():
            self._metric[slot] = name.metric
            self.heads[slot] = head(kind, name.device, name.channel)

    def rows(self, slots: Int32) -> Int32:
        return slots

    def metrics(self, slots: Int32) -> Int16:
        found: Int16 = self._metric[slots]
        return found


def put(server: SeriesServer, names: Mapping[int, Series], points: Points, kind: str = "smoke") -> None:
    """Stores them with the writer's own lines; to be read at once."""
    for body in bodies(points, Names(names, kind)):
        server.write(body.lines)
    if server.kind == VICTORIA:
        server.post("/internal/force_flush")


def points(slot: int, *rows: tuple[int, float, int]) -> Points:
    """Milliseconds after the start, value, quality."""
    after, value, quality = zip(*rows, strict=True)
    return Points(
        np.full(len(rows), slot, np.int32),
        START_NS + np.array(after, np.int64) * MS,
        np.array(value, np.float64),
        np.array(quality, np.uint32),
    )


def account_of(server: SeriesServer, dialect: Dialect) -> Account:
    """As a site says it that is read in this language."""
    if dialect == Dialect.FLUX and not server.token:
        return Account(server.url, org=server.org, bucket=server.bucket)
    return account_at(server)


def reader_of(server: SeriesServer, dialect: Dialect, page: int = 50_000) -> ServerReader:
    return ServerReader(account_of(server, dialect), dialect, page=page)


def name(device: str, channel: str = "", metric: Metric = Metric.CURRENT, *, slot: int = 0) -> Series:
    return Series(slot, device, channel, metric)


def same(found: Points, wanted: Points) -> None:
    """AssertionError where they differ; NaN is NaN."""
    np.testing.assert_array_equal(found.slot, wanted.slot)
    np.testing.assert_array_equal(found.ts_ns, wanted.ts_ns)
    np.testing.assert_array_equal(found.value, wanted.value)
    np.testing.assert_array_equal(found.quality, wanted.quality)
