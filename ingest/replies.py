"""Answers that devices wait for: which of them are sent.

Only where the site says so (`ingest.replies_for`), only to topics that the named profiles' own templates
make, and only as many a tick as a broker does not mind. What is not sent is counted and not sent later: a
device that waits asks again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from devices.profiles.profile import Reply
from ingest.filters import pattern_of

MOST_A_TICK: Final = 1_000
"""Answers in one tick (chosen: a tick of 20 ms then sends at most 50,000 a second)."""
TOPIC_CHARS: Final = 1_000
PAYLOAD_BYTES: Final = 65_536
"""The longest answer (chosen: below what any broker allows)."""


class Replies:
    """Answers of the tick in hand. `sent` and `left_out` count since the start of the process."""

    def __init__(self, filters: Iterable[str] = ()) -> None:
        self._allowed: tuple[re.Pattern[str], ...] = ()
        self._waiting: list[Reply] = []
        self.sent = self.left_out = 0
        self.allow(filters)

    def allow(self, filters: Iterable[str]) -> None:
        """From now on answers may go to topics of these MQTT filters."""
        self._allowed = tuple(map(pattern_of, filters))

    def note(self, replies: Sequence[Reply]) -> None:
        """Takes what profiles want to answer in this tick."""
        if not self._allowed:
            return
        fit = [one for one in replies if self._may(one)]
        room = max(0, MOST_A_TICK - len(self._waiting))
        self.left_out += len(replies) - len(fit[:room])
        self._waiting += fit[:room]

    def take(self) -> list[Reply]:
        """What is to be sent now."""
        taken, self._waiting = self._waiting, []
        return taken

    def count(self, asked: int, sent: int) -> None:
        """Of so many answers so many were sent."""
        self.sent += sent
        self.left_out += asked - sent

    def _may(self, one: Reply) -> bool:
        """A name with a wildcard would end our connection (MQTT 5, 3.3.2.1); parts of it come from
        devices."""
        topic = one.topic
        if not 0 < len(topic) <= TOPIC_CHARS or len(one.payload) > PAYLOAD_BYTES:
            return False
        if any(c in topic for c in "+#\0") or not topic.isprintable():
            return False
        return any(pattern.fullmatch(topic) for pattern in self._allowed)
