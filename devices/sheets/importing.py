"""From a file to the registry: read, plan, check, write; all or nothing, and anew where it moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from devices.sheets.book import read_book
from devices.sheets.carry_out import Ids, Moved, carry_out
from devices.sheets.checks import Rules
from devices.sheets.faults import Faults, RegistryMoved
from devices.sheets.forms import FORMS
from devices.sheets.known import NeverStill, read_registry
from devices.sheets.plan import Step, plan_step
from devices.sheets.table import Table
from devices.sheets.writes import batches
from devices.vault import Vault

TRIES: Final = 4
"""How often an import is planned anew because somebody changed the registry meanwhile (chosen: each change by
hand takes longer than one planning)."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the rows of one form."""

    form: str
    new: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Import:
    """What an import did; `locked_s` is how long it held the write lock, 0 where nothing differed."""

    forms: tuple[Imported, ...]
    locked_s: float


def import_sheets(
    engine: Engine,
    vault: Vault,
    path: Path,
    *,
    forms: Sequence[str] = (),
    by: str,
    now_us: int,
    dry_run: bool = False,
) -> Import:
    """Brings the registry to what the file says; what the file does not name is left alone.

    `path` is a CSV file, a workbook or a folder of CSV files; `forms` are those it may hold, empty: all.
    Everything is read, checked, computed and sealed before the write lock is asked for. Raises FaultsFound
    with all faults, RegistryMoved when others kept changing the registry, SealBroken where a sealed value to
    compare with does not open; then nothing was changed. Nothing is written, no change noted, where nothing
    differs.

    Memory: about 6 kB for each device with its dwelling, contact, addresses and binding (measured).
    """
    faults = Faults()
    tables = read_book(path, [FORMS[name] for name in forms or FORMS], faults)
    for _ in range(TRIES):
        done = _attempt(engine, vault, tables, faults, by=by, now_us=now_us, dry_run=dry_run)
        if done is not None:
            return done
    raise RegistryMoved(
        "others change the registry at the same time: nothing was imported; try again when they are done"
    )


def _attempt(
    engine: Engine,
    vault: Vault,
    tables: Sequence[Table],
    faults: Faults,
    *,
    by: str,
    now_us: int,
    dry_run: bool,
) -> Import | None:
    """One try; None when the registry moved."""
    try:
        registry = read_registry(
            engine, vault, {table.form.name: table.present for table in tables}, now_us=now_us
        )
    except NeverStill:
        return None
    by_form = {table.form.name: table for table in tables}
    steps = {name: plan_step(table, registry, faults) for name, table in by_form.items()}
    Rules(steps, by_form, registry, now_us).check(faults)
    faults.raise_any()
    done = tuple(Imported(n, len(s.new), len(s.changed), s.unchanged) for n, s in steps.items())
    if not any(one.new or one.changed for one in done):
        return Import(done, 0.0)
    made = batches(steps, registry, vault, Ids(engine, registry).take, by=by, now_us=now_us)
    if vault.newest != registry.key:
        return None
    try:
        locked_s = carry_out(engine, registry, made, what=_said(steps), by=by, now_us=now_us, dry_run=dry_run)
    except (Moved, IntegrityError):  # the second: ids taken by a writer that notes no change
        return None
    return Import(done, locked_s)


def _said(steps: dict[str, Step]) -> str:
    """The trace of the import: how many of each form, no codes."""
    parts = [
        f"{name} {len(step.new)} new {len(step.changed)} changed"
        for name, step in steps.items()
        if step.new or step.changed
    ]
    return f"import {', '.join(parts)}"
