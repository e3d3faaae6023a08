"""Which rows about people this release can read, as conditions of SQL.

A later release, or a database restored from one, may have written a carrier, a medium, a role or a kind of
place that is not in `devices.model`. Such a row costs itself and nothing else: a way of an unknown carrier is
no way, a binding in an unknown role binds nobody, a substitution for an unknown role is in force for none.
Everybody else is told as ever (contract 5). Whoever asks for people asks with these conditions, so that all
judge alike; the list of contacts with such rows is for the people who mend them.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, not_, or_, select, union

from devices.instants import Instant
from devices.model import Carrier, Medium, PlaceKind, Role
from devices.schema import binding, contact, contact_channel, substitution


def is_readable_way() -> ColumnElement[bool]:
    """The channel's medium and carrier are known."""
    return and_(contact_channel.c.medium.in_([*Medium]), contact_channel.c.carrier.in_([*Carrier]))


def is_readable_binding() -> ColumnElement[bool]:
    """The binding's role and kind of place are known."""
    return and_(binding.c.role.in_([*Role]), binding.c.place_kind.in_([*PlaceKind]))


def unreadable_contacts(connection: Connection, at_us: int, *, live: bool = False) -> tuple[str, ...]:
    """Codes of the contacts with a channel or binding that holds at `at_us`, or a substitution that is not
    over then, of which this release does not know a word; sorted. One query."""
    instant = Instant(at_us, live)
    coming = and_(
        substitution.c.until_us > at_us,
        or_(substitution.c.cancelled_us.is_(None), substitution.c.cancelled_us > at_us),
    )
    owners = union(
        select(contact_channel.c.contact_id).where(instant.is_way(), not_(is_readable_way())),
        select(binding.c.contact_id).where(instant.is_bound(), not_(is_readable_binding())),
        select(substitution.c.contact_id).where(coming, substitution.c.role.not_in(_ROLES_OR_ALL)),
    )
    query = select(contact.c.code).where(instant.is_known(), contact.c.id.in_(owners))
    return tuple(connection.execute(query.order_by(contact.c.code)).scalars())


_ROLES_OR_ALL: Final = ["", *Role]
