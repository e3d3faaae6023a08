"""Points of the series store as a recording: what was kept, in the order of time.

The store does not know in which order readings arrived: those that came late stand where they were observed,
with the flags they were given, so that they count for as little as they did. Quality is what was stored.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from sqlalchemy import Connection, select

from devices.model import Metric
from devices.schema import series
from gengfu.check_history import POINTS
from gengfu.config_store import INFLUXDB, Store
from gengfu.left_behind import left_behind, with_server
from gengfu.replay.reading import RecordingError
from gengfu.replay.recorded import Book, Recorded
from gengfu.store_account import account_of
from ingest.store.embedded_history import EmbeddedHistory
from ingest.store.history import History, Series, SeriesUnread, lacks_of
from ingest.store.influx.asking import LIMITS
from ingest.store.points import Points

LEFT_BEHIND: Final = (
    f"{POINTS} holds history that is not known to be in the server; it was read too, each point once:"
    " `gengfu influx copy` copies it"
)
WINDOW_NS: Final = 6 * 3600 * 1_000_000_000
"""How much is in memory at once (chosen: 100,000 points of 1,000 series that report every 3 minutes)."""
_MOST: Final = 10_000_000
"""Points of one series in a window (chosen: more than there can be)."""


def series_of(connection: Connection, devices: Collection[str]) -> dict[int, Series]:
    """The stored series of these devices (none: of all), by slot and in its order.

    Raises RecordingError for a device of which nothing was ever heard.
    """
    found: dict[int, Series] = {}
    for row in connection.execute(select(series).order_by(series.c.slot)):
        if (not devices or row.uid in devices) and row.metric in set(Metric):
            found[row.slot] = Series(row.slot, row.uid, row.channel, Metric(row.metric))
    heard = {name.device for name in found.values()}
    for device in devices:
        if device not in heard:
            raise RecordingError(f"device {device}: nothing is stored of it")
    return found


@contextmanager
def opened(store: Store, data_dir: Path, note: Callable[[str], None]) -> Iterator[History]:
    """The site's store; what was kept here before a server was configured as well, until it is copied. `note`
    takes a sentence on that, and on what was missing. Raises RecordingError where it is not there, or cannot
    be read later: a replay of some of the points would say less than happened."""
    try:
        reader = _reader(store, data_dir, note)
        try:
            yield reader
        finally:
            reader.close()
        if lacks := lacks_of(reader):
            note(lacks)
    except SeriesUnread as error:
        raise RecordingError(f"the series store cannot be read: {error}") from None


def _reader(store: Store, data_dir: Path, note: Callable[[str], None]) -> History:
    if store.kind != INFLUXDB:
        return EmbeddedHistory.open(data_dir / POINTS)
    try:
        account = account_of(store)
    except (OSError, ValueError) as error:
        raise RecordingError(f"the secret of the series store cannot be read: {error}") from None
    old = left_behind(data_dir, account.target)
    if old:
        note(LEFT_BEHIND)
    return with_server(old, account, LIMITS)


def stored(
    reader: History, names: Mapping[int, Series], book: Book, from_us: int, until_us: int
) -> Iterator[Recorded]:
    """The points of these series in [from, until), with the book's slots."""
    slots = {slot: book.slot(name.device, name.channel, name.metric) for slot, name in names.items()}
    for begin in range(from_us * 1000, until_us * 1000, WINDOW_NS):
        end = min(begin + WINDOW_NS, until_us * 1000)
        points = Points.joined([reader.read(one, begin, end, _MOST) for one in names.values()])
        if len(points):
            yield _recorded(points, slots)


def _recorded(points: Points, slots: Mapping[int, int]) -> Recorded:
    points = points[np.argsort(points.ts_ns, kind="stable")]
    ours = np.zeros(max(slots) + 1, np.int32)
    ours[list(slots)] = list(slots.values())
    return Recorded(
        ours[points.slot],
        points.ts_ns // 1000,
        (points.ts_ns % 1000).astype(np.uint16),
        points.value,
        points.quality,
    )
