"""Silences, drills and commissioning windows: what each means for an alarm, and how long one may be. Pure.

* A silence puts off the steps of P1 to P3 in its scope to its end. P0 and P0+, an all-clear and a cry for
  help it never touches.
* A drill makes exercises of the fire and electrical alarms in its scope: incidents of their own, of which the
  people of the place are told, and no station. What is wrong with a device is no exercise.
* Commissioning makes exercises of all alarms of one device, of which the duty desk alone is told.

A window holds from `from_us` to before `until_us` by our clock, and never again once it has ended. It diverts
what is observed and received within it: an alarm from before is no exercise, however late it comes. Where our
clock is put back, a window lasts longer by as much, but one that was made after the time it then is ends for
good (`alerts.windows_kept.close_books`); where it is put forward, it ends early and for good.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from alerts.case import Case, Hazard
from alerts.incident import Arrival
from alerts.policy import StepName
from devices.model import Severity

_MINUTE_US: Final = 60_000_000


class WindowKind(StrEnum):
    """What a window does. The last two are also the tags of the incidents that they make."""

    SILENCE = "silence"
    DRILL = "drill"
    COMMISSIONING = "commissioning"


class Scope(StrEnum):
    """What a window is about, with all that is below it."""

    AREA = "area"
    BUILDING = "building"
    STAIR = "stair"
    DWELLING = "dwelling"
    DEVICE = "device"


LONGEST_MIN: Final = {WindowKind.COMMISSIONING: 30, WindowKind.DRILL: 8 * 60, WindowKind.SILENCE: 7 * 24 * 60}
"""Minutes that a window may last. Commissioning: life_safety, who is told. A drill a working day, a silence a
week: both chosen; what lasts longer is made again, by somebody who still knows why."""
AHEAD_MAX_US: Final = 90 * 24 * 60 * _MINUTE_US
"""A window begins no later than this from now (chosen: one planned further ahead is forgotten)."""
EARLIER_US: Final = _MINUTE_US
"""What was observed so long before a window is no part of it (as `late_after` of the shipped fire rules)."""
EXERCISED: Final = frozenset({Hazard.FIRE, Hazard.ELECTRICAL})
"""What a drill exercises."""
MUTABLE: Final = frozenset({Severity.P1, Severity.P2, Severity.P3})
"""What a silence puts off (life_safety: never P0)."""
_NEVER_MUTED: Final = frozenset({StepName.HELP, StepName.ALL_CLEAR})


class Around(NamedTuple):
    """Where something is, by registry ids with 0 for none, and the areas above it."""

    dwelling_id: int = 0
    stair_id: int = 0
    building_id: int = 0
    area_ids: frozenset[int] = frozenset()


NOWHERE: Final = Around()


@dataclass(frozen=True, slots=True)
class Window:
    """One window. `place_id` is 0 for a device, whose uid is `code`. `ended_us`: it is over, whatever the
    clock says."""

    id: int
    kind: WindowKind
    scope: Scope
    place_id: int
    code: str
    from_us: int
    until_us: int
    author: str
    reason: str
    made_us: int
    ended_us: int | None = None
    ended_by: str = ""
    end_reason: str = ""

    def holds(self, now_us: int) -> bool:
        """Whether it is in force."""
        return self.ended_us is None and self.from_us <= now_us < self.until_us

    def covers(self, around: Around, uids: Collection[str] = ()) -> bool:
        """Whether a place, or one of the devices `uids` and no other, is in its scope."""
        if self.scope is Scope.DEVICE:
            return set(uids) == {self.code}
        if not self.place_id:
            return False
        if self.scope is Scope.AREA:
            return self.place_id in around.area_ids
        return self.place_id == {
            Scope.BUILDING: around.building_id,
            Scope.STAIR: around.stair_id,
            Scope.DWELLING: around.dwelling_id,
        }.get(self.scope)

    def includes(self, arrival: Arrival) -> bool:
        """Whether an alarm came within it: observed and received since its beginning."""
        return self.from_us <= arrival.received_us and self.from_us - EARLIER_US <= arrival.at_us


def diverting(windows: Iterable[Window], arrival: Arrival, around: Around, now_us: int) -> Window | None:
    """The window that makes an exercise of a raised alarm: commissioning before a drill, the last to end.

    An alarm of two devices together (`place`) is about their place: only a drill of the place diverts it.
    """
    uids = () if arrival.place else (arrival.uid,)
    found = [
        window
        for window in windows
        if window.holds(now_us)
        and window.includes(arrival)
        and (window.kind is WindowKind.COMMISSIONING or _is_drill(window, arrival))
        and window.covers(around, uids)
    ]
    return max(found, key=lambda w: (w.kind is WindowKind.COMMISSIONING, w.until_us, w.id), default=None)


def _is_drill(window: Window, arrival: Arrival) -> bool:
    return window.kind is WindowKind.DRILL and arrival.hazard in EXERCISED


def silencing(windows: Iterable[Window], case: Case, step: str, around: Around, now_us: int) -> Window | None:
    """The silence that puts a step of a real incident off, the last to end. That of a device mutes incidents
    in which nothing but this device is in alarm."""
    incident = case.incident
    if incident.severity not in MUTABLE or incident.hazard is Hazard.SYSTEM:
        return None
    if step.partition(":")[0] in _NEVER_MUTED:
        return None
    alarms = case.active() or case.alarms
    uids = {"" if alarm.place else alarm.uid for alarm in alarms}
    found = [
        window
        for window in windows
        if window.kind is WindowKind.SILENCE and window.holds(now_us) and window.covers(around, uids)
    ]
    return max(found, key=lambda w: (w.until_us, w.id), default=None)


def lengthened(windows: Iterable[Window], case: Case, around: Around, now_us: int) -> Window | None:
    """The window in force by which an exercise goes on when another has ended."""
    kind, _, of = case.incident.place.partition(":")
    uids = {of} if kind == WindowKind.COMMISSIONING else {alarm.uid for alarm in case.alarms}
    found = [w for w in windows if w.kind == kind and w.holds(now_us) and w.covers(around, uids)]
    return max(found, key=lambda w: (w.until_us, w.id), default=None)
