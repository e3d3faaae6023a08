"""What `gengfu check` says of history in the data folder of a site whose points go to a server."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from ingest.probes.finding import Finding
from ingest.store.influx.copying_progress import load
from ingest.store.layout import StoreError, open_for_reading
from ingest.store.reader import SeriesReader

NAME: Final = "series store history"
POINTS: Final = "points.db"
PATIENCE_S: Final = 1.0
"""With a file that is locked: a page may wait for it (chosen)."""
_ANY: Final = "SELECT EXISTS (SELECT 1 FROM block, meta WHERE ts_max >= horizon_ns)"


def history_finding(data_dir: Path, target: str) -> Finding | None:
    """None where there is no history there, or all of it is noted as copied to this target."""
    try:
        if not holds_uncopied(data_dir, target):
            return None
    except (StoreError, OSError, sqlite3.Error) as error:
        return _unseen(error)
    text = f"{POINTS} holds history that is not known to be in the server: `gengfu influx copy`"
    return Finding(NAME, None, text)


def holds_uncopied(data_dir: Path, target: str) -> bool:
    """Whether there is history that is not noted as copied to this target. Raises StoreError, OSError and
    sqlite3.Error where that cannot be seen."""
    try:
        connection = open_for_reading(data_dir / POINTS, PATIENCE_S)
    except FileNotFoundError:
        return False
    try:
        held = bool(connection.execute(_ANY).fetchone()[0])
        return held and not _is_copied(data_dir, target, connection)
    finally:
        connection.close()


def _is_copied(data_dir: Path, target: str, connection: sqlite3.Connection) -> bool:
    """Of what was written since nothing is noted."""
    noted = load(data_dir)
    if noted is None or not noted.done or noted.target != target:
        return False
    return noted.position == SeriesReader(connection).position


def _unseen(error: Exception) -> Finding:
    return Finding(NAME, None, f"whether history is left in {POINTS} cannot be seen: {error}")
