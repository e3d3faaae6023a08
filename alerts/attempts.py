"""One try at handing a message over: as a row that begins, and as what the sender takes over."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from alerts.handover import Handover, read_parts
from devices.model import Medium


def begin(notification_id: int, n: int, now_us: int) -> dict[str, Any]:
    """The row of an attempt that begins."""
    return {
        "notification_id": notification_id,
        "n": n,
        "started_us": now_us,
        "outcome": "started",
        "detail": "",
    }


def handover_of(row: Row[Any], n: int, now_us: int) -> Handover:
    """Attempt `n` at the notification in `row`, begun now. Raises ValueError for an unknown medium."""
    return Handover(
        notification_id=row.id,
        n=n,
        key=row.key,
        incident_id=row.incident_id,
        contact_id=row.contact_id,
        channel_id=row.channel_id,
        medium=Medium(row.medium),
        rank=row.rank,
        text=row.text,
        link=row.link,
        language=row.language,
        parts=read_parts(row.parts),
        created_us=row.created_us,
        started_us=now_us,
    )
