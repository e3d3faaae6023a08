"""A fire whose only detector is registered elsewhere now: those who were told hear where it is. Pure.

Nobody knows whether the correction is right, so the incident's own steps go on until people end it. But the
people who were sent there must hear of the other place: they are told at once, and every message from then on
names both (`alerts.texts`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from alerts.audience import Caller
from alerts.case import Alarm, Case, Hazard, Step
from alerts.incident import Arrival
from alerts.policy import TELL, StepName
from devices.bound import Bound
from devices.model import Role
from rules.transition import Mark

MOVED_TAG: Final = "moved"
"""On a fire in which no detector is in alarm any more, since the last one is registered elsewhere."""


def leave(case: Case, arrival: Arrival, now_us: int) -> Case:
    """`case` after an alarm of it cleared: where that was the last detector of a fire and goes on elsewhere,
    with the word to those who were told, due now. Where the first word is still to be sent, that says it;
    where people have ended it nobody is sent there."""
    if case.incident.hazard is not Hazard.FIRE or Mark.ELSEWHERE not in arrival.marks or detecting(case):
        return case
    incident = replace(case.incident, tags=case.incident.tags | {MOVED_TAG})
    case = replace(case, incident=incident)
    steps = [step for step in case.steps if step.epoch == incident.epoch]
    is_first = any(step.name == StepName.AT_ONCE for step in case.pending() if step in steps)
    if is_first or incident.is_over or not incident.state.is_open:
        return case
    n = sum(1 for step in steps if step.name == StepName.MOVED)
    return case.with_step(Step(incident.epoch, StepName.MOVED, n, now_us))


def detecting(case: Case) -> list[Alarm]:
    """The detectors' fire alarms that stand; no correlation of several devices."""
    return [alarm for alarm in case.active() if alarm.hazard is Hazard.FIRE and not alarm.place]


def moved_alarm(case: Case) -> Alarm | None:
    """The alarm that goes on elsewhere; None where there is none."""
    if MOVED_TAG not in case.incident.tags:
        return None
    left = [a for a in case.alarms if a.hazard is Hazard.FIRE and not a.place and a.cleared_us is not None]
    return max(left, key=lambda a: (a.cleared_us or 0, a.taken_us), default=None)


def tell_moved(caller: Caller, case: Case, bound: Sequence[Bound]) -> None:
    """Whoever was told of it, whatever they answered: residents may be on the stairs, stations on the way."""
    told = {t.contact_id for t in case.told}
    people = [one for one in bound if one.contact_id in told]
    caller.tell(people, TELL, StepName.MOVED)
    caller.tell_agreed((one for one in people if one.role is Role.FIRE_BRIGADE), TELL, StepName.MOVED)
