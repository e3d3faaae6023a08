"""Merged incidents as the desk sees them: one line for the whole, and what every part adds to it.

The line is as bad as the worst part, as far along as the one that is least, and in somebody's hands only when
every part is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Row, select

from alerts.acts import actor_codes
from alerts.case import Act, Answer, Case, State
from alerts.cases import load_cases
from alerts.sayings import word
from alerts.schema import incident
from alerts.times import APART_US
from alerts.whole import WHOLE_TAG, head_of
from alerts.whole_kept import with_wholes
from devices.model import Severity

if TYPE_CHECKING:
    from alerts.board_view import OpenIncident

MERGED: Final = "merged"
"""The state in which a part is shown; its own goes on beneath it."""
TAKING: Final = frozenset({Act.ACKNOWLEDGE, Act.CONFIRM, Act.ARRIVED, Act.HANDLED})
"""Acts by which somebody takes the matter in hand."""
UNSEEING: Final = frozenset({Act.NOTE, Act.MERGE, Act.SPLIT})
"""Acts at the desk that take nothing in hand."""


def parts_of(connection: Connection, rows: Iterable[Row[Any]]) -> dict[int, list[Row[Any]]]:
    """The parts of these incidents, rows of `incident`, by the whole: of one that is open its open ones."""
    wholes = {row.id: row for row in rows if WHOLE_TAG in row.tags.split(",")}
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    if wholes:
        i = incident.c
        parts = select(incident).where(i.merged_into.in_(wholes)).order_by(i.id)
        for part in connection.execute(parts):
            if part.closed_us is None or wholes[part.merged_into].closed_us is not None:
                found[part.merged_into].append(part)
    return found


def wholes(connection: Connection, ids: Collection[int]) -> dict[int, list[Case]]:
    """These wholes as their open cases, or of one that has ended all, each with what was answered for it."""
    found: dict[int, list[Case]] = defaultdict(list)
    if ids:
        cases = with_wholes(connection, load_cases(connection, ids=ids))
        over = {key for key in ids if key in cases and not cases[key].incident.state.is_open}
        for key in sorted(cases):
            head = head_of(cases[key])
            if cases[key].incident.state.is_open or head in over:
                found[head].append(cases[key])
    return found


def together(
    line: OpenIncident,
    parts: Sequence[OpenIncident],
    states: Sequence[str],
    cases: Sequence[Case],
    taken_by: str,
    language: str,
) -> OpenIncident:
    """The line of a whole from its own and those of its parts. `states` are those of all of them beneath,
    `cases` and `taken_by` as `wholes` and `taken` give them."""
    every = [line, *parts]
    worst = min(every, key=lambda one: _rank(one.severity))
    due = min((o for o in every if o.next_due_us is not None), key=lambda o: o.next_due_us or 0, default=line)
    opened_us = min(one.opened_us for one in every)
    newest_us = max(one.newest_us or one.opened_us for one in every)
    return replace(
        line,
        severity=worst.severity,
        state=min(states, key=_progress),
        place=("；" if language == "zh-CN" else "; ").join(dict.fromkeys(one.place for one in every)),
        opened_us=opened_us,
        newest_us=newest_us if newest_us - opened_us >= APART_US else None,
        evidence=worst.evidence,
        taken_by=taken_by,
        next_step=due.next_step,
        next_due_us=due.next_due_us,
        told=len({told.contact_id for case in cases for told in case.told}),
        accepted=sum(one.accepted for one in every),
        answered=len({answer.actor for case in cases for answer in case.answers}),
        tags=tuple(sorted({tag for one in every for tag in one.tags})),
        wants_help=any(one.wants_help for one in every),
        parts=tuple(one.id for one in parts),
    )


def taken(connection: Connection, cases: Mapping[int, Sequence[Case]], language: str) -> dict[int, str]:
    """Who last took each whole in hand, as role and code; empty where a part of it is in nobody's."""
    last = {head: [_taker(case) for case in members] for head, members in cases.items()}
    actors = {answer.actor for many in last.values() for answer in many if answer is not None}
    names = actor_codes(connection, actors)
    found = {}
    for head, many in last.items():
        held = [answer for answer in many if answer is not None]
        newest = max(held, key=lambda answer: answer.at_us, default=None)
        if newest is not None and len(held) == len(many):
            found[head] = f"{word(newest.role, language)} {names.get(newest.actor, '')}"
    return found


def seen_wholes(connection: Connection, ids: Collection[int]) -> set[int]:
    """Of these wholes those of which a console user has acted on every fire alarm since it (re)started."""
    return {
        head
        for head, cases in wholes(connection, ids).items()
        if all(_is_seen(case) for case in cases if _rank(case.incident.severity) <= Severity.P0.rank)
    }


def _taker(case: Case) -> Answer | None:
    """As `board_view` has it of an incident alone: of this epoch, or what stands from before."""
    incident = case.incident
    stands = incident.arrived_us is not None or incident.confirmed_us is not None
    taking = (a for a in case.answers if a.act in TAKING and (stands or a.at_us > incident.started_us))
    return max(taking, key=lambda answer: answer.at_us, default=None)


def _is_seen(case: Case) -> bool:
    return any(
        answer.actor.startswith("user:")
        and answer.act not in UNSEEING
        and answer.at_us > case.incident.started_us
        for answer in case.answers
    )


def _rank(severity: str) -> int:
    """One that this release does not know counts as the worst."""
    return Severity(severity).rank if severity in set(Severity) else 0


def _progress(state: str) -> int:
    return State(state).progress if state in set(State) else 0
