"""What an import comes to: which rows are new, which change, which stay. Pure, over what is known.

Rows that the file does not name are left alone. A column that the file does not have keeps what is there, or
is the default of something new.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Any

from devices.sheets.columns import KEEP, REQUIRED
from devices.sheets.faults import Faults
from devices.sheets.forms import HANGING, Key
from devices.sheets.known import Known, Registry
from devices.sheets.shown import shown_code
from devices.sheets.table import Table


@dataclass(frozen=True, slots=True)
class Changed:
    """A row that is there and differs: `old` and `new` in the order of the form's columns."""

    id: int
    old: tuple[Any, ...]
    new: tuple[Any, ...]


@dataclass(slots=True)
class Step:
    """What one table comes to. `lines` are those of the keys that are new or change."""

    table: Table
    new: list[tuple[Any, ...]] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    unchanged: int = 0
    lines: dict[Any, int] = field(default_factory=dict)


def plan_step(table: Table, registry: Registry, faults: Faults) -> Step:
    """Compares a table with what is known, and makes what it says known: rows after it may refer to it."""
    step = Step(table)
    form, known = table.form, registry.rows[table.form.name]
    seen: dict[Any, int] = {}
    for line, values in table.rows:
        key = form.key(values)
        if key in seen:
            faults.add(
                table.file,
                line,
                _keys(table),
                _said(table, key, registry),
                f"each once: line {seen[key]} has it already",
            )
            continue
        seen[key] = line
        there = known.get(key)
        if there is None:
            _plan_new(step, line, key, values, registry, faults)
            continue
        new = _merged(there.values, values, form.name)
        if new == there.values:
            step.unchanged += 1
            continue
        if _is_fixed_changed(table, line, there.values, new, registry, faults):
            continue
        step.changed.append(Changed(there.id, there.values, new))
        step.lines[key] = line
        known[key] = Known(there.id, new)
    return step


def _plan_new(
    step: Step, line: int, key: Key, values: tuple[Any, ...], registry: Registry, faults: Faults
) -> None:
    table, form = step.table, step.table.form
    gone = _gone(form.name, key, registry)
    if gone:
        faults.add(table.file, line, _keys(table), _said(table, key, registry), gone)
        return
    if form.name != "binding" and _is_odd(table, line, values, registry, faults):
        table.refused.add(key)
        return
    needed = [
        column.name
        for column, value in zip(form.columns, values, strict=True)
        if value is KEEP and column.default is REQUIRED
    ]
    if needed:
        allowed = f"for a new {form.name} also the columns {', '.join(needed)}; or one that is there already"
        faults.add(table.file, line, _keys(table), _said(table, key, registry), allowed)
        table.refused.add(key)
        return
    new = tuple(
        column.default if value is KEEP else value for column, value in zip(form.columns, values, strict=True)
    )
    step.new.append(new)
    step.lines[key] = line
    registry.rows[form.name][key] = Known(0, new)


def _gone(form: str, key: Key, registry: Registry) -> str:
    """Why nothing may come under this key; empty where something may."""
    if form == "device" and key in registry.retired:
        return "a device in service: this one is retired; `gengfu device register` brings it back"
    if form == "contact" and key in registry.erased:
        return "another code: the contact with this one was erased"
    return ""


def _merged(old: tuple[Any, ...], values: tuple[Any, ...], form: str) -> tuple[Any, ...]:
    new = tuple(was if value is KEEP else value for was, value in zip(old, values, strict=True))
    if form == "device":
        return _settle_place(old, values, new)
    return new


def _settle_place(old: tuple[Any, ...], values: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[Any, ...]:
    """A file with only some of the columns of `HANGS` moves the device out of the others."""
    if not any(code not in {KEEP, ""} for code in values[HANGING]):
        return new
    places = ("" if code is KEEP else code for code in values[HANGING])
    return (*new[: HANGING.start], *places, *new[HANGING.stop :])


def _keys(table: Table) -> str:
    return ", ".join(column.name for column in table.form.columns[: table.form.keys])


def _said(table: Table, key: Key, registry: Registry) -> str:
    """The key as a fault shows it: columns slip, and a name may stand here."""
    parts = key if isinstance(key, tuple) else (key,)
    columns = table.form.columns[: table.form.keys]
    return " ".join(
        column.shown(part, there=registry.there(part)) for column, part in zip(columns, parts, strict=True)
    )


def _is_fixed_changed(
    table: Table,
    line: int,
    old: tuple[Any, ...],
    new: tuple[Any, ...],
    registry: Registry,
    faults: Faults,
) -> bool:
    """Whether the row changes what no command changes; adds the faults."""
    form = table.form
    differing = [name for name in form.fixed if old[form.place(name)] != new[form.place(name)]]
    for name in differing:
        column = form.columns[form.place(name)]
        was, said = (str(values[form.place(name)]) for values in (old, new))
        allowed = (
            f"{column.shown(was, there=registry.there(was))} as before: no {form.name} gets another {name}; "
            f"add another {form.name} in its place"
        )
        faults.add(table.file, line, name, column.shown(said, there=registry.there(said)), allowed)
    if differing:
        table.refused.add(form.key(new))
    return bool(differing)


def _is_odd(table: Table, line: int, values: tuple[Any, ...], registry: Registry, faults: Faults) -> bool:
    """Whether the name of something new has letters that look like others (full-width `B３`): people would
    take it for `B3`, and the registry would not. The channel of a device that is there is looked at too."""
    form = table.form
    odd = [
        (column, value)
        for column, value in zip(form.columns[: form.keys], values, strict=False)
        if unicodedata.normalize("NFKC", value) != value
    ]
    for column, value in odd:
        plain = shown_code(unicodedata.normalize("NFKC", value), there=False)
        allowed = f"plain letters and digits: this is the full-width or another spelling of {plain}"
        faults.add(table.file, line, column.name, column.shown(value), allowed)
    return bool(odd)
