"""Contacts and how they are reached. Names and addresses are sealed; clear text leaves only with a look.

`code` of a contact is a handle without personal data: it may appear in logs, exports and time lines. Of an
erased contact only the code is left; it is listed without a name, and nothing can be added to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, RowMapping, insert, select, update

from devices.addresses import ALLOWED, can_carry
from devices.model import Carrier, Medium
from devices.registry.errors import (
    AlreadyThere,
    NotAllowed,
    NotThere,
    among,
    check_handle,
    check_rank,
    check_words,
    one_of,
)
from devices.registry.rows import add, changed, hold, note_change, note_look, rows_of
from devices.schema import contact, contact_channel
from devices.services import Services
from devices.vault import CHANNEL_ADDRESS, CONTACT_NAME, SealBroken, Vault, mask

LANGUAGES: Final = ("zh-CN", "en")
NAME_MAX: Final = 100
ADDRESS_MAX: Final = 1000
UNOPENED: Final = "(cannot be opened)"
"""Stands for a name or an address that is damaged or was sealed with a key that is not here."""


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """One way to reach a contact; `address` is masked unless it was asked for in clear."""

    id: int
    medium: str
    carrier: str
    rank: int
    address: str


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One contact; `name` is masked unless it was asked for in clear. Channels in the order of trying.

    Of an erased contact (`erased_us` says since when) the name is empty and there are no channels.
    `unopened` says what cannot be opened (`name`, `channel 4`) and why; there stands UNOPENED.
    """

    code: str
    name: str
    language: str
    channels: tuple[ChannelRow, ...]
    erased_us: int | None = None
    unopened: tuple[str, ...] = ()


def add_contact(
    connection: Connection,
    vault: Vault,
    *,
    code: str,
    name: str,
    language: str = "zh-CN",
    by: str,
    now_us: int,
) -> int:
    """A new contact and its id; `language` is what messages to them are written in."""
    values = {
        "code": check_handle(code, "contact"),
        "name_sealed": vault.seal(check_words(name, NAME_MAX, "name"), CONTACT_NAME),
        "language": among(language, LANGUAGES, "language"),
        "created_us": now_us,
    }
    return add(connection, contact, "code", values, by=by, now_us=now_us)


def set_contact(
    connection: Connection,
    vault: Vault,
    *,
    code: str,
    name: str | None = None,
    language: str | None = None,
    by: str,
    now_us: int,
) -> None:
    """Another name, another language, or both; what is None stays. Raises NotThere, and NotAllowed where
    neither is given. The old name is gone."""
    if name is None and language is None:
        raise NotAllowed(f"contact {code!r}: nothing to change, a name or a language is allowed")
    owner = hold_contact(connection, code)
    values: dict[str, object] = {}
    if name is not None:
        values["name_sealed"] = vault.seal(check_words(name, NAME_MAX, "name"), CONTACT_NAME)
    if language is not None:
        values["language"] = among(language, LANGUAGES, "language")
    connection.execute(update(contact).where(contact.c.id == owner["id"]).values(values))
    note_change(connection, by, now_us, f"contact set {code}")


def hold_contact(connection: Connection, code: str) -> RowMapping:
    """The contact's row, for who is about to change something of theirs: others who would wait. Raises
    NotThere for a code nobody has, and for an erased contact."""
    row = hold(connection, contact, "code", code)
    if row["erased_us"] is not None:
        raise NotThere(f"contact {code!r} was erased; a new contact with another code is allowed")
    return row


