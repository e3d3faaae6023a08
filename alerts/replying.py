"""Which incident a person's text is about, and what it does there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, func, select

from alerts.case import ENDED_STATES, Act, State
from alerts.ladder import UNDELIVERED
from alerts.links import OPEN_AFTER_CLOSE_US
from alerts.memos_heard import newest_test, says_received
from alerts.said import Answer, Said
from alerts.schema import incident, notification
from alerts.summary_reply import ANSWERS, answer_to_summary, is_summary
from devices.model import Medium, Severity

NOBODY, NO_INCIDENT = "nobody", "no_incident"
"""Outcomes of a reply that is no act: from a number nobody has, and about nothing its sender was told of."""
_NAMED: Final = 3
"""Other open incidents named in a note at most."""
_OPEN: Final = [str(state) for state in State if state not in ENDED_STATES]


def answer_of_reply(connection: Connection, row: Row[Any], now_us: int) -> Answer | str:
    """What a reply in the inbox does; an outcome where it does nothing.

    It is about the worst and newest open incident that its sender was told of; the note says where there are
    others. Where none is open it is a note on the one that ended last, within the day in which links still
    open. Its time is the provider's, but never before the first message that it can answer.

    "Received" and "false alarm" are about the SMS that came last where that is a summary
    (`alerts.summary_reply`). Where the last is a test, "received" answers the test and never the incident,
    whose calls go on; what says more than that is a note then.
    """
    contacts = [int(number) for number in row.contacts.split(",") if number.isdecimal()]
    if not contacts:
        return NOBODY
    told = _told(connection, contacts, incident.c.state.in_(_OPEN))
    act = Act(row.act) if told and row.act in set(Act) else Act.NOTE
    last = _last_sms(connection, contacts, row.heard_us) if act in ANSWERS else None
    if act is Act.ACKNOWLEDGE and _is_test_newer(connection, contacts, row.heard_us, last):
        if says_received(row):
            return NO_INCIDENT
        act, last = Act.NOTE, None
    told = told or _told(connection, contacts, incident.c.closed_us > now_us - OPEN_AFTER_CLOSE_US)
    if not told:
        return NO_INCIDENT
    said = _of_worst(row, told, act)
    if last is not None and is_summary(last):
        at_us = min(row.at_us, row.heard_us)
        if answer := answer_to_summary(connection, last, act, at_us, now_us, worst=said):
            return answer
    return Answer((said,))


def _of_worst(row: Row[Any], told: Sequence[Any], act: Act) -> Said:
    order = sorted(told, key=_worst_and_newest)
    best, others = order[0], list(dict.fromkeys(one.incident_id for one in order))[1:]
    mine = [one for one in told if one.incident_id == best.incident_id]
    return Said(
        best.incident_id,
        best.contact_id,
        best.role,
        act,
        _note(row.text if act is Act.NOTE else "", others),
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


def _is_test_newer(
    connection: Connection, contacts: Collection[int], heard_us: int, last: Row[Any] | None
) -> bool:
    """Whether the last SMS that a provider took for these contacts before the reply is a test and not `last`,
    which is about an open incident."""
    test = newest_test(connection, contacts, heard_us)
    return test is not None and (last is None or bool(test.accepted_us > last.accepted_us))


def _last_sms(connection: Connection, contacts: Collection[int], heard_us: int) -> Row[Any] | None:
    """The last SMS about an open incident that a provider took for these contacts before the reply, but what
    is known not to have been delivered. A message that was told in a summary came with the summary."""
    n, one = notification.c, notification.alias("one").c
    came_in = (
        select(func.coalesce(one.told_in, one.id))
        .join(incident, incident.c.id == one.incident_id)
        .where(one.contact_id.in_(contacts), incident.c.state.in_(_OPEN))
    )
    return connection.execute(
        select(notification)
        .where(n.id.in_(came_in), n.medium == str(Medium.SMS), n.accepted_us <= heard_us)
        .where(n.state != UNDELIVERED)
        .order_by(n.accepted_us.desc(), n.id.desc())
        .limit(1)
    ).first()


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
