"""Who stands in for whom, and for how long. What follows from it at a place, `devices.people` says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, insert, or_, select, update

from devices.model import Role
from devices.registry.contacts import hold_contact
from devices.registry.errors import AlreadyThere, NotAllowed, NotThere, one_of
from devices.registry.rows import note_change, rows_of
from devices.schema import contact, contact_channel, substitution

DAYS_MAX: Final = 400
"""Longer than a year of parental leave; beyond it somebody else should be bound (chosen)."""
_DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class SubstitutionRow:
    """One substitution; `contact` (who is away) and `substitute` are codes, `role` empty means every role.

    It is in force from `from_us` to before `until_us`, or to before `cancelled_us` where that came first.
    """

    id: int
    contact: str
    substitute: str
    role: str
    from_us: int
    until_us: int
    made_us: int
    made_by: str
    cancelled_us: int | None


def substitute(
    connection: Connection,
    *,
    contact_code: str,
    substitute_code: str,
    role: str | None = None,
    from_us: int,
    until_us: int,
    by: str,
    now_us: int,
) -> int:
    """`substitute_code` stands in for `contact_code`, in one role or in all (None); gives the row's id.

    A beginning in the past becomes now: what is on record is who stood in, not who should have.

    Raises NotAllowed for oneself, for an end at or before the beginning or now, for more than 400 days, and
    for a substitute nobody could reach; AlreadyThere where the contact has a substitute in that very role
    (for None: one in every role) for part of the time; NotThere for an unknown or erased contact.
    """
    chosen = "" if role is None else one_of(Role, role, "role")
    if contact_code == substitute_code:
        raise NotAllowed(f"substitute {substitute_code!r}: somebody other than who is away is allowed")
    begin_us = max(from_us, now_us)
    _check_interval(from_us, begin_us, until_us)
    away, stand_in = _both(connection, contact_code, substitute_code)
    if not _has_way(connection, stand_in):
        raise NotAllowed(
            f"substitute {substitute_code!r} has no way of being reached: "
            "a contact with at least one channel is allowed"
        )
    _check_free(connection, away, contact_code, chosen, begin_us, until_us)
    values = {
        "contact_id": away,
        "substitute_id": stand_in,
        "role": chosen,
        "from_us": begin_us,
        "until_us": until_us,
        "made_us": now_us,
        "made_by": by[:64],
    }
    number: int = connection.execute(
        insert(substitution).values(values).returning(substitution.c.id)
    ).scalar_one()
    words = f"substitute {substitute_code} for {contact_code}"
    note_change(connection, by, now_us, f"{words} {chosen}".rstrip())
    return number


def cancel_substitution(connection: Connection, *, substitution_id: int, by: str, now_us: int) -> None:
    """Ends a substitution now, begun or not; the row stays. Raises NotThere when it is over or unknown."""
    table = substitution.c
    mine = (table.id == substitution_id, table.cancelled_us.is_(None), table.until_us > now_us)
    done = connection.execute(
        update(substitution).where(*mine).values(cancelled_us=now_us).returning(table.id)
    ).first()
    if done is None:
        raise NotThere(f"no substitution {substitution_id} that stands or is to come")
    note_change(connection, by, now_us, f"substitution {substitution_id} cancel")


def list_substitutions(
    connection: Connection, *, contact_code: str | None = None, since_us: int | None = None
) -> list[SubstitutionRow]:
    """Substitutions by beginning; of one contact if named (else NotThere), as absent or as substitute.

    All there ever were, or with `since_us` only those that were not over or cancelled at that instant: in
    force then, or to come.
    """
    away, stand_in = contact.alias("away"), contact.alias("stand_in")
    table = substitution.c
    query = (
        select(
            table.id,
            away.c.code.label("contact"),
            stand_in.c.code.label("substitute"),
            table.role,
            table.from_us,
            table.until_us,
            table.made_us,
            table.made_by,
            table.cancelled_us,
        )
        .join(away, table.contact_id == away.c.id)
        .join(stand_in, table.substitute_id == stand_in.c.id)
        .order_by(table.from_us, table.id)
    )
    if contact_code is not None:
        rows_of(connection, select(contact.c.id), contact, contact_code)
        query = query.where(or_(away.c.code == contact_code, stand_in.c.code == contact_code))
    if since_us is not None:
        open_still = or_(table.cancelled_us.is_(None), table.cancelled_us > since_us)
        query = query.where(table.until_us > since_us, open_still)
    return [SubstitutionRow(**row) for row in connection.execute(query).mappings()]


def _check_interval(from_us: int, begin_us: int, until_us: int) -> None:
    if until_us <= from_us:
        raise NotAllowed(
            f"substitution until {_instant(until_us)}: an end after its beginning, {_instant(from_us)}, "
            "is allowed"
        )
    if until_us <= begin_us:
        raise NotAllowed(
            f"substitution until {_instant(until_us)}: an end in the future is allowed; it is "
            f"{_instant(begin_us)} now"
        )
    if until_us - begin_us > DAYS_MAX * _DAY_US:
        raise NotAllowed(f"substitution of more than {DAYS_MAX} days: at most {DAYS_MAX} days are allowed")


def _instant(us: int) -> str:
    return datetime.fromtimestamp(us // 1_000_000, UTC).isoformat()


def _both(connection: Connection, contact_code: str, substitute_code: str) -> tuple[int, int]:
    """Ids of both, their rows held in one order, so that two such changes never wait for each other."""
    ids = {code: hold_contact(connection, code)["id"] for code in sorted((contact_code, substitute_code))}
    return ids[contact_code], ids[substitute_code]


def _has_way(connection: Connection, contact_id: int) -> bool:
    way = contact_channel.c
    query = select(way.id).where(way.contact_id == contact_id, way.removed_us.is_(None)).limit(1)
    return connection.execute(query).first() is not None


def _check_free(
    connection: Connection, contact_id: int, code: str, role: str, from_us: int, until_us: int
) -> None:
    table = substitution.c
    taken = connection.execute(
        select(table.id)
        .where(
            table.contact_id == contact_id,
            table.role == role,
            table.cancelled_us.is_(None),
            table.from_us < until_us,
            table.until_us > from_us,
        )
        .limit(1)
    ).scalar()
    if taken is not None:
        where = f"role {role}" if role else "every role"
        raise AlreadyThere(
            f"{code!r} has a substitute in {where} for part of that time already (substitution {taken}): "
            "cancel that one, or choose another time"
        )
