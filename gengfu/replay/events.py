"""Given events (a fire, a fault that somebody found): how much earlier the rules spoke."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

from gengfu.replay.reading import Lines, instant_us
from gengfu.told_times import utc_text

NEAR_US: Final = 86_400_000_000
"""How far from an event an alarm of its device may lie to be about it (chosen: a day)."""
MOST: Final = 100_000
"""Events in a file (chosen)."""


@dataclass(slots=True)
class Event:
    """Something that happened to a device, and the first alarm of each rule near it."""

    device: str
    at_us: int
    first_us: dict[str, int] = field(default_factory=dict)


class Events:
    """The events of a file with the columns `device` and `at`."""

    def __init__(self, events: list[Event], near_us: int = NEAR_US) -> None:
        self._events = events
        self._near_us = near_us
        self._of: dict[str, list[Event]] = {}
        for event in events:
            self._of.setdefault(event.device, []).append(event)

    @property
    def devices(self) -> frozenset[str]:
        """The devices to which something happened."""
        return frozenset(self._of)

    def raised(self, device: str, rule: str, at_us: int) -> None:
        """An alarm was raised on a device."""
        for event in self._of.get(device, ()):
            if abs(event.at_us - at_us) <= self._near_us:
                event.first_us[rule] = min(at_us, event.first_us.get(rule, at_us))

    def figures(self) -> list[dict[str, Any]]:
        """Of each event the first alarm near it, and by rule how many seconds before it; below 0 is after."""
        return [_figures(event) for event in self._events]


def read_events(path: Path, zone: tzinfo) -> Events:
    """The events of a file. Raises RecordingError."""
    lines = Lines(path, ("device", "at"))
    events: list[Event] = []
    for row in lines:
        if len(events) == MOST:
            raise lines.wrong(f"more than {MOST} events")
        try:
            events.append(Event(str(row["device"]), instant_us(row["at"], zone)))
        except ValueError as error:
            raise lines.wrong(str(error), "at") from None
    return Events(events)


def _figures(event: Event) -> dict[str, Any]:
    leads = {
        rule: round((event.at_us - at_us) / 1e6, 3)
        for rule, at_us in sorted(event.first_us.items(), key=lambda one: one[1])
    }
    first = next(iter(leads), None)
    return {
        "device": event.device,
        "at": utc_text(event.at_us),
        "first": first,
        "lead_s": leads[first] if first else None,
        "by_rule": leads,
    }
