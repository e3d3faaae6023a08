"""Cases out of SQL, loaded with a fixed number of queries (`alerts/case_store.py` writes them back)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import structlog
from sqlalchemy import Column, ColumnElement, Connection, Row, Table, or_, select

from alerts import schema
from alerts.case import (
    ENDED_STATES,
    Act,
    Alarm,
    Answer,
    Case,
    Hazard,
    Incident,
    State,
    Step,
    StepState,
    Told,
)
from alerts.hazards import hazard_of
from alerts.why_text import read_why
from devices.model import Role, Severity
from devices.schema import dwelling
from rules.transition import Subject

log = structlog.get_logger()

Unreadable = Callable[[Row[Any], Exception], None]
"""Is told of a row of `incident` that cannot be read, and why."""

_KNOWN_ACTS: Final = [str(act) for act in Act]
_TOLD_COLUMNS: Final = tuple(
    schema.notification.c[name] for name in ("incident_id", "key", "contact_id", "role")
)


def log_unreadable(row: Row[Any], error: Exception) -> None:
    """Says so in the log, for whoever has nobody else to tell."""
    log.error("incident_not_readable", incident=row.id, error=type(error).__name__)


def load_cases(
    connection: Connection,
    ids: Collection[int] = (),
    places: Collection[str] = (),
    stairs: Collection[int] = (),
    unreadable: Unreadable = log_unreadable,
    alarms: Collection[tuple[str, str]] = (),
    shared: Collection[int] = (),
) -> dict[int, Case]:
    """These incidents, the open ones at these places, the open fires of these stairs, in their dwellings and
    outside them, those open in the common parts of these `shared` buildings, stairs included, and those, open
    or not, in which one of these alarms (rule, subject) stands, by id.

    One that holds a word this release does not know is left out and costs no other: `unreadable` is told.
    """
    i = schema.incident.c
    is_open = i.state.not_in([str(s) for s in ENDED_STATES])
    wanted: list[ColumnElement[bool]] = []
    ids = {*ids, *_with_standing(connection, alarms)}
    if ids:
        wanted.append(i.id.in_(ids))
    if places:
        wanted.append(is_open & i.place.in_(places))
    if stairs:
        of_stair = select(dwelling.c.id).where(dwelling.c.stair_id.in_(stairs))
        here = or_(i.dwelling_id.in_(of_stair), i.place.in_([f"{Subject.STAIR}:{one}" for one in stairs]))
        wanted.append(is_open & (i.hazard == Hazard.FIRE) & here)
    if shared:
        wanted.append(is_open & (i.dwelling_id == 0) & i.building_id.in_(shared))
    if not wanted:
        return {}
    rows = connection.execute(select(schema.incident).where(or_(*wanted)).order_by(i.id)).all()
    return _with_parts(connection, rows, unreadable) if rows else {}


def _with_standing(connection: Connection, alarms: Collection[tuple[str, str]]) -> set[int]:
    """The incidents in which one of these alarms stands."""
    if not alarms:
        return set()
    a = schema.incident_alarm.c
    rows = connection.execute(
        select(a.incident_id, a.rule, a.subject).where(
            a.subject.in_({subject for _, subject in alarms}), a.cleared_us.is_(None)
        )
    )
    return {row.incident_id for row in rows if (row.rule, row.subject) in alarms}


def maybe_beside(connection: Connection, ids: Collection[int]) -> set[tuple[str, str]]:
    """The alarms (rule, subject) of these incidents that others may hold too (`alerts.shared_alarms`): those
    of places that stand, and beside such those of devices that cleared."""
    if not ids:
        return set()
    a = schema.incident_alarm.c
    columns = (a.incident_id, a.rule, a.subject, a.place, a.cleared_us)
    rows = connection.execute(select(*columns).where(a.incident_id.in_(ids))).all()
    shared = {row.incident_id for row in rows if row.place and row.cleared_us is None}
    return {
        (row.rule, row.subject)
        for row in rows
        if row.incident_id in shared and bool(row.place) is (row.cleared_us is None)
    }


def _with_parts(connection: Connection, rows: Sequence[Row[Any]], unreadable: Unreadable) -> dict[int, Case]:
    ids = [row.id for row in rows]
    alarms = _grouped(connection, schema.incident_alarm, ids)
    steps = _grouped(connection, schema.step, ids)
    told = _grouped(connection, schema.notification, ids, _TOLD_COLUMNS)
    answers = defaultdict(list)
    a = schema.act.c
    done = select(schema.act).where(a.incident_id.in_(ids), a.outcome == "done", a.act.in_(_KNOWN_ACTS))
    for row in connection.execute(done.order_by(a.id)):
        answers[row.incident_id].append(
            Answer(Act(row.act), row.actor, standing_role(row.actor, row.role), row.at_us)
        )
    cases = {}
    for row in rows:
        try:
            cases[row.id] = Case(
                incident_of(row),
                alarms=tuple(alarm_of(one) for one in alarms[row.id]),
                steps=tuple(_step_of(one) for one in steps[row.id]),
                answers=tuple(answers[row.id]),
                told=tuple(_told_of(one) for one in told[row.id]),
            )
        except Exception as error:
            unreadable(row, error)
    return cases


def _grouped(
    connection: Connection, table: Table, cases: Iterable[int], columns: Sequence[Column[Any]] = ()
) -> Mapping[int, list[Row[Any]]]:
    """Rows of these incidents by incident, in the order of their ids; all columns unless told."""
    rows = defaultdict(list)
    of_cases = table.c.incident_id.in_(list(cases))
    for row in connection.execute(select(*(columns or table.columns)).where(of_cases).order_by(table.c.id)):
        rows[row.incident_id].append(row)
    return rows


def standing_role(actor: str, role: str) -> str:
    """An act's role as permissions know it: a console user's with `user:` in front."""
    return f"user:{role}" if actor.startswith("user:") else role


def incident_of(row: Row[Any]) -> Incident:
    """A row of `incident` as a value."""
    values = dict(row._mapping)
    values["hazard"] = Hazard(row.hazard)
    values["severity"] = Severity(row.severity)
    values["state"] = State(row.state)
    values["tags"] = frozenset(tag for tag in row.tags.split(",") if tag)
    return Incident(**values)


def alarm_of(row: Row[Any]) -> Alarm:
    """A row of `incident_alarm` as a value."""
    return Alarm(
        rule=row.rule,
        subject=row.subject,
        uid=row.uid,
        slot=row.slot,
        place=row.place,
        severity=Severity(row.severity),
        raised_us=row.raised_us,
        cleared_us=row.cleared_us,
        why=read_why(row.why),
        hazard=hazard_of(row.rule, row.hazard),
        taken_us=row.taken_us,
        title=read_why(row.title) if row.title else None,
    )


def _step_of(row: Row[Any]) -> Step:
    return Step(row.epoch, row.name, row.n, row.due_us, StepState(row.state), row.ended_us)


def _told_of(row: Row[Any]) -> Told:
    """From the key `incident/epoch/step/n/contact/medium`, which carries what the columns do not."""
    _, epoch, step, *_ = row.key.split("/")
    return Told(int(epoch), step, row.contact_id, Role(row.role))


def open_beside(connection: Connection, incident: Incident) -> int:
    """Another open incident of the same place and hazard; 0 for none."""
    i = schema.incident.c
    other = connection.scalar(
        select(i.id)
        .where(
            i.place == incident.place,
            i.hazard == str(incident.hazard),
            i.id != incident.id,
            i.state.not_in([str(s) for s in ENDED_STATES]),
        )
        .limit(1)
    )
    return other or 0
