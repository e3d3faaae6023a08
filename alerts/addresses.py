"""Where a notification goes: the address and carrier of a contact's channel, unsealed and kept in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import urlsplit

import structlog
from sqlalchemy import Connection, func, select

from alerts.channels.channel import Failed
from devices.model import Carrier
from devices.schema import contact, contact_channel, registry_change
from devices.vault import CHANNEL_ADDRESS

log = structlog.get_logger()


_KEPT: Final = 50_000
"""Addresses held in clear at most (chosen: more than one storm tells, under 20 MB)."""


class Unseals(Protocol):
    """What we need of `devices.vault.Vault`."""

    def unseal(self, blob: bytes, where: str) -> str:
        """The text sealed in `blob` for the column `where`; raises when it is not ours."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A carrier and the address it takes. The address is in clear: never log it."""

    carrier: Carrier
    address: str
    provider: str = field(init=False, compare=False)
    """Who has to answer: the host of a web address, else the carrier. For counting, not for people."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "provider", _host_of(self.address) or str(self.carrier))


def _host_of(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "") if "://" in address else ""
    except ValueError:  # such as an unfinished IPv6 host
        return ""


class AddressBook:
    """Looks channels up in batches; forgets everything when the registry's version grows.

    Not guaranteed: thread safety. One book per lane.
    """

    def __init__(self, vault: Unseals) -> None:
        self._vault = vault
        self._version = -1
        self._ways: dict[int, Destination] = {}

    def look_up(self, connection: Connection, channel_ids: Iterable[int]) -> dict[int, Destination | Failed]:
        """A Destination for every channel, or why there is none: permanent where it is gone, removed,
        or its contact erased."""
        self._forget_if_changed(connection)
        wanted = set(channel_ids)
        found: dict[int, Destination | Failed] = {n: self._ways[n] for n in wanted if n in self._ways}
        for number, carrier, sealed in _rows(connection, wanted - found.keys()):
            found[number] = self._open(number, carrier, sealed)
        return {n: found.get(n, Failed("the contact has no such channel any more", True)) for n in wanted}

    def _forget_if_changed(self, connection: Connection) -> None:
        version = connection.scalar(select(func.max(registry_change.c.id))) or 0
        if version != self._version or len(self._ways) > _KEPT:
            self._ways.clear()
            self._version = version

    def _open(self, number: int, carrier: str, sealed: bytes) -> Destination | Failed:
        try:
            way = Destination(Carrier(carrier), self._vault.unseal(sealed, CHANNEL_ADDRESS))
        except Exception as error:  # whatever the vault raises costs this channel, not the batch
            log.error("address_not_readable", channel=number, error=type(error).__name__)
            return Failed("the address cannot be read")
        self._ways[number] = way
        return way


def _rows(connection: Connection, channel_ids: Iterable[int]) -> list[tuple[int, str, bytes]]:
    """The rows asked for that are still in use, in slices that SQLite's bound on parameters allows."""
    ids = sorted(channel_ids)
    columns = (contact_channel.c.id, contact_channel.c.carrier, contact_channel.c.address_sealed)
    in_use = (contact_channel.c.removed_us.is_(None), contact.c.erased_us.is_(None))
    owned = select(*columns).join(contact, contact_channel.c.contact_id == contact.c.id).where(*in_use)
    return [
        (row.id, row.carrier, row.address_sealed)
        for start in range(0, len(ids), 500)
        for row in connection.execute(owned.where(contact_channel.c.id.in_(ids[start : start + 500])))
    ]
