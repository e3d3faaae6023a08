"""What can be configured: the tables and keys of the one TOML file, with their defaults and limits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, Struct, field

from gengfu.config_channels import Channels
from gengfu.config_store import Store
from ingest.transport import Kind

Port = Annotated[int, Meta(ge=0, le=65535)]
Positive = Annotated[float, Meta(gt=0, le=36_500)]
"""Above 0 and finite; the limit only keeps out what cannot be meant (chosen: a hundred years in days)."""


Name = Annotated[str, Meta(min_length=1)]
Days = Annotated[int, Meta(ge=0, le=36_500)]
DAYTIME: Final = r"^(0[6-9]|1[0-9]):[0-5][0-9]-(0[7-9]|1[0-9]|20):[0-5][0-9]\Z"
"""Hours in which a message that nobody waits for may come: from 06:00 at the earliest, to 20:59."""
TransportName = Kind
UrlPath = Annotated[str, Meta(pattern=r"^/[!-~]*\Z", max_length=1000)]
SourceName = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,32}\Z")]
Program = Annotated[str, Meta(pattern=r"^(/.*|[^/]*)\Z")]
"""A name to look for in PATH, or an absolute path."""


class Site(Struct, frozen=True, forbid_unknown_fields=True):
    """Where and for whom: `language` is zh-CN or en."""

    name: str = "Gengfu"
    timezone: str = "Asia/Shanghai"
    language: Annotated[str, Meta(pattern="^(zh-CN|en)$")] = "zh-CN"


class AnyBroker(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How ingest gets to a broker, and what it asks of it.

    `session_expiry_h` is how long the broker keeps our session while we are away (at least a day);
    `receive_maximum` bounds what is unacknowledged. `path` is a WebSocket's; `server_authority`,
    `client_certificate` and `client_key` are for TLS.
    """

    host: str = ""
    port: Port = 0
    username: str = ""
    password_file: str = ""
    client_id: Name = "gengfu-ingest"
    session_expiry_h: Annotated[int, Meta(ge=24, le=1000)] = 72
    receive_maximum: Annotated[int, Meta(ge=1, le=65535)] = 10_000
    keep_alive_s: Annotated[int, Meta(ge=5, le=600)] = 30
    transport: TransportName = "tcp"
    path: UrlPath = "/mqtt"
    server_authority: str = ""
    client_certificate: str = ""
    client_key: str = ""


