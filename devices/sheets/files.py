"""Sheets to files: new, whole or not there, readable by their owner only."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from devices.registry.errors import NotAllowed

Rows = Iterable[list[str | int | float]]

_LOOKS_ESCAPED: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def write_one(path: Path, rows: Rows) -> None:
    """One CSV file: UTF-8 with a mark (Excel asks for it), commas, CRLF."""
    with _new_file(path) as file:
        _write_csv(file, rows)


def write_folder(path: Path, sheets: Mapping[str, Rows]) -> None:
    """A new folder with a CSV file for each sheet."""
    draft = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.absolute().parent))  # mode 0700
    try:
        for name, rows in sheets.items():
            with _new_file(draft / f"{name}.csv") as file:
                _write_csv(file, rows)
        _claim(draft, path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_workbook(path: Path, sheets: Mapping[str, Rows]) -> None:
    """One XLSX workbook with a sheet for each form. Text is written as text: no cell is a formula."""
    with _new_file(path) as file:
        book = Workbook(write_only=True)
        for name, rows in sheets.items():
            sheet = book.create_sheet(name)
            sheet.freeze_panes = "A2"
            for row in rows:
                sheet.append([_cell(sheet, value) for value in row])
        book.save(file)


def _cell(sheet: WriteOnlyWorksheet, value: str | float) -> Cell | float | None:
    """Text in the format `@`, so that a spreadsheet in which it is edited keeps it text."""
    if value == "":
        return None
    if isinstance(value, float) and float(f"{value:.16g}") != value:
        value = repr(value)  # openpyxl writes sixteen digits; this one needs seventeen
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, value=_LOOKS_ESCAPED.sub("_x005F_", value))
    cell.number_format = "@"
    return cell


def _write_csv(file: IO[bytes], rows: Rows) -> None:
    text = io.TextIOWrapper(file, "utf-8-sig", newline="", write_through=False)
    csv.writer(text).writerows(rows)
    text.flush()
    text.detach()


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.absolute().parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _claim(Path(draft), path)
    finally:
        Path(draft).unlink(missing_ok=True)


def _claim(draft: Path, path: Path) -> None:
    """Gives the draft its name; never replaces what is there."""
    try:
        if draft.is_dir():
            if path.exists():
                raise FileExistsError
            draft.rename(path)
        else:
            path.hardlink_to(draft)
    except FileExistsError:
        raise NotAllowed(f"{path.name} is there already: export writes new files only") from None
