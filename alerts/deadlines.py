"""How long an incident that somebody has in hand may stay where it is. Pure.

From the first acknowledgement on each state waits for the next: arrived, handled, fed back, verified, closed;
after a false alarm the feedback is what it waits for. How long, `[deadlines]` of the policies file says. When
the time is over the timeline says so, the board marks the incident and the duty desk is told, once; after
twice the time the supervisors are. Both are steps in the database like any other: a crash loses none. A state
that moves on ends what the one before waited for. An exercise has no deadlines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from alerts.audience import Caller, first_of
from alerts.case import Case, Change, Incident, State, Step
from alerts.gate import EXERCISE_TAGS, exercise_in
from alerts.plans import Plans
from alerts.policy import TELL, StepName
from alerts.sayings import Words, pack
from devices.bound import Bound
from devices.model import Role

OVERDUE_TAG: Final = "overdue"
"""On an incident whose state has lasted longer than it may, until it moves on."""
STEPS: Final = frozenset({StepName.DEADLINE, StepName.OVERDUE})
"""The steps of a deadline: `deadline:arrived` when its time is over, `overdue:arrived` after twice that."""
_AWAITED: Final = {
    State.ACKNOWLEDGED: State.ARRIVED,
    State.ARRIVED: State.HANDLED,
    State.HANDLED: State.FEEDBACK,
    State.FEEDBACK: State.VERIFIED,
    State.VERIFIED: State.CLOSED,
}


def awaited(incident: Incident) -> State | None:
    """What an incident waits for; None where it waits for nothing, or for its first answer, which is the
    matter of its policy."""
    if incident.tags & EXERCISE_TAGS or exercise_in(incident.place):
        return None
    if incident.false_alarm_us is not None and incident.state in {State.ACKNOWLEDGED, State.ARRIVED}:
        return State.FEEDBACK
    return _AWAITED.get(incident.state)


def follow(case: Case, before: Incident, now_us: int, plans: Plans) -> Case:
    """`case` with the deadline of what it waits for now, where that is not what it waited for `before`, or
    where it has begun anew since."""
    incident = case.incident
    if (incident.epoch, awaited(incident)) == (before.epoch, awaited(before)):
        return case
    case = case.stopping(tuple(step for step in case.pending() if _kind(step) in STEPS), now_us)
    case = replace(case, incident=replace(case.incident, tags=incident.tags - {OVERDUE_TAG}))
    state = awaited(incident)
    limit_s = plans.deadline_s(incident, state) if state else None
    if state is None or limit_s is None:
        return case
    for kind, times in ((StepName.DEADLINE, 1), (StepName.OVERDUE, 2)):
        name = f"{kind}:{state}"
        n = sum(1 for step in case.steps if (step.epoch, step.name) == (incident.epoch, name))
        case = case.with_step(Step(incident.epoch, name, n, now_us + plans.us(limit_s * times)))
    return case


def remind(caller: Caller, case: Case, step: Step, bound: Sequence[Bound], now_us: int) -> Case:
    """`case`, overdue, with the pages to the desk or the supervisors; unchanged where it waits for something
    else by now."""
    kind, _, state = step.name.partition(":")
    if awaited(case.incident) != state:
        return case
    role = Role.DUTY_DESK if kind == StepName.DEADLINE else Role.SUPERVISOR
    caller.tell(first_of(bound, role) or first_of(bound, Role.DUTY_DESK), TELL, kind)
    if kind == StepName.OVERDUE:
        return case
    text = pack("overdue", awaited=Words([state]))
    incident = replace(case.incident, tags=case.incident.tags | {OVERDUE_TAG})
    return replace(case, incident=incident).having(Change(now_us, "overdue", "gengfu", "clock", text))


def is_missed(case: Case, step: Step) -> bool:
    """Whether the step is one of a deadline that is over."""
    return _kind(step) in STEPS and awaited(case.incident) == step.name.partition(":")[2]


def _kind(step: Step) -> str:
    return step.name.partition(":")[0]
