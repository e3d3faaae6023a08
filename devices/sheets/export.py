"""The registry as sheets, in the form that import takes: importing an export changes nothing.

Retired devices, ended bindings, removed ways and erased contacts are left out. Without `reveal` so are the
columns with personal data; with it every look is recorded before anything is written.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, insert

from devices.database import writing
from devices.registry.errors import NotAllowed
from devices.registry.tree import LEVELS
from devices.schema import look
from devices.sheets.columns import Column
from devices.sheets.files import write_folder, write_one, write_workbook
from devices.sheets.forms import FORMS, Form
from devices.sheets.known import NeverStill, Registry, read_registry
from devices.vault import Vault

LOOKS_AT_ONCE: Final = 5_000
"""Looks recorded in one transaction (chosen: some 20 ms of the write lock)."""
REST_S: Final = 0.002
"""Between two of them, so that others get the lock (docs/architecture)."""

Rows = Iterator[list[str | int | float]]


def export_sheets(
    engine: Engine,
    vault: Vault,
    path: Path,
    forms: Sequence[str],
    *,
    reveal: bool = False,
    by: str,
    now_us: int,
) -> dict[str, int]:
    """Writes the forms to `path` and gives the number of rows of each.

    `.xlsx` is a workbook with a sheet for each form, `.csv` one form; anything else a folder of CSV files.
    It is new and readable by its owner only. Raises NotAllowed where `path` is there already or its folder is
    not, or a `.csv` is to hold several forms, SealBroken where revealed text does not open. Memory as for an
    import.
    """
    if path.exists():
        raise NotAllowed(f"{path.name} is there already: export writes new files only")
    if not path.absolute().parent.is_dir():
        raise NotAllowed(f"{path.parent}: there is no such folder")
    if path.suffix.lower() == ".csv" and len(forms) > 1:
        raise NotAllowed(f"a .csv file holds one of {', '.join(forms)}; an .xlsx workbook holds all")
    registry = _read(engine, vault, forms, reveal=reveal)
    if reveal:
        _note_looks(engine, registry, forms, by, now_us)
    sheets = {name: _sheet(FORMS[name], registry, reveal=reveal) for name in forms}
    if path.suffix.lower() == ".xlsx":
        write_workbook(path, sheets)
    elif path.suffix.lower() == ".csv":
        write_one(path, sheets[forms[0]])
    else:
        write_folder(path, sheets)
    return {name: len(registry.rows[name]) for name in forms}


def _read(engine: Engine, vault: Vault, forms: Sequence[str], *, reveal: bool) -> Registry:
    wanted = {name: {one.name for one in FORMS[name].columns if reveal or not one.personal} for name in forms}
    for _ in range(10):
        try:
            return read_registry(engine, vault, wanted)
        except NeverStill:
            continue
    raise NotAllowed("others change the registry at the same time; try again when they are done")


def _note_looks(engine: Engine, registry: Registry, forms: Sequence[str], by: str, now_us: int) -> None:
    """One look for each contact, and for each dwelling with a note."""
    rows: list[dict[str, Any]] = []
    if "contact" in forms:
        rows += [
            {"contact_id": known.id, "what": "export name, addresses"}
            for known in registry.rows["contact"].values()
        ]
    if "dwelling" in forms:
        rows += [
            {"contact_id": 0, "what": f"export attention {code}"[:64]}
            for code, known in registry.rows["dwelling"].items()
            if known.values[4]
        ]
    for start in range(0, len(rows), LOOKS_AT_ONCE):
        some = [{"at_us": now_us, "by": by[:64], **row} for row in rows[start : start + LOOKS_AT_ONCE]]
        with writing(engine) as connection:
            connection.execute(insert(look), some)
        time.sleep(REST_S)


def _sheet(form: Form, registry: Registry, *, reveal: bool) -> Rows:
    """The header, then the rows in order of their keys; areas from the top down."""
    rows = sorted((known.values for known in registry.rows[form.name].values()), key=form.key)
    if form.name == "area":
        rows.sort(key=lambda values: LEVELS.index(values[1]))
    shown = [
        (n, column, _width(column, n, rows))
        for n, column in enumerate(form.columns)
        if reveal or not column.personal
    ]
    yield [name for _, column, width in shown for name in _names(column, width)]
    for values in rows:
        yield [cell for n, column, width in shown for cell in _cells(column, values[n], width)]


def _width(column: Column, n: int, rows: Iterable[tuple[Any, ...]]) -> int:
    return max((len(values[n]) for values in rows), default=0) or 1 if column.many else 0


def _names(column: Column, width: int) -> list[str]:
    return [f"{column.name}_{number}" for number in range(1, width + 1)] if column.many else [column.name]


def _cells(column: Column, value: object, width: int) -> list[str | int | float]:
    if isinstance(value, tuple):
        return [column.show(one) for one in value] + [""] * (width - len(value))
    return [column.show(value)]
