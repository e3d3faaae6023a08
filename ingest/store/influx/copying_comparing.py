"""Reading back what was copied: whether every point of ours stands in the server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from ingest.store.history import History, Series
from ingest.store.influx.asking import Away
from ingest.store.influx.copying_places import Compared, compared
from ingest.store.influx.copying_waiting import Waiting
from ingest.store.layout import DAY_NS
from ingest.store.points import Points

READERS: Final = 3
"""Questions at once (chosen: beside the requests of live points)."""
_MOST: Final = 2**31
_LOOK_S: Final = 1.0
"""Between two looks for what is not to be seen yet (chosen)."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """One point that is not there as it should be; `found` is value and quality there, None where there is
    nothing."""

    series: Series
    ts_ns: int
    wanted: tuple[float, int]
    found: tuple[float, int] | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many points are missing and different, and the first of them."""

    missing: int
    different: int
    wrong: tuple[Wrong, ...]


Judged = tuple[Points, Points, Compared]


class Comparing:
    """Compares pieces with what a server has, several series at once; each thread has its own reader."""

    def __init__(
        self,
        open_reader: Callable[[], History],
        waiting: Waiting,
        *,
        whole_ms: bool,
        readers: int = READERS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open, self._waiting, self._whole_ms = open_reader, waiting, whole_ms
        self._monotonic = monotonic
        self._threads = ThreadPoolExecutor(readers, "comparing")
        self._own = threading.local()
        self._readers: list[History] = []

    def verdict(
        self, ours: Points, names: Mapping[int, Series], day: int, until_s: float, named: int
    ) -> Verdict:
        """Of points of one day, by series and place. What is not there is looked for again until `until_s`;
        at most `named` are told. Outages are waited for. Raises SeriesUnread where the server does not give
        its points, Stopped."""
        starts = np.flatnonzero(np.diff(ours.slot, prepend=-1)).tolist()  # slots are not negative
        parts = [ours[start:end] for start, end in pairwise([*starts, len(ours)])]
        judged = self._judge(parts, names, day)
        while judged and self._monotonic() < until_s:
            self._waiting.rest(min(_LOOK_S, until_s - self._monotonic()))
            judged = self._judge([part for part, _, _ in judged], names, day)
        missing = sum(int(np.count_nonzero(one.missing)) for _, _, one in judged)
        different = sum(int(np.count_nonzero(one.different)) for _, _, one in judged)
        told = (wrong for one in judged for wrong in _wrong(names[int(one[0].slot[0])], *one))
        return Verdict(missing, different, tuple(wrong for wrong, _ in zip(told, range(named), strict=False)))

    def close(self) -> None:
        """Lets go of threads and connections."""
        self._threads.shutdown(cancel_futures=True)
        for reader in self._readers:
            reader.close()

    def _judge(self, parts: list[Points], names: Mapping[int, Series], day: int) -> list[Judged]:
        """Those of which something is not as it should be."""

        def judge(part: Points) -> Judged:
            theirs = self._read(names[int(part.slot[0])], day)
            return part, theirs, compared(part, theirs, whole_ms=self._whole_ms)

        return [one for one in self._threads.map(judge, parts) if not one[2].all_there]

    def _read(self, series: Series, day: int) -> Points:
        tries = 0
        while True:
            try:
                found = self._reader().read(series, day * DAY_NS, (day + 1) * DAY_NS, _MOST)
            except Away as error:
                self._waiting.pause(str(error), tries)
                tries += 1
            else:
                self._waiting.answered()
                return found

    def _reader(self) -> History:
        if not hasattr(self._own, "reader"):
            self._own.reader = self._open()
            self._readers.append(self._own.reader)
        reader: History = self._own.reader
        return reader


def _wrong(series: Series, ours: Points, theirs: Points, found: Compared) -> Iterator[Wrong]:
    for n in np.flatnonzero(found.missing | found.different).tolist():
        at = int(found.place[n])
        there = None if found.missing[n] else (float(theirs.value[at]), int(theirs.quality[at]))
        wanted = float(ours.value[n]), int(ours.quality[n])
        yield Wrong(series, int(ours.ts_ns[n]), wanted, there)
