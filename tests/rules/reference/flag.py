"""A latched life flag: life_safety, smoke 1 to 3."""

from __future__ import annotations

import math

from devices.model import EngineInput, InputKind, Quality, Severity
from rules.transition import Mark, To
from tests.rules.reference.entries import Entry
from tests.rules.reference.reading import HARD, One, Told
from tests.rules.reference.telling import told_of
from tests.rules.reference.world import World


class Flag:
    """One flag rule on one series."""

    def __init__(self, entry: Entry, slot: int, world: World) -> None:
        self.entry, self.slot, self.world = entry, slot, world
        self.active = self.closed = self.visited = False
        self.flag: int | None = None
        self.zero_since = 0
        self.zero_seen: int | None = None
        self.zero_heard: int | None = None
        self.raised = 0

    def read(self, one: One) -> Told | None:
        if math.isnan(one.value) or one.quality & (HARD | Quality.DUPLICATE):
            return None
        if one.quality & (Quality.RETAINED | Quality.REPLAYED):
            return self._read_old(one)
        late = bool(one.quality & Quality.LATE)
        heard = not (late and one.quality & (Quality.BACKFILL | Quality.QUEUED))
        if one.value == 0:
            if one.quality & Quality.STALE:
                return None
            if heard and self.active and (self.zero_heard is None or one.received < self.zero_heard):
                self.zero_heard = one.received
            return None if late else self._read_zero(one)
        return self._read_one(one, late=late, heard=heard)

    def _read_one(self, one: One, *, late: bool, heard: bool) -> Told | None:
        age = one.received - one.observed
        attended = self.active and not self.closed
        marks = [Mark.LATE] if age > self.entry.us("late_after") else []
        if one.queued:
            marks.append(Mark.QUEUED)
        told = None
        if age > self.entry.us("visit_after"):
            if attended:
                return None
            if not self.visited:
                self.visited = True
                told = self._raised(one, marks, Severity(self.entry.keys["visit_severity"]))
        elif not attended:
            self.active, self.closed, self.zero_seen, self.zero_heard = True, False, None, None
            told = self._raised(one, marks)
        elif self._is_second(one, late=late, heard=heard):
            self.zero_seen, self.flag = None, 1
            told = self._raised(one, [*marks, Mark.SECOND_FIRE])
        if heard and age <= self.entry.us("visit_after"):
            self.zero_heard = None
        if not late:
            self.flag = 1
        return told

    def _is_second(self, one: One, *, late: bool, heard: bool) -> bool:
        if not late:
            return self.flag == 0 and self._is_apart(one)
        since = self.zero_heard
        return heard and since is not None and one.received - since >= self.entry.us("second_fire_after")

    def _read_old(self, one: One) -> Told | None:
        if self.active:
            return None
        if one.value == 0:
            if self.flag != 0 and not one.quality & Quality.STALE:
                self.flag, self.zero_since = 0, one.observed
            return None
        if self.flag == 1:
            return None
        self.flag, self.active, self.zero_seen, self.zero_heard = 1, True, None, None
        marks = [Mark.LATE, Mark.RETAINED, Mark.AGE_UNKNOWN] + [Mark.QUEUED] * one.queued
        return self._raised(one, marks) | {"age_s": None}

    def _read_zero(self, one: One) -> Told | None:
        self.visited = False
        if self.flag != 0 or one.observed < self.zero_since:
            self.flag, self.zero_since = 0, one.observed
        if not self.active or one.quality & Quality.BACKFILL:
            return None
        self.zero_seen = one.observed
        if not self.closed or self._quiet(one) < self.entry.us("clear_hold"):
            return None
        self.active = self.closed = False
        return told_of(self.entry, To.CLEARED, one, self.world)

    def _is_apart(self, one: One) -> bool:
        return self._quiet(one) < 0 or self._quiet(one) >= self.entry.us("second_fire_after")

    def _quiet(self, one: One) -> int:
        return one.observed - self.zero_since

    def _raised(self, one: One, marks: list[Mark], severity: Severity | None = None) -> Told:
        if severity is None:
            self.raised = one.received
        every = [*marks, *self.entry.marks]
        return told_of(self.entry, To.RAISED, one, self.world, marks=every, severity=severity)

    def act(self, given: EngineInput, now: int) -> bool:
        """Whether a person's reset or close ends the alarm at once. One made before it is about another."""
        if self.active and given.at_us < self.raised <= now:
            return False
        self.visited = False
        if not self.active:
            return False
        if given.kind is InputKind.CLOSE:
            seen = self.zero_seen if self.flag == 0 else None
            if seen is None or seen - self.zero_since < self.entry.us("clear_hold"):
                self.closed = True
                return False
        self.active = self.closed = False
        return True
