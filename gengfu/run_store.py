"""The store process: a reader of the journal that writes points to the series store."""

from __future__ import annotations

import os
from typing import Final

from devices.database import open_database
from gengfu.clock import now_us
from gengfu.config import Config
from gengfu.folder import lock
from gengfu.heart import Heart, ballast_of
from gengfu.leash import follow_leash
from gengfu.logs import set_up_logs
from gengfu.service import stop_on_signal
from gengfu.telemetry import serve_figures
from ingest.store.embedded import EmbeddedStore
from ingest.store.writer import StoreWriter

HISTORY_YIELDS: Final = 5
"""Niceness of this process: where the processor is short, alarms go before history (chosen: a third of the
share the others get, so that it never stands still)."""


def figures(writer: StoreWriter) -> dict[str, float | dict[str, float]]:
    """What `/metrics` shows; names are documented in docs/metrics.md."""
    return {
        "points_total": float(writer.points),
        "behind_records": float(writer.behind),
        "damaged_total": float(writer.damaged),
        "repeats_total": float(writer.repeats),
        "passed_over_total": float(writer.passed_over),
    }


def health(writer: StoreWriter) -> dict[str, object]:
    """Well means: the store takes what it is given."""
    return {"ok": not writer.failing, "trouble": "store_waits" if writer.failing else ""}


def run_store(config: Config) -> None:
    """Runs until SIGTERM."""
    set_up_logs("store")
    stop = stop_on_signal()
    follow_leash()
    held = lock(config.data_dir, "store")
    os.nice(HISTORY_YIELDS)
    store = EmbeddedStore(config.data_dir / "points.db", keep_days=config.store.keep_days)
    ballast = ballast_of(config)
    writer = StoreWriter(config.data_dir / "journal", store, has_room=lambda: ballast.leaves_room)
    telemetry = serve_figures(
        config.metrics.host,
        config.metrics.store,
        "store",
        lambda: figures(writer),
        lambda: health(writer),
    )
    engine = open_database(config.database_url)
    heart = Heart(engine, "store", lambda: health(writer), now_us, ballast)
    heart.start()
    writer.run(stop)
    heart.stop()
    telemetry.close()
    held.close()
