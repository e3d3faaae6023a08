"""The board of open incidents and the stream of changes, read from the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Subquery,
    case,
    distinct,
    exists,
    func,
    select,
    true,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from alerts import schema
from alerts.acts import actor_codes
from alerts.case import ENDED_STATES, Alarm, StepState
from alerts.cases import alarm_of, standing_role
from alerts.effects import HELP_TAG
from alerts.hazards import leading
from alerts.joining import STRANGER_TAG
from alerts.sayings import render, step_word, word
from alerts.times import times_of
from alerts.whereabouts import place_words, where_of
from alerts.whole_view import MERGED, TAKING, UNSEEING, parts_of, taken, together, wholes
from alerts.windows_kept import is_exercise
from devices.schema import building
from devices.scope import EVERYWHERE, Scope

log = structlog.get_logger()

_TAKING: Final = tuple(map(str, TAKING))
_UNSEEING: Final = tuple(map(str, UNSEEING))


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """One line of the board. `taken_by` is empty while nobody has it, else a role and a code or login.

    `told` and `answered` count contacts, `accepted` messages that a provider took. `wants_help` puts it in
    front of everything else. `newest_us` as in `alerts.times`. `parts` are the incidents merged into it: it
    stands for them too.
    """

    id: int
    severity: str
    state: str
    hazard: str
    place: str
    opened_us: int
    newest_us: int | None
    evidence: str
    taken_by: str
    next_step: str
    next_due_us: int | None
    told: int
    accepted: int
    answered: int
    tags: tuple[str, ...]
    wants_help: bool
    parts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """A line of the timeline in the reader's language. `by` is `user:LOGIN`, `contact:CODE` or `gengfu`."""

    id: int
    incident_id: int
    at_us: int
    kind: str
    by: str
    via: str
    text: str


def open_incidents(
    connection: Connection,
    language: str,
    limit: int,
    scope: Scope = EVERYWHERE,
    only: ColumnElement[bool] | None = None,
) -> list[OpenIncident]:
    """The first `limit` open incidents of `scope` in the order in which an operator should look at them; of
    those that meet `only`, a condition on `incident`, where one is given.

    Real ones before exercises; help wanted first, then by severity (one that this release does not know
    counts as the worst); within it what no console user has taken yet, then registered devices before
    strangers, then the newest. So neither many old incidents nor many unregistered devices hide a fresh fire.
    A fixed number of queries and at most four more per place.
    """
    i, whole = schema.incident.c, _parts_in_order()
    parts = whole.c
    order = [case((parts[name] < own, parts[name]), else_=own) for name, own in _order(i).items()]
    exercise = case((is_exercise(), 1), else_=0)
    rows = connection.execute(
        select(schema.incident)
        .outerjoin(whole, parts.head == i.id)
        .where(_is_open(), scope.holds(i.building_id), true() if only is None else only)
        .order_by(exercise, *order, i.opened_us.desc(), i.id.desc())
        .limit(limit)
    ).all()
    return lines_of(connection, rows, language)


def _order(i: ReadOnlyColumnCollection[str, Column[Any]]) -> dict[str, ColumnElement[int]]:
    """What of a row of `incident` decides where it stands on the board, the lowest first."""
    return {
        "help": case((i.tags.contains(HELP_TAG), 0), else_=1),
        "worst": case({"P0": 1, "P1": 2, "P2": 3, "P3": 4}, value=i.severity, else_=0),
        "taken": case((seen_at_the_desk(i), 1), else_=0),
        "stranger": case((i.tags.contains(STRANGER_TAG), 1), else_=0),
    }


def _parts_in_order() -> Subquery:
    """The same of the open parts of each whole, which stands as high as the highest of them."""
    p = schema.incident.alias("part").c
    first = [func.min(one).label(name) for name, one in _order(p).items()]
    parts = select(p.merged_into.label("head"), *first)
    return parts.where(p.merged_into.is_not(None), p.closed_us.is_(None)).group_by(p.merged_into).subquery()


def count_open(
    connection: Connection, scope: Scope = EVERYWHERE, only: ColumnElement[bool] | None = None
) -> int:
    """How many incidents of `scope` are open, on the board or not; of those that meet `only`."""
    here = _is_open() & scope.holds(schema.incident.c.building_id)
    here &= true() if only is None else only
    return int(connection.scalar(select(func.count()).select_from(schema.incident).where(here)) or 0)


