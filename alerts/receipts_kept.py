"""The inbox of receipts: what providers posted or answered, kept once until a turn has decided it.

No number is kept: a reply is kept with the contacts whose number it came from, and with no text where that
is nobody's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select

from alerts.acts import NOTE_MAX
from alerts.channels.receipts import Posted, Receipt, ReceiptState, SmsReply
from alerts.receipt_schema import receipt as table
from alerts.receipt_schema import receipt_unread
from devices.database import insert_new
from devices.masking import mask_within
from devices.model import Carrier
from devices.schema import contact, contact_channel

REPLY: Final = "reply"
"""The state of a row that is a person's text."""
Finds = Callable[[Connection, str], Sequence[int]]
"""The ids of the contacts who are reached at a number now."""
_LETTERS_KEPT: Final = 1_000
"""Dead letters kept, the newest (chosen: as many as somebody may look through)."""
_LETTER_MOST: Final = 2_000
"""Characters kept of one (chosen: some entries of a provider's)."""


def keep_posted(connection: Connection, posted: Posted, find: Finds, heard_us: int) -> int:
    """Writes what is new into the inbox and gives how many entries it was handed.

    The same receipt or reply again changes nothing. That a message was accepted is known by its sending.
    """
    told = [one for one in posted.receipts if one.state is not ReceiptState.ACCEPTED]
    rows = [_of_receipt(one, heard_us) for one in told]
    rows += [_of_reply(one, find(connection, one.address), heard_us) for one in posted.replies]
    if rows:
        connection.execute(insert_new(connection, table), rows)
    return len(rows)


def keep_unread(connection: Connection, carrier: Carrier, count: int, body: bytes, now_us: int) -> None:
    """Writes the beginning of a post in which `count` entries could not be read, numbers masked."""
    text = mask_within(body[:_LETTER_MOST].decode("utf-8", "replace"))
    values = {"at_us": now_us, "carrier": str(carrier), "entries": count, "body": text}
    number = connection.execute(insert(receipt_unread).values(values).returning(receipt_unread.c.id))
    old = receipt_unread.c.id <= number.scalar_one() - _LETTERS_KEPT
    connection.execute(delete(receipt_unread).where(old))


def nobody(_connection: Connection, _address: str) -> Sequence[int]:
    """Finds nobody: where the numbers of the registry cannot be looked for."""
    return ()


def contacts_by(indexes: Callable[[str], Sequence[bytes]]) -> Finds:
    """Finds contacts by the blind indexes of a number; nothing is unsealed."""

    def find(connection: Connection, address: str) -> Sequence[int]:
        way = contact_channel.c
        rows = connection.execute(
            select(contact.c.id)
            .join(contact_channel, way.contact_id == contact.c.id)
            .where(way.address_index.in_(indexes(address)), way.removed_us.is_(None))
            .where(contact.c.erased_us.is_(None))
            .distinct()
            .order_by(contact.c.id)
        )
        return list(rows.scalars())

    return find


def _of_receipt(one: Receipt, heard_us: int) -> dict[str, Any]:
    return {
        "once_key": one.key,
        "carrier": str(one.carrier),
        "receipt": one.receipt,
        "own_id": one.own_id,
        "state": str(one.state),
        "at_us": one.at_us,
        "heard_us": heard_us,
        "detail": mask_within(one.detail),
        "keys": one.keys,
        "act": str(one.act or ""),
        "text": "",
        "contacts": "",
    }


def _of_reply(one: SmsReply, contacts: Sequence[int], heard_us: int) -> dict[str, Any]:
    return {
        "once_key": one.key,
        "carrier": str(one.carrier),
        "receipt": "",
        "own_id": "",
        "state": REPLY,
        "at_us": one.at_us,
        "heard_us": heard_us,
        "detail": "",
        "keys": "",
        "act": str(one.act or ""),
        "text": one.text[:NOTE_MAX] if contacts else "",
        "contacts": ",".join(map(str, contacts)),
    }
