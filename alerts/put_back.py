"""After our clock was put back: no time that incidents remember lies after now. Which came first is kept.

What was answered, told and begun is compared by our clock: an answer counts for the fire that began before it
and for no later one. Where the clock goes back, "before" would count as "after" for as long as it went back:
six people who answered the first fire would be spared the second. So the times after now that a turn finds
are moved to just before it, a microsecond apart, in the order that they have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, update

from alerts.case import Case
from alerts.schema import act

_REMEMBERED: Final = ("started_us", "confirmed_us", "false_alarm_us", "arrived_us", "merged_us")
"""Of an incident: the times that are compared with those of acts."""
_MOVE: Final = (
    update(act)
    .where(act.c.incident_id == bindparam("b_incident"), act.c.at_us == bindparam("b_was"))
    .values(at_us=bindparam("b_is"))
)
_MOVE_ONE: Final = update(act).where(act.c.id == bindparam("b_id")).values(at_us=bindparam("b_is"))


def moved_times(cases: Iterable[Case], now_us: int) -> dict[int, int]:
    """Where each time after now that any of them remembers goes: before now, in the same order."""
    later = sorted({at_us for case in cases for at_us in _times(case) if at_us > now_us})
    return {at_us: now_us - len(later) + n for n, at_us in enumerate(later)}


def put_right(case: Case, moved: Mapping[int, int]) -> Case:
    """The case with its times moved; itself where none of them is."""
    if moved.keys().isdisjoint(_times(case)):
        return case
    incident = case.incident
    known = {name: getattr(incident, name) for name in _REMEMBERED}
    return replace(
        case,
        incident=replace(incident, **{name: moved.get(at_us, at_us) for name, at_us in known.items()}),
        answers=tuple(replace(a, at_us=moved.get(a.at_us, a.at_us)) for a in case.answers),
        alarms=tuple(replace(a, taken_us=moved.get(a.taken_us, a.taken_us)) for a in case.alarms),
        steps=tuple(
            step if step.ended_us is None else replace(step, ended_us=moved.get(step.ended_us, step.ended_us))
            for step in case.steps
        ),
    )


def put_acts_right(
    connection: Connection, cases: Mapping[int, Case], acts: Sequence[Row[Any]], now_us: int
) -> dict[int, Case]:
    """The cases whose times had to be moved, by their key, for the turn to store; their acts are moved here.
    `acts`, those that this turn decides, are of now at the latest. Without a time after now it asks nothing.
    """
    whole = (row for row in acts if isinstance(row.at_us, int))  # another is refused when it is decided
    ahead = [{"b_id": row.id, "b_is": now_us} for row in whole if row.at_us > now_us]
    if ahead:
        connection.execute(_MOVE_ONE, ahead)
    moved = moved_times(cases.values(), now_us)
    if not moved:
        return {}
    answered = {(key, one.at_us) for key, case in cases.items() for one in case.answers if one.at_us in moved}
    if answered:  # one that another part shares is moved in its own
        rows = [{"b_incident": key, "b_was": was, "b_is": moved[was]} for key, was in sorted(answered)]
        connection.execute(_MOVE, rows)
    right = {key: put_right(case, moved) for key, case in cases.items()}
    return {key: case for key, case in right.items() if case is not cases[key]}


def _times(case: Case) -> Iterator[int]:
    incident = case.incident
    yield from (at_us for name in _REMEMBERED if (at_us := getattr(incident, name)) is not None)
    yield from (answer.at_us for answer in case.answers)
    yield from (alarm.taken_us for alarm in case.alarms)
    yield from (step.ended_us for step in case.steps if step.ended_us is not None)
