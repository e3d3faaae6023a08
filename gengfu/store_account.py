"""The account at the site's series server, its secret read from the file that the configuration names."""

from __future__ import annotations

from pathlib import Path

from gengfu.config_store import Store
from ingest.store.influx.server import Account


def account_of(store: Store) -> Account:
    """Raises OSError or UnicodeError where a file cannot be read, ValueError where it is empty."""
    return Account(
        url=store.url,
        org=store.org,
        bucket=store.bucket,
        token=_secret(store.token_file),
        database=store.database,
        retention_policy=store.retention_policy,
        user=store.user,
        password=_secret(store.password_file),
        gzip=store.gzip,
    )


def _secret(file: str) -> str:
    if not file:
        return ""
    secret = Path(file).read_text(encoding="utf-8").strip()
    if not secret or not secret.isascii() or not secret.isprintable():
        raise ValueError(f"{file}: a secret of one line, in ASCII, is wanted")
    return secret
