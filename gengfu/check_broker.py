"""The broker's part of `gengfu check`: does it keep its promises, and is its certificate good."""

from __future__ import annotations

import dataclasses
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from devices.database import DriverMissing, open_database
from devices.registry.credentials import Credential, broker_hash, new_password
from devices.vault import Vault, VaultError
from gengfu.access import (
    CHECK,
    CHECK_READER,
    CHECK_TOPICS,
    derives_login,
    login_of,
    own_credential,
    tls_listener,
)
from gengfu.check_site import site_findings
from gengfu.config import Config
from gengfu.ports import free_port
from gengfu.run_ingest import source_settings
from gengfu.service import CannotStart, await_broker
from gengfu.supervisor import Member, Supervisor
from gengfu.tls import faults_of
from ingest.broker import find_mosquitto, private_broker, write_configuration
from ingest.gate.files import Account, file_texts, write_files
from ingest.probe import Finding, probe_broker, probe_guard
from ingest.source import SourceSettings

Login = tuple[str, str]


def broker_findings(config: Config) -> Iterator[Finding]:
    """Certificate first, then what the broker does."""
    yield from _certificate(config)
    if config.broker.host:
        yield from site_findings(config)
        yield from _own_broker(config)
        return
    mosquitto = find_mosquitto()
    if mosquitto is None:
        yield Finding("broker", False, "mosquitto is not installed: apt-get or brew install mosquitto")
        return
    yield from _with_private_broker(mosquitto, config)


def _certificate(config: Config) -> Iterator[Finding]:
    tls = tls_listener(config)
    if tls is None:
        return
    own = config.broker.tls == "private"
    authority = tls.certificate.with_name("ca.crt") if own else None
    if not own and config.broker.authority:
        authority = Path(config.broker.authority)
    wrong = faults_of(tls.certificate, tls.key, authority, datetime.now(UTC))
    text = "; ".join(wrong) or f"{tls.certificate} fits its key; devices trust {authority or 'theirs'}"
    yield Finding("broker certificate", not wrong, text)


def _own_broker(config: Config) -> Iterator[Finding]:
    broker = config.broker
    try:
        publisher, reader = _check_logins(config) if derives_login(config) else [login_of(config)] * 2
    except OSError as error:
        yield Finding("broker", False, f"{error.filename} cannot be read: {error.strerror}")
        return
    except (VaultError, SQLAlchemyError, DriverMissing):
        text = "its access files need database and key, see above; or set broker.username or broker.anonymous"
        yield Finding("broker", False, text)
        return
    yield from _probe(config, broker.host, broker.port or 1883, publisher, reader)
    if not broker.anonymous:
        yield from _guard(broker.host, broker.port or 1883, publisher if derives_login(config) else None)


def _check_logins(config: Config) -> tuple[Login, Login]:
    """The two users that `ingest.gate` writes for this. Never ingest's own: on a broker that takes the user
    name for the client id that would end its session, with all that waits in it."""
    engine = open_database(config.database_url)
    try:
        vault = Vault.open(config.key_path)
        one, other = (own_credential(engine, vault, name) for name in (CHECK, CHECK_READER))
        return (one.name, one.password), (other.name, other.password)
    finally:
        engine.dispose()


def _with_private_broker(mosquitto: Path, config: Config) -> Iterator[Finding]:
    """Probes a mosquitto of our own, configured as `gengfu up` does, on a port of its own."""
    port = free_port()
    logins = [Credential(name, new_password()) for name in (CHECK, CHECK_READER)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        accounts = [Account(one.name, broker_hash(one.password), (CHECK_TOPICS,)) for one in logins]
        write_files(folder, file_texts(accounts))
        broker = dataclasses.replace(private_broker(folder, port), access_folder=folder.resolve())
        conf = write_configuration(broker)
        supervisor = Supervisor(
            [Member("broker", [str(mosquitto), "-c", str(conf)], conf.with_name("console.log"))],
            on_start=lambda *_: None,
        )
        supervisor.start("broker")
        try:
            await_broker("127.0.0.1", port, threading.Event(), _ended(supervisor, conf))
            publisher, reader = ((one.name, one.password) for one in logins)
            yield from _probe(config, "127.0.0.1", port, publisher, reader)
            yield from _guard("127.0.0.1", port, publisher)
        except CannotStart as error:
            yield Finding("broker", False, f"{mosquitto} does not start with our configuration: {error}")
        finally:
            supervisor.stop()


def _ended(supervisor: Supervisor, conf: Path) -> Callable[[], str]:
    def reason() -> str:
        if supervisor.lives("broker"):
            return ""
        names = ("console.log", "mosquitto.log")
        last = [line for name in names for line in _lines(conf.with_name(name)) if line]
        return last[-1] if last else "it ended without a word"

    return reason


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []


def _guard(host: str, port: int, login: Login | None) -> Iterator[Finding]:
    yield from probe_guard(SourceSettings(host, port, CHECK, ()), login)


def _probe(config: Config, host: str, port: int, publisher: Login, reader: Login) -> Iterator[Finding]:
    def settings(login: Login) -> SourceSettings:
        plain = msgspec.structs.replace(
            config.broker, host=host, port=port, username="", password_file="", anonymous=True
        )
        base = source_settings(msgspec.structs.replace(config, broker=plain), ())
        return dataclasses.replace(base, username=login[0], password=login[1])

    yield from probe_broker(settings(publisher), reader=settings(reader))
