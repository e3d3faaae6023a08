"""Points by Flux (`/api/v2/query`): InfluxDB 2, and 1.8 where `flux-enabled` is set."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np

from ingest.store.influx.reading_answers import Asking, NotUnderstood, Refused
from ingest.store.influx.reading_points import MEASUREMENTS, SeriesName, Strand, stored_tag, strand
from ingest.store.influx.server import Account

_LATEST_NS: Final = 2**63 - 2
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_./-]")
_KEPT: Final = ("_time", "_value", "_field", "_measurement")
_EPOCH: Final = np.datetime64("1970-01-01T00:00:00", "ns")
Key = tuple[str, str, str]


class Flux:
    """Asks for one series in all measurements at once; a table for each measurement and field."""

    def __init__(self, asking: Asking, account: Account) -> None:
        self._asking, self._org = asking, account.org
        self._from = f"from(bucket: {literal(account.bucket)})"

    def page(self, name: SeriesName, from_ns: int, to_ns: int, most: int) -> list[Strand]:
        """The oldest `most` values of each field and measurement in [from_ns, to_ns). Raises SeriesUnread."""
        return self._strands(name, from_ns, to_ns, f"limit(n: {most})", most)

    def newest(self, name: SeriesName) -> list[Strand]:
        """The newest value of each field and measurement. Raises SeriesUnread."""
        return self._strands(name, 0, _LATEST_NS, "last()", None)

    def _strands(
        self, name: SeriesName, from_ns: int, to_ns: int, end: str, most: int | None
    ) -> list[Strand]:
        steps = (
            self._from,
            f"range(start: time(v: {from_ns}), stop: time(v: {to_ns}))",
            f"filter(fn: (r) => {_of(name)})",
            end,
            f"keep(columns: {_list(_KEPT)})",
        )
        said = self._ask(" |> ".join(steps))
        try:
            return list(_read(said, most))
        except (UnicodeDecodeError, csv.Error, ValueError, LookupError):
            raise NotUnderstood(f"{self._asking.url}: no answer in Flux") from None

    def _ask(self, query: str) -> bytes:
        asked = {"query": query, "type": "flux", "dialect": {"header": True, "annotations": []}}
        words = {"org": self._org} if self._org else {}
        body = msgspec.json.encode(asked)
        said = self._asking.post("/api/v2/query", words, body, "application/json")
        if found := re.search(rb"(?:^|\n),?error,reference\r?\n,?([^\r\n]*)", said[:4096] + said[-4096:]):
            raise Refused(f"{self._asking.url}: {found[1][:300].decode(errors='replace')}")
        return said


def _of(name: SeriesName) -> str:
    channel = f"r.channel == {literal(stored_tag(name.channel))}" if name.channel else "not exists r.channel"
    fields = f"(r._field == {literal(name.value_field)} or r._field == {literal(name.quality_field)})"
    places = " or ".join(f"r._measurement == {literal(one)}" for one in MEASUREMENTS)
    return f"({places}) and {fields} and r.device == {literal(stored_tag(name.device))} and {channel}"


def literal(text: str) -> str:
    """Text as Flux quotes it: all but letters and digits as bytes, so that nothing in it means anything."""
    return '"' + _UNSAFE.sub(_in_bytes, text) + '"'


def _in_bytes(found: re.Match[str]) -> str:
    return "".join(f"\\x{byte:02x}" for byte in found[0].encode())


def _list(names: Sequence[str]) -> str:
    return "[" + ", ".join(map(literal, names)) + "]"


def _read(said: bytes, most: int | None) -> Iterator[Strand]:
    """Strands out of CSV; tables whose columns differ begin with a line of names. Raises ValueError,
    LookupError for what is none."""
    tables: dict[Key, list[tuple[str, float]]] = {}
    place: dict[str, int] = {}
    for row in csv.reader(io.StringIO(said.decode(), newline="")):
        if not row:
            continue
        if row[1:3] == ["result", "table"]:
            place = {column: n for n, column in enumerate(row)}
            continue
        key = row[place["_measurement"]], row[place["_field"]], row[place["table"]]
        tables.setdefault(key, []).append((row[place["_time"]], float(row[place["_value"]])))
    for (measurement, field, _), rows in tables.items():
        times = np.array([at.removesuffix("Z") for at, _ in rows], "datetime64[ns]")
        ts_ns = (times - _EPOCH).astype(np.int64).tolist()
        whole_to_ns = ts_ns[-1] if len(rows) == most else None
        yield strand(measurement, field, zip(ts_ns, (value for _, value in rows), strict=True), whole_to_ns)
