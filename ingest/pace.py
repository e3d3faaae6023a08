"""When to try again, when to ask the broker for a sign of life, and when its backlog is through. Pure.

Every instant `now` is a monotonic clock's, in seconds.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Final

BACKOFF_FIRST_S: Final = 0.1
BACKOFF_CAP_S: Final = 5.0
"""Chosen: one client of one broker; after the broker is back we are away 5 s at most."""
TAKEN_OVER_S: Final = 30.0
"""Chosen: two services with one client id would otherwise throw each other out many times a second."""
STEADY_S: Final = 5.0
"""A connection that held so long starts the next backoff from the beginning (chosen)."""
SHORT_LIVES: Final = 3
"""After so many accepted connections in a row that did not hold we say what it looks like (chosen)."""
CONFIRM_S: Final = 1.0
"""How often a PINGREQ asks whether the acknowledgements arrived (chosen; it bounds the redelivery tail)."""
SILENCE_RATIO: Final = 1.5
"""A peer silent for 1.5 keep-alives is gone (MQTT 5, 3.1.2.10 gives the broker the same)."""
QUEUED_CAP_S: Final = 60.0
"""No message is called queued longer than this after connecting or a pause (chosen; see Backlog)."""


PAUSE_S: Final = 2.0
"""Not looking at the socket for longer than this makes what is read next queued: the process was stopped, or
a tick waited for disk or database (chosen: far above a slow tick, below what anybody calls now)."""


class Backoff:
    """Capped exponential delays with full jitter: uniform between 0 and a bound that doubles each time."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._tries = 0

    def next_delay_s(self, at_least_s: float = 0.0) -> float:
        """How long to wait before the next try."""
        bound = min(BACKOFF_CAP_S, BACKOFF_FIRST_S * 2.0 ** min(self._tries, 16))
        self._tries += 1
        return at_least_s + bound * self._random()

    def steady(self) -> None:
        """The last try held: start from the beginning."""
        self._tries = 0


class Heartbeat:
    """One connection's PINGREQs: one on its way at a time while we read, and what its answer proves.

    The broker handles our packets in order, so a PINGRESP proves that every acknowledgement written before
    its PINGREQ has arrived.
    """

    def __init__(self, keep_alive_s: float, now: float) -> None:
        self._keep_alive_s = keep_alive_s
        self._asked_at = now
        self._heard_at = now
        self._marks: deque[int] = deque()

    def due(self, now: float, *, unconfirmed: bool, urgent: bool) -> bool:
        """Whether to send a PINGREQ now: half the keep-alive went by, or there is something to learn."""
        if self._marks:
            return False
        rest_s = CONFIRM_S if unconfirmed else self._keep_alive_s / 2
        return urgent or now - self._asked_at >= min(rest_s, self._keep_alive_s / 2)

    def due_unread(self, now: float) -> bool:
        """Whether to send a PINGREQ now although no answer is read: half a keep-alive went by."""
        return now - self._asked_at >= self._keep_alive_s / 2

    def asked(self, now: float, mark: int) -> None:
        """A PINGREQ was written behind commit number `mark`."""
        self._asked_at = now
        self._marks.append(mark)

    def answered(self) -> int | None:
        """The mark of the PINGREQ that was answered, the oldest first; None for an answer to nothing."""
        return self._marks.popleft() if self._marks else None

    def heard(self, now: float) -> None:
        """Something came, or we were not listening: silence until now proves nothing."""
        self._heard_at = now

    def dead(self, now: float) -> bool:
        """No byte for 1.5 keep-alives, although a PINGREQ went out after half of one."""
        return now - self._heard_at > SILENCE_RATIO * self._keep_alive_s


class Outflow:
    """Whether a peer takes what we send it, watched only while more than `limit` bytes wait."""

    def __init__(self, limit: int, keep_alive_s: float, now: float) -> None:
        self._limit = limit
        self._patience_s = SILENCE_RATIO * keep_alive_s
        self._least = math.inf
        self._since = now

    def stuck(self, unsent: int, now: float) -> bool:
        """Whether it has taken nothing for 1.5 keep-alives."""
        if unsent <= self._limit:
            self._least, self._since = math.inf, now
        elif unsent < self._least:
            self._least, self._since = unsent, now
        return now - self._since > self._patience_s


class Backlog:
    """Whether what arrives was held by the broker while we were away.

    "The socket is empty" is no evidence: we read faster than a broker writes. So we count what comes during
    a round: a PINGREQ sent when nothing is unacknowledged, until its PINGRESP. The broker answers in order,
    so before the PINGRESP it has topped up the window of unacknowledged messages. Fewer than a full window
    (`receive_maximum`) in a round means that nothing was left to send: what comes after is live. A round
    takes one exchange, so live messages are called queued for milliseconds; when live traffic alone fills
    the window in each round, for QUEUED_CAP_S at most.
    """

    def __init__(self, window: int, *, session_present: bool, now: float) -> None:
        self._window = window
        self._until = now + QUEUED_CAP_S
        self._held = session_present
        self._arrived = 0
        self._in_round = False

    def queued(self, now: float) -> bool:
        """Whether messages read now were held for us."""
        if now >= self._until:
            self._held = False
        return self._held

    def away(self, now: float) -> None:
        """We did not look for a while: what is read now was held, until a whole round says otherwise."""
        self._until = now + QUEUED_CAP_S
        self._held, self._in_round = True, False

    def round_started(self) -> None:
        """A PINGREQ was sent while nothing was unacknowledged."""
        self._arrived, self._in_round = 0, True

    def arrived(self, count: int) -> None:
        """So many messages came."""
        self._arrived += count

    def round_ended(self) -> None:
        """A PINGRESP came; it ends a round only where its PINGREQ started one."""
        if self._in_round and self._arrived < self._window:
            self._held = False
        self._in_round = False