def seen_at_the_desk(
    i: ReadOnlyColumnCollection[str, Column[Any]] = schema.incident.c,
) -> ColumnElement[bool]:
    """Of a row of `incident`: a console user has acted on it, or on the whole that it is a part of, since it
    (re)started; a note is no taking."""
    a = schema.act.c
    ours = (a.incident_id == i.id) | (a.at_us > i.merged_us)
    return exists().where(
        a.incident_id.in_((i.id, i.merged_into)),
        ours,
        a.actor.startswith("user:"),
        a.outcome == "done",
        a.act.not_in(_UNSEEING),
        a.at_us > i.started_us,
    )


def _is_open() -> ColumnElement[bool]:
    """Open, and no part of another."""
    i = schema.incident.c
    return i.state.not_in([str(s) for s in ENDED_STATES]) & i.merged_into.is_(None)


def lines_of(connection: Connection, rows: Sequence[Row[Any]], language: str) -> list[OpenIncident]:
    """Rows of `incident` as lines of the board, in the same order; one that has parts stands for them all."""
    parts = parts_of(connection, rows)
    lines = _single_lines(connection, [*rows, *(part for many in parts.values() for part in many)], language)
    if parts:
        cases = wholes(connection, parts.keys())
        takers = taken(connection, cases, language)
        for row in rows:
            if many := parts.get(row.id):
                states = [row.state, *(part.state for part in many)]
                lines[row.id] = together(
                    lines[row.id], [lines[part.id] for part in many], states, cases[row.id],
                    takers.get(row.id, ""), language,
                )  # fmt: skip
    return [lines[row.id] for row in rows]


def _single_lines(connection: Connection, rows: Sequence[Row[Any]], language: str) -> dict[int, OpenIncident]:
    ids = [row.id for row in rows]
    alarms = alarms_of(connection, ids)
    steps = _next_steps(connection, ids)
    told = _told(connection, ids)
    takers = _takers(connection, ids, language)
    answered = _answered(connection, ids)
    return {
        row.id: _line(
            connection, row, language, alarms[row.id], steps.get(row.id), told.get(row.id, (0, 0)),
            takers.get(row.id, ""), answered.get(row.id, 0),
        )
        for row in rows
    }  # fmt: skip


def changes_after(
    connection: Connection, change_id: int, limit: int, language: str = "zh-CN"
) -> list[ChangeLine]:
    """At most `limit` changes of any incident with an id above `change_id`, in id order."""
    c = schema.incident_change.c
    rows = connection.execute(
        select(schema.incident_change).where(c.id > change_id).order_by(c.id).limit(limit)
    )
    return [change_line(row, row.text, language) for row in rows]


def newest_change_id(connection: Connection) -> int:
    """The largest id of a change, 0 before the first."""
    return int(connection.scalar(select(func.max(schema.incident_change.c.id))) or 0)


def change_line(row: Row[Any], text: str, language: str) -> ChangeLine:
    """A row of `incident_change` with its text, or one that stands for several, for a reader."""
    return ChangeLine(row.id, row.incident_id, row.at_us, row.kind, row.by, row.via, render(text, language))


def alarms_of(connection: Connection, ids: Collection[int]) -> Mapping[int, list[Alarm]]:
    """The evidence of incidents, in the order in which it came; what cannot be read is left out."""
    found: dict[int, list[Alarm]] = defaultdict(list)
    a = schema.incident_alarm.c
    rows = select(schema.incident_alarm).where(a.incident_id.in_(ids)).order_by(a.raised_us, a.id)
    for row in connection.execute(rows) if ids else ():
        try:
            found[row.incident_id].append(alarm_of(row))
        except ValueError as error:
            log.error("evidence_not_readable", incident=row.incident_id, error=type(error).__name__)
    return found


def _line(
    connection: Connection,
    row: Row[Any],
    language: str,
    alarms: list[Alarm],
    step: tuple[str, int] | None,
    told: tuple[int, int],
    taken_by: str,
    answered: int,
) -> OpenIncident:
    tags = sorted(tag for tag in row.tags.split(",") if tag)
    first = leading(alarms)
    return OpenIncident(
        id=row.id,
        severity=row.severity,
        state=row.state if row.merged_into is None else MERGED,
        hazard=row.hazard,
        place=place_words(connection, where_of(row), alarms, language),
        opened_us=row.opened_us,
        newest_us=times_of(row.opened_us, alarms).newest_us,
        evidence=first.why.said_in(language) if first else "",
        taken_by=taken_by,
        next_step=step_word(step[0], language) if step else "",
        next_due_us=step[1] if step else None,
        told=told[0],
        accepted=told[1],
        answered=answered,
        tags=tuple(tags),
        wants_help=HELP_TAG in tags,
    )


