"""A CSV file as text cells, however a spreadsheet or an editor wrote it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from devices.sheets.faults import NotReadable

FILE_MAX: Final = 256 << 20
"""Bytes of one CSV file (chosen: ten times what 100,000 devices need)."""
SEPARATORS: Final = ",;\t"
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
ENCODINGS: Final = ("utf-8", "utf-16", "gb18030", "big5", "windows-1252")
"""What may be named; found out are the first three."""
_NAME_IT: Final = "or name what it is with --encoding"
_PAIR: Final = re.compile(rb"[\x81-\xfe](?:[\x30-\x39][\x81-\xfe][\x30-\x39]|[\x40-\x7e\x80-\xfe])")
_USUAL: Final = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
"""GB 2312, the characters that Chinese text is mostly made of, within GB18030."""


def csv_rows(text: str, known: Iterable[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """Line and cells of each row that is not blank; a row's line is the one it begins on.

    The separator is the one of comma, semicolon and tab that makes most `known` column names of the first
    line. Raises NotReadable while it is read: quotes that do not close, cells too long.
    """
    first = next((line for line in text.splitlines() if line.strip(' \t,;"')), "")
    names = set(known)
    separator = max(SEPARATORS, key=lambda mark: len(names.intersection(_names(first, mark))))
    return _rows(text, separator)


def _names(line: str, separator: str) -> list[str]:
    return [name.strip(' "').lower() for name in line.split(separator)]


def decode_csv(path: Path, encoding: str = "") -> tuple[str, str]:
    """The text of a file, and which of ENCODINGS it was read in: the one named; else UTF-8 or UTF-16 as its
    mark says; else UTF-8; else GB18030, what a Chinese Excel writes.

    Text that begins as UTF-8 and then is none is damaged UTF-8 (a cell cut by bytes, files of two encodings
    put together), and text whose pairs of bytes are mostly none of GB 2312 is no Chinese text (a Western
    letter followed by an ASCII one makes such pairs): both would come in as nonsense and are refused. Raises
    NotReadable with the line where there is one: also too large, not text.
    """
    if path.stat().st_size > FILE_MAX:
        raise NotReadable(f"a file of at most {FILE_MAX >> 20} MiB")
    raw = path.read_bytes()
    if raw[:2] == b"PK" or raw[:4] == b"\xd0\xcf\x11\xe0":
        raise NotReadable("text: this is a workbook or an archive; name a workbook .xlsx")
    text, found = _named(raw, encoding) if encoding else _found_out(raw)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise NotReadable("text: a NUL byte stands here; the file is damaged or no CSV", line)
    return text, found


def _named(raw: bytes, encoding: str) -> tuple[str, str]:
    if encoding not in ENCODINGS:
        raise NotReadable(f"an encoding of {', '.join(ENCODINGS)}")
    try:
        return raw.decode(encoding).removeprefix("\ufeff"), encoding
    except UnicodeDecodeError as error:
        raise NotReadable(f"text in {encoding}: a damaged letter stands here", _line(raw, error)) from None


def _found_out(raw: bytes) -> tuple[str, str]:
    marked = next((encoding for mark, encoding in _MARKS if raw.startswith(mark)), "")
    try:
        return raw.decode(marked or "utf-8"), "utf-16" if marked == "utf-16" else "utf-8"
    except UnicodeDecodeError as error:
        if marked or not raw[: error.start].isascii():
            name = "UTF-16" if marked == "utf-16" else "UTF-8"
            line = 0 if marked == "utf-16" else _line(raw, error)
            raise NotReadable(
                f"text in {name}: a damaged letter stands here; mend it, {_NAME_IT}", line
            ) from None
    try:
        text = raw.decode("gb18030")
    except UnicodeDecodeError as error:
        allowed = f"text in UTF-8 or GB18030: this is neither; save it as UTF-8, {_NAME_IT}"
        raise NotReadable(allowed, _line(raw, error)) from None
    pairs = _PAIR.findall(raw)
    if 2 * sum(_USUAL.fullmatch(pair) is not None for pair in pairs) < len(pairs):
        raise NotReadable(
            f"Chinese text, if not UTF-8: read as GB18030 this is none; save it as UTF-8, {_NAME_IT}"
        )
    return text, "gb18030"


def _line(raw: bytes, error: UnicodeDecodeError) -> int:
    return raw.count(b"\n", 0, error.start) + 1


def _rows(text: str, separator: str) -> Iterator[tuple[int, Sequence[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell and not cell.isspace() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise NotReadable(_reason(error), line) from None


def _reason(error: csv.Error) -> str:
    text = str(error)
    if "field larger" in text:
        return f"cells of at most {csv.field_size_limit()} characters"
    if "unexpected end" in text:
        return "quotes that are closed: those that open here are not"
    return f"a row of cells in quotes or without, quotes in cells doubled ({text})"
