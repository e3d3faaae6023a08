"""Everything about one incident, for the operators' page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from alerts import schema
from alerts.acts import actor_codes, contact_of
from alerts.board_view import (
    ChangeLine,
    OpenIncident,
    alarms_of,
    change_line,
    lines_of,
)
from alerts.case import Act
from alerts.deliveries import added
from alerts.in_scope import seen_in
from alerts.sayings import render, step_word
from alerts.whole_view import parts_of
from devices.model import Medium
from devices.schema import contact
from devices.scope import EVERYWHERE, Scope


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """One piece of evidence; `why` and `title` are in the reader's language. `title` is empty for a rule as
    shipped."""

    rule: str
    subject: str
    uid: str
    severity: str
    raised_us: int
    cleared_us: int | None
    why: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class MessageLine:
    """One notification: to whom by role and code, by what, and how far it got (None: not known, or not).

    `read_us` of a call is when it was picked up; `answered_us` when its contact first answered after it.
    """

    id: int
    role: str
    contact: str
    medium: str
    severity: str
    state: str
    attempts: int
    created_us: int
    accepted_us: int | None
    delivered_us: int | None
    read_us: int | None
    answered_us: int | None
    text: str

    @property
    def rung(self) -> str:
        """The highest it is known to have reached: answered, read, picked_up, delivered, or its state."""
        if self.answered_us is not None:
            return "answered"
        if self.read_us is not None:
            return "picked_up" if self.medium == Medium.VOICE else "read"
        return "delivered" if self.delivered_us is not None else self.state


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step of the escalation. `name` is in the reader's language, `state` pending, done or stopped."""

    name: str
    n: int
    epoch: int
    due_us: int
    state: str


@dataclass(frozen=True, slots=True)
class ActLine:
    """One act: `actor` is a contact's code or a user's login; `outcome` is empty while undecided."""

    id: int
    at_us: int
    act: str
    actor: str
    role: str
    note: str
    via: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class PartLine:
    """An incident that was merged into another, as it stands."""

    id: int
    place: str
    severity: str


@dataclass(frozen=True, slots=True)
class IncidentDetail:
    """One incident, open or ended, with the parts that were merged into it. `line` is its line on the board;
    lists are in the order of time and hold what is of any part; each change names its incident. `merged_into`
    is the incident of which it is a part itself."""

    line: OpenIncident
    epoch: int
    confirmed_us: int | None
    false_alarm_us: int | None
    arrived_us: int | None
    closed_us: int | None
    cause: str
    disposition: str
    alarms: tuple[AlarmLine, ...]
    changes: tuple[ChangeLine, ...]
    messages: tuple[MessageLine, ...]
    steps: tuple[StepLine, ...]
    acts: tuple[ActLine, ...]
    merged_into: int | None = None
    parts: tuple[PartLine, ...] = ()


def incident_detail(
    connection: Connection, incident_id: int, language: str, scope: Scope = EVERYWHERE
) -> IncidentDetail | None:
    """All of one incident; None when there is none of this id, or none that is seen in `scope`."""
    here = schema.incident.c.id == incident_id
    found = connection.execute(select(schema.incident).where(here, seen_in(scope))).all()
    if not found:
        return None
    row = found[0]
    parts = parts_of(connection, found).get(incident_id, [])
    ids = [incident_id, *(part.id for part in parts)]
    return IncidentDetail(
        line=lines_of(connection, found, language)[0],
        epoch=row.epoch,
        confirmed_us=row.confirmed_us,
        false_alarm_us=row.false_alarm_us,
        arrived_us=row.arrived_us,
        closed_us=row.closed_us,
        cause=row.cause or "",
        disposition=row.disposition or "",
        alarms=_alarms(connection, ids, language),
        changes=_changes(connection, ids, language),
        messages=_messages(connection, ids),
        steps=_steps(connection, ids, language),
        acts=_acts(connection, ids, language),
        merged_into=row.merged_into,
        parts=tuple(
            PartLine(one.id, one.place, one.severity) for one in lines_of(connection, parts, language)
        ),
    )


