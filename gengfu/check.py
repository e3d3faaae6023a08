"""`gengfu check`: the configuration and every dependency, each with ok or what to do."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import typer
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from console.frontend.setup import missing_files
from devices.bound import has_duty_desk, unreachable_dwellings
from devices.database import open_database, reading
from devices.vault import KeyMissing, VaultError
from gengfu.clock import now_us
from gengfu.config import Config
from gengfu.folder import make_folder
from gengfu.key import fitting_key
from gengfu.migrate import head, revision_of
from gengfu.refusals import reason_of
from gengfu.run_ingest import source_settings
from gengfu.service import CannotStart, await_broker, free_port
from gengfu.supervisor import Member, Supervisor
from ingest.broker import find_mosquitto, private_broker, write_configuration
from ingest.probe import probe_broker

LEAST_FREE: Final = 1 << 30
"""Bytes of disk below which a night of journal may not fit (chosen)."""
EARLIEST_US: Final = 1_767_225_600_000_000
"""2026-01-01: a clock before this release was never set."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    name: str
    ok: bool
    text: str


def run_check(config: Config, *, json: bool) -> int:
    """Prints each finding; 0 when all are ok, else 1."""
    bad = 0
    for finding in findings(config):
        bad += not finding.ok
        if json:
            typer.echo(msgspec.json.encode(asdict(finding)).decode())
        else:
            typer.echo(f"{'ok     ' if finding.ok else 'PROBLEM'}  {finding.name}: {finding.text}")
    return 1 if bad else 0


def findings(config: Config) -> Iterator[Finding]:
    """All of them, in the order in which one would mend them."""
    yield Finding("configuration", True, f"site {config.site.name}, time zone {config.site.timezone}")
    yield from _folder(config.data_dir)
    yield _clock(now_us())
    yield from _database(config)
    yield _pages()
    yield _links(config)
    yield from _broker(config)


def _clock(now: int) -> Finding:
    shown = datetime.fromtimestamp(now / 1e6, UTC)
    sane = now > EARLIEST_US
    text = f"{shown:%Y-%m-%dT%H:%M:%SZ}"
    return Finding("clock", sane, text if sane else f"{text} cannot be; set it, and keep it set by NTP")


def _pages() -> Finding:
    absent = missing_files()
    if absent:
        text = f"{', '.join(absent)} missing; run `python -m console.frontend.setup` once"
        return Finding("console pages", False, text)
    return Finding("console pages", True, "the front-end libraries are there")


def _links(config: Config) -> Finding:
    """Whether a phone can open the one-tap links."""
    url = config.answers.public_url
    if url:
        return Finding("one-tap links", True, f"start with {url}")
    text = f"start with http://{config.answers.host}:{config.answers.port}, which no phone can open; "
    return Finding("one-tap links", False, text + "set answers.public_url to the address people reach")


def _folder(folder: Path) -> Iterator[Finding]:
    try:
        make_folder(folder)
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        yield Finding("data folder", False, f"{folder} cannot be written: {error.strerror}")
        return
    enough = free >= LEAST_FREE
    text = f"{folder}, {free >> 20} MB free"
    yield Finding("data folder", enough, text if enough else f"{text}; make room for at least 1024 MB")


def _database(config: Config) -> Iterator[Finding]:
    engine = open_database(config.database_url)
    try:
        yield _key(engine, config.key_path)
        with reading(engine) as connection:
            yield from _registry(connection, config.database_url)
    except SQLAlchemyError as error:
        yield Finding("database", False, f"{config.database_url}: {reason_of(error) or error.args[0]}")
    finally:
        engine.dispose()


def _key(engine: Engine, path: Path) -> Finding:
    try:
        fitting_key(engine, path)
    except KeyMissing as error:
        return Finding(
            "key",
            False,
            f"{error}; `gengfu up` makes one for a new service, a restored one needs its old one",
        )
    except VaultError as error:
        return Finding("key", False, str(error))
    return Finding("key", True, f"{path}; keep a copy apart from backups of the data")


def _registry(connection: Connection, url: str) -> Iterator[Finding]:
    stands = revision_of(connection)
    if stands != head():
        what = f"at revision {stands}" if stands else "no tables yet"
        yield Finding("database", False, f"{what}, this release needs {head()}; `gengfu up` makes it so")
        return
    yield Finding("database", True, f"{url}, revision {stands}")
    desk = has_duty_desk(connection)
    yield Finding(
        "duty desk",
        desk,
        "there is a contact"
        if desk
        else "no duty_desk contact with a channel: smoke from unknown devices would reach nobody; "
        "`gengfu contact add`, `contact add-channel` and `contact bind --role duty_desk`",
    )
    bare = len(unreachable_dwellings(connection))
    yield Finding("reachability", bare == 0, f"{bare} dwellings with a device have nobody who can be reached")


def _broker(config: Config) -> Iterator[Finding]:
    if config.broker.host:
        yield from _probe(config, config.broker.host, config.broker.port or 1883)
        return
    mosquitto = find_mosquitto()
    if mosquitto is None:
        yield Finding("broker", False, "mosquitto is not installed: apt-get or brew install mosquitto")
        return
    yield from _with_private_broker(mosquitto, lambda port: _probe(config, "127.0.0.1", port))


def _with_private_broker(mosquitto: Path, probe: Callable[[int], Iterator[Finding]]) -> Iterator[Finding]:
    """Probes a mosquitto of our own, configured as `gengfu up` does, on a port of its own."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        conf = write_configuration(private_broker(Path(folder), port))
        supervisor = Supervisor(
            [Member("broker", [str(mosquitto), "-c", str(conf)], conf.with_name("console.log"))],
            on_start=lambda *_: None,
        )
        supervisor.start("broker")
        try:
            await_broker("127.0.0.1", port, threading.Event(), lambda: _ended(supervisor, conf))
            yield from probe(port)
        except CannotStart as error:
            yield Finding("broker", False, f"{mosquitto} does not start with our configuration: {error}")
        finally:
            supervisor.stop()


def _ended(supervisor: Supervisor, conf: Path) -> str:
    if supervisor.lives("broker"):
        return ""
    last = [
        line for name in ("console.log", "mosquitto.log") for line in _lines(conf.with_name(name)) if line
    ]
    return last[-1] if last else "it ended without a word"


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []


def _probe(config: Config, host: str, port: int) -> Iterator[Finding]:
    broker = msgspec.structs.replace(config.broker, host=host, port=port)
    try:
        settings = source_settings(msgspec.structs.replace(config, broker=broker), ())
    except OSError as error:
        yield Finding("broker", False, f"{config.broker.password_file} cannot be read: {error.strerror}")
        return
    for finding in probe_broker(settings):
        yield Finding(finding.name, finding.ok, finding.text)
