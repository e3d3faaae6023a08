"""The configuration file: read once, checked whole. Unknown keys are errors with their path.

Errors:
* ConfigError: the file is missing, is not TOML, or a key is wrong; the text names file, key and what is
  allowed.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar, get_args, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Struct
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from gengfu.channel_limits import wrong_limits
from gengfu.config import LEAST_RESERVE_MB, AnyBroker, Config
from gengfu.config_brokers import BROKER_PATHS, FURTHER_PATHS, wrong_brokers
from gengfu.config_channels import settled_files
from gengfu.config_store import STORE_FILES, wrong_store

ENVIRONMENT: Final = "GENGFU_CONFIG"
SQLITE: Final = "sqlite:///"
POSTGRESQL: Final = "postgresql+psycopg://"
DATABASES: Final = f"{SQLITE}PATH and {POSTGRESQL}USER[:PASSWORD]@HOST[:PORT]/NAME"
LIBPQ_WORDS: Final = frozenset({"host", "sslmode", "sslrootcert", "sslcert", "sslkey", "passfile"})
"""What may follow `?` in a PostgreSQL URL: a socket's folder, TLS, and where passwords lie."""


B = TypeVar("B", bound=AnyBroker)


class ConfigError(Exception):
    """The configuration cannot be used; the text says where and what is allowed."""


def load_config(path: Path | None) -> Config:
    """Reads `path`, else $GENGFU_CONFIG, else `gengfu.toml` here if there is one, else all defaults.

    Raises ConfigError naming file, key and what is allowed.
    """
    chosen = path or (Path(os.environ[ENVIRONMENT]) if os.environ.get(ENVIRONMENT) else None)
    if chosen is None and Path("gengfu.toml").exists():
        chosen = Path("gengfu.toml")
    if chosen is None:
        return _settle(Config(), Path.cwd())
    text = _read(chosen)
    if chosen.suffix == ".json":  # what a running service settled on, for its own processes
        return _settled(text, str(chosen))
    return _settle(parse_config(text, str(chosen)), chosen.resolve().parent)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: cannot be read: not UTF-8 at byte {error.start}") from None


def _settled(text: str, name: str) -> Config:
    try:
        return msgspec.json.decode(text, type=Config)
    except msgspec.DecodeError as error:
        raise ConfigError(f"{name}: not a settled configuration: {_explain(str(error))}") from None


def parse_config(text: str, name: str) -> Config:
    """The configuration in `text`; `name` is what errors call the file."""
    try:
        config = msgspec.convert(tomllib.loads(text), Config)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: not TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise ConfigError(f"{name}: {_explain(str(error))}") from None
    _check_timezone(config.site.timezone, name)
    _check_database(config.database, name)
    if wrong := wrong_brokers(config):
        raise ConfigError(f"{name}: key {wrong}")
    if wrong := wrong_store(config.store):
        raise ConfigError(f"{name}: key {wrong}")
    if wrong := wrong_limits(config.channels):
        raise ConfigError(f"{name}: key {wrong}")
    if 0 < config.ingest.reserve_mb < LEAST_RESERVE_MB:
        raise ConfigError(
            f"{name}: key `ingest.reserve_mb`: a slot of it must hold the longest tick: 0 for none, or"
            f" {LEAST_RESERVE_MB} and more are allowed"
        )
    hours = config.reachability.test_hours
    if hours[:5] >= hours[6:]:
        raise ConfigError(
            f"{name}: key `reachability.test_hours`: {hours!r} ends before it begins; hours of one day,"
            " such as 10:00-17:00, are allowed"
        )
    return config


def _explain(message: str) -> str:
    """msgspec's sentence with the key in front, and what is allowed where it only names an unknown key."""
    unknown = re.match(r"Object contains unknown field `(.+?)`(?: - at `\$\.?(.*?)`)?$", message)
    if unknown:
        key, at = unknown[1], unknown[2] or ""
        allowed = ", ".join(_struct_at(at).__struct_fields__)
        return f"unknown key `{at + '.' if at else ''}{key}`; allowed here: {allowed}"
    wrong = re.match(r"(.+) - at `\$\.(.+)`$", message)
    if not wrong:
        return message
    said = wrong[1].replace("Expected `object`", "expected a table").replace("Expected", "expected")
    return f"key `{wrong[2]}`: {said}"


def _struct_at(path: str) -> type[Struct]:
    """The table at a path such as `channels.aliyun.sms` or `brokers[1]`."""
    struct: type[Struct] = Config
    for key in filter(None, re.sub(r"\[[0-9.]*\]", "", path).split(".")):
        struct = _struct_in(get_type_hints(struct)[key]) or struct
    return struct


def _struct_in(hint: object) -> type[Struct] | None:
    """The struct that a field holds: itself, one or none of it, or several."""
    if isinstance(hint, type) and issubclass(hint, Struct):
        return hint
    return next(filter(None, map(_struct_in, get_args(hint))), None)


def _check_timezone(timezone: str, name: str) -> None:
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones
        raise ConfigError(
            f"{name}: key `site.timezone`: {timezone!r} is not a time zone; "
            "an IANA name such as Asia/Shanghai is allowed"
        ) from None


def _check_database(url: str, name: str) -> None:
    """A file or a server, because every process opens it: a database in memory would be another in each.

    The texts never quote the URL: it may hold a password.
    """
    if not url or (re.fullmatch(rf"{SQLITE}[^?]+", url) and url != f"{SQLITE}:memory:"):
        return
    if not url.startswith(POSTGRESQL):
        advice = ": write postgresql+psycopg:// in place of postgresql://" if url[:8] == "postgres" else ""
        raise ConfigError(f"{name}: key `database`: allowed are {DATABASES}{advice}")
    try:
        parts = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError(f"{name}: key `database`: allowed are {DATABASES}") from None
    if not (parts.username and (parts.host or parts.query.get("host")) and parts.database):
        raise ConfigError(f"{name}: key `database`: user, host or name is missing: {DATABASES}")
    if unknown := sorted(parts.query.keys() - LIBPQ_WORDS):
        allowed = ", ".join(sorted(LIBPQ_WORDS))
        raise ConfigError(f"{name}: key `database`: after ?, allowed are {allowed}; not {', '.join(unknown)}")


def _settle(config: Config, base: Path) -> Config:
    """All paths absolute; an empty one means its default and stays empty."""

    def absolute(path: str) -> str:
        return str((base / path).resolve()) if path else ""

    def settled(broker: B, keys: Sequence[str]) -> B:
        return msgspec.structs.replace(broker, **{key: absolute(getattr(broker, key)) for key in keys})

    file = config.database.removeprefix(SQLITE) if config.database.startswith(SQLITE) else ""
    return msgspec.structs.replace(
        config,
        data=absolute(config.data),
        database=f"{SQLITE}{absolute(file)}" if file else config.database,
        key_file=absolute(config.key_file),
        broker=settled(config.broker, BROKER_PATHS),
        brokers=tuple(settled(one, FURTHER_PATHS) for one in config.brokers),
        ingest=msgspec.structs.replace(config.ingest, profiles_dir=absolute(config.ingest.profiles_dir)),
        rules=msgspec.structs.replace(config.rules, file=absolute(config.rules.file)),
        alerts=msgspec.structs.replace(
            config.alerts, policies=absolute(config.alerts.policies), texts=absolute(config.alerts.texts)
        ),
        store=msgspec.structs.replace(
            config.store, **{key: absolute(getattr(config.store, key)) for key in STORE_FILES}
        ),
        channels=settled_files(config.channels, absolute),
    )
