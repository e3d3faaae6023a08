"""What somebody hands in: a CSV file, a workbook, or a folder of CSV files, as tables of values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from devices.sheets.csv_file import read_csv
from devices.sheets.faults import Faults, NotReadable
from devices.sheets.forms import FORMS, Form
from devices.sheets.table import Sheet, Table, read_table
from devices.sheets.xlsx_file import workbook_sheets

BOOK_SUFFIXES = (".xlsx", ".xlsm")


def read_book(path: Path, forms: Sequence[Form], faults: Faults) -> list[Table]:
    """The tables of a file in the order of FORMS; what is wrong is added to `faults`, nothing is raised.

    A folder holds `area.csv`, `building.csv` and so on. In a workbook a sheet is named as its form; one sheet
    alone may have any name, and its header says which of the `forms` it is. Where `forms` are not all, sheets
    of other forms are left alone; a name that no form has is a fault.
    """
    try:
        if path.is_dir():
            tables = list(_folder(path, forms, faults))
        elif path.suffix.lower() in BOOK_SUFFIXES:
            tables = list(_workbook(path, forms, faults))
        else:
            tables = list(_file(path, forms, faults))
    except NotReadable as error:
        faults.add(path.name, error.line, "", "", str(error))
        return []
    except OSError as error:
        faults.add(path.name, 0, "", "", f"a file that can be read: {error.strerror}")
        return []
    order = list(FORMS)
    return sorted(tables, key=lambda table: order.index(table.form.name))


def _file(path: Path, forms: Sequence[Form], faults: Faults) -> Iterator[Table]:
    known = [name for form in forms for column in form.columns for name in (column.name, f"{column.name}_1")]
    table = read_table(Sheet(path.name, read_csv(path, known)), forms, faults)
    if table is not None:
        yield table


def _folder(path: Path, forms: Sequence[Form], faults: Faults) -> Iterator[Table]:
    wanted = {form.name: form for form in forms}
    files = sorted(one for one in path.iterdir() if one.suffix.lower() == ".csv")
    for one in files:
        name = one.stem.lower()
        if name not in FORMS:
            faults.add(one.name, 0, "", "", f"a file named {', '.join(f'{form}.csv' for form in FORMS)}")
        elif name in wanted:
            try:
                yield from _file(one, [wanted[name]], faults)
            except NotReadable as error:
                faults.add(one.name, error.line, "", "", str(error))
    if not any(one.stem.lower() in wanted for one in files):
        faults.add(path.name, 0, "", "", f"a folder with {', '.join(f'{form}.csv' for form in wanted)}")


def _workbook(path: Path, forms: Sequence[Form], faults: Faults) -> Iterator[Table]:
    wanted = {form.name: form for form in forms}
    with workbook_sheets(path) as sheets:
        named = {name: name.strip().lower() for name in sheets}
        alone = len(sheets) == 1 and not FORMS.keys() & named.values()
        taken: set[str] = set()
        for name, rows in sheets.items():
            form = named[name]
            label = f"{path.name} [{name}]"
            if form in taken:
                faults.add(label, 0, "", "", "one sheet of each name")
            elif form in wanted or alone:
                taken.add(form)
                table = read_table(Sheet(label, rows), [wanted[form]] if form in wanted else forms, faults)
                if table is not None:
                    yield table
            elif form not in FORMS and next(rows, None) is not None:
                faults.add(label, 0, "", "", f"sheets named {', '.join(FORMS)}")
        if not taken:
            faults.add(path.name, 0, "", "", f"a sheet named {' or '.join(wanted)}")
