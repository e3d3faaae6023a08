"""The caretaker: keeps the broker's access files as the registry is, counts whom the broker refuses,
forgets once a day what `[people]` says, and watches over who can be reached.

A process of its own, because the supervisor never touches the database and ingest must not wait for it.
Whatever fails here is said and tried again; alarms go on without it.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Final

import msgspec
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from alerts.digest_watch import DigestWatch
from alerts.reach_watch import LOOK_S as REACH_S
from alerts.reach_watch import ReachWatch
from devices.database import open_database
from devices.vault import Vault, VaultError
from gengfu.access_keeper import Keeper
from gengfu.clock import now_us
from gengfu.config import Config
from gengfu.digest_here import digest_settings
from gengfu.folder import lock
from gengfu.forgetting import forget_due
from gengfu.heart import Heart
from gengfu.leash import follow_leash
from gengfu.logs import set_up_logs
from gengfu.reach_here import reach_settings
from gengfu.refusal_watch import Watch
from gengfu.service import stop_on_signal
from gengfu.telemetry import serve_figures

log = structlog.get_logger()

LOOK_S: Final = 0.25
"""Between two looks at registry and log; the promise is 2 s from a change to its effect (chosen)."""
AGAIN_S: Final = 5.0
"""Before a step that failed is tried again (chosen)."""
FORGET_FIRST_S: Final = 120.0
"""After a start, so that it does not compete with the others' start (chosen)."""
FORGET_EVERY_S: Final = 86_400.0
FORGET_AGAIN_S: Final = 3_600.0
TROUBLES: Final = ("access_waits", "reload_waits", "refusals_wait")
"""What health may say is wrong, the worst first; the board has words for each."""
FAILURES: Final = (OSError, SQLAlchemyError, sqlite3.Error, VaultError, ValueError, msgspec.DecodeError)


class Caretaker:
    """Both, step by step; a step that fails waits for the next try without holding up the other."""

    def __init__(self, config: Config) -> None:
        self.engine = open_database(config.database_url)
        self.keeper = Keeper(config, self.engine, lambda: Vault.open(config.key_path))
        self.watch = Watch(config, self.engine, self.keeper)
        self.keeper.before_ask = self.watch.catch_up
        self._failing: dict[str, float] = {}
        self.failures = 0

    def step(self) -> None:
        """One look at each."""
        self._try("access", self.keeper.look)
        self._try("refusals", self.watch.look)

    def run(self, stop: threading.Event) -> None:
        """Looks until `stop` is set."""
        while not stop.wait(LOOK_S):
            self.step()

    def retry(self) -> None:
        """What failed is tried again at the next step, without its pause."""
        self._failing = dict.fromkeys(self._failing, -AGAIN_S)

    def close(self) -> None:
        """Notes how far it read, and lets go of log and database. Called again it does nothing."""
        self._try("refusals", self.watch.close)
        self.keeper.close()
        self.engine.dispose()

    def figures(self) -> dict[str, float | dict[str, float]]:
        """What `/metrics` shows; names are documented in docs/metrics.md."""
        return {
            "refusals_total": {kind: float(count) for kind, count in self.watch.tally.totals.items()},
            "reloads_total": float(self.keeper.reloads),
            "failures_total": float(self.failures),
            "accounts": float(len(self.keeper.names)),
        }

    def health(self) -> dict[str, object]:
        """Well means: the access files are as the registry is, and the broker has read them."""
        access, refusals = "access" in self._failing, "refusals" in self._failing
        wrong = zip(TROUBLES, (access, self.keeper.waits, refusals), strict=True)
        trouble = next((name for name, there in wrong if there), "")
        return {"ok": not trouble, "trouble": trouble}

    def _try(self, what: str, work: Callable[[], None]) -> None:
        if time.monotonic() - self._failing.get(what, -AGAIN_S) < AGAIN_S:
            return
        try:
            work()
        except FAILURES as error:
            self.failures += 1
            if what not in self._failing:
                said = str(error) if isinstance(error, OSError | VaultError) else type(error).__name__
                log.error("caretaker_waits", what=what, reason=said)
            self._failing[what] = time.monotonic()
        else:
            self._failing.pop(what, None)


def forget_daily(
    config: Config, engine: Engine, stop: threading.Event, first_s: float = FORGET_FIRST_S
) -> None:
    """Forgets what is due, every day until `stop` is set; after a failure again in an hour."""
    wait_s = first_s
    while not stop.wait(wait_s):
        try:
            done = forget_due(engine, config.people, now_us(), Vault.open(config.key_path))
            gone = {"addresses": done.addresses, "looks": done.looks, "tests": done.tests}
            log.info("forgotten", contacts=len(done.contacts), **gone)
            wait_s = FORGET_EVERY_S
        except FAILURES as error:
            log.error("forgetting_waits", reason=type(error).__name__)
            wait_s = FORGET_AGAIN_S


def watch_reach(config: Config, engine: Engine, stop: threading.Event) -> None:
    """Looks every ten seconds for who cannot be reached and for reports that are due, until `stop` is set."""
    watch = ReachWatch(engine, reach_settings(config))
    digest = DigestWatch(engine, digest_settings(config))
    while not stop.wait(REACH_S):
        watch.look(now_us())
        digest.look(now_us())


def run_caretaker(config: Config) -> None:
    """Runs until SIGTERM."""
    set_up_logs("caretaker")
    stop = stop_on_signal()
    follow_leash()
    held = lock(config.data_dir, "caretaker")
    caretaker = Caretaker(config)
    telemetry = serve_figures(
        config.metrics.host, config.metrics.caretaker, "caretaker", caretaker.figures, caretaker.health
    )
    heart = Heart(caretaker.engine, "caretaker", caretaker.health, now_us)
    heart.start()
    forgetting = threading.Thread(
        target=forget_daily, args=(config, caretaker.engine, stop), name="forgetting", daemon=True
    )
    forgetting.start()
    watching = threading.Thread(
        target=watch_reach, args=(config, caretaker.engine, stop), name="reachability", daemon=True
    )
    watching.start()
    caretaker.run(stop)
    forgetting.join(5.0)
    watching.join(5.0)
    heart.stop()
    caretaker.close()
    telemetry.close()
    held.close()
