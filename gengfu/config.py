"""The configuration: one TOML file, read once, checked whole. Unknown keys are errors with their path.

Errors:
* ConfigError: the file is missing, is not TOML, or a key is wrong; the text names file, key and what is
  allowed.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct, field

Port = Annotated[int, Meta(ge=0, le=65535)]
Positive = Annotated[float, Meta(gt=0, le=36_500)]
"""Above 0 and finite; the limit only keeps out what cannot be meant (chosen: a hundred years in days)."""


Name = Annotated[str, Meta(min_length=1)]


class ConfigError(Exception):
    """The configuration cannot be used; the text says where and what is allowed."""


class Site(Struct, frozen=True, forbid_unknown_fields=True):
    """Where and for whom: `language` is zh-CN or en."""

    name: str = "Gengfu"
    timezone: str = "Asia/Shanghai"
    language: Annotated[str, Meta(pattern="^(zh-CN|en)$")] = "zh-CN"


class Broker(Struct, frozen=True, forbid_unknown_fields=True):
    """Which broker. Without `host` a private mosquitto is started on loopback with our settings.

    `port` 0 with a private broker means a free one. `session_expiry_h` is how long the broker keeps our
    session while we are away (at least a day); `receive_maximum` bounds what is unacknowledged.
    """

    host: str = ""
    port: Port = 0
    username: str = ""
    password_file: str = ""
    client_id: Name = "gengfu-ingest"
    session_expiry_h: Annotated[int, Meta(ge=24, le=1000)] = 72
    receive_maximum: Annotated[int, Meta(ge=1, le=65535)] = 10_000
    keep_alive_s: Annotated[int, Meta(ge=5, le=600)] = 30


class Ingest(Struct, frozen=True, forbid_unknown_fields=True):
    """The tick and the journal. `journal_max_mb` bounds the spool on disk."""

    tick_ms: Annotated[int, Meta(ge=1, le=100)] = 5
    max_payload_bytes: Annotated[int, Meta(ge=1024, le=16_777_216)] = 262_144
    segment_mb: Annotated[int, Meta(ge=1, le=1024)] = 64
    journal_max_mb: Annotated[int, Meta(ge=16)] = 4096
    snapshot_s: Positive = 60.0


class Store(Struct, frozen=True, forbid_unknown_fields=True):
    """Where points go. `embedded` keeps them in the data folder for `keep_days`."""

    kind: Annotated[str, Meta(pattern="^embedded$")] = "embedded"
    keep_days: Positive = 30.0


class Alerts(Struct, frozen=True, forbid_unknown_fields=True):
    """Escalation and sending. `clock_ratio` divides every escalation delay: 1 in real use, 6 in the demo."""

    clock_ratio: Annotated[float, Meta(ge=1, le=60)] = 1.0
    send_timeout_s: Annotated[float, Meta(gt=0, le=300)] = 10.0
    senders: Annotated[int, Meta(ge=2, le=512)] = 64


class Listener(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a web page listens; loopback until told otherwise. `public_url` is what links start with.

    Port 0 takes a free one, another at each start.
    """

    host: Name = "127.0.0.1"
    port: Port = 0
    public_url: Annotated[str, Meta(pattern=r"^(https?://\S+)?$")] = ""


class ConsoleListener(Listener, frozen=True, forbid_unknown_fields=True):
    """The operators' pages."""

    port: Port = 8300


class AnswersListener(Listener, frozen=True, forbid_unknown_fields=True):
    """The one-tap pages."""

    port: Port = 8310


class Metrics(Struct, frozen=True, forbid_unknown_fields=True):
    """`/metrics` and `/healthz` of each process, on loopback. Port 0 takes a free one."""

    host: Name = "127.0.0.1"
    ingest: Port = 9301
    store: Port = 9302
    alerts: Port = 9303
    console: Port = 9304
    answers: Port = 9305


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """All of it. Relative paths are taken from the folder of the configuration file."""

    data: Name = "data"
    database: str = ""
    key_file: str = ""
    site: Site = field(default_factory=Site)
    broker: Broker = field(default_factory=Broker)
    ingest: Ingest = field(default_factory=Ingest)
    store: Store = field(default_factory=Store)
    alerts: Alerts = field(default_factory=Alerts)
    console: ConsoleListener = field(default_factory=ConsoleListener)
    answers: AnswersListener = field(default_factory=AnswersListener)
    metrics: Metrics = field(default_factory=Metrics)

    @property
    def data_dir(self) -> Path:
        """The data folder, absolute after `load_config`."""
        return Path(self.data)

    @property
    def database_url(self) -> str:
        """The registry's and alerts' database; a SQLite file in the data folder unless configured."""
        return self.database or f"sqlite:///{self.data_dir / 'gengfu.db'}"

    @property
    def key_path(self) -> Path:
        """The key file; it must lie outside backups of the database."""
        return Path(self.key_file) if self.key_file else self.data_dir / "secret.key"


ENVIRONMENT: Final = "GENGFU_CONFIG"
SQLITE: Final = "sqlite:///"


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
    return config


def _explain(message: str) -> str:
    """msgspec's sentence with the key in front, and what is allowed where it only names an unknown key."""
    unknown = re.match(r"Object contains unknown field `(.+?)`(?: - at `\$\.?(.*?)`)?$", message)
    if unknown:
        key, at = unknown[1], unknown[2] or ""
        struct: type[Struct] = type(getattr(Config(), at)) if at else Config
        allowed = ", ".join(struct.__struct_fields__)
        return f"unknown key `{at + '.' if at else ''}{key}`; allowed here: {allowed}"
    wrong = re.match(r"(.+) - at `\$\.(.+)`$", message)
    if not wrong:
        return message
    said = wrong[1].replace("Expected `object`", "expected a table").replace("Expected", "expected")
    return f"key `{wrong[2]}`: {said}"


def _check_timezone(timezone: str, name: str) -> None:
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones
        raise ConfigError(
            f"{name}: key `site.timezone`: {timezone!r} is not a time zone; "
            "an IANA name such as Asia/Shanghai is allowed"
        ) from None


def _check_database(url: str, name: str) -> None:
    """A file, because every process opens it: a database in memory would be another one in each."""
    if (url and not re.fullmatch(rf"{SQLITE}[^?]+", url)) or url == f"{SQLITE}:memory:":
        raise ConfigError(f"{name}: key `database`: only sqlite:///PATH is supported in this release")


def _settle(config: Config, base: Path) -> Config:
    """All paths absolute; an empty one means its default and stays empty."""

    def absolute(path: str) -> str:
        return str((base / path).resolve()) if path else ""

    file = config.database.removeprefix(SQLITE)
    return msgspec.structs.replace(
        config,
        data=absolute(config.data),
        database=f"{SQLITE}{absolute(file)}" if file else "",
        key_file=absolute(config.key_file),
        broker=msgspec.structs.replace(config.broker, password_file=absolute(config.broker.password_file)),
    )
