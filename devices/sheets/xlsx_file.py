"""The sheets of an XLSX workbook as text cells with the row numbers that people see."""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, cast
from zlib import error as ZlibError

from openpyxl.utils.datetime import from_excel

from devices.sheets.cells import CellKind, Typed
from devices.sheets.faults import NotReadable
from devices.sheets.xlsx_parts import Workbook, open_workbook, unescaped
from devices.sheets.xml_parts import Part, elements

FILE_MAX: Final = 256 << 20
"""Bytes of one workbook (chosen)."""
COLUMNS_MAX: Final = 256
"""Columns that are read (chosen: no form has more than thirty)."""
ROWS_MAX: Final = 1_048_576
"""Rows of a sheet (the limit of the format)."""
SHOWN_MAX: Final = 10**11
"""From here on a spreadsheet shows 1E+11 in place of the digits (its format General, 11 digits)."""
_COLUMN: Final = re.compile(r"[A-Z]{1,3}")


@contextmanager
def workbook_sheets(path: Path) -> Iterator[dict[str, Iterator[tuple[int, Sequence[str]]]]]:
    """By the name of each sheet its rows that are not blank: row number and cells. Sheets are read as the
    rows are asked for, while the context is open. Raises NotReadable, also while rows are read."""
    if path.stat().st_size > FILE_MAX:
        raise NotReadable(f"a workbook of at most {FILE_MAX >> 20} MiB")
    with path.open("rb") as file:
        book = open_workbook(file)
        yield {name: _rows(book, part) for name, part in book.sheets.items()}


def _rows(book: Workbook, part: str) -> Iterator[tuple[int, Sequence[str]]]:
    sheet = _SheetPart(book)
    try:
        with book.open(part) as source:
            yield from cast("Iterator[tuple[int, Sequence[str]]]", elements(source, sheet))
    except NotReadable as error:
        raise NotReadable(str(error), error.line or sheet.row) from None
    except (zipfile.BadZipFile, ZlibError, IndexError, KeyError):
        raise NotReadable("a workbook: this sheet is damaged from here on", sheet.row) from None


def _merged(reference: str) -> NotReadable:
    first = re.search(r"\d+", reference)
    line = int(first[0]) if first else 0
    return NotReadable(f"no merged cells: {reference} are; unmerge them and fill each", line)


class _SheetPart(Part):
    """Rows of one sheet: cells as text or `Typed`, formulas and errors as such."""

    def __init__(self, book: Workbook) -> None:
        super().__init__()
        self._book = book
        self._cells: list[str] = []
        self._column = 0
        self._type = "n"
        self._style = 0
        self._value = ""
        self._inline: list[str] = []
        self._formula = False
        self._aside = 0
        self._columns: dict[str, int] = {}
        self.row = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._begin_cell(attributes)
        elif name in {"v", "t"}:
            self.begin_text()
        elif name == "row":
            self.row = int(attributes.get("r") or self.row + 1)
            if not 0 < self.row <= ROWS_MAX:
                raise NotReadable(f"rows 1 to {ROWS_MAX}")
            self._cells = []
            self._column = 0
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._aside += 1
        elif name == "mergeCell":
            raise _merged(attributes.get("ref", ""))
        if self.length > 4096:
            self.begin_text()

    def end(self, name: str) -> None:
        if name == "v":
            self._value = self.said()
        elif name == "c":
            self._end_cell()
        elif name == "t":
            if not self._aside:
                self._inline.append(self.said())
        elif name == "row":
            if any(not cell.isspace() for cell in self._cells if cell):
                self.found.append((self.row, self._cells))
            self._cells = []
        elif name == "rPh":
            self._aside -= 1

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        self._column = self._number(reference) if reference else self._column + 1
        self._type = attributes.get("t", "n")
        self._style = int(attributes.get("s") or 0)
        self._value = ""
        self._formula = False

    def _number(self, reference: str) -> int:
        """The column of `AB12`, counted from 1."""
        found = _COLUMN.match(reference)
        if found is None:
            raise NotReadable("a workbook: a cell has no column")
        letters = found[0]
        number = self._columns.get(letters)
        if number is None:
            number = 0
            for one in letters:
                number = number * 26 + ord(one) - 64
            self._columns[letters] = number
        return number

    def _end_cell(self) -> None:
        cell = self._cell()
        self._inline.clear()
        if cell == "":
            return
        if self._column > COLUMNS_MAX:
            raise NotReadable(f"at most {COLUMNS_MAX} columns")
        missing = self._column - len(self._cells) - 1
        if missing > 0:
            self._cells.extend([""] * missing)
        elif missing < 0:
            raise NotReadable("a workbook: cells of a row are out of order")
        self._cells.append(cell)

    def _cell(self) -> str:
        if self._formula:
            return Typed(self._value or "=", CellKind.FORMULA)
        if self._type == "s":
            return self._book.strings[self._place()] if self._value else ""
        if self._type in {"inlineStr", "str"}:
            return unescaped("".join(self._inline) or self._value)
        if self._value == "":
            return ""
        if self._type == "b":
            return Typed("yes" if self._value == "1" else "no", CellKind.TRUTH)
        if self._type == "e":
            return Typed(self._value, CellKind.ERROR)
        if self._type == "d":
            return Typed(self._value[:10], CellKind.DATE)
        return self._shown_number()

    def _place(self) -> int:
        """Where in the shared strings the text stands; a negative place would count from their end."""
        if not self._value.strip().isdecimal():
            raise NotReadable("a workbook: this sheet is damaged from here on")
        return int(self._value)

    def _shown_number(self) -> Typed:
        """What a cell says of its number must not be quoted: it may be anything."""
        try:
            number = float(self._value)
        except ValueError:
            raise NotReadable("a workbook: this sheet is damaged from here on") from None
        if not math.isfinite(number):
            return Typed(self._value, CellKind.ERROR)
        formats = self._book.formats
        kind = formats[self._style] if 0 <= self._style < len(formats) else "plain"
        if kind == "date":
            return self._date(number)
        whole = number == int(number)
        text = str(int(number)) if whole else repr(number)
        exact = kind == "plain" and abs(number) < SHOWN_MAX and (whole or len(text) <= 11)
        return Typed(text, CellKind.NUMBER if exact else CellKind.ROUNDED)

    def _date(self, number: float) -> Typed:
        try:
            day = from_excel(number, self._book.epoch)
        except (OverflowError, ValueError):
            return Typed(self._value, CellKind.ERROR)
        if isinstance(day, datetime) and (day.hour, day.minute, day.second) == (0, 0, 0):
            return Typed(day.date().isoformat(), CellKind.DATE)
        return Typed(str(day), CellKind.DATE)
