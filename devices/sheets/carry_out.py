"""Batches to SQL: laid out beside the registry first, then moved in by one short transaction.

The rows go into temporary tables of this connection, which needs no lock of the registry. Under the write
lock there is one `INSERT … SELECT` or `UPDATE … FROM` for each batch, so that no row passes through Python
while others wait: with 100,000 devices, their dwellings and people, 0.9 s in place of 2.4 to 3.8 s with
executemany (measured on SQLite).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count, islice
from typing import Final

from sqlalchemy import Connection, Engine, Table, text

from devices.registry.rows import note_change
from devices.sheets.known import Registry, version_of
from devices.sheets.writes import Batch

SLICE: Final = 10_000
"""Rows handed to the driver at once (chosen)."""
CACHE_KIB: Final = 256 << 10
"""Page cache of the importing SQLite connection: with the usual 2 MiB, pages of indexes are written out again
and again under the lock (measured: 3.8 s with 2 MiB, 2.4 s with 256 MiB)."""


Look = Callable[[Connection, Sequence[tuple[Batch, str]]], None]
"""Is given a connection outside a transaction, and leaves it so."""


class Moved(Exception):
    """The registry is not the one the plan was made for; nothing was written."""


class _RolledBack(Exception):
    """Ends the transaction of a dry run."""


class Ids:
    """New ids, taken before the write lock.

    On SQLite those after the highest when the registry was read: nobody takes them while the registry's
    version stands. On PostgreSQL from the sequences; those not used leave a gap.
    """

    def __init__(self, engine: Engine, registry: Registry) -> None:
        self._engine = engine
        self._next = {name: count(highest + 1) for name, highest in registry.highest.items()}

    def take(self, table: Table, number: int) -> Sequence[int]:
        """So many ids, ascending."""
        if number == 0:
            return ()
        if self._engine.dialect.name == "postgresql":
            query = text(
                "SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :number)"
            )
            with self._engine.begin() as connection:
                found = connection.execute(query, {"name": f'"{table.name}"', "number": number}).scalars()
                return sorted(found)
        return list(islice(self._next[table.name], number))


def carry_out(
    engine: Engine,
    registry: Registry,
    batches: Sequence[Batch],
    *,
    what: str,
    by: str,
    now_us: int,
    dry_run: bool,
    look: Look | None = None,
) -> float:
    """Writes all batches and notes one change, or nothing; gives the seconds the write lock was held.

    `look` sees the batches and the tables they lie in before the lock is asked for; what it raises ends the
    import. Raises Moved when the registry has another version than the plan was made for. A dry run does all
    of it and rolls back.
    """
    with _own_connection(engine) as connection:
        with connection.begin():
            for number, batch in enumerate(batches):
                _lay_out(connection, batch, f"sheet_{number}")
        if look is not None:
            look(connection, [(batch, f"sheet_{number}") for number, batch in enumerate(batches)])
        connection.execution_options(writing=True)
        return _move_in(connection, registry, batches, what=what, by=by, now_us=now_us, dry_run=dry_run)


@contextmanager
def _own_connection(engine: Engine) -> Iterator[Connection]:
    """A connection outside the pool: temporary tables and settings go with it."""
    with engine.connect() as connection:
        if (
            engine.dialect.name == "postgresql"
        ):  # what `writing` asks for; only possible before it is detached
            connection.execution_options(isolation_level="READ COMMITTED")
        connection.detach()
        if engine.dialect.name == "sqlite":
            driver = connection.connection.dbapi_connection
            assert driver is not None
            driver.cursor().execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        yield connection


def _lay_out(connection: Connection, batch: Batch, name: str) -> None:
    columns = ", ".join(f'"{column}"' for column in batch.columns)
    connection.exec_driver_sql(
        f'CREATE TEMPORARY TABLE {name} AS SELECT {columns} FROM "{batch.table.name}" WHERE 1 = 0'  # noqa: S608
    )
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    insert = f"INSERT INTO {name} VALUES ({', '.join([mark] * len(batch.columns))})"  # noqa: S608
    for start in range(0, len(batch.rows), SLICE):
        connection.exec_driver_sql(insert, list(batch.rows[start : start + SLICE]))
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ANALYZE {name}")


def _move_in(
    connection: Connection,
    registry: Registry,
    batches: Sequence[Batch],
    *,
    what: str,
    by: str,
    now_us: int,
    dry_run: bool,
) -> float:
    since = time.monotonic()
    try:
        with connection.begin():
            since = time.monotonic()  # from here on others wait
            if version_of(connection) != registry.version:
                raise Moved
            change_id = note_change(connection, by, now_us, what)
            for number, batch in enumerate(batches):
                connection.exec_driver_sql(statement(batch, f"sheet_{number}", change_id))
            if dry_run:
                raise _RolledBack
    except _RolledBack:
        pass
    return time.monotonic() - since


def statement(batch: Batch, source: str, change_id: int) -> str:
    """Moves the rows of `source` into the table of the batch. Names come from the schema, the id is a number:
    nothing of a file stands in the statement."""
    table = f'"{batch.table.name}"'
    if not batch.match:
        columns = [f'"{column}"' for column in batch.columns]
        stamp = ([', "change_id"'], [f", {int(change_id)}"]) if batch.stamped else ([], [])
        return (
            f"INSERT INTO {table} ({', '.join(columns)}{''.join(stamp[0])}) "  # noqa: S608
            f"SELECT {', '.join(columns)}{''.join(stamp[1])} FROM {source}"
        )
    settings = [f'"{column}" = s."{column}"' for column in batch.columns if column != batch.match]
    if batch.stamped:
        settings.append(f'"change_id" = {int(change_id)}')
    still = f' AND {table}."{batch.open}" IS NULL' if batch.open else ""
    return (
        f"UPDATE {table} SET {', '.join(settings)} FROM {source} AS s "  # noqa: S608
        f'WHERE {table}."{batch.match}" = s."{batch.match}"{still}'
    )
