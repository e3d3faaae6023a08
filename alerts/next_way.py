"""When an urgent message fails, the contact's next way is used at once (life_safety, who is told)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from alerts.schema import attempt, notification
from devices.database import insert_new
from devices.model import Medium
from devices.schema import contact, contact_channel

_MEDIA: Final = frozenset(Medium)

_SAME = (
    "incident_id", "contact_id", "role", "severity", "rank", "text", "link", "language", "parts", "told_in",
)  # fmt: skip
"""What a further notification takes over from the one that failed: of a summary also what it told of."""


def open_next_ways(connection: Connection, failed: Sequence[tuple[Row[Any], int]]) -> list[Row[Any]]:
    """A further notification, with attempt 1 started, through each contact's next unused way.

    `failed` holds notifications and when each failed. Used means: this contact has been sent a
    notification of the same incident, epoch, step and repetition through that channel. Where all ways are
    used there is nothing to add. Returns the new rows.
    """
    begun = []
    for row, at_us in failed:
        way = _unused_way(connection, row)
        new = _insert(connection, row, way, at_us) if way is not None else None
        if new is not None:
            begun.append(new)
    return begun


def _unused_way(connection: Connection, row: Row[Any]) -> Row[Any] | None:
    """The first by rank that is still in use and whose medium this release knows; one that fails in its turn
    leads on."""
    used = {
        other.channel_id
        for other in connection.execute(
            select(notification.c.channel_id, notification.c.key).where(
                notification.c.incident_id == row.incident_id, notification.c.contact_id == row.contact_id
            )
        )
        if _intent(other.key) == _intent(row.key)
    }
    ways = connection.execute(
        select(contact_channel)
        .join(contact, contact_channel.c.contact_id == contact.c.id)
        .where(
            contact_channel.c.contact_id == row.contact_id,
            contact_channel.c.removed_us.is_(None),
            contact.c.erased_us.is_(None),
        )
        .order_by(contact_channel.c.rank, contact_channel.c.id)
    )
    return next((way for way in ways.all() if way.id not in used and way.medium in _MEDIA), None)


def _intent(key: str) -> str:
    """A notification's key without its last part, the medium: what all ways of one telling share."""
    return key.rpartition("/")[0]


def _insert(connection: Connection, row: Row[Any], way: Row[Any], at_us: int) -> Row[Any] | None:
    values = {name: row._mapping[name] for name in _SAME} | {
        "key": f"{_intent(row.key)}/{way.medium}-{way.id}",
        "channel_id": way.id,
        "medium": way.medium,
        "created_us": at_us,
        "state": "sending",
        "attempts": 1,
        "next_try_us": 0,
    }
    new = connection.execute(
        insert_new(connection, notification).values(values).returning(notification)
    ).first()
    if new is not None:
        connection.execute(
            attempt.insert().values(
                notification_id=new.id, n=1, started_us=at_us, outcome="started", detail=""
            )
        )
    return new
