"""Alarms that meet in one dwelling or stair, or in the common parts of a building."""

from __future__ import annotations

from dataclasses import dataclass, field

from devices.model import EngineInput
from rules.transition import Mark, Subject, To
from tests.rules.reference.entries import Entry
from tests.rules.reference.reading import Told
from tests.rules.reference.telling import ended_by
from tests.rules.reference.world import World


@dataclass
class Side:
    """One kind of alarm in one place: which are active, of which group, and when the newest of each group was
    raised. Alarms of one group do not meet; group 0 is none."""

    active: dict[tuple[str, int], int] = field(default_factory=dict)
    newest: dict[str, dict[int, int]] = field(default_factory=lambda: {"at": {}, "received": {}})
    """By the time that was observed, and by that of receiving."""

    def note(self, group: int, told: Told) -> None:
        for clock, newest in self.newest.items():
            if (time := time_of(told, clock)) is not None:
                newest[group] = max(time, newest.get(group, time))


def time_of(told: Told, clock: str) -> int | None:
    """When it was received says nothing of what is of unknown age, nor of what waited for us."""
    untold = told["age_s"] is None or Mark.QUEUED in told["marks"]
    return None if clock == "received" and untold else int(told[clock])


class Meeting:
    """One place rule in one place."""

    def __init__(self, entry: Entry, place: int, world: World) -> None:
        self.entry, self.place, self.world = entry, place, world
        self.sides = {"anchor": Side(), "partner": Side()}
        self.standing = bool(entry.keys.get("standing", True))
        self.raised, self.slot = False, 0

    @property
    def subject(self) -> Subject:
        scope = self.entry.keys.get("scope", "dwelling")
        return Subject.BUILDING if scope == "common" else Subject(scope)

    def feed(self, told: Told) -> Told | None:
        """What an alarm of this place, by an anchor or a partner, makes of it."""
        alarm, group = (told["rule"], told["slot"]), self._group(told)
        mine = [name for name in self.sides if told["rule"] in self.entry.keys[name]]
        for name in mine:
            side = self.sides[name]
            if told["to"] is To.RAISED:
                side.active[alarm] = group
                side.note(group, told)
            else:
                side.active.pop(alarm, None)
                if name == "partner" and self.standing:
                    side.note(group, told)
        others = [side for name, side in self.sides.items() if mine != [name]]
        if told["to"] is To.CLEARED or self.raised:
            return None
        if not any(self._meets(side, group, told) for side in others):
            return None
        self.raised, self.slot = True, told["slot"]
        marks = [Mark(self.entry.keys["mark"])] if "mark" in self.entry.keys else []
        marks += told["marks"]
        return told | {
            "rule": self.entry.name,
            "severity": self.entry.severity,
            "place": self.place,
            "marks": list(dict.fromkeys(mark for mark in marks if mark is not Mark.SECOND_FIRE)),
            "subject": self.subject,
        }

    def _meets(self, side: Side, group: int, told: Told) -> bool:
        near = any(self._near(newest, group, time_of(told, clock)) for clock, newest in side.newest.items())
        return near or (self.standing and any(not group or other != group for other in side.active.values()))

    def _near(self, newest: dict[int, int], group: int, time: int | None) -> bool:
        there = [one for other, one in newest.items() if not group or other != group]
        return time is not None and bool(there) and abs(time - max(there)) <= self.entry.us("within")

    def _group(self, told: Told) -> int:
        keys = self.entry.keys
        if keys.get("across") and told["dwelling"]:
            return -int(told["dwelling"])
        return int(told["device"]) if keys.get("apart") or keys.get("across") else 0

    def act(self, given: EngineInput, now: int) -> Told | None:
        """A person's reset or close: the times are forgotten, what is still active is not."""
        if not self.raised:
            return None
        self.raised = False
        for side in self.sides.values():
            side.newest = {"at": {}, "received": {}}
        told = ended_by(self.entry, given, self.slot, now, self.world)
        dwelling = self.place if self.subject is Subject.DWELLING else 0
        return told | {"dwelling": dwelling, "place": self.place, "subject": self.subject}
