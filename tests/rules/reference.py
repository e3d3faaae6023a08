"""The rules once more, as plain as they can be written: one reading at a time, one series at a time.

Written from the rules' text and not from the kernels; the numbers are written out again on purpose. It gives
everything of a transition but `why`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from devices.model import EngineInput, InputKind, Metric, Quality, SeriesTable, Severity
from rules.transition import Mark, To

SECOND = 1_000_000
MINUTE = 60 * SECOND
HARD = Quality.SENTINEL | Quality.FAULT | Quality.TYPE_MISMATCH | Quality.INCOMPLETE
Told = dict[str, Any]


@dataclass(frozen=True)
class One:
    """One reading with when it was received."""

    slot: int
    value: float
    quality: Quality
    observed: int
    received: int
    nudge: int


@dataclass
class Smoke:
    """S1 of one series."""

    active: bool = False
    closed: bool = False
    visited: bool = False
    flag: int | None = None
    zero_since: int = 0
    zero_seen: int | None = None


@dataclass
class Overload:
    """O3 of one series."""

    active: bool = False
    since: int | None = None
    last: int = 0


@dataclass
class Home:
    """X1 of one dwelling."""

    raised: bool = False
    slot: int = 0
    smoke_at: int | None = None
    overload_at: int | None = None
    smoking: set[int] = field(default_factory=set)
    overloaded: set[int] = field(default_factory=set)


class Reference:
    """All of it. `read` and `act` return what changed."""

    def __init__(self, table: SeriesTable) -> None:
        self.table = table
        self.smoke = {slot: Smoke() for slot in range(len(table))}
        self.overload = {slot: Overload() for slot in range(len(table))}
        self.homes: dict[int, Home] = {}

    def read(self, one: One) -> list[Told]:
        if math.isnan(one.value) or one.quality & (HARD | Quality.DUPLICATE):
            return []
        metric = self.table.metric[one.slot]
        if metric == Metric.SMOKE_ALARM:
            return self._with_home(self._read_smoke(self.smoke[one.slot], one))
        if metric == Metric.CURRENT:
            return self._with_home(self._read_current(self.overload[one.slot], one))
        return []

    def _read_smoke(self, smoke: Smoke, one: One) -> Told | None:
        age = one.received - one.observed
        if one.quality & (Quality.RETAINED | Quality.REPLAYED):
            return self._read_old(smoke, one)
        late = bool(one.quality & Quality.LATE)
        if one.value == 0:
            stale = bool(one.quality & Quality.STALE)
            return None if late or stale else self._read_zero(smoke, one)
        attended = smoke.active and not smoke.closed
        marks = [Mark.LATE] if age > MINUTE else []
        if one.quality & Quality.QUEUED:
            marks.append(Mark.QUEUED)
        told = None
        if age > 30 * MINUTE:
            if attended:
                return None
            if not smoke.visited:
                smoke.visited = True
                told = self._told("S1", To.RAISED, Severity.P2, one, age=age, marks=marks)
        elif not attended:
            smoke.active, smoke.closed, smoke.zero_seen = True, False, None
            told = self._told("S1", To.RAISED, Severity.P0, one, age=age, marks=marks)
        elif smoke.flag == 0 and not late and one.observed - smoke.zero_since >= MINUTE:
            smoke.zero_seen = None
            told = self._told("S1", To.RAISED, Severity.P0, one, age=age, marks=[*marks, Mark.SECOND_FIRE])
        if not late:
            smoke.flag = 1
        return told

    def _read_old(self, smoke: Smoke, one: One) -> Told | None:
        if smoke.active:
            return None
        if one.value == 0:
            if smoke.flag != 0 and not one.quality & Quality.STALE:
                smoke.flag, smoke.zero_since = 0, one.observed
            return None
        if smoke.flag == 1:
            return None
        smoke.flag, smoke.active, smoke.zero_seen = 1, True, None
        marks = [Mark.LATE, Mark.RETAINED, Mark.AGE_UNKNOWN]
        if one.quality & Quality.QUEUED:
            marks.append(Mark.QUEUED)
        return {**self._told("S1", To.RAISED, Severity.P0, one, age=0, marks=marks), "age_s": None}

    def _read_zero(self, smoke: Smoke, one: One) -> Told | None:
        smoke.visited = False
        if smoke.flag != 0:
            smoke.flag, smoke.zero_since = 0, one.observed
        if not smoke.active or one.quality & Quality.BACKFILL:
            return None
        smoke.zero_seen = one.observed
        if not smoke.closed or one.observed - smoke.zero_since < 10 * MINUTE:
            return None
        smoke.active = smoke.closed = False
        return self._told("S1", To.CLEARED, Severity.P0, one, age=one.received - one.observed, marks=[])

    def _read_current(self, overload: Overload, one: One) -> Told | None:
        ignored = Quality.LATE | Quality.RETAINED | Quality.REPLAYED | Quality.BACKFILL | Quality.STALE
        if one.quality & ignored:
            return None
        rating = float(self.table.reference_a[one.slot])
        wanted = one.value < 1.13 * rating if overload.active else one.value >= 1.45 * rating
        if one.quality & Quality.QUEUED or not wanted:
            overload.since = None
            return None
        if overload.since is None or one.observed - overload.last > 15 * MINUTE:
            overload.since = one.observed
        overload.last = one.observed
        if one.observed - overload.since < (5 * MINUTE if overload.active else MINUTE):
            return None
        overload.active, overload.since = not overload.active, None
        to = To.RAISED if overload.active else To.CLEARED
        return self._told("O3", to, Severity.P1, one, age=one.received - one.observed, marks=[])

    def act(self, given: EngineInput, now: int) -> list[Told]:
        if given.rule == "X1":
            return self._act_home(given, now)
        if given.rule == "S1" and self.table.metric[given.slot] == Metric.SMOKE_ALARM:
            cleared = self._act_smoke(self.smoke[given.slot], given.kind)
        elif given.rule == "O3" and self.table.metric[given.slot] == Metric.CURRENT:
            overload = self.overload[given.slot]
            cleared = overload.active
            if cleared:
                self.overload[given.slot] = Overload()
        else:
            return []
        if not cleared:
            return []
        severity = Severity.P0 if given.rule == "S1" else Severity.P1
        one = One(given.slot, 0, Quality(0), given.at_us, now, 0)
        return self._with_home(
            self._told(given.rule, To.CLEARED, severity, one, age=now - given.at_us, marks=[])
        )

    def _act_smoke(self, smoke: Smoke, kind: InputKind) -> bool:
        smoke.visited = False
        if not smoke.active:
            return False
        if kind is InputKind.CLOSE:
            quiet = smoke.flag == 0 and smoke.zero_seen is not None
            if not quiet or (smoke.zero_seen or 0) - smoke.zero_since < 10 * MINUTE:
                smoke.closed = True
                return False
        smoke.active = smoke.closed = False
        return True

    def _act_home(self, given: EngineInput, now: int) -> list[Told]:
        home = self.homes.get(given.place)
        if home is None or not home.raised:
            return []
        home.raised, home.smoke_at, home.overload_at = False, None, None
        one = One(home.slot, 0, Quality(0), given.at_us, now, 0)
        told = self._told("X1", To.CLEARED, Severity.P0_PLUS, one, age=now - given.at_us, marks=[])
        return [{**told, "dwelling": given.place, "place": given.place}]

    def _with_home(self, told: Told | None) -> list[Told]:
        """What a change of S1 or O3 makes of the dwelling."""
        if told is None:
            return []
        place, slot, at = told["dwelling"], told["slot"], told["at"]
        if place == 0 or told["severity"] is Severity.P2:
            return [told]
        home = self.homes.setdefault(place, Home())
        smoke = told["rule"] == "S1"
        here = home.smoking if smoke else home.overloaded
        if told["to"] is To.CLEARED:
            here.discard(slot)
            if not smoke:
                home.overload_at = max(home.overload_at or 0, at)
            return [told]
        here.add(slot)
        if smoke:
            home.smoke_at = max(home.smoke_at or 0, at)
        else:
            home.overload_at = max(home.overload_at or 0, at)
        there, there_at = (home.overloaded, home.overload_at) if smoke else (home.smoking, home.smoke_at)
        near = there_at is not None and abs(at - there_at) <= 10 * MINUTE
        if home.raised or not (there or near):
            return [told]
        home.raised, home.slot = True, slot
        marks = [Mark.ELECTRICAL_FIRST, *(mark for mark in told["marks"] if mark is not Mark.SECOND_FIRE)]
        return [told, {**told, "rule": "X1", "severity": Severity.P0_PLUS, "place": place, "marks": marks}]

    def _told(self, rule: str, to: To, severity: Severity, one: One, *, age: int, marks: list[Mark]) -> Told:
        return {
            "rule": rule,
            "to": to,
            "severity": severity,
            "slot": one.slot,
            "device": int(self.table.device[one.slot]),
            "dwelling": int(self.table.dwelling[one.slot]),
            "place": 0,
            "at": one.observed,
            "nudge": one.nudge,
            "received": one.received,
            "age_s": max(0, age) / 1e6,
            "marks": marks,
        }
