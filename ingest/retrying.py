"""After a connection is lost: when the next is tried, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable

from ingest.link import LinkLost
from ingest.pace import SHORT_LIVES, STEADY_S, TAKEN_OVER_S, Backoff
from ingest.packets import WireError
from ingest.session import Ended, TakenOver
from ingest.source_settings import SourceSettings, log_of


class Retrying:
    """Of one source. `at` is when to try next, on the clock that gives each `now`, in seconds."""

    def __init__(self, settings: SourceSettings, jitter: Callable[[], float], now: float) -> None:
        """The first try is due at once; `jitter` is uniform in [0, 1)."""
        self.at = now
        self._settings = settings
        self._backoff = Backoff(jitter)
        self._short_lives = 0
        self._log = log_of(settings)

    def lived(self, seconds: float) -> None:
        """An accepted connection is over after so long: one that held ends the backoff, short ones in a row
        are counted."""
        if seconds >= STEADY_S:
            self._backoff.steady()
            self._short_lives = 0
        else:
            self._short_lives += 1

    def lost(self, why: LinkLost | WireError, now: float) -> None:
        """A try, or a connection, is over: sets the time of the next, and says so."""
        delay_s = self._backoff.next_delay_s(TAKEN_OVER_S if isinstance(why, TakenOver) else 0.0)
        self.at = now + delay_s
        self._say(why, delay_s)

    def _say(self, why: LinkLost | WireError, delay_s: float) -> None:
        place = {"host": self._settings.host, "port": self._settings.port, "again_in_s": round(delay_s, 2)}
        advice = {"do": why.do} if isinstance(why, LinkLost) and why.do else {}
        if isinstance(why, TakenOver) or self._short_lives >= SHORT_LIVES:
            # mosquitto 2.0.11 closes without a word when another client takes the session (measured).
            do = "if another service uses our client id, stop it or give it another client id"
            self._log.error(
                "session_taken_over", client_id=self._settings.client_id, reason=str(why), do=do, **place
            )
        elif advice or isinstance(why, Ended | WireError):
            self._log.error("broker_lost", reason=str(why), **advice, **place)
        else:
            self._log.warning("broker_lost", reason=str(why), **advice, **place)