def _next_steps(connection: Connection, ids: Collection[int]) -> dict[int, tuple[str, int]]:
    s = schema.step.c
    pending = select(s.incident_id, s.name, s.due_us).where(
        s.incident_id.in_(ids), s.state == StepState.PENDING
    )
    found: dict[int, tuple[str, int]] = {}
    for row in connection.execute(pending.order_by(s.due_us, s.id)):
        found.setdefault(row.incident_id, (row.name, row.due_us))
    return found


def _told(connection: Connection, ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Contacts told and messages accepted, by incident."""
    n = schema.notification.c
    rows = connection.execute(
        select(n.incident_id, func.count(distinct(n.contact_id)), func.count(n.accepted_us))
        .where(n.incident_id.in_(ids))
        .group_by(n.incident_id)
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def _answered(connection: Connection, ids: Collection[int]) -> dict[int, int]:
    a = schema.act.c
    rows = connection.execute(
        select(a.incident_id, func.count(distinct(a.actor)))
        .where(a.incident_id.in_(ids), a.outcome.in_(("done", "noted")))
        .group_by(a.incident_id)
    )
    return {row[0]: row[1] for row in rows}


def _takers(connection: Connection, ids: Collection[int], language: str) -> dict[int, str]:
    """Who last took each incident in hand, in this epoch or before, as role and code."""
    a = schema.act.c
    rows = connection.execute(
        select(a.incident_id, a.actor, a.role)
        .join(schema.incident, a.incident_id == schema.incident.c.id)
        .where(a.incident_id.in_(ids), a.outcome == "done", a.act.in_(_TAKING))
        .where(_still_holds())
        .order_by(a.id)
    ).all()
    names = actor_codes(connection, {row.actor for row in rows})
    return {
        row.incident_id: f"{word(standing_role(row.actor, row.role), language)} {names.get(row.actor, '')}"
        for row in rows
    }


def _still_holds() -> ColumnElement[bool]:
    """A second fire forgets who had it: answers of this epoch count, and what stands from before."""
    a, i = schema.act.c, schema.incident.c
    return (a.at_us > i.started_us) | i.arrived_us.is_not(None) | i.confirmed_us.is_not(None)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an open incident stands on boards: the lowest `key`, whose last part is −id, comes first.
    `area_id` is its building's, 0 where none is known."""

    id: int
    key: tuple[int, ...]
    area_id: int


def standings(connection: Connection, ids: Collection[int] | None = None) -> list[Standing]:
    """Those of these incidents (None: of all) that are open and no part of another, in no order; sorted by
    their keys they are in that of `open_incidents`."""
    i, whole, home = schema.incident.c, _parts_in_order(), building.alias()
    own = _order(i)
    order = [case((whole.c[name] < one, whole.c[name]), else_=one).label(name) for name, one in own.items()]
    query = (
        select(i.id, i.opened_us, home.c.area_id, case((is_exercise(), 1), else_=0).label("exercise"), *order)
        .outerjoin(whole, whole.c.head == i.id)
        .outerjoin(home, home.c.id == i.building_id)
        .where(_is_open())
    )
    rows = connection.execute(query if ids is None else query.where(i.id.in_(ids)))
    return [
        Standing(
            row.id,
            (row.exercise, *(getattr(row, name) for name in own), -row.opened_us, -row.id),
            row.area_id or 0,
        )
        for row in rows
    ]


def lines_for(connection: Connection, ids: Collection[int], language: str) -> dict[int, OpenIncident]:
    """These incidents as lines of the board."""
    rows = connection.execute(select(schema.incident).where(schema.incident.c.id.in_(ids))).all()
    return {line.id: line for line in lines_of(connection, rows, language)}


def changed_since(connection: Connection, change_id: int) -> set[int]:
    """The incidents that changed after `change_id`, with those that they are parts of."""
    c, i = schema.incident_change.c, schema.incident.c
    rows = connection.execute(
        select(i.id, i.merged_into).where(i.id.in_(select(c.incident_id).where(c.id > change_id)))
    )
    return {number for row in rows for number in row if number is not None}


def passing_ids(
    connection: Connection, only: ColumnElement[bool], ids: Collection[int] | None = None
) -> set[int]:
    """Those of these open incidents (None: of all) that meet `only`, a condition on `incident`."""
    i = schema.incident.c
    here = select(i.id).where(_is_open(), only)
    return set(connection.scalars(here if ids is None else here.where(i.id.in_(ids))))
