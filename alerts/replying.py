"""Which incident a person's text is about, and what it does there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, select

from alerts.case import Act
from alerts.last_sms import OPEN_STATES, last_sms
from alerts.links import OPEN_AFTER_CLOSE_US
from alerts.memos_heard import says_received
from alerts.said import Answer, Said
from alerts.schema import incident, notification
from alerts.summary_reply import ANSWERS, answer_to_summary, is_summary
from devices.model import Severity

NOBODY, NO_INCIDENT = "nobody", "no_incident"
"""Outcomes of a reply that is no act: from a number nobody has, and about nothing its sender was told of."""
_NAMED: Final = 3
"""Other open incidents named in a note at most."""
_NOT_OF_OPEN: Final = "{said}（所回复的短信不是未结束的警情，未执行 · said of nothing open, nothing done）"


def answer_of_reply(connection: Connection, row: Row[Any], now_us: int) -> Answer | str:
    """What a reply in the inbox does; an outcome where it does nothing.

    "Received" and "false alarm" are about what the SMS that came last told of (`alerts.last_sms`,
    `alerts.summary_reply`), and about nothing worse: nobody ends a fire by answering another message. Where
    the last is about nothing open (what has ended, a test of a contact, a report) they are a note and stop
    nothing; "received" answers the test then. All else is about the worst and newest open incident that its
    sender was told of. The note says where there are others.

    Where none is open it is a note on the one that ended last, within the day in which links still open. Its
    time is the provider's, but never before the first message that it can answer.
    """
    contacts = [int(number) for number in row.contacts.split(",") if number.isdecimal()]
    if not contacts:
        return NOBODY
    told = _told(connection, contacts, incident.c.state.in_(OPEN_STATES))
    act = Act(row.act) if told and row.act in set(Act) else Act.NOTE
    told = told or _told(connection, contacts, incident.c.closed_us > now_us - OPEN_AFTER_CLOSE_US)
    if not told:
        return NO_INCIDENT
    last = last_sms(connection, contacts, row.heard_us) if act in ANSWERS else None
    if last is None:
        return Answer((_of_worst(row, told, act, row.text),))
    if last.is_test and says_received(row):
        return NO_INCIDENT
    if not last.is_open or last.message is None:
        return Answer((_of_worst(row, told, Act.NOTE, _NOT_OF_OPEN.format(said=row.text)),))
    if not is_summary(last.message):
        return Answer((_of_one(row, told, last.message.incident_id, act),))
    worst = _of_worst(row, told, act, row.text)
    at_us = min(row.at_us, row.heard_us)
    return answer_to_summary(connection, last.message, act, at_us, now_us, worst) or Answer((worst,))


def _of_one(row: Row[Any], told: Sequence[Any], incident_id: int, act: Act) -> Said:
    """About this incident; where it is none of those told of any more, a note on the worst of them."""
    of_it = [one for one in told if one.incident_id == incident_id]
    others = [one for one in told if one.incident_id != incident_id]
    if not of_it:
        return _of_worst(row, told, Act.NOTE, _NOT_OF_OPEN.format(said=row.text))
    return _of_worst(row, of_it, act, row.text, others)


def _of_worst(row: Row[Any], told: Sequence[Any], act: Act, text: str, more: Sequence[Any] = ()) -> Said:
    """`more` are others to be named."""
    order = sorted(told, key=_worst_and_newest)
    best = order[0]
    every = [*order, *sorted(more, key=_worst_and_newest)]
    others = list(dict.fromkeys(one.incident_id for one in every if one.incident_id != best.incident_id))
    mine = [one for one in told if one.incident_id == best.incident_id]
    return Said(
        best.incident_id,
        best.contact_id,
        best.role,
        act,
        _note(text if act is Act.NOTE else "", others),
        max(min(row.at_us, row.heard_us), min(one.created_us for one in mine) + 1),
    )


def _told(connection: Connection, contacts: Collection[int], which: ColumnElement[bool]) -> Sequence[Any]:
    """The messages to these contacts about those incidents."""
    n, i = notification.c, incident.c
    return connection.execute(
        select(n.id, n.incident_id, n.contact_id, n.role, n.created_us, i.severity, i.opened_us)
        .join(incident, i.id == n.incident_id)
        .where(which, n.contact_id.in_(contacts))
    ).all()


def _worst_and_newest(one: Row[*tuple[Any, ...]]) -> tuple[int, int, int, int]:
    """In one incident the latest message: its role is the one the contact was told in last."""
    rank = Severity(one.severity).rank if one.severity in set(Severity) else 0
    return rank, -one.opened_us, -one.incident_id, -one.id


def _note(text: str, others: Sequence[int]) -> str:
    """The words of the reply, and the other open incidents that they might have meant."""
    if not others:
        return text
    named = ", ".join(f"#{number}" for number in others[:_NAMED]) + (" …" if len(others) > _NAMED else "")
    also = f"另有未结束警情 {named} · also open: {named}"
    return f"{text}（{also}）" if text else also
