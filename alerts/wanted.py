"""Whether somebody must still be told what a message says: asked before it goes by a further way."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, case, exists, func, select

from alerts.answered import ANSWERS
from alerts.case import Act, State
from alerts.schema import act, incident, notification

Answered = Mapping[tuple[int, str], int]
"""When each actor answered last (µs UTC), by incident and actor."""
_ENDING: Final = [str(one) for one in (Act.HANDLED, Act.FEEDBACK, Act.VERIFY, Act.CLOSE)]


def told_of(connection: Connection, ids: Collection[int]) -> Mapping[int, Row[Any]]:
    """These messages by their ids, with what must be known of their incidents.

    Of what is over nothing is known to a message that came after: a cry for help from what was handled or
    called a false alarm is told like any other. `stands` is empty then, and `doubted_us` None.
    """
    i = incident.c
    stands = case((_ended_after(notification.c.created_us), i.state), else_="").label("stands")
    doubted_us = case((i.false_alarm_us > notification.c.created_us, i.false_alarm_us)).label("doubted_us")
    rows = connection.execute(
        select(notification, stands, i.epoch, i.closed_us, doubted_us)
        .join(incident, i.id == notification.c.incident_id)
        .where(notification.c.id.in_(ids))
    )
    return {row.id: row for row in rows}


def _ended_after(at_us: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether people brought the incident to one of the steps of its end after this time (µs UTC)."""
    return exists().where(
        act.c.incident_id == incident.c.id,
        act.c.act.in_(_ENDING),
        act.c.outcome == "done",
        act.c.at_us > at_us,
    )


def answered_of(connection: Connection, incidents: Collection[int]) -> Answered:
    """When each actor answered last, for these incidents."""
    if not incidents:
        return {}
    counted = act.c.act.in_([str(one) for one in ANSWERS]) & (act.c.outcome == "done")
    rows = connection.execute(
        select(act.c.incident_id, act.c.actor, func.max(act.c.at_us).label("last_us"))
        .where(act.c.incident_id.in_(incidents), counted)
        .group_by(act.c.incident_id, act.c.actor)
    )
    return {(row.incident_id, row.actor): row.last_us for row in rows}


def is_wanted(message: Row[Any], answered: Answered) -> bool:
    """Whether the contact must still be told: the message, a row of `told_of`, is of the running epoch, its
    incident goes on, and the contact has not answered. What is sent of an incident that has ended is sent to
    its end."""
    if message.closed_us is not None:
        return bool(message.created_us >= message.closed_us)
    is_over = message.doubted_us is not None or _progress(message.stands) >= State.HANDLED.progress
    if is_over or _epoch_of(message) < message.epoch:
        return False
    answered_us = answered.get((message.incident_id, f"contact:{message.contact_id}"), 0)
    return answered_us <= int(message.created_us)


def _epoch_of(message: Row[Any]) -> int:
    """From the key `incident/epoch/…`; one of another shape counts as of the running epoch."""
    epoch = message.key.partition("/")[2].partition("/")[0]
    return int(epoch) if epoch.isdecimal() else message.epoch


def _progress(state: str) -> int:
    return State(state).progress if state in set(State) else 0
