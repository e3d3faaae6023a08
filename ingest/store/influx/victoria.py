"""Points from VictoriaMetrics, as they were written: `/api/v1/export`, not what PromQL makes of them.

It knows whole milliseconds and has no limit on points: what is asked for is cut by time. A name of a series
there is measurement and field with `_` between them, as it comes without flags of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import product
from typing import Any, Final

import msgspec

from ingest.store.influx.reading_answers import Asking, NotUnderstood, TooMuch
from ingest.store.influx.reading_points import MEASUREMENTS, SeriesName, Strand, stored_tag, strand
from ingest.store.influx.server import Account

MS: Final = 1_000_000
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


class Victoria:
    """Asks for one series under all its names at once."""

    def __init__(self, asking: Asking, account: Account, clock: Callable[[], float] = time.time) -> None:
        self._asking, self._database, self._clock = asking, account.database, clock
        self._span_ns = _FIRST_SPAN_NS

    def page(self, name: SeriesName, from_ns: int, to_ns: int, most: int) -> list[Strand]:
        """Some time from `from_ns` on, whole; the strands say how much. Raises SeriesUnread."""
        end_ns = min(to_ns, from_ns + self._span_ns)
        try:
            found = self._export(name, from_ns, end_ns)
        except TooMuch:
            if end_ns - from_ns <= _LEAST_SPAN_NS:
                raise
            self._span_ns = (end_ns - from_ns) // 2
            return self.page(name, from_ns, to_ns, most)
        if sum(len(one.ts_ns) for one in found) < most // 4:
            self._span_ns = 2 * self._span_ns
        return [*found, strand("", "", (), None if end_ns == to_ns else end_ns - 1)]

    def newest(self, name: SeriesName) -> list[Strand]:
        """All of its newest millisecond. Raises SeriesUnread."""
        until_s = int(self._clock()) + _AHEAD_S
        for back_s in (*(_AHEAD_S + step for step in _BACK_S), until_s - _OLDEST_S):
            at_ns = self._newest_ns(name, until_s, back_s)
            if at_ns is not None:
                return self._export(name, at_ns, at_ns + MS)
        return []

    def _newest_ns(self, name: SeriesName, until_s: int, back_s: int) -> int | None:
        query = f"max(tlast_over_time({self._selector(name)}[{back_s}s]))"
        words = {"query": query, "time": str(until_s), "nocache": "1"}
        try:
            found = msgspec.json.decode(self._asking.get("/api/v1/query", words))["data"]["result"]
            return round(float(found[0]["value"][1]) * 1000) * MS if found else None
        except (msgspec.DecodeError, LookupError, TypeError, ValueError):
            raise NotUnderstood(f"{self._asking.url}: no answer in PromQL") from None

    def _export(self, name: SeriesName, from_ns: int, to_ns: int) -> list[Strand]:
        """In [from_ns, to_ns); asked for a little wider, since times in seconds are rounded."""
        words = {
            "match[]": self._selector(name),
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

    def _selector(self, name: SeriesName) -> str:
        fields = (name.value_field, name.quality_field)
        names = "|".join(f"{one}_{field}" for one, field in product(MEASUREMENTS, fields))
        conditions = [
            f'__name__=~"{names}"',
            f"device={literal(stored_tag(name.device))}",
            f"channel={literal(stored_tag(name.channel) if name.channel else '')}",
        ]
        if self._database:
            conditions.append(f"db={literal(self._database)}")
        return "{" + ",".join(conditions) + "}"


def literal(text: str) -> str:
    """Text as PromQL quotes it."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{plain}"'
