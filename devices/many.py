"""Many rows in one statement, with as little as can be between us and the driver.

SQLAlchemy works the values of each row out anew. On SQLite that took as long as the writing itself, and a
turn writes some thirty rows for each fire.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Table, insert
from sqlalchemy.sql.dml import UpdateBase

from devices.database import insert_new

Rows = Sequence[Mapping[str, Any]]
"""All with the same names, more than one of them, and values that the driver takes as they are."""

_Compiled = tuple[str, tuple[str, ...]]
_COMPILED: Final[dict[Hashable, _Compiled]] = {}
"""By dialect, statement and columns: as many as our modules have, and no more."""


def insert_many(connection: Connection, table: Table, rows: Rows, *, new: bool = False) -> None:
    """Inserts rows. `new`: those that are there already are left alone."""
    if rows:
        statement = insert_new(connection, table) if new else insert(table)
        _execute(connection, statement, (table, new), rows)


def update_many(connection: Connection, statement: UpdateBase, rows: Rows) -> None:
    """Updates by a statement that a module keeps and whose values are all parameters."""
    if rows:
        _execute(connection, statement, statement, rows)


def _execute(connection: Connection, statement: UpdateBase, known_by: Hashable, rows: Rows) -> None:
    names = tuple(rows[0])
    if len(names) < 2 or not connection.dialect.positional:  # psycopg sends many rows at once by itself
        connection.execute(statement, list(rows))
        return
    key = connection.dialect.name, known_by, names
    if key not in _COMPILED:
        compiled = statement.compile(dialect=connection.dialect, column_keys=list(names))
        _COMPILED[key] = str(compiled), tuple(getattr(compiled, "positiontup", None) or ())
    sql, order = _COMPILED[key]
    connection.exec_driver_sql(sql, list(map(itemgetter(*order), rows)))
