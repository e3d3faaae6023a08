"""Finding rows by what people call them, and the trace that every change and every look leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from sqlalchemy import Connection, RowMapping, Select, Table, insert, select

from devices.registry.errors import AlreadyThere, NotThere
from devices.schema import look, registry_change


class Written(TypedDict):
    """Who writes, and when: what every write takes, as keyword arguments to pass on with `**`."""

    by: str
    now_us: int


def find(connection: Connection, table: Table, key: str, value: str) -> RowMapping | None:
    """The row whose `key` column holds `value`, or None."""
    return connection.execute(select(table).where(table.c[key] == value)).mappings().one_or_none()


def need(connection: Connection, table: Table, key: str, value: str) -> RowMapping:
    """The row whose `key` column holds `value`; raises NotThere naming both."""
    row = find(connection, table, key, value)
    if row is None:
        raise NotThere(f"no {table.name} with {key} {value!r}")
    return row


def hold(connection: Connection, table: Table, key: str, value: str) -> RowMapping:
    """As `need`, for who is about to change that row: a second writer waits until the first is done.

    On SQLite the transaction has the one write lock anyway.
    """
    row = connection.execute(select(table).where(table.c[key] == value).with_for_update()).mappings().first()
    if row is None:
        raise NotThere(f"no {table.name} with {key} {value!r}")
    return row


def changed(row: RowMapping, values: dict[str, Any]) -> dict[str, Any]:
    """Those of `values` that differ from what the row holds."""
    return {name: value for name, value in values.items() if row[name] != value}


PAGE_ROWS: Final = 5_000
"""Rows of one page: some tens of milliseconds of reading and a few megabytes (chosen)."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list too long for one read: at most `size` rows after the one with the key `after`."""

    after: str = ""
    size: int = PAGE_ROWS


def rows_of(
    connection: Connection,
    query: Select[Any],
    table: Table,
    only: str | None,
    key: str = "code",
    page: Page | None = None,
) -> Sequence[RowMapping]:
    """The rows of `query` ordered by `key` of `table`, or the one whose key is `only` (else NotThere).

    With `page` that part of them.
    """
    if only is not None:
        query = query.where(table.c[key] == only)
    if page is not None:
        query = query.limit(page.size)
        if page.after:
            query = query.where(table.c[key] > page.after)
    rows = connection.execute(query.order_by(table.c[key])).mappings().all()
    if only is not None and not rows:
        raise NotThere(f"no {table.name} with {key} {only!r}")
    return rows


def add(
    connection: Connection, table: Table, key: str, values: dict[str, Any], *, by: str, now_us: int
) -> int:
    """Inserts a row that must be new in `key`, notes the change, and gives its id. Raises AlreadyThere."""
    if find(connection, table, key, values[key]) is not None:
        raise AlreadyThere(f"{table.name} {values[key]!r} is there already")
    row_id: int = connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one()
    note_change(connection, by, now_us, f"{table.name} add {values[key]}")
    return row_id


def note_change(connection: Connection, by: str, now_us: int, what: str) -> int:
    """One row of `registry_change`, and its id; `what` holds codes only, never personal data.

    Who writes to a device or its channels puts this id into `device.change_id`.
    """
    values = {"at_us": now_us, "by": by[:64], "what": what[:200]}
    change_id: int = connection.execute(
        insert(registry_change).values(values).returning(registry_change.c.id)
    ).scalar_one()
    return change_id


def note_look(connection: Connection, by: str, now_us: int, contact_id: int, what: str) -> None:
    """One row of `look`: who saw which personal data in clear. `contact_id` 0: a dwelling's note."""
    connection.execute(insert(look).values(at_us=now_us, by=by[:64], contact_id=contact_id, what=what[:64]))
