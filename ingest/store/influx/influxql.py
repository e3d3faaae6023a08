"""Points by InfluxQL (`/query`): InfluxDB 1.x, and 2 and 3, where a bucket is mapped to a database or is one.

Answers are asked for in pieces (`chunked`): without that a server cuts them at its `max-row-limit`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from ingest.store.history import Series
from ingest.store.influx.asking import Asking, NotUnderstood, Refused
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
from ingest.store.pieces import Sums

_BETWEEN: Final = "time >= {} AND time < {}"
_SEARCHED: Final = "time >= 0"
_FIELDS: Final = '"{0}", "{1}"'
_SUMS: Final = 'count("{0}"), count("{1}"), sum("{0}"), min("{0}"), max("{0}")'
Rows = list[list[Any]]


class InfluxQL:
    """Asks for one series in all measurements at once."""

    first_ns = 0

    def __init__(self, asking: Asking, account: Account) -> None:
        self._asking = asking
        database, _, policy = account.bucket.partition("/")
        words = {"db": account.database or database, "rp": account.retention_policy or policy}
        self._words = {key: value for key, value in words.items() if value}

    def page(self, series: Series, from_ns: int, to_ns: int, most: int) -> list[Strand]:
        """The oldest `most` rows of each measurement in [from_ns, to_ns). Raises SeriesUnread."""
        when = _BETWEEN.format(from_ns, to_ns)
        found = self._rows(series, _FIELDS, when, f'GROUP BY "channel" LIMIT {most}')
        return [one for where, rows in found.items() for one in _strands(series, where, rows, most)]

    def newest(self, series: Series) -> list[Strand]:
        """The newest row of each measurement. Raises SeriesUnread."""
        found = self._rows(series, _FIELDS, _SEARCHED, 'GROUP BY "channel" ORDER BY time DESC LIMIT 1')
        return [one for where, rows in found.items() for one in _strands(series, where, rows)]

    def sums(self, series: Series, stretch: Stretch) -> list[Sums]:
        """Of each measurement. Raises SeriesUnread."""
        begin, step = stretch.begin_ns, stretch.step_ns
        pieces = f'GROUP BY time({step}ns, {begin % step}ns), "channel" fill(none)'
        found = self._rows(series, _SUMS, _BETWEEN.format(begin, stretch.end_ns), pieces)
        try:
            return [_sums(rows, begin, step) for rows in found.values()]
        except (LookupError, TypeError, ValueError):
            raise NotUnderstood(f"{self._asking.url}: no answer in InfluxQL") from None

    def _rows(self, series: Series, what: str, when: str, end: str) -> dict[str, Rows]:
        """Time and what is asked for by measurement."""
        what = what.format(value_field(series), quality_field(series))
        query = f"SELECT {what} FROM {_FROM} WHERE {_of(series)} AND {when} {end}"  # noqa: S608, names are quoted
        said = self._asking.get("/query", self._words | {"q": query, "epoch": "ns", "chunked": "true"})
        channel = stored_tag(series.channel) if series.channel else ""
        found: dict[str, Rows] = {}
        try:
            for line in said.splitlines() or [b""]:
                for one in self._series(msgspec.json.decode(line)):
                    if one.get("tags", {}).get("channel", "") == channel:
                        found.setdefault(one["name"], []).extend(one["values"])
        except (msgspec.DecodeError, LookupError, TypeError, AttributeError):
            raise NotUnderstood(f"{self._asking.url}: no answer in InfluxQL") from None
        return found

    def _series(self, part: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for result in (part, *part["results"]):
            if "error" in result:
                raise Refused(f"{self._asking.url}: {str(result['error'])[:300]}")
            yield from result.get("series", ())


_FROM: Final = ", ".join(f'"{one}"' for one in MEASUREMENTS)


def _of(series: Series) -> str:
    """The conditions on tags. A device of one point has no channel: which servers say of it differs, so all
    its channels are asked for, and those of no name are taken."""
    wanted = f'"device" = {literal(stored_tag(series.device))}'
    return f'{wanted} AND "channel" = {literal(stored_tag(series.channel))}' if series.channel else wanted


def literal(text: str) -> str:
    """Text as InfluxQL quotes it."""
    plain = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{plain}'"


def _strands(
    series: Series, measurement: str, rows: Sequence[Sequence[Any]], most: int | None = None
) -> Iterator[Strand]:
    """A row that lacks one of the fields is a row: both strands are whole as far as the last one."""
    whole_to_ns = rows[-1][0] if len(rows) == most else None
    for place, field in ((1, value_field(series)), (2, quality_field(series))):
        pairs = [(row[0], row[place]) for row in rows if row[place] is not None]
        yield strand(measurement, field, pairs, whole_to_ns)


def _sums(rows: Rows, begin_ns: int, step_ns: int) -> Sums:
    """Out of rows of `_SUMS`; what a piece has none of is null. Raises LookupError, TypeError, ValueError."""
    count, doubtful, total, least, most = (
        [nothing if row[place] is None else row[place] for row in rows]
        for place, nothing in enumerate((0, 0, 0.0, math.inf, -math.inf), start=1)
    )
    piece = [(row[0] - begin_ns) // step_ns for row in rows]
    return Sums.of(piece, count=count, doubtful=doubtful, total=total, least=least, most=most)
