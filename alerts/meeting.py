"""Which incidents hold what two devices raised together in the common parts of a building. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from alerts.case import Alarm, Case, Hazard
from alerts.hazards import ALARMING
from alerts.incident import Arrival
from devices.model import Severity
from rules.transition import Subject

MET_WITHIN_US: Final = 600_000_000
"""Alarms further apart than this did not meet, by the rules as shipped (X1C, T3XC)."""
_OF_SEVERAL: Final = frozenset({Subject.STAIR, Subject.BUILDING})


class Nearness(NamedTuple):
    """How surely an incident holds one of the two alarms; of two incidents the greater does."""

    its_own: bool
    """The device that set it off is in alarm there."""
    goes_on: bool
    """People have not ended it."""
    in_time: bool
    stands: bool
    beside: bool
    """It is where the device hangs that set it off."""
    newest_us: int


def is_of_several(one: Arrival | Alarm) -> bool:
    """Whether an alarm is about a stair or the common parts of a building: several incidents may hold it."""
    about = one.subject.partition(":")[0]
    return bool(one.place) and about in _OF_SEVERAL


def nearness(arrival: Arrival, case: Case, place: str) -> Nearness | None:
    """`place` is where it was set off. None where the incident holds nothing that can have met: a visit, a
    pre-alarm, and one that people have ended and in which nothing was raised within the time."""
    incident = case.incident
    is_fire = incident.hazard is Hazard.FIRE
    alarms = [
        alarm
        for alarm in case.alarms
        if not alarm.place
        and alarm.hazard is incident.hazard
        and (alarm.severity in ALARMING or not is_fire)
        and (alarm.cleared_us is None or "moved" not in incident.tags)
    ]
    near = [alarm for alarm in alarms if _is_near(arrival, alarm)]
    if not alarms or (incident.is_over and not near):
        return None
    counted = near or alarms
    return Nearness(
        its_own=any(alarm.uid == arrival.uid and alarm.cleared_us is None for alarm in counted),
        goes_on=not incident.is_over,
        in_time=bool(near),
        stands=any(alarm.cleared_us is None for alarm in counted),
        beside=incident.place == place,
        newest_us=max(alarm.raised_us for alarm in counted),
    )


def holders(arrival: Arrival, cases: Iterable[Case], place: str) -> list[Case]:
    """Those of these incidents to which such an alarm belongs, the surest first.

    What calls the fire brigade belongs to every fire that it confirms. Smoke that met an electrical alarm
    confirms its own; an electrical alarm is that of each smoke that stands and came within the time, in
    whatever order they came: one riser feeds all stairs.
    """
    found = [(near, one) for one in cases if (near := nearness(arrival, one, place)) is not None]
    found.sort(key=lambda pair: (pair[0], pair[1].incident.opened_us, pair[1].incident.id), reverse=True)
    confirms = arrival.severity is Severity.P0_PLUS and arrival.hazard is Hazard.FIRE
    if not confirms or not found or found[0][0].its_own:
        found = found[:1]
    return [found[0][1], *(one for near, one in found[1:] if near.in_time and near.stands)] if found else []


def _is_near(arrival: Arrival, alarm: Alarm) -> bool:
    """By when they were observed, or by when they came to us: clocks may be slow."""
    apart = abs(alarm.raised_us - arrival.at_us), abs(alarm.taken_us - arrival.received_us)
    return min(apart) <= MET_WITHIN_US