def _alarms(connection: Connection, ids: Collection[int], language: str) -> tuple[AlarmLine, ...]:
    found = (alarm for alarms in alarms_of(connection, ids).values() for alarm in alarms)
    return tuple(
        AlarmLine(
            rule=alarm.rule,
            subject=alarm.subject,
            uid=alarm.uid,
            severity=str(alarm.severity),
            raised_us=alarm.raised_us,
            cleared_us=alarm.cleared_us,
            why=alarm.why.said_in(language),
            title=alarm.title.said_in(language) if alarm.title else "",
        )
        for alarm in sorted(found, key=lambda alarm: alarm.raised_us)
    )


def _changes(connection: Connection, ids: Collection[int], language: str) -> tuple[ChangeLine, ...]:
    """The timeline; counts of deliveries that follow each other are one line, as of the last, and so is what
    one act did to several parts at once."""
    c = schema.incident_change.c
    rows = select(schema.incident_change).where(c.incident_id.in_(ids)).order_by(c.id)
    shown: list[tuple[Row[Any], str]] = []
    for row in connection.execute(rows):
        last, text = shown[-1] if shown else (None, "")
        if last is not None and last.incident_id != row.incident_id:
            if (last.at_us, last.by, text) == (row.at_us, row.by, row.text):
                continue
            text = ""
        both = added(text, row.text) if text else ""
        if both:
            shown.pop()
        shown.append((row, both or row.text))
    return tuple(change_line(row, text, language) for row, text in shown)


def _messages(connection: Connection, ids: Collection[int]) -> tuple[MessageLine, ...]:
    n = schema.notification.c
    answers = _answers(connection, ids)
    rows = connection.execute(
        select(schema.notification, contact.c.code)
        .outerjoin(contact, n.contact_id == contact.c.id)
        .where(n.incident_id.in_(ids))
        .order_by(n.id)
    )
    return tuple(
        MessageLine(
            id=row.id,
            role=row.role,
            contact=row.code or "",
            medium=row.medium,
            severity=row.severity,
            state=row.state,
            attempts=row.attempts,
            created_us=row.created_us,
            accepted_us=row.accepted_us,
            delivered_us=row.delivered_us,
            read_us=row.read_us,
            answered_us=_answered_us(answers.get(row.contact_id, ()), row.created_us),
            text=row.text,
        )
        for row in rows
    )


def _answers(connection: Connection, ids: Collection[int]) -> dict[int, list[int]]:
    """When each contact acted, oldest first, as far as it counted."""
    a = schema.act.c
    found: dict[int, list[int]] = defaultdict(list)
    counted = a.outcome.in_(("done", "noted")) & (a.act != str(Act.NOTE))
    for row in connection.execute(
        select(a.actor, a.at_us).where(a.incident_id.in_(ids), counted).order_by(a.at_us)
    ):
        if (contact_id := contact_of(row.actor)) is not None:
            found[contact_id].append(row.at_us)
    return found


def _answered_us(acts: Sequence[int], told_us: int) -> int | None:
    return next((at_us for at_us in acts if at_us > told_us), None)


def _steps(connection: Connection, ids: Collection[int], language: str) -> tuple[StepLine, ...]:
    s = schema.step.c
    rows = select(schema.step).where(s.incident_id.in_(ids)).order_by(s.epoch, s.due_us, s.id)
    return tuple(
        StepLine(step_word(row.name, language), row.n, row.epoch, row.due_us, row.state)
        for row in connection.execute(rows)
    )


def _acts(connection: Connection, ids: Collection[int], language: str) -> tuple[ActLine, ...]:
    a = schema.act.c
    rows = connection.execute(select(schema.act).where(a.incident_id.in_(ids)).order_by(a.id)).all()
    names = actor_codes(connection, {row.actor for row in rows})
    return tuple(
        ActLine(
            id=row.id,
            at_us=row.at_us,
            act=row.act,
            actor=names.get(row.actor, ""),
            role=row.role,
            note=row.note,
            via=row.via,
            outcome=row.outcome,
            reason=render(row.reason, language),
        )
        for row in rows
    )
