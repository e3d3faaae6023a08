"""The thread that writes a process's pulse, from what its own health function says.

Where the pulse finds no room in the database, the ballast is dropped: every process that could make room for
alarms has a heart, so whichever meets the full disk first does it.

A process that ends out of order leaves its pulse behind. The next start finds it and counts, so a process
that beats once and dies, again and again, is told from one that is well.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from alerts.pulse import BEAT_S, STEADY_S, beat, ends_before, silence, with_ends
from devices.database import writing
from gengfu.config import Config
from gengfu.telemetry import Health
from ingest.ballast import NAME as BALLAST
from ingest.ballast import Ballast

log = structlog.get_logger()

UNKNOWN: Final = "unknown"
"""The trouble of a process whose health function fails."""


def ballast_of(config: Config) -> Ballast:
    """The ballast of the configured data folder. Only ingest makes it; every process may drop it."""
    return Ballast(config.data_dir / BALLAST, config.ingest.ballast_mb << 20)


class Heart:
    """Beats from `start` until `stop`. A database that does not take the pulse is logged once, not raised:
    the missing pulse is what tells people. A `health` that fails is logged once, and is a trouble.

    `health` is the process's own, as `/healthz` shows it; its field `trouble` is what goes into the pulse.
    It is asked on the heart's own thread. `monotonic` gives seconds.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        health: Health,
        clock_us: Callable[[], int],
        ballast: Ballast | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._name, self._health, self._clock_us = engine, name, health, clock_us
        self._ballast, self._monotonic = ballast, monotonic
        self._stop = threading.Event()
        self._failing = self._unsure = False
        self._ends: int | None = None
        self._began_s = monotonic()
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
                self._beat()
                self._failing = False
            except Exception as error:  # whatever it is, the next beat may succeed
                if self._ballast and isinstance(error, SQLAlchemyError):
                    self._ballast.release(error)
                if not self._failing:
                    log.warning("pulse_not_written", error=type(error).__name__)
                self._failing = True
            self._stop.wait(BEAT_S)

    def _beat(self) -> None:
        trouble = self._trouble()
        with writing(self._engine) as connection:
            if self._ends is None:
                self._ends = ends_before(connection, self._name)
            if self._monotonic() - self._began_s >= STEADY_S:
                self._ends = 0
            beat(connection, self._name, self._clock_us(), with_ends(trouble, self._ends))

    def _trouble(self) -> str:
        try:
            trouble = str(self._health().get("trouble", ""))
        except Exception as error:  # a process that cannot say how it is must not be taken for dead, nor well
            if not self._unsure:
                log.error("health_unknown", error=type(error).__name__)
            self._unsure = True
            return UNKNOWN
        self._unsure = False
        return trouble
