"""Up to which record the embedded store has read, for who must not give its numbers out twice."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import structlog

from ingest.store.layout import StoreError, open_for_reading

log = structlog.get_logger()


def stored_seq(path: Path) -> int:
    """The seq of the newest record whose points the store at `path` has; 0 without a store.

    A journal that was lost must go on above it: the store passes over what it has read already. Raises
    nothing: a store that cannot be read now is named in the log and gives 0.
    """
    try:
        with closing(open_for_reading(path)) as connection:
            return int(connection.execute("SELECT offset FROM meta").fetchone()[0])
    except FileNotFoundError:
        return 0
    except (OSError, StoreError, sqlite3.Error) as error:
        log.warning("store_offset_unknown", error=str(error))
        return 0
