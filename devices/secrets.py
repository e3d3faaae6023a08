"""Random secrets of this site: what signs one-tap links and sessions, what ingest tells the broker.

They are kept sealed in the database, so that changing the key that seals does not change them: a link sent
before still opens after.

Errors:
* SecretUnavailable (a VaultError): the database cannot give the secret or take a new one now.
"""

from __future__ import annotations

import secrets
from typing import Final

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError

from devices.database import insert_new, reading, writing
from devices.schema import site_secret
from devices.vault import Vault, VaultError

SECRET_BYTES: Final = 32
"""256 bits: as strong as the key that seals it."""
SITE_SECRET: Final = "site_secret.sealed"  # noqa: S105 - the name of a column
"""The `where` of the sealed column; the purpose is part of it, so that secrets cannot be swapped."""


class SecretUnavailable(VaultError):
    """The database has no table for it, is locked, or cannot be written; the text says which."""


def secret_of(engine: Engine, vault: Vault, purpose: str, now_us: int) -> bytes:
    """The site's secret for `purpose` (`answers.link`, `console.session`), made on first use.

    Two processes that ask at once get the same. One that is there is read without the write lock, so that a
    database that cannot be written gives it too. Raises SealBroken where it was sealed with another key,
    SecretUnavailable where the database fails.
    """
    try:
        return _secret_of(engine, vault, purpose, now_us)
    except DBAPIError as error:
        raise SecretUnavailable(f"the site's secret {purpose} cannot be had: {error.orig}") from None


def _secret_of(engine: Engine, vault: Vault, purpose: str, now_us: int) -> bytes:
    with reading(engine) as connection:
        found = _find(connection, vault, purpose)
    if found is not None:
        return found
    with writing(engine) as connection:
        fresh = vault.seal(secrets.token_bytes(SECRET_BYTES).hex(), where_of_secret(purpose))
        values = {"purpose": purpose, "sealed": fresh, "created_us": now_us}
        connection.execute(insert_new(connection, site_secret).values(values))
        found = _find(connection, vault, purpose)
    assert found is not None
    return found


def _find(connection: Connection, vault: Vault, purpose: str) -> bytes | None:
    sealed = connection.scalar(select(site_secret.c.sealed).where(site_secret.c.purpose == purpose))
    return None if sealed is None else bytes.fromhex(vault.unseal(bytes(sealed), where_of_secret(purpose)))


def where_of_secret(purpose: str) -> str:
    """The `where` under which the secret for `purpose` is sealed."""
    return f"{SITE_SECRET}:{purpose}"
