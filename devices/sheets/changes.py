"""What an import changes, a line each: a dry run is a preview. Personal values are not told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from devices.sheets.columns import Column
from devices.sheets.faults import printable
from devices.sheets.forms import HANGING, HANGS, Form, Key
from devices.sheets.known import Registry
from devices.sheets.plan import Changed, Step

NEW: Final = "new"
"""Stands for the value of a row that comes."""
CHANGED: Final = "changed"
"""Stands for a personal value that comes in the place of another."""


@dataclass(frozen=True, slots=True)
class Change:
    """One column of a row that changes, or a row that is new (`column` empty). `old` and `new` as cells."""

    form: str
    file: str
    line: int
    key: str
    column: str
    old: str
    new: str

    def text(self) -> str:
        """One line for people."""
        where = f"{self.file}, line {self.line}: {self.form} {self.key}"
        return f"{where}, {self.column}: {self.old} → {self.new}" if self.column else f"{where}: {self.new}"


class Changes:
    """The changes of an import by form and line; made as they are asked for, as often as they are."""

    def __init__(self, steps: Mapping[str, Step]) -> None:
        self._steps = steps

    def __iter__(self) -> Iterator[Change]:
        for step in self._steps.values():
            yield from _of_step(step)


def _of_step(step: Step) -> Iterator[Change]:
    form = step.table.form
    changed = {form.key(one.new): one for one in step.changed}
    for key, line in step.lines.items():  # in the order of the file
        at = (form.name, step.table.file, line, _key_text(key))
        if key in changed:
            for column, old, new in _columns(form, changed[key]):
                yield Change(*at, column, old, new)
        else:
            yield Change(*at, "", "", NEW)


def _columns(form: Form, one: Changed) -> Iterator[tuple[str, str, str]]:
    for column, old, new in zip(form.columns, one.old, one.new, strict=True):
        if old == new:
            continue
        if column.many:
            yield column.name, f"{len(old)} {column.name}s", f"{len(new)} {column.name}s, {CHANGED}"
        elif column.personal:
            yield column.name, _there(old), CHANGED if new else "-"
        else:
            yield column.name, _cell(column, old), _cell(column, new)


def _there(value: object) -> str:
    return "**" if value else "-"


def _cell(column: Column, value: object) -> str:
    return printable(str(column.show(value))) or "-"


def _key_text(key: Key) -> str:
    return " ".join(key) if isinstance(key, tuple) else key


@dataclass(frozen=True, slots=True)
class MovedDevice:
    """A device that hangs elsewhere from now on. The ratings in amperes and the number of channels are those
    of its former circuit that the file says nothing of: the rules of overload are wrong if the new one has
    others."""

    uid: str
    dwelling: str
    stair: str
    building: str
    breaker_a: float | None
    cable_a: float | None
    channels: int

    def text(self) -> str:
        """One line for people."""
        codes = (self.dwelling, self.stair, self.building)
        place = next(f"{kind} {code}" for kind, code in zip(HANGS, codes, strict=True) if code)
        ratings = {"breaker": self.breaker_a, "cable": self.cable_a}
        still = [f"{what} {value:g} A" for what, value in ratings.items() if value is not None]
        still += [f"{self.channels} channels"] if self.channels else []
        came = f"; still {', '.join(still)}: say otherwise with device set" if still else ""
        return f"device {self.uid} hangs in {place}{came}"


def moved_devices(steps: Mapping[str, Step], registry: Registry) -> tuple[MovedDevice, ...]:
    """Devices that an import moves, in the order of the file."""
    step = steps.get("device")
    moved = [one for one in step.changed if one.old[HANGING] != one.new[HANGING]] if step is not None else []
    if step is None or not moved:
        return ()
    said = {key for key, _ in _channel_keys(steps)}
    left: dict[str, int] = {}
    for key in registry.rows["channel"]:
        if key not in said:
            left[key[0]] = left.get(key[0], 0) + 1
    return tuple(_moved(one, step, left.get(one.new[0], 0)) for one in moved)


def _channel_keys(steps: Mapping[str, Step]) -> Iterator[tuple[Any, int]]:
    step = steps.get("channel")
    if step is not None:
        yield from ((step.table.form.key(values), line) for line, values in step.table.rows)


def _moved(one: Changed, step: Step, channels: int) -> MovedDevice:
    def came(name: str) -> float | None:
        return None if name in step.table.present else one.new[step.table.form.place(name)]

    flat, steps, house = one.new[HANGING]
    return MovedDevice(one.new[0], flat, steps, house, came("breaker_a"), came("cable_a"), channels)
