"""Who the broker lets in, on this site: the registry's publishers and the service's own users.

The service's own passwords follow from secrets of the site, so they need not be kept in step anywhere. That
of ingest also lies in `ingest.password` in the data folder: ingest starts without the key.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from devices.database import reading
from devices.registry.credentials import SALT_BYTES, Credential, broker_hash
from devices.registry.publishers import valid_publishers
from devices.secrets import secret_of
from devices.vault import Vault
from gengfu.clock import now_us
from gengfu.config import Config
from gengfu.folder import write_private
from ingest.broker import TlsListener
from ingest.gate.files import Account, file_texts

CHECK: Final = "gengfu-check"
"""The user with which `gengfu check` publishes; it and the next may use topics below `gengfu-check/` only."""
CHECK_READER: Final = "gengfu-check-reader"
"""A user of its own, because a broker of ours takes the user name for the client id."""
CHECK_TOPICS: Final = "gengfu-check"
PASSWORD_FILE: Final = "ingest.password"  # noqa: S105 - the name of a file


def derives_login(config: Config) -> bool:
    """Whether ingest's user and password are the service's own, and not said in the configuration."""
    broker = config.broker
    said = broker.username or broker.password_file
    return not broker.anonymous and (is_private(config) or not said)


def access_folder(config: Config) -> Path | None:
    """Where the broker's files are kept up to date; None where nothing is (anonymous, or by hand)."""
    if is_private(config):
        return None if config.broker.anonymous else config.data_dir / "broker"
    return Path(config.broker.access_dir) if config.broker.access_dir else None


def is_private(config: Config) -> bool:
    """Whether the broker is one of the service's own; also for the configuration as it was settled."""
    return not config.broker.host or config.broker.log_file == str(private_log(config))


def private_log(config: Config) -> Path:
    """The private broker's log."""
    return config.data_dir / "broker" / "mosquitto.log"


def tls_listener(config: Config) -> TlsListener | None:
    """The private broker's listener for devices over TLS, if there is to be one."""
    broker = config.broker
    if broker.tls == "off":
        return None
    own = broker.tls == "private"
    certificate = config.data_dir / "tls" / "server.crt" if own else Path(broker.certificate)
    key = config.data_dir / "tls" / "server.key" if own else Path(broker.certificate_key)
    return TlsListener(broker.listen, broker.tls_port, certificate, key)


def site_texts(config: Config, engine: Engine, vault: Vault, answers: tuple[str, ...] = ()) -> dict[str, str]:
    """The password file and access list as the registry is; ingest may write to the filters `answers`, on
    which profiles answer their devices. Raises what the database raises, VaultError."""
    with reading(engine) as connection:
        publishers = valid_publishers(connection)
    accounts = [
        _account(engine, vault, config.broker.client_id, (), reads_all=True, writes=answers),
        _account(engine, vault, CHECK, (CHECK_TOPICS,)),
        _account(engine, vault, CHECK_READER, (CHECK_TOPICS,)),
    ]
    accounts += [
        Account(one.name, one.password_hash, one.prefixes, reads=one.kind == "gateway") for one in publishers
    ]
    return file_texts(accounts)


def own_credential(engine: Engine, vault: Vault, name: str) -> Credential:
    """The password of one of the service's own users. Raises VaultError."""
    return Credential(name, _secret(engine, vault, name).hex())


def note_password(config: Config, engine: Engine, vault: Vault) -> None:
    """Writes ingest's password where ingest finds it, open to the owner only. Raises OSError, VaultError."""
    text = own_credential(engine, vault, config.broker.client_id).password
    path = config.data_dir / PASSWORD_FILE
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    write_private(path, text.encode())


def login_of(config: Config) -> tuple[str, str]:
    """Ingest's user name and password; both empty with an anonymous broker. Raises OSError, also where the
    password that `gengfu up` writes is not there."""
    broker = config.broker
    if not derives_login(config):
        file = broker.password_file
        return broker.username, Path(file).read_text(encoding="utf-8").strip() if file else ""
    path = config.data_dir / PASSWORD_FILE
    if not path.exists():
        raise FileNotFoundError(
            errno.ENOENT, "ingest's password is not there; `gengfu up` writes it", str(path)
        )
    return broker.client_id, path.read_text(encoding="utf-8")


def _account(
    engine: Engine,
    vault: Vault,
    name: str,
    prefixes: tuple[str, ...],
    *,
    reads_all: bool = False,
    writes: tuple[str, ...] = (),
) -> Account:
    """With a salt that follows from the secret: the same file each time, and no reload for nothing."""
    secret = _secret(engine, vault, name)
    salt = hmac.digest(secret, b"salt", hashlib.sha256)[:SALT_BYTES]
    return Account(name, broker_hash(secret.hex(), salt), prefixes, reads_all, writes=writes)


def _secret(engine: Engine, vault: Vault, name: str) -> bytes:
    purpose = name if name in (CHECK, CHECK_READER) else "ingest"
    return secret_of(engine, vault, f"broker.{purpose}", now_us())
