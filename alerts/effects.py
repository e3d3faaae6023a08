"""The effect of each act that changes more than the timeline. Pure; who may act was settled before.

Every effect takes the case, the doing, `now_us` and the plans that hold, and gives the new case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from alerts.answered import role_of
from alerts.case import Act, Case, Hazard, Input, State, Step
from alerts.escalation import ask_for_help
from alerts.gate import exercise_in
from alerts.hazards import is_long_ago
from alerts.joining import restart
from alerts.plans import Plans
from alerts.policy import StepName
from alerts.system import is_system
from devices.model import InputKind, Role, Severity
from rules.transition import Mark

DISPOSITIONS: Final = ("real", "nuisance", "test", "fault", "unfounded")
_FALSE: Final = frozenset({"nuisance", "fault", "unfounded"})
"""Dispositions that count against the detector (rule S4)."""
"""What it turned out to be; `close` begins its note with one of them."""
HELP_TAG: Final = "help"
"""Puts the incident in front of the operator until somebody is on site or the desk has taken it."""


@dataclass(frozen=True, slots=True)
class Doing:
    """Somebody's act on a case. `standing` are all roles the person holds here (`alerts.permission`).

    `by` is how the timeline names them (`user:LOGIN`, `contact:CODE`), `role` the role they answered in.
    `other_open` is another open incident of this place and hazard, which bars reopening; 0 for none.
    """

    act: Act
    actor: str
    by: str
    role: str
    standing: frozenset[str]
    note: str
    via: str
    at_us: int
    other_open: int = 0


Effect = Callable[[Case, Doing, int, Plans], Case]


def forward(case: Case, state: State) -> Case:
    """`case` at least as far along as `state`."""
    if case.incident.state.progress >= state.progress:
        return case
    return replace(case, incident=replace(case.incident, state=state))


def _acknowledge(case: Case, doing: Doing, now_us: int, plans: Plans) -> Case:
    case = forward(case, State.ACKNOWLEDGED)
    return _without_help(case) if role_of(doing.role) is Role.DUTY_DESK else case


def _confirm(case: Case, doing: Doing, now_us: int, plans: Plans) -> Case:
    """P0+ and everybody told at once. Where it is P0+ already, S3 ends and nobody is told twice."""
    incident = case.incident
    known = incident.severity is Severity.P0_PLUS and not incident.is_over
    tags = incident.tags | ({Mark.ELECTRICAL_FIRST} if incident.hazard is Hazard.ELECTRICAL else set())
    incident = replace(
        incident, confirmed_us=doing.at_us, false_alarm_us=None, tags=frozenset(map(str, tags))
    )
    case = replace(case, incident=incident)
    if not known:
        case = restart(case, Severity.P0_PLUS, now_us, plans)
    return forward(case, State.ACKNOWLEDGED)


def _false_alarm(case: Case, doing: Doing, now_us: int, plans: Plans) -> Case:
    return forward(
        replace(case, incident=replace(case.incident, false_alarm_us=doing.at_us)), State.ACKNOWLEDGED
    )


def _arrived(case: Case, doing: Doing, now_us: int, plans: Plans) -> Case:
    if case.incident.arrived_us is None:
        case = replace(case, incident=replace(case.incident, arrived_us=doing.at_us))
    return _without_help(forward(case, State.ARRIVED))


def _need_help(case: Case, doing: Doing, now_us: int, plans: Plans) -> Case:
    tags = case.incident.tags | {HELP_TAG}
    case = replace(case, incident=replace(case.incident, tags=tags))
    return ask_for_help(case, role_of(doing.role) or Role.DUTY_DESK, now_us)


def _handled(case: Case, doing: Doing, now_us: int, plans: Plans) -> Case:
    return forward(case, State.HANDLED)


def _feedback(case: Case, doing: Doing, now_us: int, plans: Plans) -> Case:
    incident = replace(case.incident, state=State.FEEDBACK, fed_back_by=doing.actor, cause=doing.note[:300])
    return replace(case, incident=incident)


def _verify(case: Case, doing: Doing, now_us: int, plans: Plans) -> Case:
    return replace(case, incident=replace(case.incident, state=State.VERIFIED))


def _close(case: Case, doing: Doing, now_us: int, plans: Plans) -> Case:
    case = _ended(case, State.CLOSED, disposition_of(doing.note) or "", now_us)
    if case.incident.hazard is Hazard.FIRE and case.incident.severity.rank <= Severity.P0.rank and case.told:
        n = sum(1 for s in case.steps if s.name == StepName.ALL_CLEAR)  # closed before, and reopened
        case = case.with_step(Step(case.incident.epoch, StepName.ALL_CLEAR, n, now_us))
    if case.incident.disposition in _FALSE and not exercise_in(case.incident.place):
        case = _telling_engine(case, InputKind.UNFOUNDED, doing.at_us)
    return _telling_engine(case, InputKind.CLOSE, doing.at_us)


def _reopen(case: Case, doing: Doing, now_us: int, plans: Plans) -> Case:
    """Open again in the operator's hands; nobody is told by this alone."""
    incident = replace(
        case.incident, state=State.REOPENED, closed_us=None, disposition=None, fed_back_by=None
    )
    return replace(case, incident=incident)


