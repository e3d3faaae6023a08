"""Buildings of which many devices fell silent."""

from __future__ import annotations

from dataclasses import dataclass

from devices.model import EngineInput
from rules.transition import Subject, To
from tests.rules.reference.entries import Entry
from tests.rules.reference.reading import Told
from tests.rules.reference.silence import Device, Silence


@dataclass
class Building:
    """What is known of one building."""

    active: bool = False
    reached: int | None = None
    """The D of the device with which the share was reached."""
    lowest: Device | None = None
    raised: bool = False
    """Once until the share was not reached."""
    below: int | None = None
    """The look from which on fewer than `raise` were silent."""
    covers: bool = False


class Dark:
    """The dark rule of a catalogue."""

    def __init__(self, entry: Entry, silence: Silence) -> None:
        self.entry, self.silence = entry, silence
        self.share, self.clear = round(100 * entry.share("raise")), round(100 * entry.share("clear"))
        numbers = {device.building for device in silence.devices.values() if device.building}
        self.buildings = {number: Building() for number in sorted(numbers)}

    def members(self, number: int) -> list[Device]:
        every = self.silence.devices.values()
        return [one for one in every if one.building == number and one.known and self.silence.often(one)]

    def is_few(self, number: int) -> bool:
        members = self.members(number)
        return 100 * self.silent_in(number) < self.clear * len(members) or not members

    def silent_in(self, number: int) -> int:
        return sum(device.silent or device.lost for device in self.members(number))

    def covers(self, device: Device) -> bool:
        """Whether nothing is told of it because its building's alarm is."""
        building = self.buildings.get(device.building)
        return building is not None and building.covers and self.silence.often(device)

    def turn_back(self, now: int) -> None:
        """The clock has been ahead."""
        for building in self.buildings.values():
            building.reached = None if building.reached is None else min(building.reached, now)
            building.below = None if building.below is None else min(building.below, now)

    def look(self, now: int) -> list[Told]:
        told = []
        for number, building in self.buildings.items():
            if self.is_few(number):
                if building.active:
                    told.append(self._told(number, building, To.CLEARED, now, now))
                building.active, building.reached, building.raised = False, None, False
            told += self._judge(number, building, now)
            self._cover(number, building, now)
        return told

    def _cover(self, number: int, building: Building, now: int) -> None:
        many = 100 * self.silent_in(number) >= self.share * len(self.members(number))
        if many or not building.active:
            building.below = None
        elif building.below is None:
            building.below = now
        lasts = building.below is None or now < building.below + self.entry.us("cover")
        building.covers = building.active and lasts

    def _judge(self, number: int, building: Building, now: int) -> list[Told]:
        members = self.members(number)
        silent = [one for one in members if one.silent or one.lost]
        near = [one for one in silent if one.fell > now - self.entry.us("within")]
        near.sort(key=lambda one: one.fell)
        reached = len(members) >= self.entry.keys["least"] and self._is_share(near, members)
        if not reached and not building.active:
            building.reached, building.raised = None, False
        if reached and building.reached is None:
            count = next(n for n in range(1, len(near) + 1) if self._is_share(near[:n], members))
            building.reached = near[count - 1].fell
            building.lowest = min(near, key=lambda one: one.number)
        if building.reached is None or building.raised:
            return []
        at = building.reached + self.entry.us("hold")
        if now < at:
            return []
        building.active = building.raised = True
        return [self._told(number, building, To.RAISED, at, now)]

    def _is_share(self, silent: list[Device], members: list[Device]) -> bool:
        """Whether so many are silent, and of enough dwellings."""
        homes = {("dwelling", one.dwelling) if one.dwelling else ("device", one.number) for one in silent}
        many = 100 * len(silent) >= self.share * len(members)
        return many and len(homes) >= self.entry.keys["households"]

    def may_tell(self, device: Device, now: int) -> bool:
        """Whether a silent device need not wait for its building."""
        building = self.buildings.get(device.building)
        if building is None or not self.silence.often(device):
            return True
        if building.covers:
            return False
        if len(self.members(device.building)) < self.entry.keys["least"]:
            return True
        if now < device.fell + self.entry.us("settle"):
            return False
        return self.is_few(device.building) or now >= device.fell + self.entry.us("patience")

    def act(self, given: EngineInput, now: int) -> list[Told]:
        building = self.buildings.get(given.place)
        if building is None or not building.active:
            return []
        building.active = building.covers = False
        told = self._told(given.place, building, To.CLEARED, given.at_us, now)
        return [told | {"age_s": max(0, now - given.at_us) / 1e6}]

    def _told(self, number: int, building: Building, to: To, at: int, now: int) -> Told:
        assert building.lowest is not None
        return {
            "rule": self.entry.name,
            "to": to,
            "severity": self.entry.severity,
            "slot": building.lowest.slot,
            "device": building.lowest.number,
            "dwelling": 0,
            "place": number,
            "at": at,
            "nudge": 0,
            "received": now,
            "age_s": 0.0,
            "marks": [],
            "subject": Subject.BUILDING,
        }
