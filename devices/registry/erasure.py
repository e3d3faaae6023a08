"""Erasing a contact: what is known of the person goes, the code and what was bound when stay.

What other rooms hold of a person, and whether somebody may still have to answer, is asked where all rooms are
seen (`gengfu.forgetting`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, exists, func, or_, select, update

from devices.registry.errors import NotThere
from devices.registry.losses import alone_now, codes_of
from devices.registry.rows import hold, need, note_change
from devices.schema import binding, contact, contact_channel, substitution
from devices.vault import CHANNEL_ADDRESS, CONTACT_NAME, SealBroken, Vault

GONE: Final = b""
"""What stands in a sealed column or a blind index once its text is erased."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What erasing a contact takes away: addresses, standing bindings, substitutions that are not over.

    `left_alone` are the codes of places that would have nobody left who can be told.
    """

    contact_id: int
    code: str
    addresses: int
    bindings: int
    substitutions: int
    left_alone: tuple[str, ...]


def erasure_of(connection: Connection, code: str, now_us: int) -> Erasure:
    """What `erase_contact` would take away. Raises NotThere for an unknown or erased contact."""
    owner = _known(need(connection, contact, "code", code), code)
    standing = _count(connection, binding, and_(binding.c.contact_id == owner, binding.c.ended_us.is_(None)))
    substitutions = _count(connection, substitution, _under_way(owner, now_us))
    return Erasure(
        owner,
        code,
        _count(connection, contact_channel, contact_channel.c.contact_id == owner),
        standing,
        substitutions,
        _left_alone(connection, owner, now_us) if standing or substitutions else (),
    )


def erase_contact(connection: Connection, code: str, *, by: str, now_us: int) -> None:
    """Erases name and addresses, ends bindings and substitutions. Raises NotThere as `erasure_of` does.

    Not guaranteed: that the old sealed bytes leave the file, its journal and older backups at once; they
    cannot be read without the key (docs/personal-data.md).
    """
    owner = _known(hold(connection, contact, "code", code), code)
    connection.execute(
        update(contact).where(contact.c.id == owner).values(name_sealed=GONE, erased_us=now_us)
    )
    connection.execute(
        update(contact_channel)
        .where(contact_channel.c.contact_id == owner)
        .values(
            address_sealed=GONE,
            address_index=GONE,
            removed_us=func.coalesce(contact_channel.c.removed_us, now_us),
        )
    )
    connection.execute(
        update(binding)
        .where(binding.c.contact_id == owner, binding.c.ended_us.is_(None))
        .values(ended_us=now_us)
    )
    connection.execute(update(substitution).where(_under_way(owner, now_us)).values(cancelled_us=now_us))
    note_change(connection, by, now_us, f"contact {code} erase")


def unused_contacts(connection: Connection, before_us: int, *, only: str | None = None) -> tuple[str, ...]:
    """Codes of contacts (or the one with code `only`) bound nowhere since `before_us`, and in nobody's place.

    One that was made or given an address since then is being set up and is not among them.
    """
    bound = and_(
        binding.c.contact_id == contact.c.id,
        or_(binding.c.ended_us.is_(None), binding.c.ended_us > before_us),
    )
    stands_in = and_(
        substitution.c.substitute_id == contact.c.id,
        substitution.c.until_us > before_us,
        or_(substitution.c.cancelled_us.is_(None), substitution.c.cancelled_us > before_us),
    )
    reached = and_(contact_channel.c.contact_id == contact.c.id, contact_channel.c.added_us > before_us)
    query = select(contact.c.code).where(
        contact.c.erased_us.is_(None),
        contact.c.created_us <= before_us,
        ~exists().where(bound),
        ~exists().where(stands_in),
        ~exists().where(reached),
    )
    if only is not None:
        query = query.where(contact.c.code == only)
    return tuple(connection.execute(query.order_by(contact.c.code)).scalars())


def erase_removed_addresses(connection: Connection, before_us: int) -> int:
    """Erases addresses that were taken from their contact before `before_us`; gives how many."""
    old = list(connection.execute(select(contact_channel.c.id).where(*_removed(before_us))).scalars())
    connection.execute(
        update(contact_channel).where(*_removed(before_us)).values(address_sealed=GONE, address_index=GONE)
    )
    return len(old)


def count_removed_addresses(connection: Connection, before_us: int) -> int:
    """How many `erase_removed_addresses` would erase."""
    return _count(connection, contact_channel, and_(*_removed(before_us)))


def _removed(before_us: int) -> tuple[ColumnElement[bool], ...]:
    return contact_channel.c.removed_us < before_us, func.length(contact_channel.c.address_sealed) > 0


def removed_addresses(connection: Connection, vault: Vault, before_us: int) -> list[str]:
    """In clear what `erase_removed_addresses` would erase, to find its traces elsewhere; shown to nobody.

    Without those at which somebody is reached still, and what does not open.
    """
    used = contact_channel.alias("used")
    reached = exists().where(
        used.c.address_index == contact_channel.c.address_index, used.c.removed_us.is_(None)
    )
    query = select(contact_channel.c.address_sealed).where(*_removed(before_us), ~reached)
    return _opened(vault, list(connection.execute(query).scalars()), CHANNEL_ADDRESS)


def words_of(connection: Connection, vault: Vault, code: str) -> tuple[list[str], list[str]]:
    """Name and addresses of a contact in clear, to find their traces elsewhere before they are erased.

    They are shown to nobody, so it is no look. What does not open is left out.
    """
    owner = need(connection, contact, "code", code)
    sealed = connection.execute(
        select(contact_channel.c.address_sealed).where(contact_channel.c.contact_id == owner["id"])
    ).scalars()
    names = _opened(vault, [owner["name_sealed"]], CONTACT_NAME)
    return names, _opened(vault, list(sealed), CHANNEL_ADDRESS)


def _opened(vault: Vault, sealed: list[bytes], where: str) -> list[str]:
    found = []
    for one in sealed:
        try:
            found.append(vault.unseal(bytes(one), where))
        except SealBroken:
            continue
    return found


def _known(row: RowMapping, code: str) -> int:
    """The id of a contact that is not erased."""
    if row["erased_us"] is not None:
        raise NotThere(f"contact {code!r} is erased already")
    number: int = row["id"]
    return number


def _under_way(owner: int, now_us: int) -> ColumnElement[bool]:
    return and_(
        or_(substitution.c.contact_id == owner, substitution.c.substitute_id == owner),
        substitution.c.until_us > now_us,
        substitution.c.cancelled_us.is_(None),
    )


def _count(connection: Connection, table: Table, which: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).select_from(table).where(which)) or 0


def _left_alone(connection: Connection, owner: int, now_us: int) -> tuple[str, ...]:
    return codes_of(alone_now(connection, now_us, without=owner) - alone_now(connection, now_us))
