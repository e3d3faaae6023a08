"""A sheet of text cells becomes rows of values: header recognised, each cell taken or refused. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from devices.registry.errors import NotAllowed
from devices.sheets.columns import KEEP, REQUIRED, Column
from devices.sheets.faults import Faults, NotReadable
from devices.sheets.forms import FORMS, Form
from devices.sheets.shown import is_word_of, shown

MEMORY: Final = 20_000
"""Cells of one column whose value is remembered (chosen: what repeats is taken once)."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet as it was read. `rows` gives the line of each row and its cells; the header is the first row
    with something in it. `rows` may raise NotReadable."""

    file: str
    rows: Iterator[tuple[int, Sequence[str]]]


@dataclass(slots=True)
class Table:
    """A sheet as values: of each row its line and, in the order of the form's columns, value or KEEP.

    `present` are the names of the columns that the file has. `refused` are keys of rows with a fault: who
    refers to them is not at fault. `unsure`: of some row not even the key could be read, so that nobody can
    tell what is missing.
    """

    file: str
    form: Form
    present: frozenset[str]
    rows: list[tuple[int, tuple[Any, ...]]] = field(default_factory=list)
    refused: set[Any] = field(default_factory=set)
    unsure: bool = False


def recognise(header: Iterable[str], forms: Sequence[Form]) -> Form | None:
    """The form whose key columns the header has; of several the one with the most keys."""
    names = set(header)
    fitting = [form for form in forms if names.issuperset(one.name for one in form.columns[: form.keys])]
    return max(fitting, key=lambda form: form.keys, default=None)


def read_table(sheet: Sheet, forms: Sequence[Form], faults: Faults) -> Table | None:
    """The values of a sheet in one of the `forms`; faults are added. None where the header says nothing."""
    try:
        line, header = next(sheet.rows, (0, ()))
        names = [cell.strip().lower() for cell in header]
        while names and not names[-1]:
            names.pop()
        form = forms[0] if len(forms) == 1 else recognise(names, forms)
        if form is None or not any(names):
            faults.add(sheet.file, line, "", "", f"a header with {_headers(forms)}")
            return None
        takers = _takers(sheet.file, line, names, form, faults)
        if takers is None:
            return None
        table = Table(sheet.file, form, frozenset(one.column.name for one in takers))
        for at, cells in sheet.rows:
            _read_row(table, takers, at, cells, len(names), faults)
    except NotReadable as error:
        faults.add(sheet.file, error.line, "", "", str(error))
        return None
    return table


def _headers(forms: Sequence[Form]) -> str:
    return " or ".join(f"the columns of form {form.name}: {', '.join(form.names)}" for form in forms)


class _Taker:
    """One column of the file: where it goes in the row, and what its cells were taken for so far."""

    __slots__ = ("column", "index", "known", "name")

    def __init__(self, name: str, column: Column, index: int) -> None:
        self.name = name
        self.column = column
        self.index = index
        self.known: dict[str, Any] = {}

    def take(self, cell: str) -> object:
        if type(cell) is not str:  # what a workbook says of a cell beside its text counts
            return self._value(cell)
        value = self.known.get(cell, KEEP)
        if value is KEEP:
            value = self._value(cell)
            if len(self.known) < MEMORY:
                self.known[cell] = value
        return value

    def _value(self, cell: str) -> object:
        if cell == "" or not cell.strip():
            if self.column.default is REQUIRED:
                raise NotAllowed("something: this column must not be empty (merged cells hold nothing)")
            return None if self.column.many else self.column.default
        value = self.column.take(cell)
        if value == "" and self.column.default is REQUIRED:
            raise NotAllowed("something: this column must not be empty")
        return value


def _takers(file: str, line: int, names: Sequence[str], form: Form, faults: Faults) -> list[_Taker] | None:
    """A taker for each column of the header, in its order; None where the header is at fault."""
    before = faults.total
    found: list[_Taker] = []
    for n, name in enumerate(names):
        column = _column(name, form)
        if column is None:
            faults.add(
                file, line, letter(n), shown(name, _IS_COLUMN), f"one of the columns {', '.join(form.names)}"
            )
        elif any(one.name == name for one in found):
            faults.add(file, line, letter(n), name, "each column once")
        else:
            found.append(_Taker(name, column, form.columns.index(column)))
    for column in form.columns[: form.keys]:
        if all(one.column is not column for one in found):
            faults.add(file, line, column.name, "", "this column is needed: it names the row")
    return found if faults.total == before else None


_IS_COLUMN: Final = is_word_of(column.name for form in FORMS.values() for column in form.columns)


def _column(name: str, form: Form) -> Column | None:
    for column in form.columns:
        if column.many:
            stem, _, number = name.rpartition("_")
            if stem == column.name and number in {str(n + 1) for n in range(column.many)}:
                return column
        elif column.name == name:
            return column
    return None


def letter(n: int) -> str:
    """`column C` for 2, as spreadsheets name columns."""
    text = ""
    n += 1
    while n:
        n, rest = divmod(n - 1, 26)
        text = chr(65 + rest) + text
    return f"column {text}"


def _read_row(
    table: Table, takers: Sequence[_Taker], line: int, cells: Sequence[str], width: int, faults: Faults
) -> None:
    if len(cells) > width and any(cell.strip() for cell in cells[width:]):
        faults.add(table.file, line, letter(width), "", f"as many cells as the header has: {width}")
        table.unsure = True
        return
    form = table.form
    values: list[Any] = [KEEP] * len(form.columns)
    several: list[tuple[int, Any]] = []
    sound = True
    for taker, cell in zip(takers, [*cells, *[""] * (width - len(cells))], strict=False):
        try:
            value = taker.take(cell)
        except NotAllowed as error:
            sound = False
            faults.add(table.file, line, taker.name, taker.column.shown(cell), str(error))
            continue
        if taker.column.many:
            several.append((int(taker.name.rpartition("_")[2]), value))
        else:
            values[taker.index] = value
    if several:
        ways = tuple(value for _, value in sorted(several, key=lambda one: one[0]) if value is not None)
        values[next(one.index for one in takers if one.column.many)] = ways
    row = tuple(values)
    if sound:
        table.rows.append((line, row))
    elif KEEP not in row[: form.keys]:
        table.refused.add(form.key(row))
    else:
        table.unsure = True
