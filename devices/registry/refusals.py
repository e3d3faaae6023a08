"""Whom the broker refused, as the caretaker counted it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from devices.registry.publishers import list_publishers
from devices.schema import refusal

LETTER_CASE: Final = "letter case: its own topics are spelt otherwise"
"""`why` of a publish that would have been the sender's own in other upper and lower case."""
KINDS: Final = ("login", "topic")


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """Who was refused, for what, how often. `who` and `topic` are as a stranger gave them; `why` is empty or
    what an installer should look at."""

    kind: str
    who: str
    topic: str
    address: str
    count: int
    first_us: int
    last_us: int
    why: str = ""


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
        )
        .where(refusal.c.kind.in_(KINDS))
        .order_by(refusal.c.last_us.desc(), refusal.c.id)
    ).mappings()
    own = {one.name: one.prefixes for one in list_publishers(connection)}
    return [RefusalRow(**row, why=_why(row["kind"], row["topic"], own.get(row["who"], ()))) for row in rows]


def _why(kind: str, topic: str, prefixes: Iterable[str]) -> str:
    below = any(f"{topic.lower()}/".startswith(f"{one.lower()}/") for one in prefixes)
    return LETTER_CASE if kind == "topic" and below else ""
