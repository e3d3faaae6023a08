"""The points of this site as pages ask for them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gengfu.check_history import PATIENCE_S, POINTS
from gengfu.config import Config
from gengfu.config_store import INFLUXDB, Store
from gengfu.left_behind import left_behind, server_account, with_server
from ingest.store.embedded_history import EmbeddedHistory
from ingest.store.histories import Histories
from ingest.store.history import History, SeriesUnread
from ingest.store.influx.asking import Limits
from ingest.store.joined_history import Unreadable
from ingest.store.recent_history import RecentHistory

RECENT: Final = "recent.db"
"""The newest points beside a server, in the data folder."""
OF_A_PAGE: Final = Limits(connect_s=1.0, answer_s=5.0, whole_s=10.0, most_bytes=16 << 20)
"""Somebody waits for it (chosen)."""


def histories_of(config: Config) -> Histories:
    """Opens nothing yet."""
    store, folder = config.store, config.data_dir
    if store.kind != INFLUXDB:
        return Histories(lambda: EmbeddedHistory.open(folder / POINTS, PATIENCE_S))
    near: Path = folder / RECENT
    return Histories(
        lambda: _far(store, folder), (lambda: RecentHistory.open(near)) if store.recent_days else None
    )


def _far(store: Store, folder: Path) -> History:
    """The server, and what was kept before it. A page shows what the server has where that is unreadable, and
    says so."""
    account = server_account(store)
    old: History | None
    try:
        old = left_behind(folder, account.target)
    except SeriesUnread as error:
        old = Unreadable(str(error))
    return with_server(old, account, OF_A_PAGE)
