"""Which SMS a short reply answers: the last that may have reached its sender.

Providers can deliver what they never say they took, so that every SMS counts that was ever begun, but for
what is known not to have been delivered.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, case, exists, func, select

from alerts.case import ENDED_STATES, State
from alerts.held import HELD, ROLLED
from alerts.ladder import UNDELIVERED
from alerts.memos_heard import newest_memo
from alerts.schema import attempt, incident, notification
from devices.model import Medium

OPEN_STATES: Final = [str(state) for state in State if state not in ENDED_STATES]
_TRIED_US: Final = 24 * 3600 * 1_000_000
"""An SMS that was begun so long before the newest is not the last, however often it was tried (chosen: far
beyond the tries of what is lesser, and bounds what is read)."""


@dataclass(frozen=True, slots=True)
class LastSms:
    """`message`: the row of `notification` that carried it, None where it was a test of a contact or a
    report. `is_open`: whether anything that it told of is open."""

    message: Row[Any] | None
    is_open: bool
    is_test: bool = False


def last_sms(connection: Connection, contacts: Collection[int], heard_us: int) -> LastSms | None:
    """The last SMS to these contacts before a reply that was heard then; None where there is none.

    Its time is that of the provider's accept, without one that of the last try.
    """
    message = _last_message(connection, contacts, heard_us)
    memo = newest_memo(connection, contacts, heard_us)
    if memo is not None and (message is None or memo.at_us > message.last_us):
        return LastSms(None, False, memo.is_test)
    return None if message is None else LastSms(message, _tells_of_open(connection, message))


def _last_message(connection: Connection, contacts: Collection[int], heard_us: int) -> Row[Any] | None:
    n, a = notification.c, attempt.c
    mine = (
        n.contact_id.in_(contacts),
        n.medium == str(Medium.SMS),
        n.state.not_in((HELD, ROLLED, UNDELIVERED)),
        n.created_us <= heard_us,
    )
    newest_us = connection.scalar(select(func.max(n.created_us)).where(*mine))
    if newest_us is None:
        return None
    tried = select(func.max(a.started_us)).where(a.notification_id == n.id, a.started_us <= heard_us)
    last_us = case(
        (n.accepted_us <= heard_us, n.accepted_us),
        else_=func.coalesce(tried.scalar_subquery(), n.created_us),
    ).label("last_us")
    return connection.execute(
        select(notification, last_us)
        .where(*mine, n.created_us >= newest_us - _TRIED_US)
        .order_by(last_us.desc(), n.id.desc())
        .limit(1)
    ).first()


def _tells_of_open(connection: Connection, message: Row[Any]) -> bool:
    n = notification.c
    told = n.id == message.id if message.told_in is None else n.told_in == message.told_in
    is_open = incident.c.state.in_(OPEN_STATES)
    mine = exists().where(told, incident.c.id == n.incident_id, is_open)
    return bool(connection.scalar(select(mine)))
