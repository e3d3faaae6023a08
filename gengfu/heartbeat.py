"""The heartbeat to the outside: a dead man's switch for what the machine cannot say of itself.

A web address of somebody's choice (a monitor on another machine, or a service that watches for missing
calls) is asked for every so often, only while every process answers and says that it is well. Whoever is
asked tells people when the call fails to come: the machine is gone, its network, or a process, or ingest
stands still because even the reserve is used up (contract 9).

A series store that cannot be written does not stop it: alarms go on, and the desk is told by the system
fault. Nor does one of `[[brokers]]` that is away: the desk is told of it by name, and a heartbeat that one
of many brokers holds back for days would hide the end of the machine. What is sent is the request alone.
"""

from __future__ import annotations

import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import structlog

from alerts.troubles import FURTHER, PROFILE, troubles_in
from gengfu.config import Config

log = structlog.get_logger()

TIMEOUT_S: Final = 10.0
"""How long the other side may take (chosen)."""
HISTORY_ONLY: Final = frozenset({"store_waits", "shedding"})
"""Troubles for which no alarm waits."""


class Heartbeat:
    """Asks for `url` every `every_s` while `is_well`, on a thread of its own, from `start` until `stop`.

    `beats` and `missed` count calls that were answered with 2xx and calls that were not; `held_back` those
    that were not made because something was not well. The address is a secret and never logged.
    """

    def __init__(self, url: str, every_s: float, is_well: Callable[[], bool]) -> None:
        self._url, self._every_s, self._is_well = url, every_s, is_well
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self.beats = self.missed = self.held_back = 0

    def start(self) -> None:
        """Begins; the first call is made at once."""
        self._thread.start()

    def stop(self) -> None:
        """Ends without waiting for a call under way."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._beat()
            self._stop.wait(self._every_s)

    def _beat(self) -> None:
        if not self._is_well():
            self.held_back += 1
            log.error("heartbeat_held_back", times=self.held_back)
            return
        try:
            with urllib.request.urlopen(self._url, timeout=TIMEOUT_S):  # noqa: S310 - http(s) by configuration
                self.beats += 1
        except (OSError, ValueError, http.client.HTTPException) as error:
            self.missed += 1
            log.warning("heartbeat_not_taken", error=type(error).__name__, times=self.missed)


def heartbeat_of(config: Config, ports: Mapping[str, int]) -> Heartbeat | None:
    """As configured; None where no address is. `ports` are those of the processes' health, by name."""
    if not config.alerts.heartbeat_url:
        return None
    host = config.metrics.host

    def is_well() -> bool:
        return all(alarms_go_on(f"http://{host}:{port}/healthz") for port in ports.values())

    return Heartbeat(config.alerts.heartbeat_url, config.alerts.heartbeat_s, is_well)


def alarms_go_on(health_url: str) -> bool:
    """Whether the process answers, and says that it is well, or that only history waits, one of `[[brokers]]`
    is away or a profile file cannot be used."""
    try:
        with urllib.request.urlopen(health_url, timeout=2):  # noqa: S310 - our own
            return True
    except urllib.error.HTTPError as error:
        with error:
            words = _trouble(error.read())
            return all(word in HISTORY_ONLY or word.startswith((FURTHER, PROFILE)) for word in words)
    except (OSError, http.client.HTTPException):
        return False


def _trouble(body: bytes) -> frozenset[str]:
    """The words of a process's health; one that stops or says nothing is in trouble."""
    try:
        said = msgspec.json.decode(body, type=dict[str, object]).get("trouble")
    except msgspec.DecodeError:
        said = None
    return troubles_in(str(said or "")) or frozenset({"unknown"})
