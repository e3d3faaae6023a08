"""Numbers for new rows before they are inserted: many rows then need one statement, and no answer from it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Table, func, select, text


def fresh_ids(connection: Connection, table: Table, count: int) -> Sequence[int]:
    """`count` numbers for the column `id`, above all that `table` has or had, ascending. Only in a write
    transaction, of which there is one at a time: nobody else takes them meanwhile."""
    if connection.dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(table.name, "id")
        numbers = select(func.nextval(sequence)).select_from(func.generate_series(1, count))
        return sorted(connection.scalars(numbers))
    last: int = connection.scalar(select(func.max(table.c.id))) or 0
    if table.dialect_options["sqlite"]["autoincrement"]:
        given = connection.scalar(_GIVEN, {"name": table.name})
        last = max(last, given or 0)
    return range(last + 1, last + 1 + count)


_GIVEN = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
