"""What was kept in the data folder before a server was configured, until it is copied there."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from gengfu.check_history import PATIENCE_S, POINTS, holds_uncopied
from gengfu.config_store import Store
from gengfu.store_account import account_of
from ingest.store.embedded_history import EmbeddedHistory
from ingest.store.history import History, SeriesUnread
from ingest.store.influx.asking import Limits
from ingest.store.influx.reading import ServerReader
from ingest.store.influx.server import Account
from ingest.store.joined_history import JoinedHistory
from ingest.store.layout import StoreError

WHAT_TO_DO: Final = (
    f"stop the service and move {POINTS}, {POINTS}-wal and {POINTS}-shm away: the server has what came since"
)


def server_account(store: Store) -> Account:
    """Raises SeriesUnread where its secret cannot be read."""
    try:
        return account_of(store)
    except (OSError, ValueError) as error:
        raise SeriesUnread(f"the secret of the series store cannot be read: {error}") from None


def left_behind(data_dir: Path, target: str) -> EmbeddedHistory | None:
    """What the embedded store holds and is not known to be in this server; None where nothing is. Raises
    SeriesUnread where that cannot be seen, with what to do."""
    try:
        if not holds_uncopied(data_dir, target):
            return None
        return EmbeddedHistory.open(data_dir / POINTS, PATIENCE_S)
    except (StoreError, OSError, sqlite3.Error, SeriesUnread) as error:
        raise SeriesUnread(f"{POINTS} holds history and cannot be read: {error}; {WHAT_TO_DO}") from None


def with_server(old: History | None, account: Account, limits: Limits) -> History:
    """Both as one; `old` is closed where the server is not there."""
    try:
        server = ServerReader.open(account, limits)
    except BaseException:
        if old:
            old.close()
        raise
    return server if old is None else JoinedHistory(old, server)
