"""The thread that writes a process's pulse, from what its own health function says.

Where the pulse finds no room in the database, the ballast is dropped: every process that could make room for
alarms has a heart, so whichever meets the full disk first does it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from alerts.pulse import BEAT_S, beat, silence
from devices.database import writing
from gengfu.config import Config
from gengfu.telemetry import Health
from ingest.ballast import NAME as BALLAST
from ingest.ballast import Ballast

log = structlog.get_logger()


def ballast_of(config: Config) -> Ballast:
    """The ballast of the configured data folder. Only ingest makes it; every process may drop it."""
    return Ballast(config.data_dir / BALLAST, config.ingest.ballast_mb << 20)


class Heart:
    """Beats from `start` until `stop`. A database that does not take the pulse is logged once, not raised:
    the missing pulse is what tells people.

    `health` is the process's own, as `/healthz` shows it; its field `trouble` is what goes into the pulse.
    It is asked on the heart's own thread.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        health: Health,
        clock_us: Callable[[], int],
        ballast: Ballast | None = None,
    ) -> None:
        self._engine, self._name, self._health, self._clock_us = engine, name, health, clock_us
        self._ballast = ballast
        self._stop = threading.Event()
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def start(self) -> None:
        """Begins to beat."""
        self._thread.start()

    def stop(self) -> None:
        """The process ends in order: its pulse is taken away, so that nobody misses it."""
        self._stop.set()
        self._thread.join()
        with contextlib.suppress(SQLAlchemyError), writing(self._engine) as connection:
            silence(connection, self._name)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                trouble = str(self._health().get("trouble", ""))
                with writing(self._engine) as connection:
                    beat(connection, self._name, self._clock_us(), trouble)
                self._failing = False
            except SQLAlchemyError as error:
                if self._ballast:
                    self._ballast.release(error)
                if not self._failing:
                    log.warning("pulse_not_written", error=type(error).__name__)
                self._failing = True
            self._stop.wait(BEAT_S)
