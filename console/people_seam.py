"""The console's one door to what is sealed about people: masked names, and one number at a time.

Whoever shows pages has these two functions and never the vault, so that no page can open more.

Errors:
* NoNumber: that contact has no such telephone now.
* Unopened: the key file or a seal does not open; the text says why and holds no personal data.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, select

from devices.addresses import can_carry, mask
from devices.model import Carrier
from devices.schema import contact, contact_channel
from devices.vault import CHANNEL_ADDRESS, CONTACT_NAME, SealBroken, Vault, VaultError

TELEPHONES: Final = frozenset(
    {Carrier.ALIYUN_SMS, Carrier.ALIYUN_VOICE, Carrier.TENCENT_SMS, Carrier.TENCENT_VOICE}
)
"""Carriers whose address is a telephone number. Others have a URL, which may hold a secret."""

NamesOf = Callable[[Connection, Collection[int]], Mapping[int, str]]
"""Masked names by contact id; who is not among them has a name that does not open. Raises Unopened."""
NumberOf = Callable[[Connection, int, int], str]
"""The number of one contact (id) by one channel (id), in clear. Raises NoNumber, Unopened."""


class NoNumber(Exception):
    """That contact has no such telephone now."""


class Unopened(Exception):
    """The key file or a seal does not open."""


def _no_names(connection: Connection, contact_ids: Collection[int]) -> Mapping[int, str]:
    raise Unopened("no key")


def _no_number(connection: Connection, contact_id: int, channel_id: int) -> str:
    raise Unopened("no key")


@dataclass(frozen=True, slots=True)
class Seam:
    """What the console may open. As it is: nothing."""

    names_of: NamesOf = _no_names
    number_of: NumberOf = _no_number


def seam_at(key_path: Path) -> Seam:
    """Opens with the key file at `key_path` (or $GENGFU_KEY) once it is needed, and tries again later where
    it cannot be read."""
    door = _Door(key_path)
    return Seam(door.names_of, door.number_of)


class _Door:
    """Keeps the vault to itself. Safe to share between threads."""

    def __init__(self, key_path: Path) -> None:
        self._key_path = key_path
        self._lock = threading.Lock()
        self._vault: Vault | None = None

    def names_of(self, connection: Connection, contact_ids: Collection[int]) -> Mapping[int, str]:
        """As `NamesOf`."""
        vault = self._opened()
        rows = connection.execute(
            select(contact.c.id, contact.c.name_sealed).where(
                contact.c.id.in_(contact_ids), contact.c.erased_us.is_(None)
            )
        )
        masked = {}
        for row in rows:
            try:
                masked[row.id] = mask(vault.unseal(row.name_sealed, CONTACT_NAME))
            except SealBroken:
                continue  # one that does not open must not hide the others
        return masked

    def number_of(self, connection: Connection, contact_id: int, channel_id: int) -> str:
        """As `NumberOf`."""
        row = connection.execute(
            select(contact_channel.c.address_sealed, contact_channel.c.carrier)
            .join(contact, contact_channel.c.contact_id == contact.c.id)
            .where(
                contact_channel.c.id == channel_id,
                contact.c.id == contact_id,
                contact_channel.c.carrier.in_(sorted(TELEPHONES)),
                contact_channel.c.removed_us.is_(None),
                contact.c.erased_us.is_(None),
            )
        ).one_or_none()
        if row is None:
            raise NoNumber(f"contact {contact_id} has no telephone {channel_id}")
        vault = self._opened()
        try:
            number = vault.unseal(row.address_sealed, CHANNEL_ADDRESS)
        except VaultError as error:
            raise Unopened(f"channel {channel_id}: {error}") from None
        if not can_carry(Carrier(row.carrier), number):
            raise NoNumber(f"channel {channel_id} holds no number")
        return number

    def _opened(self) -> Vault:
        with self._lock:
            if self._vault is None:
                try:
                    self._vault = Vault.open(self._key_path)
                except (VaultError, OSError) as error:
                    raise Unopened(str(error)) from None
            return self._vault
