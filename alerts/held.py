"""Notifications that wait to be told together (`alerts.rollup`), in SQL: what a contact had lately, and the
release of what is due.

A held notification stands in the outbox in state `held`, so that steps know of it as of any other. Released,
one of a contact's goes out, alone as it was written, or with a summary of all for its text, and counts from
then on; the others are `rolled`: told by it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from alerts.backoff import URGENT_RANK
from alerts.handover import Handover, pack_parts, read_parts
from alerts.outbox import handover_of
from alerts.rollup import WINDOW_US, Held, summary
from alerts.sayings import Words, pack
from alerts.schema import attempt, incident, incident_change, notification
from alerts.texts import since_text
from devices.schema import building

HELD: Final = "held"
ROLLED: Final = "rolled"
_SLICE: Final = 500
_CONTACTS: Final = 500
"""Contacts released in one turn."""


def lately_told(connection: Connection, contact_ids: Collection[int], now_us: int) -> dict[int, list[int]]:
    """When each of these contacts was sent lesser messages in the last minute; summaries count as one."""
    n, every = notification.c, sorted(contact_ids)
    found: dict[int, list[int]] = defaultdict(list)
    for start in range(0, len(every), _SLICE):
        rows = connection.execute(
            select(n.contact_id, n.created_us).where(
                n.contact_id.in_(every[start : start + _SLICE]),
                n.created_us > now_us - WINDOW_US,
                n.rank > URGENT_RANK,
                n.state.not_in((HELD, ROLLED)),
            )
        )
        for contact_id, created_us in rows:
            found[contact_id].append(created_us)
    return found


def next_release_us(connection: Connection) -> int | None:
    """When the first held message is due; None without one."""
    first: int | None = connection.scalar(
        select(func.min(notification.c.next_try_us)).where(notification.c.state == HELD)
    )
    return first


def release(connection: Connection, now_us: int, zone: tzinfo) -> list[Handover]:
    """Begins what is due: everything held for a contact of whom something is. What was to be told before its
    incident was closed dies instead."""
    n = notification.c
    due = select(n.contact_id).where(n.state == HELD, n.next_try_us <= now_us).distinct().limit(_CONTACTS)
    contacts = list(connection.scalars(due))
    if not contacts:
        return []
    rows = connection.execute(
        select(notification, incident.c.closed_us, building.c.name.label("building"))
        .join(incident, n.incident_id == incident.c.id)
        .outerjoin(building, incident.c.building_id == building.c.id)
        .where(n.contact_id.in_(contacts), n.state == HELD)
        .order_by(n.contact_id, n.rank, n.created_us.desc(), n.id)
    ).all()
    over = [row for row in rows if row.closed_us is not None and row.created_us < row.closed_us]
    _set_state(connection, over, "dead")
    by_contact: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        if row not in over:
            by_contact[row.contact_id].append(row)
    return [_released(connection, mine, now_us, zone) for mine in by_contact.values()]


def _released(connection: Connection, rows: Sequence[Row[Any]], now_us: int, zone: tzinfo) -> Handover:
    """The worst and newest of one contact's, with the summary where it is not the only one."""
    first, others = rows[0], rows[1:]
    words: Mapping[str, Any] = {}
    if others:
        words = _summed_up(rows, now_us, zone)
        _set_state(connection, others, ROLLED)
        text = pack("rolled_up", role=Words([first.role]), count=str(len(rows)))
        lines = [
            {
                "incident_id": one,
                "at_us": now_us,
                "kind": "told",
                "by": "gengfu",
                "via": "clock",
                "text": text,
            }
            for one in sorted({row.incident_id for row in rows})
        ]
        connection.execute(insert(incident_change), lines)
    connection.execute(
        update(notification)
        .where(notification.c.id == first.id)
        .values(state="sending", attempts=1, created_us=now_us, next_try_us=now_us, **words)
    )
    connection.execute(
        insert(attempt).values(notification_id=first.id, n=1, started_us=now_us, outcome="started", detail="")
    )
    fresh = connection.execute(select(notification).where(notification.c.id == first.id)).one()
    return handover_of(fresh, 1, now_us)


def _summed_up(rows: Sequence[Row[Any]], now_us: int, zone: tzinfo) -> dict[str, str]:
    language = rows[0].language
    pieces = [read_parts(row.parts) for row in rows]
    held = [
        Held(row.building or said.get("where", ""), said.get("what", ""))
        for row, said in zip(rows, pieces, strict=True)
    ]
    text = summary(held, since_text(min(row.created_us for row in rows), now_us, zone), language)
    worst = pieces[0]
    return {"text": text, "parts": pack_parts({**worst, "what": text})}


def _set_state(connection: Connection, rows: Sequence[Row[Any]], state: str) -> None:
    if rows:
        connection.execute(
            update(notification).where(notification.c.id == bindparam("b_id")).values(state=state),
            [{"b_id": row.id} for row in rows],
        )
