"""Incidents that an operator has merged: one goes on as the whole, the others are its parts. Pure.

A part is ended for the desk: it is on no board, has no buttons, and its page points to the whole. Its place
is not: what its people were told, who has answered there, its steps, links and alarms stay its own and go
on, so that merging makes no fire quieter and tells nobody anything twice. What is done to the whole is done
to every part of it; who answers by a link acts in each part in which they have a standing, with the rights
that they have there, and residents in the one that their link is about.

The desk acts on the whole. Its "false alarm" alone is said of a part, on that part's page, where no other
part smokes: whoever says it has named what they mean.

The desk's acts that move the life cycle on are all or nothing: while one part is not ready for them, nothing
moves and the desk is told which part it is. So a part in which nobody has been is never closed with the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from alerts import permission
from alerts.acts import contact_of
from alerts.case import Act, Answer, Case, Change, State
from alerts.effects import Doing
from alerts.lifecycle import Decided, Outcome, decide_act, note_only, possible_acts, refusal
from alerts.plans import Plans
from alerts.policy import RESIDENTS
from alerts.sayings import Words, pack

WHOLE_TAG: Final = "whole"
"""On an incident that has parts."""
_RESIDENTS: Final = frozenset(map(str, RESIDENTS))
"""Who lives there speaks of the place that their link names, and of no other."""
_ONE_PLACE: Final = frozenset({Act.NOTE, Act.NEED_HELP})
"""Acts that are about the place where they are said."""
_REACHES: Final[Mapping[Act, State]] = {
    Act.HANDLED: State.HANDLED,
    Act.FEEDBACK: State.FEEDBACK,
    Act.VERIFY: State.VERIFIED,
    Act.CLOSE: State.CLOSED,
    Act.CANCEL: State.CANCELLED,
    Act.REJECT: State.REJECTED,
}
"""Acts of the desk that are all or nothing, and how far they move an incident on."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What an act changes, by incident, and what became of it. `decided.case` is that of the incident in
    whose name it was decided."""

    changed: Mapping[int, Case]
    decided: Decided


def head_of(case: Case) -> int:
    """The number of the incident that goes on: its own where it is no part."""
    return case.incident.id if case.incident.merged_into is None else case.incident.merged_into


def is_merged(case: Case) -> bool:
    """Whether it has parts or is one."""
    return case.incident.merged_into is not None or WHOLE_TAG in case.incident.tags


def members(cases: Mapping[int, Case], key: int) -> list[int]:
    """Of the incidents at hand those that are one matter with this one, itself included: the whole first,
    then its parts in their order."""
    if not is_merged(cases[key]):
        return [key]
    head = head_of(cases[key])
    return sorted((k for k, case in cases.items() if head_of(case) == head), key=lambda k: (k != head, k))


def share_answers(cases: Mapping[int, Case]) -> dict[int, Case]:
    """The cases, each with the answers that were given in the name of another part of the same matter since
    both have been in it: a console user's, and those of contacts who were told of this one too, in the role
    in which they were, unless that is a resident's. An answer of before was about its own place and counts
    there alone."""
    shared = dict(cases)
    for key, case in cases.items():
        others = [cases[other] for other in members(cases, key) if other != key]
        given = [here for one in others for answer in one.answers if (here := _as_here(answer, one, case))]
        if given:
            answers = sorted((*case.answers, *given), key=lambda answer: answer.at_us)
            shared[key] = replace(case, answers=tuple(answers))
    return shared


def _as_here(answer: Answer, there: Case, here: Case) -> Answer | None:
    since_us = max(there.incident.merged_us or 0, here.incident.merged_us or 0)
    if answer.at_us <= since_us:
        return None
    if answer.actor.startswith("user:"):
        return answer
    contact_id = contact_of(answer.actor)
    roles = [str(told.role) for told in here.told if told.contact_id == contact_id]
    working = [role for role in roles if role not in _RESIDENTS]
    return replace(answer, role=working[-1]) if working else None


def act_on_whole(
    cases: Mapping[int, Case], key: int, doings: Mapping[int, Doing], now_us: int, plans: Plans
) -> Moved:
    """Carries out what somebody does to one of several merged incidents. `doings` by incident: the same act
    with the standing that its actor has in each. It is decided in the name of the whole where a console user
    does it, and of the incident of the link where a contact does; a false alarm of the one that is named."""
    keys = members(cases, key)
    if doings[key].actor.startswith("user:") and doings[key].act is not Act.FALSE_ALARM:
        return _by_the_desk(cases, keys, doings, now_us, plans)
    return _everywhere(cases, key, keys, doings, now_us, plans)


def _by_the_desk(
    cases: Mapping[int, Case], keys: list[int], doings: Mapping[int, Doing], now_us: int, plans: Plans
) -> Moved:
    head, doing = keys[0], doings[keys[0]]
    if doing.act not in _REACHES:
        return _everywhere(cases, head, keys, doings, now_us, plans)
    behind = _behind(cases, keys, doing.act) or [head]
    for one in behind:
        if reason := refusal(cases[one], doings[one]):
            reason = reason if one == head else pack("part_refuses", because=reason, other=str(one))
            text = pack("act_refused", because=reason, act=Words([f"act.{doing.act}"]), note=doing.note)
            case = cases[head].having(Change(now_us, str(doing.act), doing.by, doing.via, text))
            return Moved({head: case}, Decided(case, Outcome.REFUSED, reason))
    decided = {one: decide_act(cases[one], doings[one], now_us, plans) for one in behind}
    changed = {one: each.case for one, each in decided.items()}
    return Moved(changed, Decided(changed.get(head, cases[head]), Outcome.DONE))


def _behind(cases: Mapping[int, Case], keys: list[int], act: Act) -> list[int]:
    """The open incidents that such an act has still to move on."""
    return [key for key in keys if cases[key].incident.state.is_open and not _has_reached(cases[key], act)]


def _has_reached(case: Case, act: Act) -> bool:
    if act is Act.HANDLED:
        return case.incident.is_over  # a false alarm needs nobody to go there
    return case.incident.state.progress >= _REACHES[act].progress


def _everywhere(
    cases: Mapping[int, Case],
    lead: int,
    keys: list[int],
    doings: Mapping[int, Doing],
    now_us: int,
    plans: Plans,
) -> Moved:
    """In `lead`, and where that takes effect in all others in which the actor may do it."""
    own = _decided(cases, lead, keys, doings, now_us, plans)
    changed = {lead: own.case}
    if own.outcome is not Outcome.DONE or doings[lead].act in _ONE_PLACE:
        return Moved(changed, own)
    for key in keys:
        if key == lead or not doings[key].standing - _RESIDENTS:
            continue
        there = decide_act(cases[key], doings[key], now_us, plans)
        if there.outcome is Outcome.DONE:
            changed[key] = there.case
    return Moved(changed, own)


def _decided(
    cases: Mapping[int, Case],
    lead: int,
    keys: list[int],
    doings: Mapping[int, Doing],
    now_us: int,
    plans: Plans,
) -> Decided:
    """As for the incident alone, but that detectors in alarm in any part speak against a false alarm: two of
    them, or one in another part. Said of one place it stops nothing where it still smokes."""
    own, doing = cases[lead], doings[lead]
    if doing.act is Act.FALSE_ALARM:
        smoking = _smoking(cases, keys)
        if set(smoking) - {lead}:
            alone = smoking[0] if len(smoking) == 1 and _is_for(cases[smoking[0]], doings[smoking[0]]) else 0
            reason = pack("part_smokes", other=str(alone)) if alone else pack("second_device")
            return Decided(_noted(own, doing, reason, now_us), Outcome.NOTED, reason)
        alarms = tuple(a for key in keys if cases[key].incident.state.is_open for a in cases[key].alarms)
        together = decide_act(replace(own, alarms=alarms), doing, now_us, plans)
        if together.outcome is not Outcome.DONE:
            return replace(together, case=replace(together.case, alarms=own.alarms))
    return decide_act(own, doing, now_us, plans)


def _smoking(cases: Mapping[int, Case], keys: list[int]) -> list[int]:
    """The open incidents in which a detector is in alarm."""
    return [key for key in keys if cases[key].incident.state.is_open and cases[key].active()]


def _smokes_alone(cases: Mapping[int, Case], keys: list[int], key: int) -> bool:
    """Whether one device is in alarm, in this incident, and nobody has called it false."""
    active = cases[key].active()
    single = len({alarm.uid for alarm in active}) == 1 and not any(alarm.place for alarm in active)
    return single and _smoking(cases, keys) == [key] and not cases[key].incident.is_over


def _is_for(case: Case, doing: Doing) -> bool:
    """Whether it would take effect there, were that incident alone."""
    return not (refusal(case, doing) or note_only(case, doing))


def _noted(case: Case, doing: Doing, reason: str, now_us: int) -> Case:
    text = pack("act_noted", because=reason, act=Words([f"act.{doing.act}"]), note=doing.note)
    return case.having(Change(now_us, str(doing.act), doing.by, doing.via, text))


def possible_on_whole(
    cases: Mapping[int, Case], key: int, actor: str, standing: frozenset[str]
) -> tuple[Act, ...]:
    """The buttons of the desk for an incident, with all its parts. A part has one at most: "false alarm",
    while a single detector is in alarm in it and none in any other."""
    keys = members(cases, key)
    if key != keys[0]:
        can_be = Act.FALSE_ALARM in possible_acts(cases[key], actor, standing)
        return (Act.FALSE_ALARM,) if can_be and _smokes_alone(cases, keys, key) else ()
    possible = {one: possible_acts(cases[one], actor, standing) for one in keys}

    def can(act: Act) -> bool:
        behind = _behind(cases, keys, act) if act in _REACHES else []
        return all(act in possible[one] for one in behind or [key])

    return tuple(act for act in permission.offered(standing) if can(act))
