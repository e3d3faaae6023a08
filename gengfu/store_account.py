"""The account at the site's series server, its secret read from the file that the configuration names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gengfu.config_store import Store
from ingest.store.influx.server import Account


def account_of(store: Store) -> Account:
    """Raises OSError or UnicodeError where a file cannot be read, ValueError where it is empty."""
    return replace(_named(store), token=_secret(store.token_file), password=_secret(store.password_file))


def target_of(store: Store) -> str:
    """Where points go, as what was copied is noted. Reads no secret."""
    return _named(store).target


def _named(store: Store) -> Account:
    return Account(
        url=store.url,
        org=store.org,
        bucket=store.bucket,
        database=store.database,
        retention_policy=store.retention_policy,
        user=store.user,
        gzip=store.gzip,
    )


def _secret(file: str) -> str:
    if not file:
        return ""
    secret = Path(file).read_text(encoding="utf-8").strip()
    if not secret or not secret.isascii() or not secret.isprintable():
        raise ValueError(f"{file}: a secret of one line, in ASCII, is wanted")
    return secret
