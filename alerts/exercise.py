"""Incidents that are exercises, or whose steps a silence put off: how they begin, and what the end of a
window does. Pure.

What waits for the end of a window waits as a step in the case itself, so it outlives a crash: `release:ID` of
the window that made an exercise, `silenced:ID` of the silence that put steps off.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final

from alerts.case import (
    RELEASE,
    SILENCED,
    Alarm,
    Case,
    Change,
    Hazard,
    Incident,
    State,
    Step,
    StepState,
)
from alerts.escalation import first_steps
from alerts.gate import exercise_in
from alerts.hazards import ALARMING
from alerts.incident import Arrival
from alerts.joining import STRANGER_TAG, US, Where
from alerts.plans import Plans
from alerts.policy import StepName
from alerts.sayings import pack
from alerts.windows import Window, WindowKind
from devices.bound import Bound
from devices.model import Role, Severity
from rules.transition import Mark, To

NEAR_US: Final = 600_000_000
"""Within this of each other two alarms can have met in a rule on places (X1, the longest of the shipped)."""


def diverted(where: Where, window: Window) -> Where:
    """Where the exercise of an alarm there is."""
    if window.kind is WindowKind.COMMISSIONING:
        return replace(where, key=f"{WindowKind.COMMISSIONING}:{window.code}")
    return replace(where, key=f"{window.kind}:{where.key}")


def real_place(incident: Incident) -> Where | None:
    """The place that a drill was about, or of a real incident its own; None where only a uid says."""
    kind = exercise_in(incident.place)
    if kind == WindowKind.COMMISSIONING:
        return None
    key = incident.place.removeprefix(f"{kind}:") if kind else incident.place
    return Where(key, incident.dwelling_id, incident.building_id)


def may_be_told(incident: Incident, people: Sequence[Bound]) -> Sequence[Bound]:
    """Of those bound there, who may hear of it: commissioning stays on the duty desk (life_safety)."""
    if exercise_in(incident.place) == WindowKind.COMMISSIONING:
        return tuple(one for one in people if one.role is Role.DUTY_DESK)
    return people


def window_of(step: Step) -> int:
    """The window whose end a marker waits for; 0 for what is none."""
    number = step.name.partition(":")[2]
    return int(number) if step.is_marker and number.isdecimal() else 0


def in_exercise(case: Case, window: Window) -> Case:
    """An exercise that has just begun, or goes on by `window`: with the step that waits for its end."""
    return _marked(case, RELEASE, window)


def _marked(case: Case, name: str, window: Window) -> Case:
    name = f"{name}:{window.id}"
    if any(step.name == name for step in case.pending()):
        return case
    epoch = case.incident.epoch
    n = sum(1 for step in case.steps if step.epoch == epoch and step.name == name)
    return case.with_step(Step(epoch, name, n, window.until_us))


def put_off(case: Case, step: Step, window: Window, until: str, now_us: int) -> Case:
    """With a due step at the end of a silence instead, and once a line about who mutes it, why and until when
    (`until`, in the site's time)."""
    case = case.with_step(replace(step, due_us=window.until_us))
    known = any(one.name == f"{SILENCED}:{window.id}" for one in case.pending())
    if known:
        return case
    text = pack("silenced", by=window.author, why=window.reason, until=until)
    return _marked(case, SILENCED, window).having(Change(now_us, "silenced", US, "clock", text))


def unmute(case: Case, marker: Step, now_us: int, plans: Plans) -> Case:
    """A silence of it has ended: what it put off is due now where the alarm stands, and said to nobody where
    it was handled or has cleared. A chain that had not begun begins now, with its delays from now."""
    late = tuple(s for s in case.pending() if s.due_us == marker.due_us and not s.is_marker)
    case = case.with_step(replace(marker, state=StepState.DONE, ended_us=now_us))
    if not late:
        return case
    if case.incident.is_over or not case.active():
        case = case.stopping(late, now_us)
        return case.having(Change(now_us, "silence_over", US, "clock", pack("silence_over_untold")))
    case = case.having(Change(now_us, "silence_over", US, "clock", pack("silence_over")))
    for step in late:
        case = case.with_step(replace(step, due_us=now_us))
    if any(s.name == StepName.AT_ONCE and s.epoch == case.incident.epoch for s in late):
        waiting = {step.identity for step in case.pending()}
        for step in first_steps(case.incident, now_us, plans):
            case = case.with_step(step) if step.identity in waiting else case
    return case


def standing(case: Case) -> list[Alarm]:
    """What stands when an exercise ends: fires first, of each hazard what a device says itself before what
    two say together, then the worst and newest."""

    def order(alarm: Alarm) -> tuple[bool, bool, int, int]:
        together = bool(alarm.place)
        return alarm.hazard is not Hazard.FIRE, together, alarm.severity.rank, -alarm.raised_us

    return sorted(case.active(), key=order)


def over(case: Case, marker: Step, now_us: int) -> Case:
    """An exercise whose window has ended: nobody is told of it any more. It ends with the window where an
    alarm of it stands, which is told for real, and where it was commissioning; what a drill has left to do
    by its people they may still do."""
    line = "exercise_released" if case.active() else "exercise_over"
    case = case.stopping(case.pending(), now_us)
    case = case.with_step(replace(marker, state=StepState.DONE, ended_us=now_us))
    case = case.having(Change(now_us, "exercise_over", US, "clock", pack(line)))
    stays = exercise_in(case.incident.place) == WindowKind.DRILL and not case.active()
    if stays or not case.incident.state.is_open:
        return case
    return replace(case, incident=replace(case.incident, state=State.CANCELLED, closed_us=now_us))


def for_real(alarm: Alarm, case: Case, now_us: int) -> Arrival:
    """An alarm of an exercise that has ended, as one that is raised: no more than P0, for one that nobody has
    reset since the exercise confirms no fire by itself."""
    tags = case.incident.tags
    return Arrival(
        id=0,
        rule=alarm.rule,
        to=To.RAISED,
        severity=max(alarm.severity, Severity.P0, key=lambda s: s.rank),
        subject=alarm.subject,
        uid=alarm.uid,
        topic="",
        slot=alarm.slot,
        device_id=0 if STRANGER_TAG in tags else 1,  # only whether it is registered counts from here on
        dwelling_id=case.incident.dwelling_id,
        place=alarm.place,
        at_us=alarm.raised_us,
        received_us=now_us,
        age_s=None,
        why=alarm.why,
        marks=frozenset(mark for mark in Mark if mark in tags and mark is not Mark.SECOND_FIRE),
        hazard=alarm.hazard,
        title=alarm.title,
    )


def burns(cases: Iterable[Case]) -> bool:
    """Whether one of these is a real fire that people still deal with."""
    return any(
        case.incident.hazard is Hazard.FIRE
        and case.incident.severity in ALARMING
        and case.incident.state.is_open
        and not case.incident.is_over
        and not exercise_in(case.incident.place)
        for case in cases
    )


def doubtful(arrival: Arrival, near: Collection[Case]) -> Case | None:
    """Of an alarm of two devices together, the exercise that one of them is part of, where without it there
    would be none; None where both are real, and where nothing says otherwise.

    `near` are all incidents of its place, real ones and exercises, ended ones too.
    """
    mock: dict[str, Case] = {}
    real: set[str] = set()
    for case in sorted(near, key=lambda c: abs(c.incident.id)):
        for alarm in case.alarms:
            if alarm.place:
                continue
            near_it = _is_near(alarm, arrival)
            if exercise_in(case.incident.place):
                mock |= {alarm.uid: case} if near_it else {}
            elif near_it or (alarm.cleared_us is None and arrival.severity is not Severity.P0_PLUS):
                real.add(alarm.uid)  # what calls the brigade counts no alarm that has stood for long
    for uid in real:
        mock.pop(uid, None)
    if arrival.uid in mock:
        return mock[arrival.uid]
    return next(iter(mock.values())) if mock and not real - {arrival.uid} else None


def _is_near(alarm: Alarm, arrival: Arrival) -> bool:
    """By all its times, against both of the other's: clocks of devices differ."""
    times = [us for us in (alarm.raised_us, alarm.taken_us, alarm.cleared_us) if us is not None]
    return any(abs(at_us - of) <= NEAR_US for at_us in times for of in (arrival.at_us, arrival.received_us))
