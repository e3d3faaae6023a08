"""The brokers' part of `gengfu check`: do they keep their promises, is the private one's certificate good."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from devices.database import DriverMissing, open_database
from devices.vault import Vault, VaultError
from gengfu.access import (
    CHECK,
    CHECK_READER,
    derives_login,
    is_private,
    login_of,
    own_credential,
    tls_listener,
)
from gengfu.brokers import further_settings
from gengfu.check_private import private_findings
from gengfu.check_site import site_findings
from gengfu.config import AnyBroker, Config, FurtherBroker
from gengfu.config_brokers import FIRST, port_of, transport_of
from gengfu.config_file import ConfigError, load_config
from gengfu.folder import FolderTaken, holder_of, lock
from gengfu.tls import faults_of
from ingest.dial import DIAL_TIMEOUT_S, connect_link
from ingest.probes.finding import Finding
from ingest.probes.guard import probe_guard
from ingest.probes.persistence import NOT_PROVEN
from ingest.probes.proofs import probe_broker
from ingest.probes.terms import Dial, Login
from ingest.probes.trial import Trial, Wanted

AT_ONCE: Final = 4
"""Further brokers looked at beside the first (chosen: a broker that answers nobody holds up no other)."""
OTHER_CHECK_S: Final = 10.0
"""How long another check may take to end: a healthy broker takes one or two seconds (chosen)."""
INGEST_USER: Final = Finding(
    "broker ingest user",
    None,
    "not proven: logging in as ingest would end its session; the access list that Gengfu writes lets it only "
    "read",
)


def broker_findings(config: Config, *, other_check_s: float = OTHER_CHECK_S) -> Iterator[Finding]:
    """What `_brokers` finds, unless another check on this data folder is still at it after `other_check_s`:
    two on one broker with the same users would end each other's connections. Raises nothing."""
    try:
        with _alone(config.data_dir, other_check_s):
            yield from _brokers(config)
    except FolderTaken as error:
        text = f"not tried: another check runs, {error}; try again when it is done"
        yield Finding("broker proofs", None, text, FIRST)


@contextmanager
def _alone(folder: Path, wait_s: float) -> Iterator[None]:
    """Holds the lock `check`; a folder that cannot be written has none. Raises FolderTaken after `wait_s`."""
    until, held = time.monotonic() + wait_s, None
    while held is None:
        try:
            held = lock(folder, "check")
        except FolderTaken:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        except OSError:
            break  # said of the data folder itself
    try:
        yield
    finally:
        if held:
            held.close()


def _unfailing(found: Iterator[Finding], table: str) -> Iterator[Finding]:
    """Whatever goes wrong while one broker is tried costs the rest of that broker only, and is said."""
    try:
        yield from found
    except Exception as error:
        text = f"{table}: the check itself failed, {type(error).__name__}: {error}; correct what that names, "
        yield Finding("broker", False, f"{text}or tell us")


def _brokers(config: Config) -> Iterator[Finding]:
    """Certificate first, then what each broker does: that of `[broker]`, then `[[brokers]]`.

    Of the private broker the one that runs is tried where one does, else one of our own that is configured
    alike; a restart is always tried on the latter.
    """
    yield from _certificate(config)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        further = [pool.submit(_whole_further, config, one) for one in config.brokers]
        for found in _first(config):
            yield dataclasses.replace(found, broker=FIRST)
        for broker, waiting in zip(config.brokers, further, strict=True):
            for found in waiting.result():
                yield dataclasses.replace(found, broker=broker.name)


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
    yield Finding("broker certificate", not wrong, text, FIRST)


def _first(config: Config) -> Iterator[Finding]:
    if config.broker.host and not is_private(config):
        yield from site_findings(config)
        yield from _unfailing(_tried(config), place_of(config.broker))
        yield NOT_PROVEN
        return
    running = _running(config)
    if running:
        yield from _unfailing(_tried(running), place_of(running.broker))
    yield from _unfailing(private_findings(config, whole=running is None), "a mosquitto of our own")


def _running(config: Config) -> Config | None:
    """What the private broker that runs now was settled with; None where none runs."""
    if holder_of(config.data_dir, "broker") is None:
        return None
    try:
        return load_config(config.data_dir / "settled.json")
    except (OSError, ConfigError):
        return None


def _tried(config: Config) -> Iterator[Finding]:
    """The broker of `[broker]`, its port settled."""
    own_user = derives_login(config)
    try:
        publisher, reader = _check_logins(config) if own_user else [Login(*login_of(config))] * 2
    except OSError as error:
        yield Finding("broker", False, f"{error.filename} cannot be read: {error.strerror}")
        return
    except (VaultError, SQLAlchemyError, DriverMissing):
        text = "its access files need database and key, see above; or set broker.username or broker.anonymous"
        yield Finding("broker", False, text)
        return
    broker, ours = config.broker, is_private(config)
    trial = Trial(dial_of(broker), publisher, reader, wanted_of(config, broker))
    yield from probe_broker(trial, place_of(broker), own_user=own_user, ours=ours)
    if broker.anonymous:
        return
    yield from probe_guard(trial.dial, _for_guard(trial, publisher, own_user), own_user=own_user)
    if own_user and not ours:
        yield INGEST_USER


def _check_logins(config: Config) -> tuple[Login, Login]:
    """The two users that `ingest.gate` writes for this. Never ingest's own: on a broker that takes the user
    name for the client id that would end its session, with all that waits in it."""
    engine = open_database(config.database_url)
    try:
        vault = Vault.open(config.key_path)
        one, other = (own_credential(engine, vault, name) for name in (CHECK, CHECK_READER))
        return Login(one.name, one.password), Login(other.name, other.password)
    finally:
        engine.dispose()


def _for_guard(trial: Trial, login: Login, own_user: bool) -> Login:
    """Ingest's own login is used once more only where it is proven to end no connection of ingest, and the
    check's only where nobody else is at work with it."""
    return login if (own_user and not trial.taken_over) or trial.two_at_once else Login()


def _whole_further(config: Config, broker: FurtherBroker) -> list[Finding]:
    return list(_unfailing(_further(config, broker), f"[[brokers]] {broker.name}"))


def _further(config: Config, broker: FurtherBroker) -> Iterator[Finding]:
    """One of `[[brokers]]`. Who names no user there lets anybody in, and nothing is said of that."""
    table = f"[[brokers]] {broker.name}"
    try:
        settings = further_settings(config, broker, ())
    except OSError as error:
        yield Finding("broker", False, f"{error.filename} cannot be read: {error.strerror}")
        return
    login = Login(settings.username, settings.password)
    trial = Trial(dial_of(broker), login, login, wanted_of(config, broker))
    yield from probe_broker(trial, place_of(broker), own_user=False, ours=False, table=table)
    if login.name:
        yield from probe_guard(trial.dial, _for_guard(trial, login, False), own_user=False)
    yield NOT_PROVEN


def dial_of(broker: AnyBroker) -> Dial:
    """Connects as ingest does, with TLS or WebSocket where it does."""
    return lambda: connect_link(broker.host, port_of(broker), transport_of(broker), DIAL_TIMEOUT_S)


def place_of(broker: AnyBroker) -> str:
    """What people call it."""
    over = "" if broker.transport == "tcp" else f" over {broker.transport}"
    return f"{broker.host}:{port_of(broker)}{over}"


def wanted_of(config: Config, broker: AnyBroker) -> Wanted:
    """What ingest will ask of it."""
    return Wanted(
        session_expiry_s=broker.session_expiry_h * 3600,
        receive_maximum=broker.receive_maximum,
        max_payload_bytes=config.ingest.max_payload_bytes,
    )
