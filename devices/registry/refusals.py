"""Whom the broker refused, as the caretaker counted it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from devices.schema import refusal


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """Who was refused, for what, how often. `who` and `topic` are as a stranger gave them."""

    kind: str
    who: str
    topic: str
    address: str
    count: int
    first_us: int
    last_us: int


def list_refusals(connection: Connection) -> list[RefusalRow]:
    """Whom the broker refused, the latest first."""
    rows = connection.execute(
        select(
            refusal.c.kind,
            refusal.c.who,
            refusal.c.topic,
            refusal.c.address,
            refusal.c.count,
            refusal.c.first_us,
            refusal.c.last_us,
        ).order_by(refusal.c.last_us.desc(), refusal.c.id)
    ).mappings()
    return [RefusalRow(**row) for row in rows]