def _cancel(case: Case, doing: Doing, now_us: int, plans: Plans) -> Case:
    return _telling_engine(_ended(case, State.CANCELLED, "", now_us), InputKind.CLOSE, doing.at_us)


def _reject(case: Case, doing: Doing, now_us: int, plans: Plans) -> Case:
    return _telling_engine(_ended(case, State.REJECTED, "", now_us), InputKind.CLOSE, doing.at_us)


def _reset(case: Case, doing: Doing, now_us: int, plans: Plans) -> Case:
    return _telling_engine(case, InputKind.RESET, doing.at_us)


EFFECTS: Final[Mapping[Act, Effect]] = {
    Act.ACKNOWLEDGE: _acknowledge,
    Act.CONFIRM: _confirm,
    Act.FALSE_ALARM: _false_alarm,
    Act.ARRIVED: _arrived,
    Act.NEED_HELP: _need_help,
    Act.HANDLED: _handled,
    Act.FEEDBACK: _feedback,
    Act.VERIFY: _verify,
    Act.CLOSE: _close,
    Act.REOPEN: _reopen,
    Act.CANCEL: _cancel,
    Act.REJECT: _reject,
    Act.RESET: _reset,
}
"""A note has no effect but its line on the timeline."""


def disposition_of(note: str) -> str | None:
    """The disposition a note begins with (`nuisance: cooking`); None where it begins with none."""
    first = note.replace(":", " ").replace("：", " ").split(maxsplit=1)
    return first[0] if first and first[0] in DISPOSITIONS else None


def _without_help(case: Case) -> Case:
    return replace(case, incident=replace(case.incident, tags=case.incident.tags - {HELP_TAG}))


def _ended(case: Case, state: State, disposition: str, now_us: int) -> Case:
    incident = replace(
        case.incident, state=state, closed_us=now_us, disposition=disposition or case.incident.disposition
    )
    case = replace(case, incident=replace(incident, tags=incident.tags - {HELP_TAG}))
    for alarm in case.active():
        if is_long_ago(alarm):  # the engine never held it active, so nothing but this can end it
            case = case.with_alarm(replace(alarm, cleared_us=now_us))
    return case.stopping(case.pending(), now_us)


def _telling_engine(case: Case, kind: InputKind, at_us: int) -> Case:
    """One input for every alarm of the engine: by place where the rule is on places, else by slot. What had
    cleared before may stand elsewhere by now, where its device is registered: this does not end it there."""
    counts = kind is InputKind.UNFOUNDED
    alarms = (a for a in case.alarms if counts or a.cleared_us is None or is_long_ago(a))
    alarms = (a for a in alarms if not is_system(a.rule))
    inputs = tuple(Input(at_us, kind, a.rule, 0 if a.place else a.slot, a.place) for a in alarms)
    return replace(case, inputs=(*case.inputs, *inputs))
