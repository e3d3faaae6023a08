"""Splitting by an operator: parts of an incident, or some of its devices, leave and stand alone. Pure.

A part that leaves goes on under the number that it always had: the links of its people bear it, and its
timeline is there. Devices leave into a new number, with their alarms. Either way both timelines name the
other. Undoing a merge is a split.

What was answered stands where it was answered. Nobody can know which of the places an answer given for both
was about, so a fire that leaves is told from step 0, whatever was acknowledged, and so is every new number:
the links of its people are new. What was dealt with and stands no more leaves in silence.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from alerts.case import Act, Alarm, Case, Change, Hazard, Incident, State
from alerts.deadlines import OVERDUE_TAG, follow
from alerts.effects import HELP_TAG, Doing
from alerts.escalation import first_steps
from alerts.gate import EXERCISE_TAGS, exercise_in
from alerts.hazards import ALARMING, leading
from alerts.joining import restart
from alerts.lifecycle import Decided, Outcome, refusal
from alerts.plans import Plans
from alerts.sayings import Words, pack
from alerts.whole import WHOLE_TAG, Moved, members
from rules.transition import Mark

PART: Final = "#"
"""Before the number of a part, in a note that names what leaves."""
_LEFT_BEHIND: Final = frozenset({WHOLE_TAG, HELP_TAG, OVERDUE_TAG, str(Mark.SECOND_FIRE)})
"""Tags of an incident that say nothing of a device that leaves it."""


def leaving(note: str) -> tuple[frozenset[int], frozenset[str]]:
    """Which parts and which devices leave: a line each, `#12` or the device's uid."""
    lines = {line.strip() for line in note.splitlines()} - {""}
    numbers = {line for line in lines if line[0] == PART and line[1:].isascii() and line[1:].isdecimal()}
    return frozenset(int(line[1:]) for line in numbers), frozenset(lines - numbers)


def split(
    cases: Mapping[int, Case], key: int, doing: Doing, fresh_id: int, now_us: int, plans: Plans
) -> Moved:
    """Takes out of this incident, or of the whole that it is in, what the note names. `fresh_id` is the
    number of the new incident for devices."""
    keys = members(cases, key)
    parts, uids = leaving(doing.note)
    holder = _holder(cases, keys, uids)
    if holder and holder != keys[0] and uids == {a.uid for a in cases[holder].alarms}:
        parts, uids = parts | {holder}, frozenset()  # all of a part is the part
    refused = _refusal(cases, keys, parts, uids, holder, doing)
    if refused:
        text = pack("act_refused", because=refused, act=Words([f"act.{doing.act}"]), note=doing.note)
        case = cases[keys[0]].having(_line(doing, text, now_us))
        return Moved({keys[0]: case}, Decided(case, Outcome.REFUSED, refused))
    if parts:
        changed = _part_ways(cases, keys, parts, doing, now_us, plans)
    else:
        changed = _begin_anew(cases[holder], uids, fresh_id, doing, now_us, plans)
    return Moved(changed, Decided(changed.get(keys[0], cases[keys[0]]), Outcome.DONE))


def _holder(cases: Mapping[int, Case], keys: Sequence[int], uids: Collection[str]) -> int:
    """The incident in which all of these devices have alarms; 0 for none."""
    holding = (key for key in keys if uids and set(uids) <= {alarm.uid for alarm in cases[key].alarms})
    return next(holding, 0)


def _refusal(
    cases: Mapping[int, Case],
    keys: Sequence[int],
    parts: Collection[int],
    uids: Collection[str],
    holder: int,
    doing: Doing,
) -> str:
    head = cases[keys[0]]
    if reason := refusal(head, doing):
        return reason
    if bool(parts) == bool(uids) or not set(parts) <= set(keys[1:]) or (uids and not holder):
        return pack("split_which")
    if exercise_in(head.incident.place) or head.incident.tags & EXERCISE_TAGS:
        return pack("merge_exercise")
    if uids and set(uids) == {alarm.uid for alarm in cases[holder].alarms}:
        return pack("split_all")
    return ""


