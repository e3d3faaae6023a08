"""Points of the embedded series store as a recording: what was kept, in the order of time.

The store does not know in which order readings arrived: those that came late stand where they were observed,
with the flags they were given, so that they count for as little as they did. Quality is what was stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

import numpy as np
from sqlalchemy import Connection, select

from devices.model import Metric
from devices.schema import series
from gengfu.replay.reading import RecordingError
from gengfu.replay.recorded import Book, Recorded
from ingest.store.points import Points
from ingest.store.reader import SeriesReader

WINDOW_NS: Final = 6 * 3600 * 1_000_000_000
"""How much is in memory at once (chosen: 100,000 points of 1,000 series that report every 3 minutes)."""
_MOST: Final = 10_000_000
"""Points of one series in a window (chosen: more than there can be)."""


def series_of(connection: Connection, book: Book, devices: Collection[str]) -> dict[int, int]:
    """The book's slot of each stored series of these devices (none: of all).

    Raises RecordingError for a device of which nothing was ever heard.
    """
    found: dict[int, int] = {}
    heard = set()
    for row in connection.execute(select(series).order_by(series.c.slot)):
        if (devices and row.uid not in devices) or row.metric not in set(Metric):
            continue
        heard.add(row.uid)
        found[row.slot] = book.slot(row.uid, row.channel, Metric(row.metric))
    for device in devices:
        if device not in heard:
            raise RecordingError(f"device {device}: nothing is stored of it")
    return found


def stored(path: Path, slots: dict[int, int], from_us: int, until_us: int) -> Iterator[Recorded]:
    """The points of these series in [from, until). Raises RecordingError where there is no store."""
    try:
        reader = SeriesReader.open(path)
    except FileNotFoundError:
        raise RecordingError(f"{path}: there is no series store yet") from None
    try:
        for begin in range(from_us * 1000, until_us * 1000, WINDOW_NS):
            end = min(begin + WINDOW_NS, until_us * 1000)
            points = Points.joined([reader.read(slot, begin, end, _MOST) for slot in slots])
            if len(points):
                yield _recorded(points, slots)
    finally:
        reader.close()


def _recorded(points: Points, slots: dict[int, int]) -> Recorded:
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
