"""Which of our points a refused line was, and what was refused why. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from devices.model import Metric
from ingest.store.influx.putting import RefusedLine
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


@dataclass(frozen=True, slots=True)
class RefusedFor:
    """How many values the server refused with these words, and the line of the first."""

    why: str
    count: int
    line: bytes


class Refusals:
    """Those of a day, by the server's words."""

    def __init__(self, most: int) -> None:
        """`most`: of so many different words (some servers name each value)."""
        self._most = most
        self._found: dict[str, tuple[int, bytes]] = {}

    def add(self, lines: Iterable[RefusedLine]) -> None:
        """Counts them; those of further words count for nothing here."""
        for one in lines:
            count, first = self._found.get(one.why, (0, one.line))
            if count or len(self._found) < self._most:
                self._found[one.why] = (count + 1, first)

    def found(self) -> tuple[RefusedFor, ...]:
        """The most frequent first."""
        every = (RefusedFor(why, count, line) for why, (count, line) in self._found.items())
        return tuple(sorted(every, key=lambda one: -one.count))