def _part_ways(
    cases: Mapping[int, Case],
    keys: Sequence[int],
    parts: Collection[int],
    doing: Doing,
    now_us: int,
    plans: Plans,
) -> dict[int, Case]:
    head, changed = cases[keys[0]], {}
    for part in sorted(parts):
        head = head.having(_line(doing, pack("split_off", other=str(part)), now_us))
        case = cases[part].having(_line(doing, pack("split_from", other=str(keys[0])), now_us))
        incident = replace(case.incident, merged_into=None, merged_us=None)
        changed[part] = _told_anew(replace(case, incident=incident), now_us, plans)
    if set(parts) == set(keys[1:]):
        tags = head.incident.tags - {WHOLE_TAG}
        head = replace(head, incident=replace(head.incident, tags=tags))
    return {**changed, keys[0]: head}


def _told_anew(case: Case, now_us: int, plans: Plans) -> Case:
    """A fire that nobody has dealt with, from step 0, with none of the answers that were given for all."""
    incident = case.incident
    if incident.severity not in ALARMING or incident.is_over or not incident.state.is_open:
        return case
    incident = replace(incident, confirmed_us=None, arrived_us=None)
    return restart(replace(case, incident=incident), incident.severity, now_us, plans)


def _begin_anew(
    case: Case, uids: Collection[str], fresh_id: int, doing: Doing, now_us: int, plans: Plans
) -> dict[int, Case]:
    moved = tuple(alarm for alarm in case.alarms if alarm.uid in uids)
    stays = tuple(alarm for alarm in case.alarms if alarm.uid not in uids)
    incident = _new_incident(case.incident, moved, fresh_id, now_us)
    if case.incident.is_over and all(alarm.cleared_us is not None for alarm in moved):
        fresh = follow(Case(_dealt_with(incident, case.incident), alarms=moved), incident, now_us, plans)
    else:
        fresh = Case(incident, alarms=moved, steps=first_steps(incident, now_us, plans))
    fresh = fresh.having(_line(doing, pack("split_from", other=str(case.incident.id)), now_us))
    for alarm in moved:
        fresh = fresh.having(_line(doing, pack("opened", why=alarm.why), now_us))
    rest = replace(case, alarms=stays)
    rest = rest.having(_line(doing, pack("split_off", other=str(fresh_id)), now_us))
    return {case.incident.id: rest, fresh_id: fresh}


def _dealt_with(fresh: Incident, of: Incident) -> Incident:
    """As far along as the matter that it leaves: putting records in order wakes nobody."""
    return replace(
        fresh,
        state=of.state,
        confirmed_us=of.confirmed_us,
        false_alarm_us=of.false_alarm_us,
        arrived_us=of.arrived_us,
        fed_back_by=of.fed_back_by,
    )


def _new_incident(of: Incident, moved: Sequence[Alarm], fresh_id: int, now_us: int) -> Incident:
    """As severe as the worst of what moves, at the same place, and about a fire if any of it is."""
    hazards = {alarm.hazard for alarm in moved}
    first = leading(moved)
    hazard = of.hazard if of.hazard in hazards or first is None else first.hazard
    return Incident(
        id=fresh_id,
        place=of.place,
        dwelling_id=of.dwelling_id,
        building_id=of.building_id,
        hazard=Hazard.FIRE if Hazard.FIRE in hazards else hazard,
        severity=min((alarm.severity for alarm in moved), key=lambda severity: severity.rank),
        state=State.REPORTED,
        epoch=0,
        started_us=now_us,
        opened_us=min(alarm.taken_us for alarm in moved),
        tags=of.tags - _LEFT_BEHIND,
    )


def _line(doing: Doing, text: str, now_us: int) -> Change:
    return Change(now_us, str(Act.SPLIT), doing.by, doing.via, text)
