"""Which incident holds what two devices raised together in the common parts of a building. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from alerts.case import Alarm, Case, Hazard
from alerts.hazards import ALARMING
from alerts.incident import Arrival

MET_WITHIN_US: Final = 600_000_000
"""Alarms further apart than this did not meet, by the rules as shipped (X1C, T3XC)."""


class Nearness(NamedTuple):
    """How surely an incident holds one of the two alarms; of two incidents the greater does."""

    its_own: bool
    """The device that set it off is in alarm there."""
    goes_on: bool
    """People have not ended it."""
    in_time: bool
    stands: bool
    newest_us: int


def nearness(arrival: Arrival, case: Case) -> Nearness | None:
    """None where the incident holds nothing that can have met: a visit, a pre-alarm, and one that people have
    ended and in which nothing was raised within the time."""
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
        newest_us=max(alarm.raised_us for alarm in counted),
    )


def _is_near(arrival: Arrival, alarm: Alarm) -> bool:
    """By when they were observed, or by when they came to us: clocks may be slow."""
    apart = abs(alarm.raised_us - arrival.at_us), abs(alarm.taken_us - arrival.received_us)
    return min(apart) <= MET_WITHIN_US
