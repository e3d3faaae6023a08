"""Recordings as files: CSV or JSON lines, also compressed (`.gz`), a row at a time.

Errors:
* RecordingError: the file cannot be used; the text names the file, the line and the column.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import IO, Any, Final

import msgspec

LONGEST_LINE: Final = 1 << 20
"""Characters of one line (chosen: a thousand times what a reading takes)."""
_PACKED: Final = ".gz"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_S: Final = 253_402_300_799
"""The last second of the year 9999."""


class RecordingError(Exception):
    """The file cannot be used; the text says where and what is allowed."""


Row = Mapping[str, Any]
"""One line by its columns: texts of a CSV file, JSON values of JSON lines."""


class Lines:
    """The rows of a file with named columns, one after another; `at` names the line that was read last.

    `needed` columns must be there and `more` may be; others are refused. A file whose first character is `{`
    has JSON objects, any other is CSV with a line of names.
    """

    def __init__(self, path: Path, needed: Sequence[str], more: Sequence[str] = ()) -> None:
        self._path = path
        self._needed = tuple(needed)
        self._known = frozenset((*needed, *more))
        self.line = 0

    def __iter__(self) -> Iterator[Row]:
        """Raises RecordingError where a line is wrong."""
        with self._opened() as file:
            lines = self._lines(file)
            first = next(lines, "")
            while first and not first.strip():
                first = next(lines, "")
            if first.lstrip().startswith("{"):
                yield from self._objects(first, lines)
            elif first:
                yield from self._table(first, lines)

    def wrong(self, problem: str, column: str = "") -> RecordingError:
        """The error of the line that was read last."""
        place = f", column `{column}`" if column else ""
        return RecordingError(f"{self._path}, line {self.line}{place}: {problem}")

    @contextmanager
    def _opened(self) -> Iterator[IO[str]]:
        packed = self._path.suffix == _PACKED
        try:
            with (gzip.open if packed else open)(self._path, "rt", encoding="utf-8-sig", newline="") as file:
                yield file
        except UnicodeDecodeError:
            raise RecordingError(f"{self._path}, after line {self.line}: not UTF-8") from None
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise RecordingError(f"{self._path}, after line {self.line}: not a whole gzip file") from None
        except OSError as error:
            raise RecordingError(f"{self._path}: {error.strerror or error}") from None

    def _lines(self, file: IO[str]) -> Iterator[str]:
        while line := file.readline(LONGEST_LINE):
            self.line += 1
            if len(line) == LONGEST_LINE and not line.endswith("\n"):
                raise self.wrong(f"longer than {LONGEST_LINE} characters")
            yield line

    def _objects(self, first: str, lines: Iterator[str]) -> Iterator[Row]:
        decode = msgspec.json.Decoder(dict[str, Any]).decode
        line: str | None = first
        while line is not None:
            if line.strip():
                try:
                    row = decode(line)
                except msgspec.DecodeError as error:
                    raise self.wrong(f"not a JSON object: {error}") from None
                self._check(row)
                yield row
            line = next(lines, None)

    def _table(self, first: str, lines: Iterator[str]) -> Iterator[Row]:
        names = [name.strip() for name in next(csv.reader([first]), [])]
        self._check(names)
        if len(set(names)) < len(names):
            raise self.wrong("a column is named twice")
        table = csv.reader(lines, strict=True)
        try:
            for cells in table:
                if not cells:
                    continue
                if len(cells) != len(names):
                    raise self.wrong(f"{len(cells)} cells; the first line names {len(names)} columns")
                yield dict(zip(names, cells, strict=True))
        except csv.Error as error:
            raise self.wrong(f"not CSV: {error}") from None

    def _check(self, names: Sequence[str] | Row) -> None:
        for name in self._needed:
            if name not in names:
                raise self.wrong(f"is missing; needed: {', '.join(self._needed)}", name)
        for name in names:
            if name not in self._known:
                raise self.wrong(f"is unknown; allowed: {', '.join(sorted(self._known))}", name)


def instant_us(value: object, zone: tzinfo) -> int:
    """Microseconds since 1970 UTC of an ISO 8601 time, or of a number of seconds; a time without an offset
    is in `zone`.

    Raises ValueError with what is allowed.
    """
    if isinstance(value, str):
        text = value.strip()
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return _seconds_us(text)
        gone = (at if at.tzinfo else at.replace(tzinfo=zone)) - _EPOCH
        return (gone.days * 86_400 + gone.seconds) * 1_000_000 + gone.microseconds
    return _seconds_us(value)


def _seconds_us(value: object) -> int:
    try:
        seconds = float(value) if isinstance(value, str | int | float) else -1.0
    except (ValueError, OverflowError):
        seconds = -1.0
    if not 0 <= seconds <= _LATEST_S:
        said = "an ISO 8601 time such as 2026-03-01T08:00:00Z, or seconds since 1970, is allowed"
        raise ValueError(f"`{str(value)[:40]}` is no time; {said}") from None
    return round(seconds * 1_000_000)
