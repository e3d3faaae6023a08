"""Which of our points a refused line was. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import numpy as np

from devices.model import Metric
from ingest.store.influx.words import QUALITY, field
from ingest.store.points import Points

Place = tuple[int, int]
"""Slot and nanosecond."""
_METRICS: Final = {field(metric): metric for metric in Metric} | {
    field(metric) + QUALITY: metric for metric in Metric if field(metric) + QUALITY not in map(field, Metric)
}


def place_of(line: bytes, slots: Mapping[tuple[bytes, Metric], int]) -> Place:
    """Of a line of one value as `lines` writes it; `slots` by the head of a line and metric."""
    head, fields, ts_ns = line.rsplit(b" ", 2)
    name = fields.split(b"=", 1)[0]
    return slots[head + b" ", _METRICS[name]], int(ts_ns)


def without(points: Points, refused: Collection[Place]) -> Points:
    """The points at other places."""
    if not refused:
        return points
    slots, times = np.array(sorted(refused), np.int64).T
    suspected = np.flatnonzero(np.isin(points.slot, slots) & np.isin(points.ts_ns, times))
    pairs = zip(points.slot[suspected].tolist(), points.ts_ns[suspected].tolist(), strict=True)
    gone = suspected[np.array([pair in refused for pair in pairs], np.bool_)]
    keep = np.ones(len(points), np.bool_)
    keep[gone] = False
    return points[keep]
