"""Alarms that meet in one dwelling or stair, or in the common parts of a building."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from devices.model import EngineInput
from rules.transition import Mark, Subject, To
from tests.rules.reference.entries import Entry
from tests.rules.reference.reading import Told
from tests.rules.reference.telling import ended_by
from tests.rules.reference.world import World


@dataclass
class Heard:
    """The alarms of one series in one place: its device, its group, and when the newest was raised, by each
    clock; and when the last came. Alarms of one group do not meet; group 0 is none."""

    device: int
    group: int
    newest: dict[str, int] = field(default_factory=dict)
    came: list[int] = field(default_factory=list)


@dataclass
class Side:
    """One kind of alarm in one place: which (rule, slot) are active, and what was heard by slot."""

    active: set[tuple[str, int]] = field(default_factory=set)
    heard: dict[int, Heard] = field(default_factory=dict)

    def note(self, told: Told, group: int, now: int) -> None:
        heard = self.heard.pop(told["slot"], Heard(told["device"], group))
        if any(came > now for came in heard.came):  # our clock was put back since
            heard.newest, heard.came = {}, []
        self.heard[told["slot"]] = heard  # the last to arrive is the last
        for clock in CLOCKS:
            if (time := time_of(told, clock)) is not None:
                heard.newest[clock] = max(time, heard.newest.get(clock, time))
        received = time_of(told, "received")
        heard.came.append(int(told["at"]) if received is None else received)


CLOCKS = ("at", "received")
"""The time that was observed, and that of receiving."""


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
        self.members: dict[int, int] = {}
        """The devices that raised it, and when each was told last."""
        self.told_last = 0

    @property
    def subject(self) -> Subject:
        scope = self.entry.keys.get("scope", "dwelling")
        return Subject.BUILDING if scope == "common" else Subject(scope)

    def feed(self, told: Told, now: int) -> Told | None:
        """What an alarm of this place, by an anchor or a partner, makes of it at `now`."""
        alarm, group = (told["rule"], told["slot"]), self._group(told)
        mine = [name for name in self.sides if told["rule"] in self.entry.keys[name]]
        for name in mine:
            side = self.sides[name]
            if told["to"] is To.RAISED:
                side.active.add(alarm)
                side.note(told, group, now)
            else:
                side.active.discard(alarm)
                if name == "partner" and self.standing:
                    side.note(told, group, now)
        if told["to"] is To.CLEARED or (self.raised and self.subject is Subject.DWELLING):
            return None
        others = [side for name, side in self.sides.items() if mine != [name]]
        if mine == ["anchor", "partner"]:
            others.reverse()
        times = {clock: time for clock in CLOCKS if (time := time_of(told, clock)) is not None}
        met = [device for side in others for device in self._met(side, Heard(told["device"], group, times))]
        if not met:
            return None
        again = self.raised
        self.raised, self.slot = True, told["slot"]
        self.told_last = told["received"]
        self.members |= {device: int(told["received"]) for device in (told["device"], met[0])}
        marks = [Mark(self.entry.keys["mark"])] if "mark" in self.entry.keys else []
        marks += told["marks"]
        return told | {
            "rule": self.entry.name,
            "severity": self.entry.severity,
            "place": self.place,
            "nudge": told["nudge"] + (told["slot"] if again else 0),
            "marks": list(dict.fromkeys(mark for mark in marks if mark is not Mark.SECOND_FIRE)),
            "subject": self.subject,
        }

    def _met(self, side: Side, who: Heard) -> list[int]:
        """The devices on this side that it meets, the newest of each way of meeting. Of an alarm that stands
        already, only by a device that had no part in it."""
        known = self.members if self.raised and who.device in self.members else {}
        there = {
            slot: one
            for slot, one in reversed(side.heard.items())
            if (not who.group or (one.group != who.group and one.device != who.device))
            and one.device not in known
        }
        found = []
        for clock, time in who.newest.items():
            timed = [one for one in there.values() if clock in one.newest]
            near = [one for one in timed if abs(time - one.newest[clock]) <= self.entry.us("within")]
            if near:
                found.append(max(near, key=lambda one: one.newest[clock]).device)
        stand = [there[slot] for _, slot in side.active if slot in there] if self.standing else []
        newest = max(stand, key=lambda one: one.newest.get("at", -1), default=None)
        return [*found, newest.device] if newest else found

    def _group(self, told: Told) -> int:
        keys = self.entry.keys
        if keys.get("across") and told["dwelling"]:
            return -int(told["dwelling"])
        return int(told["device"]) if keys.get("apart") or keys.get("across") else 0

    def act(self, given: EngineInput, now: int) -> Told | None:
        """A person's reset or close: the times are forgotten, what is still active is not. One that names a
        series is about that one's part alone. It says nothing of what came after it was made."""
        if not self.raised:
            return None

        def concerns(time: int) -> bool:
            return not given.at_us < time <= now

        device = int(self.world.table.device[given.slot]) if given.slot else None
        self.members = {
            one: time for one, time in self.members.items() if device not in (None, one) or not concerns(time)
        }
        for side in self.sides.values():
            active = {slot for _, slot in side.active}
            for slot, one in [*side.heard.items()]:
                if given.slot not in (0, slot) or (one.came and not concerns(max(one.came))):
                    continue
                one.newest, one.came = {}, []
                if slot not in active:
                    del side.heard[slot]
        if given.slot or not concerns(self.told_last):
            return None
        self.raised = False
        if self._goes_on(concerns):
            return None
        told = ended_by(self.entry, given, self.slot, now, self.world)
        dwelling = self.place if self.subject is Subject.DWELLING else 0
        return told | {"dwelling": dwelling, "place": self.place, "subject": self.subject}

    def _goes_on(self, concerns: Callable[[int], bool]) -> bool:
        """Whether something that came after the act was made would have raised it, had the act come first.
        Nothing was told of that, as it was raised then."""
        anchor, partner = self.sides.values()
        told: dict[int, int] = {}
        for side, across in ((anchor, partner), (partner, anchor)):
            for one in side.heard.values():
                if not one.came or concerns(max(one.came)):
                    continue
                for other in self._met(across, one)[:1]:
                    for device in (one.device, other):
                        told[device] = max(told.get(device, 0), *one.came)
        if not told:
            return False
        self.raised, self.told_last = True, max(told.values())
        self.members |= told
        return True
