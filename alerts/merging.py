"""Merging by an operator: one incident becomes a part of another, which goes on. Pure.

Nobody is told anything by it and no step changes: what a part is, `alerts.whole` says. What is refused, and
why (chosen):

* another hazard: a fire, a circuit and a broken device have other people, deadlines and ends;
* an exercise or a fault of the system: neither is a matter of a place;
* another building: one "arrived" or "handled" counts for every part, so one person must be able to see to all
  of them. An incident of unknown place (an unregistered device) can go into one of a known place, unless
  it is worse: by merging nobody there would be told, by registering the device they are;
* one that is dealt with and one that is not: what still burns must not look dealt with, nor the other way;
* one that has ended, itself, or more parts than one person can look through.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from alerts.case import Act, Case, Change, Hazard, Incident
from alerts.effects import Doing
from alerts.gate import EXERCISE_TAGS, exercise_in
from alerts.lifecycle import Decided, Outcome, refusal
from alerts.sayings import Words, pack
from alerts.whole import WHOLE_TAG, Moved, head_of, members

PARTS_MAX: Final = 20
"""Parts of one incident (chosen: what one page can show and one person look through)."""
_NUMBER: Final = re.compile(r"#?([1-9][0-9]{0,17})(?:[\s:：]+(.*))?", re.ASCII | re.DOTALL)


def target_of(note: str) -> tuple[int, str]:
    """The incident that a note begins with, and the reason after it (`12 same fire`); 0 where it names
    none."""
    match = _NUMBER.fullmatch(note.strip())
    return (int(match[1]), (match[2] or "").strip()) if match else (0, "")


def merge(cases: Mapping[int, Case], key: int, doing: Doing, now_us: int) -> Moved:
    """Makes this incident, with the parts that it has, a part of the one that the note names; where that is a
    part itself, of its whole. The timelines of both tell of it."""
    named, reason = target_of(doing.note)
    into = head_of(cases[named]) if named in cases else named
    refused = _refusal(cases, key, into, doing)
    if refused:
        text = pack("act_refused", because=refused, act=Words([f"act.{doing.act}"]), note=doing.note)
        case = cases[key].having(_line(doing, text, now_us))
        return Moved({key: case}, Decided(case, Outcome.REFUSED, refused))
    joining = members(cases, key)
    changed = {one: _as_part(cases[one], into, now_us) for one in joining}
    changed[key] = changed[key].having(_line(doing, _said("merged_into", into, reason), now_us))
    whole = cases[into]
    whole = replace(whole, incident=replace(whole.incident, tags=whole.incident.tags | {WHOLE_TAG}))
    changed[into] = whole.having(_line(doing, _said("merged_in", key, reason), now_us))
    return Moved(changed, Decided(changed[key], Outcome.DONE))


def barred(one: Incident, into: Incident) -> str:
    """Why an incident cannot become a part of another, whoever asks, as a packed saying; empty where it
    can."""
    if one.id == into.id:
        return pack("merge_itself")
    if one.merged_into is not None:
        return pack("merged_already", other=str(one.merged_into))
    if not (one.state.is_open and into.state.is_open):
        return pack("merge_ended")
    if one.hazard is not into.hazard:
        return pack("merge_hazard")
    if _is_exercise(one) or _is_exercise(into) or one.hazard is Hazard.SYSTEM:
        return pack("merge_exercise")
    if not into.building_id or one.building_id not in {0, into.building_id}:
        return pack("merge_place")
    if not one.building_id and one.severity.rank < into.severity.rank:
        return pack("merge_unknown")
    if one.is_over != into.is_over:
        return pack("merge_over")
    return ""


def _refusal(cases: Mapping[int, Case], key: int, into: int, doing: Doing) -> str:
    if reason := refusal(cases[key], doing):
        return reason
    if not into:
        return pack("merge_which")
    if into not in cases:
        return pack("unknown_incident")
    if reason := barred(cases[key].incident, cases[into].incident):
        return reason
    parts = len(members(cases, key)) + len(members(cases, into)) - 1
    return pack("merge_many", most=str(PARTS_MAX)) if parts > PARTS_MAX else ""


def _is_exercise(incident: Incident) -> bool:
    return bool(exercise_in(incident.place) or incident.tags & EXERCISE_TAGS)


def _as_part(case: Case, into: int, now_us: int) -> Case:
    tags = case.incident.tags - {WHOLE_TAG}
    return replace(case, incident=replace(case.incident, merged_into=into, merged_us=now_us, tags=tags))


def _said(line: str, other: int, reason: str) -> str:
    return pack(f"{line}_because" if reason else line, other=str(other), note=reason)


def _line(doing: Doing, text: str, now_us: int) -> Change:
    return Change(now_us, str(Act.MERGE), doing.by, doing.via, text)
