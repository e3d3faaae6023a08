"""What somebody hands in: a CSV file, a workbook, or a folder of CSV files, as tables of values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from devices.sheets.csv_file import csv_rows, decode_csv
from devices.sheets.faults import Faults, NotReadable
from devices.sheets.forms import FORMS, Form
from devices.sheets.table import Sheet, Table, read_table
from devices.sheets.xlsx_file import workbook_sheets

BOOK_SUFFIXES = (".xlsx", ".xlsm")


@dataclass(slots=True)
class Book:
    """What was read: `tables` in the order of FORMS, `failed` the names of forms whose table could not be
    read as a whole (nobody can tell what it would have said), `encodings` of the files that are not UTF-8."""

    tables: list[Table] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    encodings: dict[str, str] = field(default_factory=dict)


def read_book(path: Path, forms: Sequence[Form], faults: Faults, *, encoding: str = "") -> Book:
    """The tables of a file; what is wrong is added to `faults`, nothing is raised.

    A folder holds `area.csv`, `building.csv` and so on. In a workbook a sheet is named as its form; one sheet
    alone may have any name, and its header says which of the `forms` it is. Where `forms` are not all, sheets
    of other forms are left alone; a name that no form has is a fault. `encoding` is that of CSV files, empty:
    found out.
    """
    name = path.name or str(path)
    reader = _Reader(forms, faults, encoding)
    try:
        if path.is_dir():
            reader.folder(path, name)
        elif path.suffix.lower() in BOOK_SUFFIXES:
            reader.workbook(path)
        else:
            reader.file(path, forms)
    except NotReadable as error:
        faults.add(name, error.line, "", "", str(error))
    except OSError as error:
        faults.add(name, 0, "", "", f"a file that can be read: {error.strerror}")
    order = list(FORMS)
    reader.book.tables.sort(key=lambda table: order.index(table.form.name))
    return reader.book


class _Reader:
    def __init__(self, forms: Sequence[Form], faults: Faults, encoding: str) -> None:
        self._forms = forms
        self._wanted = {form.name: form for form in forms}
        self._faults = faults
        self._encoding = encoding
        self.book = Book()

    def file(self, path: Path, forms: Sequence[Form]) -> None:
        text, encoding = decode_csv(path, self._encoding)
        if encoding != "utf-8":
            self.book.encodings[path.name] = encoding
        known = [name for form in forms for one in form.columns for name in (one.name, f"{one.name}_1")]
        self._add(Sheet(path.name, csv_rows(text, known)), forms)

    def folder(self, path: Path, label: str) -> None:
        files = sorted(one for one in path.iterdir() if one.suffix.lower() == ".csv")
        for one in files:
            name = one.stem.lower()
            if name not in FORMS:
                self._faults.add(
                    one.name, 0, "", "", f"a file named {', '.join(f'{form}.csv' for form in FORMS)}"
                )
            elif name in self._wanted:
                self._file_of(one, name)
        if not any(one.stem.lower() in self._wanted for one in files):
            allowed = f"a folder with {', '.join(f'{form}.csv' for form in self._wanted)}"
            self._faults.add(label, 0, "", "", allowed)

    def _file_of(self, path: Path, name: str) -> None:
        try:
            self.file(path, [self._wanted[name]])
        except NotReadable as error:
            self.book.failed.add(name)
            self._faults.add(path.name, error.line, "", "", str(error))
        except OSError as error:
            self.book.failed.add(name)
            self._faults.add(path.name, 0, "", "", f"a file that can be read: {error.strerror}")

    def workbook(self, path: Path) -> None:
        if self._encoding:
            raise NotReadable("no --encoding: a workbook says itself how its text is written")
        with workbook_sheets(path) as sheets:
            named = {name: name.strip().lower() for name in sheets}
            alone = len(sheets) == 1 and not FORMS.keys() & named.values()
            taken: set[str] = set()
            for name, rows in sheets.items():
                form = named[name]
                label = f"{path.name} [{name}]"
                if form in taken:
                    self._faults.add(label, 0, "", "", "one sheet of each name")
                elif form in self._wanted or alone:
                    taken.add(form)
                    self._add(
                        Sheet(label, rows), [self._wanted[form]] if form in self._wanted else self._forms
                    )
                elif form not in FORMS and _holds_something(rows):
                    self._faults.add(label, 0, "", "", f"sheets named {', '.join(FORMS)}")
            if not taken:
                self._faults.add(path.name, 0, "", "", f"a sheet named {' or '.join(self._wanted)}")

    def _add(self, sheet: Sheet, forms: Sequence[Form]) -> None:
        table = read_table(sheet, forms, self._faults)
        if table is not None:
            self.book.tables.append(table)
        else:
            self.book.failed.update(form.name for form in forms)


def _holds_something(rows: Iterator[tuple[int, Sequence[str]]]) -> bool:
    return next(rows, None) is not None
