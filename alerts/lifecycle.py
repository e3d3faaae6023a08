"""What people's acts do to an incident, and why some are refused. Pure.

new → reported → dispatched → acknowledged → arrived → handled → feedback → verified → closed, with the side
exits cancelled and rejected, and back from an end by reopened. Acts move it forward; only a second fire,
worse evidence or a reopening move it back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from alerts import permission
from alerts.case import Act, Answer, Case, Change, Hazard, State
from alerts.deadlines import follow
from alerts.effects import EFFECTS, Doing, disposition_of
from alerts.escalation import settle
from alerts.gate import exercise_in
from alerts.permission import Leave
from alerts.plans import Plans
from alerts.sayings import Words, pack
from devices.model import Severity

_ENDING: Final = frozenset({Act.CLOSE, Act.CANCEL, Act.REJECT})
"""Acts after which an incident takes in no alarm any more."""


class Outcome(StrEnum):
    """What became of an act."""

    DONE = "done"
    REFUSED = "refused"
    NOTED = "noted"


@dataclass(frozen=True, slots=True)
class Decided:
    """The case afterwards, what became of the act and, unless done, why (a packed saying)."""

    case: Case
    outcome: Outcome
    reason: str = ""


def decide_act(case: Case, doing: Doing, now_us: int, plans: Plans) -> Decided:
    """Carries out, notes or refuses `doing`. Whatever the outcome, the timeline tells of it."""
    reason = refusal(case, doing) or _overtaken(case, doing, now_us)
    if reason:
        return Decided(_line(case, doing, now_us, "act_refused", reason), Outcome.REFUSED, reason)
    reason = note_only(case, doing)
    if reason:
        return Decided(_line(case, doing, now_us, "act_noted", reason), Outcome.NOTED, reason)
    before = case.incident
    doing = replace(doing, at_us=min(doing.at_us, now_us))  # a clock ahead of ours answers for now, not later
    case = _line(case, doing, now_us, "act_note" if doing.note else "act", "")
    case = replace(case, answers=(*case.answers, _answer(doing)))
    effect = EFFECTS.get(doing.act)
    if effect is not None:
        case = effect(case, doing, now_us, plans)
    return Decided(follow(settle(case, now_us, plans), before, now_us, plans), Outcome.DONE)


def _overtaken(case: Case, doing: Doing, now_us: int) -> str:
    """Why an act that ends an incident does not end one that took in an alarm after it was made: whoever
    pressed has not seen it, and to the engine such an act is about another alarm. What was taken after
    `now_us` says nothing: our clock was put back."""
    newer = any(doing.at_us < alarm.taken_us <= now_us for alarm in case.active())
    return pack("raised_since") if doing.act in _ENDING and newer else ""


def possible_acts(case: Case, actor: str, standing: frozenset[str]) -> tuple[Act, ...]:
    """What this person can do now, note included: the buttons of a page."""
    return tuple(act for act in permission.offered(standing) if not _refused_now(case, act, actor))


def refusal(case: Case, doing: Doing) -> str:
    """Why `doing` cannot be done, as a packed saying; empty when it can."""
    if not doing.standing:
        return pack("stranger")
    if permission.may(doing.act, doing.standing) is Leave.REFUSE:
        return pack("not_yours", allowed=permission.allowed_words(doing.act))
    return _refused_now(case, doing.act, doing.actor) or _lacking(doing)


def note_only(case: Case, doing: Doing) -> str:
    """Why `doing` is only noted; empty when it takes effect (life_safety, false alarm)."""
    if doing.act is not Act.FALSE_ALARM:
        return ""
    if permission.may(doing.act, doing.standing) is Leave.NOTE:
        return pack("neighbour_note")
    if case.incident.epoch and doing.at_us <= case.incident.started_us:
        return pack("overtaken")
    active = case.active()
    if len({a.uid for a in active}) > 1 or any(a.place for a in active):
        return pack("second_device")
    deciders = permission.ALLOWED[Act.FALSE_ALARM] - {"family"}
    if case.incident.confirmed_us is not None and not doing.standing & deciders:
        return pack("person_confirmed")
    return ""


def _refused_now(case: Case, act: Act, actor: str) -> str:
    """Why the state does not allow `act`, whoever asks."""
    state = case.incident.state
    if act in {Act.NOTE, Act.RESET}:
        return ""
    if act is Act.REOPEN:
        return pack("not_ended") if state.is_open else ""
    if not state.is_open:
        return pack("ended")
    check = _STATE_CHECKS.get(act)
    return check(case, actor) if check else ""


def _check_fire(case: Case, actor: str) -> str:
    return pack("no_fire") if case.incident.hazard is Hazard.SYSTEM else ""


def _check_handled(case: Case, actor: str) -> str:
    return "" if case.incident.state is State.ARRIVED else pack("not_arrived")


def _check_feedback(case: Case, actor: str) -> str:
    if case.incident.state is State.VERIFIED:
        return pack("too_late")
    ready = case.incident.is_over
    return "" if ready else pack("not_handled")


def _check_verify(case: Case, actor: str) -> str:
    if case.incident.state is not State.FEEDBACK:
        return pack("not_fed_back")
    return pack("same_person") if case.incident.fed_back_by == actor else ""


def _check_close(case: Case, actor: str) -> str:
    return "" if case.incident.state is State.VERIFIED else pack("not_verified")


def _check_side_exit(case: Case, actor: str) -> str:
    fire = case.incident.hazard is Hazard.FIRE and case.incident.severity.rank <= Severity.P0.rank
    return pack("fire_goes_on") if fire and not exercise_in(case.incident.place) else ""


_STATE_CHECKS: Final[Mapping[Act, Callable[[Case, str], str]]] = {
    Act.CONFIRM: _check_fire,
    Act.HANDLED: _check_handled,
    Act.FEEDBACK: _check_feedback,
    Act.VERIFY: _check_verify,
    Act.CLOSE: _check_close,
    Act.CANCEL: _check_side_exit,
    Act.REJECT: _check_side_exit,
}


def _lacking(doing: Doing) -> str:
    """What the person has to add."""
    if doing.act is Act.FEEDBACK and not doing.note.strip():
        return pack("needs_cause")
    if doing.act is Act.CLOSE and disposition_of(doing.note) is None:
        return pack("needs_disposition")
    if doing.act in {Act.CANCEL, Act.REJECT} and not doing.note.strip():
        return pack("needs_reason")
    if doing.act is Act.REOPEN and doing.other_open:
        return pack("other_open", other=str(doing.other_open))
    return ""


def _answer(doing: Doing) -> Answer:
    return Answer(doing.act, doing.actor, doing.role, doing.at_us)


def _line(case: Case, doing: Doing, now_us: int, line: str, reason: str) -> Case:
    text = pack(line, because=reason, act=Words([f"act.{doing.act}"]), note=doing.note)
    return case.having(Change(now_us, str(doing.act), doing.by, doing.via, text))
