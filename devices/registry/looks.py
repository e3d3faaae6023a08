"""The record of looks: who saw which personal data in clear, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, func, select

from devices.registry.rows import need
from devices.schema import contact, look

SLICE: Final = 1_000
"""Rows deleted in one transaction: a few milliseconds (chosen)."""


@dataclass(frozen=True, slots=True)
class LookRow:
    """One look; `contact` is a code, empty for a note on a dwelling."""

    at_us: int
    by: str
    contact: str
    what: str


def list_looks(
    connection: Connection,
    *,
    contact_code: str | None = None,
    since_us: int = 0,
    by: str | None = None,
    limit: int = 1_000,
) -> list[LookRow]:
    """The newest `limit` looks, the newest first; raises NotThere for an unknown contact."""
    query = (
        select(look.c.at_us, look.c.by, func.coalesce(contact.c.code, "").label("contact"), look.c.what)
        .outerjoin(contact, look.c.contact_id == contact.c.id)
        .where(look.c.at_us >= since_us)
        .order_by(look.c.at_us.desc(), look.c.id.desc())
        .limit(limit)
    )
    if contact_code is not None:
        query = query.where(look.c.contact_id == need(connection, contact, "code", contact_code)["id"])
    if by is not None:
        query = query.where(look.c.by == by)
    return [LookRow(**row) for row in connection.execute(query).mappings()]


def count_looks(connection: Connection, before_us: int) -> int:
    """How many looks are older than `before_us`."""
    return connection.scalar(select(func.count()).where(look.c.at_us < before_us)) or 0


def delete_looks(connection: Connection, before_us: int) -> int:
    """Deletes at most `SLICE` looks older than `before_us`, and says how many: 0 when none is left."""
    oldest = list(
        connection.execute(
            select(look.c.id).where(look.c.at_us < before_us).order_by(look.c.id).limit(SLICE)
        ).scalars()
    )
    if oldest:
        connection.execute(delete(look).where(look.c.id.in_(oldest)))
    return len(oldest)
