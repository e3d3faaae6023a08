"""The keys of one site: made once, never twice, and they must be those that sealed what is in the database.

Errors:
* KeyLost: the database holds sealed data and the key that opens it is not where it should be.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select

from devices.database import reading
from devices.keyring import ENVIRONMENT, check_mode, is_in_environment
from devices.resealing import present
from devices.vault import KeyExists, SealBroken, Vault, VaultError, create_key
from gengfu.clock import now_us


class KeyLost(VaultError):
    """There is sealed data and not its key: nobody could be told. The text says what to do."""


def key_place(path: Path) -> str:
    """Where the keys come from, for people: the variable, or the file."""
    return f"${ENVIRONMENT}" if is_in_environment() else str(path)


def settle_key(engine: Engine, path: Path, say: Callable[[str], None]) -> Vault:
    """The vault of this database. Makes the key at `path` where there is neither key nor sealed data.

    Raises KeyLost rather than make a new key over sealed data, KeyUnreadable, KeyExposed, OSError.
    """
    with reading(engine) as connection:
        samples = list(_samples(connection))
    if not is_in_environment() and not path.exists():
        if samples:
            raise KeyLost(
                f"{path}: no key file, but the database holds names and numbers sealed with one; "
                "put its copy back (a new key could not open them, and nobody could be told)"
            )
        with contextlib.suppress(KeyExists):  # somebody else was quicker: theirs is as good
            create_key(path, now_us())
            say(f"made a new key: {path} (keep a copy apart from backups)")
    return _opening(path, samples)


def fitting_key(engine: Engine, path: Path) -> Vault:
    """The vault whose keys open what the database holds.

    Raises KeyMissing, KeyUnreadable, KeyExposed or KeyLost.
    """
    with reading(engine) as connection:
        return _opening(path, list(_samples(connection)))


def _opening(path: Path, samples: list[tuple[bytes, str]]) -> Vault:
    """One damaged row must not keep a service from starting: the key is wrong when it opens nothing."""
    if not is_in_environment():
        check_mode(path)
    vault = Vault.open(path)
    if samples and not any(_opens(vault, sealed, where) for sealed, where in samples):
        raise KeyLost(
            f"{key_place(path)}: this key does not open the names and numbers in the database; "
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
    """The first and the last sealed value of each kind."""
    for one in present(connection):
        for order in (one.key, one.key.desc()):
            query = select(one.key, one.column).where(func.length(one.column) > 0).order_by(order).limit(1)
            for key, sealed in connection.execute(query):
                yield bytes(sealed), one.where(key)
