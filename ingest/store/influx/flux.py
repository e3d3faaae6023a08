"""Points by Flux (`/api/v2/query`): InfluxDB 2, and 1.8 where `flux-enabled` is set."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np

from devices.model import Int64
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

_LATEST_NS: Final = 2**63 - 2
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_./-]")
_KEPT: Final = ("_time", "_value", "_field", "_measurement")
_EPOCH: Final = np.datetime64("1970-01-01T00:00:00", "ns")
_SUMMED: Final = ("_start", "_stop", "_value", "_field", "_measurement")
_SUMS: Final = {"count": "count", "sum": "total", "min": "least", "max": "most"}
Key = tuple[str, str, str]


class Flux:
    """Asks for one series in all measurements at once; a table for each measurement and field."""

    first_ns = 0

    def __init__(self, asking: Asking, account: Account) -> None:
        self._asking, self._org = asking, account.org
        self._from = f"from(bucket: {literal(account.bucket)})"

    def page(self, series: Series, from_ns: int, to_ns: int, most: int) -> list[Strand]:
        """The oldest `most` values of each field and measurement in [from_ns, to_ns). Raises SeriesUnread."""
        return self._strands(series, from_ns, to_ns, f"limit(n: {most})", most)

    def newest(self, series: Series) -> list[Strand]:
        """The newest value of each field and measurement. Raises SeriesUnread."""
        return self._strands(series, 0, _LATEST_NS, "last()", None)

    def sums(self, series: Series, stretch: Stretch) -> list[Sums]:
        """Of each measurement, a result for each function. Raises SeriesUnread."""
        begin, step = stretch.begin_ns, stretch.step_ns
        steps = (
            self._from,
            f"range(start: time(v: {begin}), stop: time(v: {stretch.end_ns}))",
            f"filter(fn: (r) => {_of(series)})",
            f"window(every: {step}ns, offset: {begin % step}ns)",
        )
        values = f"p |> filter(fn: (r) => r._field == {literal(value_field(series))})"
        results = [_result("p", "count"), *(_result("v", name) for name in ("sum", "min", "max"))]
        said = self._ask("\n".join((f"p = {' |> '.join(steps)}", f"v = {values}", *results)))
        try:
            return list(_read_sums(said, series, stretch))
        except (UnicodeDecodeError, csv.Error, ValueError, LookupError):
            raise NotUnderstood(f"{self._asking.url}: no answer in Flux") from None

    def _strands(self, series: Series, from_ns: int, to_ns: int, end: str, most: int | None) -> list[Strand]:
        steps = (
            self._from,
            f"range(start: time(v: {from_ns}), stop: time(v: {to_ns}))",
            f"filter(fn: (r) => {_of(series)})",
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


def _of(series: Series) -> str:
    channel = (
        f"r.channel == {literal(stored_tag(series.channel))}" if series.channel else "not exists r.channel"
    )
    fields = f"(r._field == {literal(value_field(series))} or r._field == {literal(quality_field(series))})"
    places = " or ".join(f"r._measurement == {literal(one)}" for one in MEASUREMENTS)
    return f"({places}) and {fields} and r.device == {literal(stored_tag(series.device))} and {channel}"


def _result(of: str, function: str) -> str:
    return f"{of} |> {function}() |> keep(columns: {_list(_SUMMED)}) |> yield(name: {literal(function)})"


def literal(text: str) -> str:
    """Text as Flux quotes it: all but letters and digits as bytes, so that nothing in it means anything."""
    return '"' + _UNSAFE.sub(_in_bytes, text) + '"'


def _in_bytes(found: re.Match[str]) -> str:
    return "".join(f"\\x{byte:02x}" for byte in found[0].encode())


def _list(names: Sequence[str]) -> str:
    return "[" + ", ".join(map(literal, names)) + "]"


def _rows(said: bytes) -> Iterator[dict[str, str]]:
    """The rows of CSV by the names of their columns; tables whose columns differ begin with a line of names.
    Raises ValueError, LookupError for what is none."""
    columns: list[str] = []
    for row in csv.reader(io.StringIO(said.decode(), newline="")):
        if row[1:3] == ["result", "table"]:
            columns = row
        elif row:
            yield dict(zip(columns, row, strict=True))


def _read(said: bytes, most: int | None) -> Iterator[Strand]:
    """Strands. Raises ValueError, LookupError for what is none."""
    tables: dict[Key, list[tuple[str, float]]] = {}
    for row in _rows(said):
        key = row["_measurement"], row["_field"], row["table"]
        tables.setdefault(key, []).append((row["_time"], float(row["_value"])))
    for (measurement, field, _), rows in tables.items():
        ts_ns = _times([at for at, _ in rows]).tolist()
        whole_to_ns = ts_ns[-1] if len(rows) == most else None
        yield strand(measurement, field, zip(ts_ns, (value for _, value in rows), strict=True), whole_to_ns)


def _read_sums(said: bytes, series: Series, stretch: Stretch) -> Iterator[Sums]:
    """Each kind by itself. 1.8 gives what stands at the end of a range too, in a piece of no length, which is
    left out. Raises ValueError, LookupError for what is none."""
    found: dict[str, list[tuple[str, float]]] = {}
    for row in _rows(said):
        name = _SUMS[row["result"]]
        if row["_field"] == quality_field(series):
            name = "doubtful"
        if row["_start"] != row["_stop"]:
            found.setdefault(name, []).append((row["_start"], float(row["_value"])))
    for name, rows in found.items():
        piece = (_times([at for at, _ in rows]) - stretch.begin_ns) // stretch.step_ns
        yield Sums.of(piece, **{name: np.array([number for _, number in rows])})


def _times(said: Sequence[str]) -> Int64:
    times = np.array([at.removesuffix("Z") for at in said], "datetime64[ns]")
    since: Int64 = (times - _EPOCH).astype(np.int64)
    return since
