"""Devices that nobody has registered and that are heard: on which topic, in whose words, measuring what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from devices.model import LIFE_FLAGS, Metric
from devices.profiles.general.gathering import UNREAD
from devices.profiles.profile import Decoded, Said

DEVICES_MAX: Final = 10_000
"""Strangers whose metrics are put together from several messages (chosen, as many as are listed)."""
METRICS_KEY: Final = "metrics"
"""Under which it is kept what they measure, beside what they say of themselves."""

UNREAD_KEY: Final = UNREAD
"""Under which it is kept what they send that nobody reads."""
LIFE_NAMES: Final = frozenset(flag.name_on_wire for flag in LIFE_FLAGS)


@dataclass(frozen=True, slots=True)
class Sighting:
    """An unregistered device was heard on a topic, in words of a profile. `life`: it measures what life hangs
    on; `alarm`: it said a true life flag."""

    uid: str
    topic: str
    profile: str
    life: bool = False
    alarm: bool = False


class Sightings:
    """Puts together what strangers measure, message by message. Bounded; when full all is met anew."""

    def __init__(self) -> None:
        self._metrics: dict[str, frozenset[int]] = {}

    def of(self, profile: str, part: Decoded, topics: Sequence[str]) -> list[Sighting]:
        """Everybody that a profile's answer has from devices nobody registered; `topics` are those of the
        messages it numbers."""
        by_life = [(one.uid, topics[one.message], frozenset({int(one.metric)})) for one in part.strangers]
        for uid, _, metrics in (*by_life, *part.asides.strangers):
            known = self._metrics.get(uid, frozenset())
            if not metrics <= known:
                if len(self._metrics) >= DEVICES_MAX:
                    self._metrics.clear()
                self._metrics[uid] = known | metrics
        found = [(uid, topic) for uid, topic, _ in (*by_life, *part.asides.strangers)]
        alarm = {one.uid for one in part.strangers if one.value == 1.0}
        return [
            Sighting(uid, topic, profile, not LIFE_FLAGS.isdisjoint(self._metrics.get(uid, ())), uid in alarm)
            for uid, topic in dict.fromkeys(found)
        ]

    def said(self, sightings: Sequence[Sighting]) -> tuple[Said, ...]:
        """What each of them measures, as names of metrics."""
        return tuple(
            Said(uid, METRICS_KEY, ", ".join(sorted(Metric(one).name_on_wire for one in self._metrics[uid])))
            for uid in dict.fromkeys(one.uid for one in sightings)
            if uid in self._metrics
        )
