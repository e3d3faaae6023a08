"""Messages that a broker delivers once for each of our filters that takes their topic.

Filters of the shipped profiles share no topic that devices use, and a filter that another covers is not
subscribed to; those of a site's own may overlap others all the same (`a/+` and `+/b`). A broker then delivers
each message on a topic of both twice, one copy behind the other (mosquitto 2.0.11 does so to MQTT 5 clients,
whatever its `allow_duplicate_messages` says: measured).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from devices.profiles.profile import Profile
from devices.profiles.shipped import PROFILE_NAMES
from ingest.filters import overlapping, pattern_of, union

TOPICS_MAX: Final = 10_000
"""Topics of which is remembered whether they are delivered twice; then all are looked at anew (chosen)."""
NEAR_US: Final = 1_000_000
"""Copies come in one tick, or in two ticks that are no further apart (chosen)."""


class Doubles:
    """Recognises copies: what equals the message directly before it on its topic, where two filters take that
    topic, in one tick or two that follow each other, and where the one before was no copy itself. A device
    that says the same twice so shortly says nothing new. What differs from the one before it is always heard:
    on, off, on is an alarm. Costs nothing where no filter of the site's own overlaps another."""

    def __init__(self, profiles: Sequence[Profile]) -> None:
        filters = union(text for one in profiles for text in one.filters)
        own = {text for one in profiles if one.name not in PROFILE_NAMES for text in one.filters}
        pairs = [pair for pair in overlapping(filters) if own.intersection(pair)]
        self._pairs = [(pattern_of(one), pattern_of(other)) for one, other in pairs]
        self._twice: dict[str, bool] = {}
        self._last: dict[str, bytes | None] = {}
        """By topic the newest message of the last tick, None where that was a copy."""
        self._last_us = 0

    def __bool__(self) -> bool:
        """Whether any message may come twice."""
        return bool(self._pairs)

    def copies(self, topics: Sequence[str], payloads: Sequence[bytes], at_us: int) -> Collection[int]:
        """The messages of a tick that are copies of one before them."""
        before = self._last if abs(at_us - self._last_us) <= NEAR_US else {}
        seen: dict[str, bytes | None] = {}
        found = set()
        for n, topic in enumerate(topics):
            if self._comes_twice(topic):
                payload = payloads[n]
                if (seen[topic] if topic in seen else before.get(topic)) == payload:
                    seen[topic] = None  # its copy has come: what comes now is a message of its own
                    found.add(n)
                else:
                    seen[topic] = payload
        self._last, self._last_us = seen, at_us
        return found

    def _comes_twice(self, topic: str) -> bool:
        known = self._twice.get(topic)
        if known is None:
            if len(self._twice) >= TOPICS_MAX:
                self._twice.clear()
            known = any(one.fullmatch(topic) and other.fullmatch(topic) for one, other in self._pairs)
            self._twice[topic] = known
        return known
