"""Points by InfluxQL (`/query`): InfluxDB 1.x, and 2 and 3, where a bucket is mapped to a database or is one.

Answers are asked for in pieces (`chunked`): without that a server cuts them at its `max-row-limit`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from ingest.store.influx.reading_answers import Asking, NotUnderstood, Refused
from ingest.store.influx.reading_points import MEASUREMENTS, SeriesName, Strand, stored_tag, strand
from ingest.store.influx.server import Account

_BETWEEN: Final = "time >= {} AND time < {}"
_SEARCHED: Final = "time >= 0"
Rows = list[list[Any]]


class InfluxQL:
    """Asks for one series in all measurements at once."""

    def __init__(self, asking: Asking, account: Account) -> None:
        self._asking = asking
        database, _, policy = account.bucket.partition("/")
        words = {"db": account.database or database, "rp": account.retention_policy or policy}
        self._words = {key: value for key, value in words.items() if value}

    def page(self, name: SeriesName, from_ns: int, to_ns: int, most: int) -> list[Strand]:
        """The oldest `most` rows of each measurement in [from_ns, to_ns). Raises SeriesUnread."""
        found = self._rows(name, _BETWEEN.format(from_ns, to_ns), f"LIMIT {most}")
        return [one for where, rows in found.items() for one in _strands(name, where, rows, most)]

    def newest(self, name: SeriesName) -> list[Strand]:
        """The newest row of each measurement. Raises SeriesUnread."""
        found = self._rows(name, _SEARCHED, "ORDER BY time DESC LIMIT 1")
        return [one for where, rows in found.items() for one in _strands(name, where, rows)]

    def _rows(self, name: SeriesName, when: str, end: str) -> dict[str, Rows]:
        """Time, value and quality by measurement."""
        query = (  # every name in it is quoted
            f'SELECT "{name.value_field}", "{name.quality_field}" FROM {_FROM}'  # noqa: S608
            f' WHERE {_of(name)} AND {when} GROUP BY "channel" {end}'
        )
        said = self._asking.get("/query", self._words | {"q": query, "epoch": "ns", "chunked": "true"})
        channel = stored_tag(name.channel) if name.channel else ""
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


def _of(name: SeriesName) -> str:
    """The conditions on tags. A device of one point has no channel: which servers say of it differs, so all
    its channels are asked for, and those of no name are taken."""
    wanted = f'"device" = {literal(stored_tag(name.device))}'
    return f'{wanted} AND "channel" = {literal(stored_tag(name.channel))}' if name.channel else wanted


def literal(text: str) -> str:
    """Text as InfluxQL quotes it."""
    plain = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{plain}'"


def _strands(
    name: SeriesName, measurement: str, rows: Sequence[Sequence[Any]], most: int | None = None
) -> Iterator[Strand]:
    """A row that lacks one of the fields is a row: both strands are whole as far as the last one."""
    whole_to_ns = rows[-1][0] if len(rows) == most else None
    for place, field in ((1, name.value_field), (2, name.quality_field)):
        pairs = [(row[0], row[place]) for row in rows if row[place] is not None]
        yield strand(measurement, field, pairs, whole_to_ns)
