"""The file of the embedded series store: its tables, how it is opened, and where a block belongs.

A block belongs to a day (UTC, of its points' times) and to a cell, a range of slots: wide cells, into which
writes go, and narrow ones, into which wide cells are divided when they are full. `tier` counts how often its
points were merged within the cell; `DONE` is never merged again, `DAMAGED` is kept for a person to look at.
`born` is the number of the write that its oldest points came with: points of one cell arrived in its order.
`whole` says from when on every point that came in is there.

Errors:
* StoreError
  * LayoutUnknown: the file is not one of ours, or of another release.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

LAYOUT: Final = 2
_APPLICATION: Final = 0x47465054
DAY_NS: Final = 86_400 * 10**9
WIDE: Final = 1 << 14
NARROW: Final = 1 << 10
"""Slots per cell (chosen): with 400,000 series a second of 160,000 points is 25 blocks of 6,400 points; some
40 of them become 16 full ones. 1,024 series at a point a minute are 1.5 million points a day, 90 blocks."""
DONE: Final = 99
DAMAGED: Final = -1
PATIENCE_S: Final = 30.0
"""With a file that somebody has locked (chosen)."""
_PAGE_BYTES: Final = 16_384
_WHOLE: Final = """
    CREATE TABLE IF NOT EXISTS whole (id INTEGER PRIMARY KEY CHECK (id = 1), since_ns INTEGER NOT NULL);
    INSERT OR IGNORE INTO whole VALUES (1, -9223372036854775808);
"""
_TABLES: Final = """
    CREATE TABLE block (
        id INTEGER PRIMARY KEY, day INTEGER NOT NULL, width INTEGER NOT NULL, cell INTEGER NOT NULL,
        tier INTEGER NOT NULL, born INTEGER NOT NULL, points INTEGER NOT NULL,
        slot_min INTEGER NOT NULL, slot_max INTEGER NOT NULL,
        ts_min INTEGER NOT NULL, ts_max INTEGER NOT NULL, body BLOB NOT NULL
    );
    CREATE INDEX block_by_place
        ON block (width, cell, day, tier, points, slot_min, slot_max, ts_min, ts_max, born);
    CREATE INDEX block_by_age ON block (ts_max);
    CREATE TABLE meta (
        id INTEGER PRIMARY KEY CHECK (id = 1), offset INTEGER NOT NULL, writes INTEGER NOT NULL,
        horizon_ns INTEGER NOT NULL
    );
    INSERT INTO meta VALUES (1, 0, 0, -9223372036854775808);
"""


class StoreError(Exception):
    """Something is wrong with the series store's file as a whole."""


class LayoutUnknown(StoreError):
    """The file is not an embedded series store of this release; the text says which file and what to do."""


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The one writer's connection; makes the file. Raises LayoutUnknown, sqlite3.OperationalError."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=PATIENCE_S)
    try:
        if not _is_ours(connection, path):
            connection.execute(f"PRAGMA page_size={_PAGE_BYTES}")
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "fullfsync=ON"):
            connection.execute(f"PRAGMA {pragma}")
        if not _is_ours(connection, path):
            marks = f"PRAGMA application_id={_APPLICATION}; PRAGMA user_version={LAYOUT};"
            connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} {marks} COMMIT;")
        if not _has_whole(connection):
            connection.executescript(f"BEGIN IMMEDIATE; {_WHOLE} COMMIT;")
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path, patience_s: float = PATIENCE_S) -> sqlite3.Connection:
    """A reader's connection, beside the writer and other readers; `patience_s` with one who locks the file.

    Raises FileNotFoundError where there is no store (yet), LayoutUnknown, sqlite3.OperationalError.
    """
    if not path.exists():
        raise FileNotFoundError(path)
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=patience_s
    )
    try:
        if not _is_ours(connection, path):
            raise FileNotFoundError(path)
    except BaseException:
        connection.close()
        raise
    return connection


def whole_since_ns(connection: sqlite3.Connection) -> int:
    """From when on every point that came in is there, but for what is too old; a file that was made before
    this was noted is taken for whole."""
    if not _has_whole(connection):
        return -(2**63)
    return int(connection.execute("SELECT since_ns FROM whole").fetchone()[0])


def _has_whole(connection: sqlite3.Connection) -> bool:
    query = "SELECT count(*) FROM sqlite_master WHERE name = 'whole'"
    return bool(connection.execute(query).fetchone()[0])


def _is_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """True: a store of this layout. False: an empty file. Raises LayoutUnknown for anything else."""
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (layout,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise LayoutUnknown(f"{path} is not a series store: {error}") from None
    if (application, layout) == (_APPLICATION, LAYOUT):
        return True
    if (application, layout, tables) == (0, 0, 0):
        return False
    raise LayoutUnknown(
        f"{path} is not a series store of this release (layout {layout}, wanted {LAYOUT}). It holds history"
        " only: move it away, and a new one is made"
    )
