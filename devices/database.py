"""The edge to SQL: opening, one writer at a time, one snapshot for readers, and a cheap notice of change.

Two engines behind one interface: a SQLite file, and PostgreSQL 15 or later. A database that cannot do it now
(locked, full, restarting, away) always raises sqlalchemy.exc.OperationalError, whatever its driver calls it:
that is what callers try again.

Errors:
* DriverMissing: the URL asks for PostgreSQL and its driver is not installed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Engine, ExceptionContext, Table, create_engine, event
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql.dml import Insert

from devices.change_notice import CHANNEL, CONNECT, ChangeNotice
from devices.line_of_writers import at_the_head, until

__all__ = [
    "BUSY_TIMEOUT_MS",
    "ChangeNotice",
    "DriverMissing",
    "insert_new",
    "open_database",
    "reading",
    "writing",
]

BUSY_TIMEOUT_MS = 30_000
"""How long a writer waits for another's transaction before it fails (chosen)."""
WRITER_LOCK: Final = 0x67656E676675
"""The key of the advisory lock that every writer takes: `gengfu` in ASCII. Locks are per database."""

_ONE_WRITER: Final = (
    f"SELECT set_config('lock_timeout', '{BUSY_TIMEOUT_MS}', true), "
    f"pg_advisory_xact_lock({WRITER_LOCK}), pg_notify('{CHANNEL}', '')"
)
_AWAY: Final = ("25006", "25P03", "57P05")
"""SQLSTATEs of a server that cannot write now (a standby before it takes over) and of one that ended us."""

Values = Any
"""Of one statement, as its driver takes them: a dict, a tuple, or a list of those."""


class DriverMissing(Exception):
    """The driver for this database is not installed; the text says what to do."""


def open_database(url: str) -> Engine:
    """An engine on `url`: `sqlite:///PATH` or `postgresql+psycopg://…`. Opens no connection yet.

    Each SQLite connection gets WAL, FULL sync and foreign keys. PostgreSQL connections are tried before use,
    so that a restart of the server costs one error at most. Errors do not quote the values of a statement:
    they end in logs. Text that no database takes is made harmless on its way in (`_takeable`).
    Raises DriverMissing.
    """
    if url.startswith("postgresql"):
        engine = _open_postgresql(url)
    else:
        engine = create_engine(url, hide_parameters=True)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "before_cursor_execute", _clean, retval=True)
    return engine


def _open_postgresql(url: str) -> Engine:
    try:
        engine = create_engine(
            url,
            pool_pre_ping=True,
            hide_parameters=True,
            use_native_hstore=False,
            connect_args=CONNECT,
        )
    except ModuleNotFoundError as error:
        raise DriverMissing(
            f"the database is PostgreSQL and its driver is not installed ({error}): "
            "pip install 'gengfu[postgres]'"
        ) from None
    event.listen(engine, "begin", _begin_postgresql)
    event.listen(engine, "handle_error", _as_operational)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver's own BEGIN is deferred
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",  # first: changing the journal's mode may have to wait
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    path = connection.engine.url.database
    if not connection.get_execution_options().get("writing", False):
        connection.exec_driver_sql("BEGIN")
    elif path:
        with at_the_head(path):
            _begin_immediate(connection)
    else:
        _begin_immediate(connection)  # in memory: nobody else is there


def _begin_immediate(connection: Connection) -> None:
    """Looks every millisecond whether it may write: SQLite's own waiting sleeps up to 100 ms at a time."""
    raw: object = connection.connection.dbapi_connection  # a detached one has no driver_connection
    assert isinstance(raw, sqlite3.Connection)
    raw.execute("PRAGMA busy_timeout=0")
    try:
        until(lambda: not _is_busy(raw), BUSY_TIMEOUT_MS / 1000)
        if not raw.in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # fails as any statement does here
    finally:
        raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")


def _is_busy(raw: sqlite3.Connection) -> bool:
    """Whether another writes. If not, the transaction has begun, or it cannot, for another reason."""
    try:
        raw.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
    return False


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("writing", False):
        connection.exec_driver_sql(_ONE_WRITER)


def _as_operational(context: ExceptionContext) -> OperationalError | None:
    """A lost connection and a server that cannot write now are OperationalErrors, as a locked file is."""
    error = context.original_exception
    if isinstance(context.sqlalchemy_exception, OperationalError):
        return None
    if context.is_disconnect or getattr(error, "sqlstate", None) in _AWAY:
        return OperationalError(
            context.statement,
            None,
            error,
            hide_parameters=True,
            connection_invalidated=context.is_disconnect,
        )
    return None


def _clean(
    _connection: Connection, _cursor: object, statement: str, values: Values, _context: object, _many: bool
) -> tuple[str, Values]:
    """Values without what no database takes; the very same object where there is nothing to clean."""
    rows = values if isinstance(values, list) else (values,)
    each = (value for row in rows for value in (row.values() if isinstance(row, dict) else row))
    if _harmless("".join([value for value in each if isinstance(value, str)])):  # all at once: there are many
        return statement, values
    cleaned = [
        {name: _takeable(value) for name, value in row.items()}
        if isinstance(row, dict)
        else tuple(_takeable(value) for value in row)
        for row in rows
    ]
    return statement, cleaned if isinstance(values, list) else cleaned[0]


def _harmless(value: object) -> bool:
    if not isinstance(value, str):
        return True
    if "\0" in value:
        return False
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _takeable(value: object) -> object:
    """Text with U+FFFD for NUL, which PostgreSQL refuses, and for lone surrogates, which no driver encodes.

    Where text comes from outside, a hostile word must not fail the transaction that holds an alarm.
    """
    if _harmless(value) or not isinstance(value, str):
        return value
    return "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in value)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed on a normal end, rolled back on an exception. Holds no I/O inside.

    One at a time in the whole database, and the next sees all of the one before (BEGIN IMMEDIATE on SQLite,
    an advisory lock on PostgreSQL): ids become visible in ascending order, and what was looked for and not
    found is not there when it is inserted. Every ChangeNotice says yes after the commit.

    Raises OperationalError after BUSY_TIMEOUT_MS of waiting, or where the database is away. Not guaranteed on
    PostgreSQL: that nothing was written when the connection was lost during the commit. Whoever tries again
    must find that harmless.
    """
    options = {"writing": True} | _isolation(engine, "READ COMMITTED", readonly=False)
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent read: every statement sees the same moment, and none can write on PostgreSQL."""
    options = _isolation(engine, "REPEATABLE READ", readonly=True)
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


def _isolation(engine: Engine, level: str, *, readonly: bool) -> dict[str, Any]:
    """Writers see each statement's moment: a snapshot from before the lock would miss the last writer."""
    if engine.dialect.name != "postgresql":
        return {}
    return {"isolation_level": level, "postgresql_readonly": readonly}


def insert_new(connection: Connection, table: Table) -> Insert:
    """An INSERT that leaves existing rows alone (`ON CONFLICT DO NOTHING`) on either engine."""
    if connection.dialect.name == "postgresql":
        return postgresql_insert(table).on_conflict_do_nothing()
    return sqlite_insert(table).on_conflict_do_nothing()
