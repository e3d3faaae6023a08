"""A CSV file as text cells, however a spreadsheet or an editor wrote it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from devices.sheets.faults import NotReadable

FILE_MAX: Final = 256 << 20
"""Bytes of one CSV file (chosen: ten times what 100,000 devices need)."""
SEPARATORS: Final = ",;\t"
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def read_csv(path: Path, known: Iterable[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """Line and cells of each row that is not blank; a row's line is the one it begins on.

    The encoding is UTF-8 or UTF-16 as its mark says, else UTF-8, else GB18030 (what a Chinese Excel writes).
    The separator is the one of comma, semicolon and tab that makes most `known` column names of the first
    line. Raises NotReadable, also while it is read: too large, not text, quotes that do not close.
    """
    text = _decode(path)
    first = next((line for line in text.splitlines() if line.strip(' \t,;"')), "")
    names = set(known)
    separator = max(SEPARATORS, key=lambda mark: len(names.intersection(_names(first, mark))))
    return _rows(text, separator)


def _names(line: str, separator: str) -> list[str]:
    return [name.strip(' "').lower() for name in line.split(separator)]


def _decode(path: Path) -> str:
    if path.stat().st_size > FILE_MAX:
        raise NotReadable(f"a file of at most {FILE_MAX >> 20} MiB")
    raw = path.read_bytes()
    if raw[:2] == b"PK" or raw[:4] == b"\xd0\xcf\x11\xe0":
        raise NotReadable("text: this is a workbook or an archive; name a workbook .xlsx")
    encodings = [encoding for mark, encoding in _MARKS if raw.startswith(mark)] or ["utf-8", "gb18030"]
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError as error:
            if encoding == "utf-8" and _is_chinese(raw[: error.start].decode()):
                line = raw.count(b"\n", 0, error.start) + 1
                raise NotReadable("text in UTF-8: a damaged letter stands here", line) from None
            continue
        if "\0" in text:
            line = text.count("\n", 0, text.index("\0")) + 1
            raise NotReadable("text: a NUL byte stands here; the file is damaged or no CSV", line)
        return text
    raise NotReadable(f"text in UTF-8 or GB18030: this is neither (as {encodings[-1]} it breaks off)")


def _is_chinese(text: str) -> bool:
    """Whether it really is UTF-8: three Chinese characters do not come about by chance in GB18030. Without
    this a file with one damaged letter would come in as nonsense."""
    return sum("\u4e00" <= letter <= "\u9fff" for letter in text) >= 3


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