def add_channel(
    connection: Connection,
    vault: Vault,
    *,
    contact_code: str,
    medium: str,
    carrier: str,
    address: str,
    rank: int = 1,
    services: Services | None = None,
    by: str,
    now_us: int,
) -> int:
    """A new way to reach a contact, and its id. Lower `rank` is tried first.

    Raises NotAllowed when the carrier can do nothing with the address; the text holds nothing of it but the
    scheme. `services` (`devices.services.why_apprise_cannot`) is asked of an address for Apprise; without it
    only the form of the address is looked at. Raises
    AlreadyThere when this contact has that address on that medium already, however it was written; one that
    was removed may be added again. Raises NotThere for an erased contact.
    """
    chosen_medium = one_of(Medium, medium, "medium")
    chosen_carrier = one_of(Carrier, carrier, "carrier")
    text = _check_address(chosen_carrier, address, services)
    owner = hold_contact(connection, contact_code)
    taken = connection.execute(
        select(contact_channel.c.id).where(
            contact_channel.c.contact_id == owner["id"],
            contact_channel.c.medium == chosen_medium,
            contact_channel.c.address_index.in_(vault.blind_indexes(text)),
            contact_channel.c.removed_us.is_(None),
        )
    ).first()
    if taken is not None:
        raise AlreadyThere(f"contact {contact_code!r} has {mask(text)} as {medium} already")
    channel_id: int = connection.execute(
        insert(contact_channel)
        .values(
            contact_id=owner["id"],
            medium=chosen_medium,
            carrier=chosen_carrier,
            address_sealed=vault.seal(text, CHANNEL_ADDRESS),
            address_index=vault.blind_index(text),
            rank=check_rank(rank),
            added_us=now_us,
        )
        .returning(contact_channel.c.id)
    ).scalar_one()
    note_change(connection, by, now_us, f"contact {contact_code} add-channel {chosen_medium}")
    return channel_id


def remove_channel(
    connection: Connection, *, contact_code: str, channel_id: int, by: str, now_us: int
) -> None:
    """Ends a way to reach a contact. The row stays with its end, sealed address included, until the contact
    is erased: messages sent by it stay explained. Raises NotThere where the contact has no such way (now)."""
    _channel(connection, contact_code, channel_id)
    this = contact_channel.c.id == channel_id
    connection.execute(update(contact_channel).where(this).values(removed_us=now_us))
    note_change(connection, by, now_us, f"contact {contact_code} remove-channel {channel_id}")


def set_channel_rank(
    connection: Connection, *, contact_code: str, channel_id: int, rank: int, by: str, now_us: int
) -> None:
    """Another place in the order of trying. Earlier orders are not kept. Raises NotThere as above."""
    values = changed(_channel(connection, contact_code, channel_id), {"rank": check_rank(rank)})
    if values:
        connection.execute(update(contact_channel).where(contact_channel.c.id == channel_id).values(values))
        note_change(connection, by, now_us, f"contact {contact_code} rank-channel {channel_id}")


