"""From a file to the registry: read, plan, check, look who is lost, write; all or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from devices.sheets.book import Book, read_book
from devices.sheets.carry_out import Ids, Moved, carry_out
from devices.sheets.changes import Changes, MovedDevice, moved_devices
from devices.sheets.checks import Rules
from devices.sheets.faults import Faults, RegistryMoved
from devices.sheets.forms import FORMS
from devices.sheets.known import NeverStill, Registry, read_registry
from devices.sheets.plan import Step, plan_step
from devices.sheets.reach import Reach, may_lose, reach_after, refuse_last_desk
from devices.sheets.writes import Batch, batches
from devices.vault import Vault

TRIES: Final = 4
"""How often an import is planned anew because somebody changed the registry meanwhile (chosen: each change by
hand takes longer than one planning)."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the rows of one form; `ways_end` are the ways to reach contacts that no longer hold."""

    form: str
    new: int
    changed: int
    unchanged: int
    ways_end: int = 0


@dataclass(frozen=True, slots=True)
class Import:
    """What an import did, or a dry run would; `locked_s` is how long it held the write lock, 0 where nothing
    differed. `reach` is what it does to who can be reached."""

    forms: tuple[Imported, ...]
    locked_s: float
    changes: Changes
    reach: Reach = field(default_factory=Reach)
    moved: tuple[MovedDevice, ...] = ()
    encodings: Mapping[str, str] = field(default_factory=dict)


def import_sheets(
    engine: Engine,
    vault: Vault,
    path: Path,
    *,
    forms: Sequence[str] = (),
    by: str,
    now_us: int,
    dry_run: bool = False,
    force: bool = False,
    encoding: str = "",
) -> Import:
    """Brings the registry to what the file says; what the file does not name is left alone.

    `path` is a CSV file, a workbook or a folder of CSV files; `forms` are those it may hold, empty: all;
    `encoding` is that of CSV files (`csv_file.ENCODINGS`), empty: found out. Everything is read, checked,
    computed and sealed before the write lock is asked for; so is who could no longer be reached, and unless
    `force` an import that leaves no duty desk within reach is at fault. Raises FaultsFound with all faults,
    RegistryMoved when others kept changing the registry, SealBroken where a sealed value to compare with does
    not open; then nothing was changed. Nothing is written, no change noted, where nothing differs.

    Memory: about 6 kB for each device with its dwelling, contact, addresses and binding (measured).
    """
    faults = Faults()
    book = read_book(path, [FORMS[name] for name in forms or FORMS], faults, encoding=encoding)
    for _ in range(TRIES):
        done = _attempt(engine, vault, book, faults, by=by, now_us=now_us, dry_run=dry_run, force=force)
        if done is not None:
            return done
    raise RegistryMoved(
        "others change the registry at the same time: nothing was imported; try again when they are done"
    )


def _attempt(
    engine: Engine,
    vault: Vault,
    book: Book,
    faults: Faults,
    *,
    by: str,
    now_us: int,
    dry_run: bool,
    force: bool,
) -> Import | None:
    """One try; None when the registry moved."""
    try:
        registry = read_registry(
            engine, vault, {table.form.name: table.present for table in book.tables}, now_us=now_us
        )
    except NeverStill:
        return None
    by_form = {table.form.name: table for table in book.tables}
    steps = {name: plan_step(table, registry, faults) for name, table in by_form.items()}
    Rules(steps, by_form, registry, now_us, book.failed).check(faults)
    faults.raise_any()
    done = tuple(_imported(name, step) for name, step in steps.items())
    if not any(one.new or one.changed for one in done):
        return Import(done, 0.0, Changes(steps), encodings=book.encodings)
    made = batches(steps, registry, vault, Ids(engine, registry).take, by=by, now_us=now_us)
    if vault.newest != registry.key:
        return None
    look = _Look(steps, registry, now_us, force=force)
    try:
        locked_s = carry_out(
            engine, registry, made, what=_said(steps), by=by, now_us=now_us, dry_run=dry_run, look=look
        )
    except (Moved, IntegrityError):  # the second: ids taken by a writer that notes no change
        return None
    moved = moved_devices(steps, registry)
    return Import(done, locked_s, Changes(steps), look.reach, moved, book.encodings)


def _imported(name: str, step: Step) -> Imported:
    """Of a contact whose ways change, those end that are not among the new ones."""
    ends = 0
    if name == "contact":
        pairs = (
            (Counter(one.old[3]), Counter(one.new[3])) for one in step.changed if one.old[3] != one.new[3]
        )
        ends = sum((old - new).total() for old, new in pairs)
    return Imported(name, len(step.new), len(step.changed), step.unchanged, ends)


class _Look:
    """Looks who is lost where somebody may be; raises FaultsFound where that must not happen."""

    def __init__(self, steps: dict[str, Step], registry: Registry, now_us: int, *, force: bool) -> None:
        self._steps = steps
        self._registry = registry
        self._now_us = now_us
        self._force = force
        self.reach = Reach()

    def __call__(self, connection: Connection, laid_out: Sequence[tuple[Batch, str]]) -> None:
        if not may_lose(self._steps):
            return
        self.reach = reach_after(connection, self._registry, laid_out, self._now_us)
        if not self._force:
            faults = Faults()
            refuse_last_desk(self.reach, self._steps, self._registry, faults)
            faults.raise_any()


def _said(steps: dict[str, Step]) -> str:
    """The trace of the import: how many of each form, no codes."""
    parts = [
        f"{name} {len(step.new)} new {len(step.changed)} changed"
        for name, step in steps.items()
        if step.new or step.changed
    ]
    return f"import {', '.join(parts)}"
