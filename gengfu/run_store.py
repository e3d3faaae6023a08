"""The store process: a reader of the journal that writes points to the series store."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from devices.database import open_database
from gengfu.clock import now_us
from gengfu.config import Config
from gengfu.config_store import INFLUXDB
from gengfu.folder import lock
from gengfu.heart import Heart, ballast_of
from gengfu.histories_here import RECENT
from gengfu.leash import follow_leash
from gengfu.logs import set_up_logs
from gengfu.service import stop_on_signal
from gengfu.store_account import account_of
from gengfu.telemetry import serve_figures
from ingest.store.embedded import EmbeddedStore
from ingest.store.influx.server import Server
from ingest.store.influx.writer import InfluxWriter
from ingest.store.layout import StoreError
from ingest.store.recent import RecentWriter
from ingest.store.writer import STORE_FAILS, StoreWriter, advice

log = structlog.get_logger()

HISTORY_YIELDS: Final = 5
"""Niceness of this process: where the processor is short, alarms go before history (chosen: a third of the
share the others get, so that it never stands still)."""
TRY_AGAIN_S: Final = 10.0
"""Between two tries to open the store's file (chosen)."""


class Storing:
    """The writer of the configured store, as soon as it can be opened; until then `writer` is None. A server
    need not be there for that.

    A file that is damaged or of another release is left as it is and tried again: somebody has to move it
    away. Points wait in the journal, alarms go on.
    """

    def __init__(
        self, config: Config, has_room: Callable[[], bool], *, try_again_s: float = TRY_AGAIN_S
    ) -> None:
        self.writer: StoreWriter | InfluxWriter | None = None
        self.store: EmbeddedStore | None = None
        self.recent: RecentWriter | None = None
        self._close: Callable[[], None] = lambda: None
        self._config, self._has_room, self._try_again_s = config, has_room, try_again_s
        self._said = False

    def open(self) -> None:
        """Tries once. What is wrong is logged once."""
        try:
            influxdb = self._config.store.kind == INFLUXDB
            self.writer = self._open_influxdb() if influxdb else self._open_embedded()
        except (StoreError, SQLAlchemyError, ValueError, *STORE_FAILS) as error:
            if not self._said:
                log.error("store_cannot_be_opened", error=str(error), **advice(error))
            self._said = True

    def run(self, stop: threading.Event) -> None:
        """Until `stop`; lets go of the store then."""
        beside = self._begin_recent(stop)
        while self.writer is None and not stop.wait(self._try_again_s):
            self.open()
        if self.writer:
            self.writer.run(stop)
            self._close()
        if beside:
            beside.join()

    def _begin_recent(self, stop: threading.Event) -> threading.Thread | None:
        """The newest points beside a server, on a thread of their own."""
        folder, wanted = self._config.data_dir, self._config.store
        if wanted.kind != INFLUXDB or not wanted.recent_days:
            return None
        self.recent = RecentWriter(
            folder / "journal",
            folder / RECENT,
            keep_days=wanted.recent_days,
            keep_bytes=wanted.recent_mb << 20,
            has_room=self._has_room,
        )
        thread = threading.Thread(target=self.recent.run, args=(stop,), name="recent", daemon=True)
        thread.start()
        return thread

    def _open_embedded(self) -> StoreWriter:
        folder, wanted = self._config.data_dir, self._config.store
        store = EmbeddedStore(
            folder / "points.db", keep_days=wanted.keep_days, keep_bytes=wanted.keep_mb << 20
        )
        try:
            writer = StoreWriter(folder / "journal", store, has_room=self._has_room)
        except BaseException:
            store.close()
            raise
        self.store, self._close = store, store.close
        return writer

    def _open_influxdb(self) -> InfluxWriter:
        wanted = self._config.store
        server = Server(account_of(wanted), wanted.in_flight, renew=lambda: account_of(wanted))
        engine = open_database(self._config.database_url)
        self._close = engine.dispose
        return InfluxWriter(self._config.data_dir / "journal", server, engine, in_flight=wanted.in_flight)


def figures(
    writer: StoreWriter | InfluxWriter | None, recent: RecentWriter | None = None
) -> dict[str, float | dict[str, float]]:
    """What `/metrics` shows; names are documented in docs/metrics.md. Nothing without a store."""
    if writer is None:
        return {}
    of_a_server = writer if isinstance(writer, InfluxWriter) else None
    return {
        "points_total": float(writer.points),
        "behind_records": float(writer.behind),
        "damaged_total": float(writer.damaged),
        "repeats_total": float(writer.repeats),
        "passed_over_total": float(writer.passed_over),
        "refused_lines_total": float(of_a_server.refused if of_a_server else 0),
        "unnamed_total": float(of_a_server.unnamed if of_a_server else 0),
        "recent_points_total": float(recent.points if recent else 0),
        "recent_behind_records": float(recent.behind if recent else 0),
        "recent_waits": float(recent.failing if recent else 0),
    }


def health(writer: StoreWriter | InfluxWriter | None) -> dict[str, object]:
    """Well means: the store takes what it is given."""
    waits = writer is None or writer.failing
    return {"ok": not waits, "trouble": "store_waits" if waits else ""}


def run_store(config: Config) -> None:
    """Runs until SIGTERM."""
    set_up_logs("store")
    stop = stop_on_signal()
    follow_leash()
    held = lock(config.data_dir, "store")
    os.nice(HISTORY_YIELDS)
    ballast = ballast_of(config)
    storing = Storing(config, lambda: ballast.leaves_room)
    storing.open()
    telemetry = serve_figures(
        config.metrics.host,
        config.metrics.store,
        "store",
        lambda: figures(storing.writer, storing.recent),
        lambda: health(storing.writer),
    )
    engine = open_database(config.database_url)
    heart = Heart(engine, "store", lambda: health(storing.writer), now_us, ballast)
    heart.start()
    storing.run(stop)
    heart.stop()
    telemetry.close()
    held.close()
