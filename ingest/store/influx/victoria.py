"""Points from VictoriaMetrics, as they were written: `/api/v1/export`, not what PromQL makes of them. Sums by
MetricsQL (`victoria_sums`).

It knows whole milliseconds and has no limit on points: what is asked for is cut by time. A name of a series
there is measurement and field with `_` between them, as it comes without flags of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, Final

import msgspec

from ingest.store.history import Series
from ingest.store.influx.asking import Asking, NotUnderstood, TooMuch
from ingest.store.influx.reading_points import (
    MEASUREMENTS,
    Strand,
    quality_field,
    stored_tag,
    strand,
    value_field,
)
from ingest.store.influx.server import Account
from ingest.store.influx.stretches import Stretch
from ingest.store.influx.victoria_sums import LONGEST_STEP_MS, asked, told, whole_ms
from ingest.store.pieces import MS, Sums

_HOUR_NS: Final = 3600 * 1_000_000_000
_FIRST_SPAN_NS: Final = 24 * _HOUR_NS
"""What is asked for at first; twice as much after each answer that held little."""
_LEAST_SPAN_NS: Final = 10 * MS
_AHEAD_S: Final = 86_400
"""How far ahead of our clock points are looked for, and beyond what the server leaves out as too new."""
_BACK_S: Final = (3600, 86_400, 30 * 86_400)
"""In these steps backwards for the newest point, then to `_OLDEST_S`: the server reads all it passes."""
_OLDEST_S: Final = 366 * 86_400
"""1971: it looks a little before what it is asked for, and finds nothing where that is before 1970."""
_S: Final = 1000 * MS


class Victoria:
    """Asks for one series under all its names at once."""

    first_ns = _OLDEST_S * _S

    def __init__(self, asking: Asking, account: Account, clock: Callable[[], float] = time.time) -> None:
        self._asking, self._database, self._clock = asking, account.database, clock
        self._span_ns = _FIRST_SPAN_NS

    def page(self, series: Series, from_ns: int, to_ns: int, most: int) -> list[Strand]:
        """Some time from `from_ns` on, whole; the strands say how much. Raises SeriesUnread."""
        end_ns = min(to_ns, from_ns + self._span_ns)
        try:
            found = self._export(series, from_ns, end_ns)
        except TooMuch:
            if end_ns - from_ns <= _LEAST_SPAN_NS:
                raise
            self._span_ns = (end_ns - from_ns) // 2
            return self.page(series, from_ns, to_ns, most)
        if sum(len(one.ts_ns) for one in found) < most // 4:
            self._span_ns = 2 * self._span_ns
        return [*found, strand("", "", (), None if end_ns == to_ns else end_ns - 1)]

    def newest(self, series: Series) -> list[Strand]:
        """All of its newest millisecond. Raises SeriesUnread."""
        until_s = int(self._clock()) + _AHEAD_S
        for back_s in (*(_AHEAD_S + step for step in _BACK_S), until_s - _OLDEST_S):
            at_ns = self._newest_ns(series, until_s, back_s)
            if at_ns is not None:
                return self._export(series, at_ns, at_ns + MS)
        return []

    def sums(self, series: Series, stretch: Stretch) -> list[Sums]:
        """Of all its names together. Raises SeriesUnread."""
        begin_ns, step_ns, pieces = stretch.begin_ns, stretch.step_ns, stretch.pieces
        step_ms = (whole_ms(stretch.end_ns) - whole_ms(begin_ns)) // pieces
        if not step_ms:  # between two milliseconds there is nothing
            return []
        if pieces > 1 and step_ms > LONGEST_STEP_MS:
            each = [Stretch(n, 1, begin_ns + n * step_ns, step_ns) for n in range(pieces)]
            return [
                replace(part, piece=part.piece + one.first) for one in each for part in self.sums(series, one)
            ]
        values, qualities = (self._selector(series, (field,)) for field in _fields(series))
        words = asked(values, qualities, begin_ns, step_ms, pieces)
        said = self._asking.get("/api/v1/query_range", words)
        try:
            return told(said, step_ms)
        except (LookupError, TypeError, ValueError):
            raise NotUnderstood(f"{self._asking.url}: no answer in MetricsQL") from None

    def _newest_ns(self, series: Series, until_s: int, back_s: int) -> int | None:
        query = f"max(tlast_over_time({self._selector(series, _fields(series))}[{back_s}s]))"
        words = {"query": query, "time": str(until_s), "nocache": "1"}
        try:
            found = msgspec.json.decode(self._asking.get("/api/v1/query", words))["data"]["result"]
            return round(float(found[0]["value"][1]) * 1000) * MS if found else None
        except (msgspec.DecodeError, LookupError, TypeError, ValueError):
            raise NotUnderstood(f"{self._asking.url}: no answer in PromQL") from None

    def _export(self, series: Series, from_ns: int, to_ns: int) -> list[Strand]:
        """In [from_ns, to_ns); asked for a little wider, since times in seconds are rounded."""
        words = {
            "match[]": self._selector(series, _fields(series)),
            "start": f"{max(from_ns // MS - 2, 1) / 1000:.3f}",
            "end": f"{(to_ns // MS + 2) / 1000:.3f}",
        }
        said = self._asking.get("/api/v1/export", words)
        try:
            parts = [self._strand(msgspec.json.decode(line), from_ns, to_ns) for line in said.splitlines()]
        except (msgspec.DecodeError, LookupError, TypeError, ValueError):
            raise NotUnderstood(f"{self._asking.url}: no answer of an export") from None
        return parts

    def _strand(self, said: dict[str, Any], from_ns: int, to_ns: int) -> Strand:
        measurement, _, field = said["metric"]["__name__"].partition("_")
        pairs = zip((at * MS for at in said["timestamps"]), said["values"], strict=True)
        return strand(measurement, field, ((at, value) for at, value in pairs if from_ns <= at < to_ns))

    def _selector(self, series: Series, fields: Sequence[str]) -> str:
        names = "|".join(f"{one}_{field}" for one, field in product(MEASUREMENTS, fields))
        conditions = [
            f'__name__=~"{names}"',
            f"device={literal(stored_tag(series.device))}",
            f"channel={literal(stored_tag(series.channel) if series.channel else '')}",
        ]
        if self._database:
            conditions.append(f"db={literal(self._database)}")
        return "{" + ",".join(conditions) + "}"


def _fields(series: Series) -> tuple[str, str]:
    return value_field(series), quality_field(series)


def literal(text: str) -> str:
    """Text as PromQL quotes it."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{plain}"'
