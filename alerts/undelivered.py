"""The standing fault of fire messages that did not get through: said while the fire is open, not after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, Engine, Row, exists, select

from alerts.backoff import URGENT_RANK
from alerts.case import ENDED_STATES
from alerts.ladder import UNDELIVERED
from alerts.sayings import word
from alerts.schema import incident, notification
from alerts.standing import settle_faults
from devices.database import reading

UNDELIVERED_P0: Final = "undelivered_p0"
_TRIES: Final = 5
"""Failed tries after which somebody at the desk should know (chosen: 29 s after the first, by
`alerts.backoff`); the tries go on meanwhile."""
_NAMED: Final = 5
"""Incidents named in the text at most."""


def check_undelivered(engine: Engine, now_us: int) -> None:
    """Begins, renews and ends the fault `undelivered_p0`.

    It stands for every contact to whom a P0 or P0+ message of an open incident was given up, failed five
    times or was accepted and not delivered, and who has been sent nothing of that incident since; it ends
    with the delivery or the incident.
    """
    with reading(engine) as connection:
        found = find_undelivered(connection)
    settle_faults(engine, (UNDELIVERED_P0,), found, now_us)


def find_undelivered(connection: Connection) -> dict[str, str]:
    """The fault as code and text, in zh-CN and English, roles with counts; empty without one."""
    rows = _untold(connection)
    if not rows:
        return {}
    roles = Counter(row.role for row in rows)
    numbers = sorted({row.incident_id for row in rows}, reverse=True)
    named = ", ".join(map(str, numbers[:_NAMED])) + (" …" if len(numbers) > _NAMED else "")
    chinese = f"火警通知未能送达：{_said(roles, 'zh-CN', '、')}（警情 {named}）"
    english = f"fire messages not delivered: {_said(roles, 'en', ', ')} (incident {named})"
    return {UNDELIVERED_P0: f"{chinese} · {english}"}


def _untold(connection: Connection) -> Sequence[Row[int, int, str]]:
    """Incident, contact and role of each who was not reached."""
    n, later = notification.c, notification.alias("later")
    failing = n.state.in_(("dead", UNDELIVERED)) | ((n.attempts > _TRIES) & (n.state != "accepted"))
    reached = exists().where(
        later.c.incident_id == n.incident_id,
        later.c.contact_id == n.contact_id,
        later.c.state == "accepted",
        later.c.accepted_us >= n.created_us,
    )
    return connection.execute(
        select(n.incident_id, n.contact_id, n.role)
        .join(incident, incident.c.id == n.incident_id)
        .where(incident.c.state.not_in([str(s) for s in ENDED_STATES]))
        .where(n.rank <= URGENT_RANK, failing, ~reached)
        .distinct()
    ).all()


def _said(roles: Mapping[str, int], language: str, between: str) -> str:
    return between.join(f"{word(role, language)} {count}" for role, count in sorted(roles.items()))
