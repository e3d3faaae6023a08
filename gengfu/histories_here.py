"""The points of this site as pages ask for them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gengfu.config import Config
from gengfu.config_store import INFLUXDB
from gengfu.store_account import account_of
from ingest.store.embedded_history import EmbeddedHistory
from ingest.store.histories import Histories
from ingest.store.history import History, SeriesUnread
from ingest.store.influx.asking import Limits
from ingest.store.influx.reading import ServerReader

RECENT: Final = "recent.db"
"""The newest points beside a server, in the data folder."""
OF_A_PAGE: Final = Limits(connect_s=1.0, answer_s=5.0, whole_s=10.0, most_bytes=16 << 20)
"""Somebody waits for it (chosen)."""


def histories_of(config: Config) -> Histories:
    """Opens nothing yet."""
    store, folder = config.store, config.data_dir
    if store.kind != INFLUXDB:
        return Histories(lambda: EmbeddedHistory.open(folder / "points.db"))

    def far() -> History:
        try:
            account = account_of(store)
        except (OSError, ValueError) as error:
            raise SeriesUnread(f"the secret of the series store cannot be read: {error}") from None
        return ServerReader.open(account, OF_A_PAGE)

    near: Path = folder / RECENT
    return Histories(far, (lambda: EmbeddedHistory.open(near)) if store.recent_days else None)
