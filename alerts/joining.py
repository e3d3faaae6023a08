"""Carries out decisions about transitions: a case with the evidence, lines and steps they ask for. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from alerts.case import Alarm, Case, Change, Hazard, Incident, State
from alerts.deadlines import follow
from alerts.escalation import first_steps
from alerts.gate import exercise_in
from alerts.hazards import ISOLATING
from alerts.incident import Arrival, Decision, Verdict, why_with_topic
from alerts.meeting import is_of_several
from alerts.moved import MOVED_TAG, detecting, leave
from alerts.news import say_isolate, say_more
from alerts.plans import Plans
from alerts.sayings import pack
from alerts.system import is_system
from devices.model import Severity
from rules.transition import Mark

US = "gengfu"
"""Who did it, where no person did."""
STRANGER_TAG = "stranger"
"""On incidents of devices that nobody registered."""


@dataclass(frozen=True, slots=True)
class Where:
    """A place: its key (`dwelling:ID`, `stair:ID`, `building:ID`, `device:UID`, `system:CODE`; of an exercise
    `drill:` before one of these, or `commissioning:UID`) and registry ids, 0 for none."""

    key: str
    dwelling_id: int = 0
    building_id: int = 0


def open_case(
    case_id: int, arrival: Arrival, where: Where, decision: Decision, *, now_us: int, plans: Plans
) -> Case:
    """A new incident, reported, with its steps planned from now."""
    incident = Incident(
        id=case_id,
        place=where.key,
        dwelling_id=where.dwelling_id,
        building_id=where.building_id,
        hazard=decision.hazard,
        severity=decision.severity,
        state=State.REPORTED,
        epoch=0,
        started_us=now_us,
        opened_us=now_us,
        tags=_tags(arrival) | ({exercise} if (exercise := exercise_in(where.key)) else set()),
    )
    case = Case(incident, steps=first_steps(incident, now_us, plans))
    return _with_evidence(case, arrival, decision, now_us)


def take(case: Case, arrival: Arrival, decision: Decision, now_us: int, plans: Plans) -> Case:
    """`case` after the decision that this transition belongs to it."""
    if decision.verdict is Verdict.NOTE:
        return case.having(_change("noted", arrival, decision, now_us))
    case = _with_evidence(case, arrival, decision, now_us)
    isolates = bool(_tags(arrival) & ISOLATING) and not case.incident.tags & ISOLATING
    incident = replace(case.incident, tags=case.incident.tags | _tags(arrival))
    case = replace(case, incident=incident)
    if detecting(case):  # here again, or another
        case = replace(case, incident=replace(incident, tags=incident.tags - {MOVED_TAG}))
    if decision.verdict is Verdict.RESTART:
        return restart(_forget_answers(case, decision.hazard), decision.severity, now_us, plans)
    if decision.verdict is Verdict.RAISE:
        return restart(_doubt_false_alarm(case), decision.severity, now_us, plans)
    case = say_isolate(case, now_us, plans) if isolates else case
    return say_more(case, now_us, plans) if decision.verdict is Verdict.UPDATE else case


def clear(case: Case, arrival: Arrival, now_us: int) -> Case:
    """`case` after an alarm of it cleared."""
    for alarm in case.active():
        if alarm.identity == arrival.identity:
            case = case.with_alarm(replace(alarm, cleared_us=arrival.at_us))
    text = pack("cleared", rule=arrival.rule, why=arrival.why)
    return leave(case.having(Change(now_us, "cleared", US, "rule", text)), arrival, now_us)


def confirm_by_neighbour_alarm(case: Case, arrival: Arrival, now_us: int, plans: Plans) -> Case:
    """`case` after an alarm elsewhere in its stair or building confirmed it (life_safety, smoke 6).

    What two devices there raised together is evidence of each fire that it confirms: so it stands in the
    others when one of them is ended.
    """
    incident = case.incident
    known = incident.severity is Severity.P0_PLUS and not incident.is_over
    if is_of_several(arrival):
        decision = Decision(Verdict.JOIN, "joined", arrival.hazard, Severity.P0_PLUS, incident.id)
        case = _with_evidence(case, arrival, decision, now_us)
    isolating = _tags(arrival) & ISOLATING
    says = bool(isolating) and not incident.tags & ISOLATING
    case = replace(case, incident=replace(incident, tags=incident.tags | isolating))
    if known:
        return say_isolate(case, now_us, plans) if says else case
    text = pack("raised", severity=Severity.P0_PLUS, why=arrival.why)
    case = case.having(Change(now_us, "raised", US, "rule", text))
    return restart(_doubt_false_alarm(case), Severity.P0_PLUS, now_us, plans)


def restart(case: Case, severity: Severity, now_us: int, plans: Plans) -> Case:
    """From step 0 in a new epoch, for all roles: everybody hears the new severity or the second fire."""
    state = State.ARRIVED if case.incident.arrived_us is not None else State.REPORTED
    incident = replace(
        case.incident,
        severity=severity,
        state=state,
        epoch=case.incident.epoch + 1,
        started_us=now_us,
        fed_back_by=None,
    )
    stopped = case.stopping(tuple(step for step in case.pending() if not step.is_marker), now_us)
    begun = replace(stopped, incident=incident, steps=(*stopped.steps, *first_steps(incident, now_us, plans)))
    return follow(begun, case.incident, now_us, plans)


def relate(case: Case, other: Case, now_us: int) -> Case:
    """With a line that names another incident of the same place."""
    text = pack("related", other=str(other.incident.id))
    return case.having(Change(now_us, "related", US, "rule", text))


def _forget_answers(case: Case, hazard: Hazard) -> Case:
    """A second fire: whatever was acknowledged, confirmed or called false before says nothing of it."""
    tags = case.incident.tags | ({str(Mark.SECOND_FIRE)} if hazard is Hazard.FIRE else set())
    incident = replace(
        case.incident, confirmed_us=None, false_alarm_us=None, arrived_us=None, tags=frozenset(tags)
    )
    return replace(case, incident=incident)


def _doubt_false_alarm(case: Case) -> Case:
    """Worse evidence of the same fire: who is on site is still on site, but "false alarm" no longer holds."""
    return replace(case, incident=replace(case.incident, false_alarm_us=None))


def _with_evidence(case: Case, arrival: Arrival, decision: Decision, now_us: int) -> Case:
    alarm = Alarm(
        rule=arrival.rule,
        subject=arrival.subject,
        uid=arrival.uid,
        slot=arrival.slot,
        place=arrival.place,
        severity=arrival.severity,
        raised_us=arrival.at_us,
        cleared_us=None,
        why=why_with_topic(arrival),
        hazard=arrival.hazard,
        taken_us=now_us,
        title=arrival.title,
    )
    return case.with_alarm(alarm).having(_change(decision.line, arrival, decision, now_us))


def _change(line: str, arrival: Arrival, decision: Decision, now_us: int) -> Change:
    text = pack(line, why=arrival.why, severity=decision.severity)
    return Change(now_us, line, US, "rule", text)


def _tags(arrival: Arrival) -> frozenset[str]:
    """What a person must know of the evidence, and the topic's absence of a place."""
    tags = {str(mark) for mark in arrival.marks}
    if arrival.severity.rank >= Severity.P2.rank:
        tags.discard(Mark.SECOND_FIRE)
    is_stranger = not arrival.device_id and not is_system(arrival.rule)
    return frozenset(tags | ({STRANGER_TAG} if is_stranger else set()))