class Broker(AnyBroker, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which broker. Without `host` a private mosquitto is started with our settings.

    `port` 0 with a private broker means a free one, and `transport` and what belongs to it do not count: it
    is met on loopback without TLS.

    `program` is the mosquitto that is started (empty: the one in PATH or where packages put it).
    `listen`, `tls` and what belongs to it are the private broker's. `anonymous` lets anybody publish, and the
    private broker then listens on loopback only. On a broker of the site's own, `access_dir` is where its
    password file and access list are kept up to date, `reload_command` makes it read them, and `log_file` is
    the log in which refusals are counted.
    """

    program: Program = ""
    anonymous: bool = False
    listen: Name = "127.0.0.1"
    tls: Annotated[str, Meta(pattern="^(off|private|files)$")] = "off"
    tls_port: Port = 8883
    certificate: str = ""
    certificate_key: str = ""
    authority: str = ""
    watch_topics: bool = True
    access_dir: str = ""
    reload_command: tuple[Name, ...] = ()
    log_file: str = ""


class FurtherBroker(AnyBroker, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A broker of the site's own, heard beside that of `[broker]`; its keys mean what they mean there.

    `name` tells it from the others in logs, metrics and the journal. Who may publish on it is the site's
    affair: nothing is written for it.
    """

    name: SourceName
    host: Name


LEAST_RESERVE_MB: Final = 16
"""A slot is an eighth of the reserve: 2 MB hold a tick of 10,000 messages, all that may be unacknowledged at
the broker's usual bound, at 123 bytes each (chosen)."""


class Ingest(Struct, frozen=True, forbid_unknown_fields=True):
    """The tick and the journal. `journal_max_mb` bounds the spool on disk.

    `reserve_mb` is room taken at the start, in which alarms go on when there is none for history. The default
    holds two snapshot intervals of 100,000 devices that report every 30 s: 3,333 messages/s x 123 bytes x
    120 s = 49 MB. `ballast_mb` is what is freed for database and snapshots when the disk is full (chosen: one
    snapshot of some 100,000 series and the database's log). Between 0 and LEAST_RESERVE_MB it cannot be.

    `profiles_dir` is where the site's own profiles lie; `profiles` names those that are heard, own and
    shipped, all where it is empty; `replies_for` names those whose answers to devices are sent.
    """

    tick_ms: Annotated[int, Meta(ge=1, le=100)] = 20
    max_payload_bytes: Annotated[int, Meta(ge=1024, le=16_777_216)] = 262_144
    segment_mb: Annotated[int, Meta(ge=1, le=1024)] = 64
    journal_max_mb: Annotated[int, Meta(ge=16)] = 4096
    snapshot_s: Positive = 60.0
    profiles_dir: Name = "profiles"
    profiles: tuple[Name, ...] = ()
    replies_for: tuple[Name, ...] = ()
    reserve_mb: Annotated[int, Meta(ge=0, le=65_536)] = 64
    ballast_mb: Annotated[int, Meta(ge=0, le=65_536)] = 64


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    """`file` is the site's own rule file: rules in place of shipped ones of the same name, and new ones."""

    file: str = ""


class Alerts(Struct, frozen=True, forbid_unknown_fields=True):
    """Escalation and sending. `clock_ratio` divides every escalation delay: 1 in real use, 6 in the demo.

    `heartbeat_url` is asked for every `heartbeat_s` while all is well: whoever is asked misses us when we
    fall silent. `policies` is the site's own policies file: who is told when, in place of the shipped ones.
    `texts` is its own texts file: what messages say, in place of single shipped texts.
    """

    clock_ratio: Annotated[float, Meta(ge=1, le=60)] = 1.0
    send_timeout_s: Annotated[float, Meta(gt=0, le=300)] = 10.0
    senders: Annotated[int, Meta(ge=2, le=512)] = 64
    messages_per_minute: Annotated[int, Meta(ge=1, le=60)] = 6
    heartbeat_url: Annotated[str, Meta(pattern=r"^(https?://\S+)?\Z")] = ""
    heartbeat_s: Annotated[float, Meta(ge=5, le=3600)] = 60.0
    policies: str = ""
    texts: str = ""


class Reachability(Struct, frozen=True, forbid_unknown_fields=True):
    """Who cannot be reached is found before the alarm.

    `monthly_tests`: each contact is tested once in 30 days, in `test_hours` of the site's day, at most
    `tests_per_minute` messages a minute. `daily_report` tells duty desk and maintenance at `report_at` of
    places with nobody to tell.
    """

    monthly_tests: bool = True
    tests_per_minute: Annotated[int, Meta(ge=1, le=600)] = 30
    test_hours: Annotated[str, Meta(pattern=DAYTIME)] = "10:00-17:00"
    daily_report: bool = True
    report_at: Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")] = "08:00"


class Digest(Struct, frozen=True, forbid_unknown_fields=True):
    """Reports at `at` of the site's day: `daily` of what can wait, to maintenance; `weekly`, on Mondays, of
    the week, to maintenance and supervisors."""

    daily: bool = True
    weekly: bool = True
    at: Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")] = "08:30"


class People(Struct, frozen=True, forbid_unknown_fields=True):
    """How long what is known of people is kept; 0 keeps it for good.

    `keep_unbound_days`: a contact bound nowhere for so long is erased (chosen: half a year; the law asks for
    the shortest time the purpose needs, PIPL articles 19 and 47). `keep_looks_days`: three years, as long as
    records of processing are to be kept (PIPL article 56). `keep_device_tests_days`: tests that detectors
    said, which tell when somebody was there (chosen: as long as looks).
    """

    keep_unbound_days: Days = 180
    keep_looks_days: Days = 1095
    keep_device_tests_days: Days = 1095


class Listener(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a web page listens; loopback until told otherwise. `public_url` is what links start with.

    Port 0 takes a free one, another at each start.
    """

    host: Name = "127.0.0.1"
    port: Port = 0
    public_url: Annotated[str, Meta(pattern=r"^(https?://\S+)?\Z")] = ""


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
    caretaker: Port = 9306


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """All of it. Relative paths are taken from the folder of the configuration file."""

    data: Name = "data"
    database: str = ""
    key_file: str = ""
    site: Site = field(default_factory=Site)
    broker: Broker = field(default_factory=Broker)
    brokers: Annotated[tuple[FurtherBroker, ...], Meta(max_length=16)] = ()
    ingest: Ingest = field(default_factory=Ingest)
    rules: Rules = field(default_factory=Rules)
    store: Store = field(default_factory=Store)
    alerts: Alerts = field(default_factory=Alerts)
    channels: Channels = field(default_factory=Channels)
    people: People = field(default_factory=People)
    reachability: Reachability = field(default_factory=Reachability)
    digest: Digest = field(default_factory=Digest)
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


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    return host in ("localhost", "::1") or host.startswith("127.")
