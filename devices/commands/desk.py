"""What every registry command shares: where it works, how it prints, how it refuses."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
import typer
from sqlalchemy import Connection, Engine

from devices.database import reading, writing
from devices.registry.errors import RegistryError
from devices.registry.rows import PAGE_ROWS, Page
from devices.vault import Vault, VaultError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = TypeVar("Row")

JsonOption = Annotated[bool, typer.Option("--json", help="one JSON object per line")]
RevealOption = Annotated[
    bool, typer.Option("--reveal", help="personal data in clear; every look is recorded")
]


ExerciseAt = Callable[[Connection, str, int, int], str]
"""(connection, uid, observed_us, received_us) to what the site was exercising with a device then: a word, or
empty for nothing."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where commands work, and who sits there: `by` goes into every change and every look.

    `timezone` is the IANA name of the site's zone: times without an offset are meant there. `exercise_at` is
    for other rooms to answer; here nothing is known of it.
    """

    engine: Engine
    vault: Vault
    by: str
    timezone: str = "Asia/Shanghai"
    exercise_at: ExerciseAt = lambda *_: ""


def desk_of(context: typer.Context) -> Desk:
    """The desk that the program's root put into the context, or that the function there opens."""
    desk = context.obj() if callable(context.obj) else context.obj
    if not isinstance(desk, Desk):
        raise TypeError("the registry's commands need a Desk as the context's object")
    return desk


def now_us() -> int:
    """The clock of this edge: microseconds since 1970 UTC."""
    return time.time_ns() // 1000


@contextmanager
def changing(desk: Desk) -> Iterator[Connection]:
    """One write transaction; a refusal rolls back, is said on stderr, and ends with exit code 1."""
    try:
        with writing(desk.engine) as connection:
            yield connection
    except (RegistryError, VaultError) as error:
        raise refuse(str(error)) from None


@contextmanager
def looking(desk: Desk) -> Iterator[Connection]:
    """One consistent read; refuses as `changing` does."""
    try:
        with reading(desk.engine) as connection:
            yield connection
    except (RegistryError, VaultError) as error:
        raise refuse(str(error)) from None


def refuse(reason: str) -> typer.Exit:
    """The exit to raise after saying why on stderr."""
    typer.echo(reason, err=True)
    return typer.Exit(1)


def say(json: bool, line: str, **facts: object) -> None:
    """What a change did: a sentence, or with `json` its facts as one object."""
    typer.echo(msgspec.json.encode(facts).decode() if json else line)


def pages(
    desk: Desk, read: Callable[[Connection, Page], Sequence[Row]], key: str, *, size: int = PAGE_ROWS
) -> Iterator[Row]:
    """All rows of a list, a page at a time, each in a read of its own: nothing is held open while somebody
    reads the output. `key` is the attribute the list is ordered by. Not one consistent view of the whole."""
    page = Page(size=size)
    while True:
        with looking(desk) as connection:
            rows = read(connection, page)
        yield from rows
        if len(rows) < page.size:
            return
        page = Page(after=str(getattr(rows[-1], key)), size=size)


def print_rows(
    rows: Iterable[DataclassInstance],
    *,
    json: bool,
    nothing: str = "nothing registered",
    form: str = "",
) -> None:
    """Dataclass rows as a JSON object per line, as they come, or as a plain table that no width wraps.

    `nothing` is said on stderr where there is no row to put into a table. `form` says in JSON which kind of
    object it is, where a command prints several.
    """
    if json:
        kind = {"form": form} if form else {}
        for row in rows:
            typer.echo(msgspec.json.encode(_shown(row) | kind).decode())
        return
    shown = [_shown(row) for row in rows]
    if not shown:
        typer.echo(nothing, err=True)
        return
    names = list(shown[0])
    table = [names, *([_cell(value) for value in facts.values()] for facts in shown)]
    widths = [max(_width(row[n]) for row in table) for n in range(len(names))]
    for cells in table:
        padded = (cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True))
        typer.echo("  ".join(padded).rstrip())


def _shown(row: DataclassInstance) -> dict[str, object]:
    """The row's fields; instants in µs as `_at` in ISO form, UTC."""
    facts: dict[str, object] = {}
    for one in fields(row):
        value = getattr(row, one.name)
        if one.name.endswith("_us"):
            facts["at" if one.name == "at_us" else one.name.removesuffix("_us") + "_at"] = instant(value)
        else:
            facts[one.name] = _plain(value)
    return facts


def _plain(value: object) -> object:
    """Rows within a row are shown as rows are."""
    if isinstance(value, tuple):
        return tuple(_plain(one) for one in value)
    return _shown(value) if is_dataclass(value) and not isinstance(value, type) else value


def instant(us: int | None) -> str | None:
    """An instant in ISO form, UTC, to the second."""
    return None if us is None else datetime.fromtimestamp(us // 1_000_000, UTC).isoformat()


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "-"
    return str(value)


def _width(text: str) -> int:
    """Columns on a terminal: wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