def _channel(connection: Connection, contact_code: str, channel_id: int) -> RowMapping:
    owner = hold_contact(connection, contact_code)
    query = select(contact_channel).where(
        contact_channel.c.id == channel_id,
        contact_channel.c.contact_id == owner["id"],
        contact_channel.c.removed_us.is_(None),
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotThere(f"contact {contact_code!r} has no channel {channel_id}")
    return row


def _check_address(carrier: Carrier, address: str, services: Services | None) -> str:
    text = address.strip()
    if not 1 <= len(text) <= ADDRESS_MAX or not text.isprintable():
        raise NotAllowed(f"address: 1 to {ADDRESS_MAX} printable characters are allowed")
    if not can_carry(carrier, text):
        raise NotAllowed(f"carrier {carrier} cannot use this address: allowed is {ALLOWED[carrier]}")
    if carrier is Carrier.APPRISE and services is not None and (reason := services(text)):
        raise NotAllowed(f"carrier {carrier}: {reason}; allowed is {ALLOWED[carrier]}")
    return text


def list_contacts(connection: Connection, vault: Vault, *, only: str | None = None) -> list[ContactRow]:
    """All contacts by code, or the one with code `only` (else NotThere); names and addresses masked.

    What does not open is marked in its row and raises nothing.
    """
    return [_contact_row(vault, row, channels, clear=False) for row, channels in _contacts(connection, only)]


def reveal_contacts(
    connection: Connection, vault: Vault, *, only: str | None = None, by: str, now_us: int
) -> list[ContactRow]:
    """As `list_contacts`, in clear; one look is recorded per contact shown, but for erased ones, of whom
    there is nothing to see. Needs a write transaction."""
    shown = []
    for row, channels in _contacts(connection, only):
        if row["erased_us"] is None:
            note_look(connection, by, now_us, row["id"], "name, addresses")
        shown.append(_contact_row(vault, row, channels, clear=True))
    return shown


def find_by_address(connection: Connection, vault: Vault, address: str) -> tuple[str, ...]:
    """Codes of the contacts reached at `address` now, however it is written; nothing is unsealed."""
    rows = connection.execute(
        select(contact.c.code)
        .join(contact_channel, contact_channel.c.contact_id == contact.c.id)
        .where(
            contact_channel.c.address_index.in_(vault.blind_indexes(address)),
            contact_channel.c.removed_us.is_(None),
            contact.c.erased_us.is_(None),
        )
        .distinct()
        .order_by(contact.c.code)
    )
    return tuple(row.code for row in rows)


def address_to_send(connection: Connection, vault: Vault, channel_id: int) -> str:
    """The address of one channel in clear, for the sender alone: the notification is its record, no look.

    Raises NotThere when the channel is gone, removed, or its contact erased; SealBroken when it does not
    open.
    """
    row = connection.execute(
        select(contact_channel.c.address_sealed, contact.c.code)
        .join(contact, contact_channel.c.contact_id == contact.c.id)
        .where(
            contact_channel.c.id == channel_id,
            contact_channel.c.removed_us.is_(None),
            contact.c.erased_us.is_(None),
        )
    ).one_or_none()
    if row is None:
        raise NotThere(f"no channel {channel_id} that is in use")
    try:
        return vault.unseal(row.address_sealed, CHANNEL_ADDRESS)
    except SealBroken as error:
        raise SealBroken(f"contact {row.code!r}, channel {channel_id}: {error}") from None


def _contacts(connection: Connection, only: str | None) -> list[tuple[RowMapping, list[RowMapping]]]:
    rows = rows_of(connection, select(contact), contact, only)
    query = (
        select(contact_channel)
        .where(contact_channel.c.removed_us.is_(None))
        .order_by(contact_channel.c.rank, contact_channel.c.id)
    )
    if only is not None:
        query = query.where(contact_channel.c.contact_id == rows[0]["id"])
    channels: dict[int, list[RowMapping]] = {}
    for channel in connection.execute(query).mappings():
        channels.setdefault(channel["contact_id"], []).append(channel)
    return [(row, channels.get(row["id"], [])) for row in rows]


def _contact_row(vault: Vault, row: RowMapping, channels: list[RowMapping], *, clear: bool) -> ContactRow:
    """One that does not open must not hide the others: it is marked."""
    unopened: list[str] = []

    def shown(sealed: bytes, where: str, what: str) -> str:
        try:
            text = vault.unseal(sealed, where)
        except SealBroken as error:
            unopened.append(f"{what}: {error}")
            return UNOPENED
        return text if clear else mask(text)

    if row["erased_us"] is not None:
        return ContactRow(row["code"], "", row["language"], (), row["erased_us"])
    name = shown(row["name_sealed"], CONTACT_NAME, "name")
    ways = tuple(
        ChannelRow(
            id=channel["id"],
            medium=channel["medium"],
            carrier=channel["carrier"],
            rank=channel["rank"],
            address=shown(channel["address_sealed"], CHANNEL_ADDRESS, f"channel {channel['id']}"),
        )
        for channel in channels
    )
    return ContactRow(row["code"], name, row["language"], ways, None, tuple(unopened))
