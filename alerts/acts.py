"""Acts in SQL: handed in by pages, decided by the alerts process in a turn, answered here."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from alerts.case import Act
from alerts.sayings import render
from alerts.schema import act as table
from devices.database import insert_new
from devices.schema import contact

NOTE_MAX: Final = 300
_CONTACT: Final = re.compile(r"contact:([1-9][0-9]{0,8})", re.ASCII)
"""No more digits than a contact's number has: PostgreSQL refuses to look for one that cannot be."""


def contact_of(actor: str) -> int | None:
    """The contact's id in `contact:ID`; None for anybody else."""
    match = _CONTACT.fullmatch(actor)
    return int(match[1]) if match else None


@dataclass(frozen=True, slots=True)
class ActOutcome:
    """What became of an act: `outcome` is done, noted or refused; `reason` says why when not done."""

    outcome: str
    reason: str


def record_act(
    connection: Connection,
    once_key: str,
    incident_id: int,
    actor: str,
    role: str,
    act: Act,
    note: str,
    via: str,
    at_us: int,
) -> int:
    """Hands in an act and gives its id; the same `once_key` again is the same act and changes nothing.

    `actor` is `contact:ID` or `user:LOGIN`; `role` a contact's role or the user's (operator, supervisor,
    admin). Who may do what is decided in the turn: ask `outcome_of`.
    """
    connection.execute(
        insert_new(connection, table),
        {
            "once_key": once_key,
            "incident_id": incident_id,
            "actor": actor,
            "role": role,
            "act": str(act),
            "note": note.strip()[:NOTE_MAX],
            "via": via,
            "at_us": at_us,
        },
    )
    return int(connection.execute(select(table.c.id).where(table.c.once_key == once_key)).scalar_one())


def record_acts(connection: Connection, acts: Sequence[Mapping[str, Any]]) -> None:
    """Hands in several at once, each with the columns that `record_act` names; one that is there already
    changes nothing."""
    if acts:
        connection.execute(insert_new(connection, table), list(acts))


def outcome_of(connection: Connection, act_id: int, language: str = "zh-CN") -> ActOutcome | None:
    """What became of it; None while it is undecided (or unknown)."""
    row = connection.execute(select(table.c.outcome, table.c.reason).where(table.c.id == act_id)).first()
    if row is None or not row.outcome:
        return None
    return ActOutcome(row.outcome, render(row.reason, language))


def actor_codes(connection: Connection, actors: Collection[str]) -> dict[str, str]:
    """The contact's code for each `contact:ID` that exists, the login for each `user:LOGIN`."""
    codes = {actor: actor.removeprefix("user:") for actor in actors if actor.startswith("user:")}
    ids = {contact_id for actor in actors if (contact_id := contact_of(actor)) is not None}
    if ids:
        rows = connection.execute(select(contact.c.id, contact.c.code).where(contact.c.id.in_(ids)))
        codes |= {f"contact:{row.id}": row.code for row in rows}
    return codes
