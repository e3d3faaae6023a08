"""The key of one site: made once, never twice, and it must be the one that sealed what is in the database.

Errors:
* KeyLost: the database holds sealed data and the key that opens it is not where it should be.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, select

from devices.database import reading
from devices.schema import contact, contact_channel, dwelling
from devices.vault import (
    CHANNEL_ADDRESS,
    CONTACT_NAME,
    DWELLING_ATTENTION,
    KeyExists,
    SealBroken,
    Vault,
    VaultError,
    create_key,
)

_SEALED = (
    (contact_channel.c.address_sealed, CHANNEL_ADDRESS),
    (contact.c.name_sealed, CONTACT_NAME),
    (dwelling.c.attention_sealed, DWELLING_ATTENTION),
)


class KeyLost(VaultError):
    """There is sealed data and not its key: nobody could be told. The text says what to do."""


def settle_key(engine: Engine, path: Path, say: Callable[[str], None]) -> Vault:
    """The vault of this database. Makes the key at `path` where there is neither key nor sealed data.

    Raises KeyLost rather than make a new key for data sealed with another; KeyUnreadable, OSError.
    """
    with reading(engine) as connection:
        samples = list(_samples(connection))
    if not path.exists():
        if samples:
            raise KeyLost(
                f"{path}: no key file, but the database holds names and numbers sealed with one; "
                "put its copy back (a new key could not open them, and nobody could be told)"
            )
        with contextlib.suppress(KeyExists):  # somebody else was quicker: theirs is as good
            create_key(path)
            say(f"made a new key: {path} (keep a copy apart from backups)")
    return _opening(path, samples)


def fitting_key(engine: Engine, path: Path) -> Vault:
    """The vault whose key opens what the database holds. Raises KeyMissing, KeyUnreadable or KeyLost."""
    with reading(engine) as connection:
        return _opening(path, list(_samples(connection)))


def _opening(path: Path, samples: list[tuple[bytes, str]]) -> Vault:
    """One damaged row must not keep a service from starting: the key is wrong when it opens nothing."""
    vault = Vault.open(path)
    if samples and not any(_opens(vault, sealed, where) for sealed, where in samples):
        raise KeyLost(
            f"{path}: this key does not open the names and numbers in the database; "
            "put back the key that sealed them"
        )
    return vault


def _opens(vault: Vault, sealed: bytes, where: str) -> bool:
    try:
        vault.unseal(sealed, where)
    except SealBroken:
        return False
    return True


def _samples(connection: Connection) -> Iterator[tuple[bytes, str]]:
    """The oldest and the newest sealed value of each kind."""
    tables = set(inspect(connection).get_table_names())
    for column, where in _SEALED:
        if column.table.name not in tables:
            continue
        number = column.table.c.id
        for order in (number, number.desc()):
            query = select(column).where(column.is_not(None)).order_by(order).limit(1)
            sealed = connection.scalar(query)
            if sealed:
                yield bytes(sealed), where
