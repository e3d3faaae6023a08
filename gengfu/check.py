"""`gengfu check`: the configuration and every dependency, each with ok or what to do."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import typer
from sqlalchemy import Connection, Engine, func, make_url, select
from sqlalchemy.exc import SQLAlchemyError

from console.frontend.setup import missing_files
from devices.bound import has_duty_desk, unreachable_places
from devices.database import DriverMissing, open_database, reading
from devices.keyring import is_in_environment
from devices.shortlist import shortlist
from devices.vault import KeyMissing, VaultError
from gengfu.access import access_folder
from gengfu.check_broker import broker_findings
from gengfu.check_channels import account_findings, uncarried_finding
from gengfu.check_digest import digest_finding
from gengfu.check_profiles import profile_findings
from gengfu.check_reach import reach_findings
from gengfu.check_room import room_finding
from gengfu.check_store import store_findings
from gengfu.check_users import users_finding
from gengfu.clock import now_us
from gengfu.config import Config
from gengfu.config_brokers import FIRST
from gengfu.folder import make_folder
from gengfu.key import fitting_key, key_place
from gengfu.migrate import head, revision_of
from gengfu.mute import mute_devices
from gengfu.policies_here import policy_findings
from gengfu.refusals import reason_of
from gengfu.rules_here import rule_findings
from gengfu.texts_here import text_findings
from ingest.probes.finding import Finding

LEAST_FREE: Final = 1 << 30
"""Bytes of disk below which a night of journal may not fit (chosen)."""
LEAST_POSTGRESQL: Final = 150_000
"""As `server_version_num` has it; what the tests run on begins there."""
SERVER_WORDS: Final = ("server_version_num", "server_encoding", "fsync", "synchronous_commit")
WORDS: Final = {True: "ok     ", False: "PROBLEM", None: "note   "}
EARLIEST_US: Final = 1_767_225_600_000_000
"""2026-01-01: a clock before this release was never set."""


def run_check(config: Config, *, json: bool) -> int:
    """Prints each finding; 0 when there is no problem, else 1. What cannot be proven from here is a note."""
    bad = 0
    for finding in findings(config):
        bad += finding.ok is False
        if json:
            typer.echo(msgspec.json.encode(asdict(finding)).decode())
        else:
            which = f" [{finding.broker}]" if finding.broker not in ("", FIRST) else ""
            typer.echo(f"{WORDS[finding.ok]}  {finding.name}{which}: {finding.text}")
    return 1 if bad else 0


def findings(config: Config) -> Iterator[Finding]:
    """All of them, in the order in which one would mend them."""
    yield Finding("configuration", True, f"site {config.site.name}, time zone {config.site.timezone}")
    yield from _folder(config.data_dir)
    yield Finding("room for alarms", *room_finding(config))
    yield _clock(now_us())
    yield from _database(config)
    yield _pages()
    yield _links(config)
    yield from store_findings(config.store, config.data_dir)
    yield from account_findings(config)
    yield from profile_findings(config)
    yield from rule_findings(config, now_us())
    yield from policy_findings(config)
    yield from text_findings(config)
    yield from broker_findings(config)


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
    shown = make_url(config.database_url).render_as_string(hide_password=True)
    try:
        engine = open_database(config.database_url)
    except DriverMissing as error:
        yield Finding("database", False, str(error))
        return
    try:
        if engine.dialect.name == "postgresql":
            with reading(engine) as connection:
                yield database_server({word: _setting(connection, word) for word in SERVER_WORDS})
        yield _key(engine, config.key_path)
        with reading(engine) as connection:
            yield from _registry(connection, shown)
            if revision_of(connection) == head() and (uncarried := uncarried_finding(connection, config)):
                yield uncarried
            if revision_of(connection) == head():
                yield from reach_findings(connection, config, now_us())
                yield digest_finding(connection, config, now_us())
                yield users_finding(connection)
            if access_folder(config) and revision_of(connection) == head():
                yield _publishers(mute_devices(connection))
    except SQLAlchemyError as error:
        yield Finding("database", False, f"{shown}: {reason_of(error) or error.args[0]}")
    finally:
        engine.dispose()


def _setting(connection: Connection, word: str) -> str:
    return str(connection.scalar(select(func.current_setting(word))))


def database_server(settings: Mapping[str, str]) -> Finding:
    """What a PostgreSQL server says of itself (`SERVER_WORDS`), and whether an alarm is safe with it."""
    number = int(settings["server_version_num"])
    version = f"PostgreSQL {number // 10_000}.{number % 10_000}"
    wrong = []
    if number < LEAST_POSTGRESQL:
        wrong.append(f"at least {LEAST_POSTGRESQL // 10_000} is needed: upgrade it")
    if settings["server_encoding"] != "UTF8":
        wrong.append(f"encoding {settings['server_encoding']}: make the database anew with ENCODING 'UTF8'")
    unsafe = [word for word in ("fsync", "synchronous_commit") if settings[word] == "off"]
    if unsafe:
        wrong.append(f"{' and '.join(unsafe)} off: a power cut would lose acknowledged alarms; set on")
    text = f"{version}, {settings['server_encoding']}"
    return Finding("database server", not wrong, "; ".join([text, *wrong]))


def _key(engine: Engine, path: Path) -> Finding:
    try:
        vault = fitting_key(engine, path)
    except KeyMissing as error:
        return Finding(
            "key",
            False,
            f"{error}; `gengfu up` makes one for a new service, a restored one needs its old one",
        )
    except VaultError as error:
        return Finding("key", False, str(error))
    from_file = "" if is_in_environment() else "; keep a copy apart from backups of the data"
    return Finding("key", True, f"{key_place(path)}{_old_keys(vault.numbers)}{from_file}")


def _old_keys(numbers: tuple[int, ...]) -> str:
    return f", {len(numbers)} keys (`gengfu key prune` removes old ones)" if len(numbers) > 1 else ""


def _registry(connection: Connection, url: str) -> Iterator[Finding]:
    stands = revision_of(connection)
    if stands != head():
        what = f"at revision {stands}" if stands else "no tables yet"
        yield Finding("database", False, f"{what}, this release needs {head()}; `gengfu up` makes it so")
        return
    yield Finding("database", True, f"{url}, revision {stands}")
    desk = has_duty_desk(connection, now_us(), live=True)
    yield Finding(
        "duty desk",
        desk,
        "there is a contact"
        if desk
        else "no duty_desk contact with a channel: smoke from unknown devices would reach nobody; "
        "`gengfu contact add`, `contact add-channel` and `contact bind --role duty_desk`",
    )
    yield _reachability([gap.code for gap in unreachable_places(connection, now_us(), live=True)])


def _publishers(mute: int) -> Finding:
    if not mute:
        return Finding("publishers", True, "every device whose topic is known has a publisher")
    text = f"{mute} devices in service: nobody may publish for them; `gengfu publisher issue` or `add`"
    return Finding("publishers", False, text)


def _reachability(bare: Sequence[str]) -> Finding:
    if not bare:
        return Finding("reachability", True, "wherever a device hangs there is somebody to tell at once")
    places = "1 place with a device has" if len(bare) == 1 else f"{len(bare)} places with a device have"
    text = f"{places} nobody to tell at once: {shortlist(bare)}; see `gengfu contact gaps`"
    return Finding("reachability", False, text)
