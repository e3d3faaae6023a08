"""Our mosquitto's configuration, where mosquitto is, and whether it answers.

With an access folder nobody is let in without a name and a password, and nobody publishes outside the own
topics (`ingest.gate.files`); the client id is then the user name, so that no publisher can take over the
session of another, or ingest's. Without one anonymous clients are let in, on loopback only.

Errors:
* BrokerError: there is no answer, or none that is MQTT 5.
"""

from __future__ import annotations

import getpass
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingest import wire
from ingest.gate.files import ACCESS, PASSWORDS
from ingest.packets import Connack, WireError

FOLDERS: Final = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin", "/usr/local/opt/mosquitto/sbin")
"""Where packages put mosquitto; sbin is seldom in a user's PATH."""

UNKNOWN_METHOD: Final = "gengfu-none"
"""MQTT 5's answer is 0x8C, Bad authentication method."""

_TEXT: Final = """\
# mosquitto's configuration for Gengfu (mosquitto 2.0 and newer).

# One address. Global settings only: with per_listener_settings, mosquitto 2.0.12 to 2.0.18 forgets sessions.
{listeners}
allow_anonymous {anonymous}
{access}
# Small acknowledgements leave at once instead of waiting up to 40 ms for more.
set_tcp_nodelay true

# Started by root, mosquitto becomes this user, who must be able to write the folder below.
user {user}

# What is queued for us survives a restart of the broker. The default saves every 30 minutes. What remains:
# a kill -9 or a power cut loses what was queued since the last save, 30 s at most.
persistence true
persistence_location {folder}/
autosave_interval 30

# Most vendors publish at QoS 0; without this, a QoS 0 alarm published while ingest is away is lost.
upgrade_outgoing_qos true

# While ingest is away everything is kept (the default drops above 1000), up to 1 GiB of payload a client
# (five million messages of 200 bytes). Above that new messages are dropped. Not 0 for "no limit": with 0,
# mosquitto 2.0.11 cuts off a publisher whose message it refuses, and the good ones behind it (measured).
max_queued_messages 100000000
max_queued_bytes 1073741824

# What a gateway may have unacknowledged: MQTT 5 publishers are given it as Receive Maximum (towards ingest
# its own counts). Not 0 or 65535 for "no limit": mosquitto 2.1 then warns of every message, 118 bytes of log
# each, and nearly doubles its CPU (measured on 2.1.2).
max_inflight_messages 65534

# The longest payload. A longer one is refused here, so that it cannot stop what is behind it.
message_size_limit {message_size_limit}

# Sessions of clients that never come back end after two months: longer than any session expiry ingest asks
# for (1000 h).
persistent_client_expiration 2m

log_dest {log_dest}
log_type error
log_type warning
log_type notice
# When it starts, ends, and reads its files again.
log_type information
{debug}
log_timestamp_format %Y-%m-%dT%H:%M:%S
"""


_DEBUG: Final = """\
# Each packet, 210 bytes of log a message and 6 to 9 µs of CPU: the only lines that name a publish outside the
# own topics. The private broker's are sorted out before they reach the disk.
log_type debug"""
_NO_DEBUG: Final = """\
# The next line makes Gengfu count publishes outside the own topics as well (broker.log_file names this log).
# It logs each packet: 210 bytes a message, and 6 to 9 µs of the broker's CPU.
#log_type debug"""


class BrokerError(Exception):
    """There is no answer, or none that is MQTT 5."""


@dataclass(frozen=True, slots=True)
class TlsListener:
    """Where devices reach the broker over TLS, and with which files; read again at SIGHUP."""

    host: str
    port: int
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class BrokerFile:
    """What differs between one broker and another.

    `folder` is absolute. Without `access_folder` anonymous clients are let in; its two files say who is.
    Without `log_file` the log goes to stderr. `tls` adds a listener. `watch_topics` turns debug lines on: the
    only ones that name a publish outside the own topics.

    `user` is who runs mosquitto when root starts it. `message_size_limit` is in bytes of payload.
    """

    port: int
    folder: Path
    log_file: Path | None
    user: str
    host: str = "127.0.0.1"
    access_folder: Path | None = None
    tls: TlsListener | None = None
    watch_topics: bool = False
    message_size_limit: int = 262_144

    @property
    def text(self) -> str:
        """The configuration file."""
        return _TEXT.format(
            listeners="\n".join(self._listeners()),
            anonymous="false" if self.access_folder else "true",
            access="\n".join(self._access()),
            user=self.user,
            folder=self.folder,
            log_dest=f"file {self.log_file}" if self.log_file else "stderr",
            debug=_DEBUG if self.watch_topics else _NO_DEBUG,
            message_size_limit=self.message_size_limit,
        )

    def _listeners(self) -> Iterator[str]:
        own_id = ["use_username_as_clientid true"] if self.access_folder else []
        yield from [f"listener {self.port} {self.host}", *own_id]
        if self.tls:
            yield from [f"listener {self.tls.port} {self.tls.host}", *own_id]
            yield f"certfile {self.tls.certificate}"
            yield f"keyfile {self.tls.key}"

    def _access(self) -> Iterator[str]:
        if self.access_folder:
            yield "# Who may publish what; written by Gengfu, read again at SIGHUP."
            yield f"password_file {self.access_folder / PASSWORDS}"
            yield f"acl_file {self.access_folder / ACCESS}"
            yield ""


SITE: Final = BrokerFile(
    port=1883,
    folder=Path("/var/lib/mosquitto"),
    log_file=Path("/var/log/mosquitto/mosquitto.log"),
    user="mosquitto",
    access_folder=Path("/etc/mosquitto/gengfu"),
)
"""deploy/mosquitto.conf, for Debian's package. Loopback until the site names the devices' network."""


def private_broker(folder: Path, port: int, message_size_limit: int = SITE.message_size_limit) -> BrokerFile:
    """The broker that lives in `folder` of the data folder, on loopback, run by the current user."""
    folder = folder.resolve()
    return BrokerFile(
        port=port,
        folder=folder,
        log_file=folder / "mosquitto.log",
        user=getpass.getuser(),
        message_size_limit=message_size_limit,
    )


def write_configuration(broker: BrokerFile) -> Path:
    """Makes the broker's folder and writes `mosquitto.conf` into it, for `mosquitto -c`."""
    broker.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = broker.folder / "mosquitto.conf"
    path.write_text(broker.text, encoding="utf-8")
    return path


def find_mosquitto(program: str = "") -> Path | None:
    """The mosquitto program, from PATH or where packages put it; `program` is another name or a path."""
    name = program or "mosquitto"
    found = shutil.which(name) or shutil.which(name, path=":".join(FOLDERS))
    return Path(found) if found else None


def wait_ready(host: str, port: int, timeout_s: float) -> None:
    """Returns when the broker answers a CONNECT; a refusal is an answer too.

    It asks for a way to log in that no broker has (`UNKNOWN_METHOD`), so it makes no session, needs no
    password, and is not told as a refused login: nobody can hide behind it.

    Raises BrokerError after `timeout_s`, with the last reason.
    """
    until = time.monotonic() + timeout_s
    while True:
        try:
            return _greet(host, port, max(0.05, until - time.monotonic()))
        except (OSError, WireError) as error:
            if time.monotonic() >= until:
                raise BrokerError(
                    f"no MQTT 5 broker at {host}:{port} after {timeout_s:g} s: {error}"
                ) from None
            time.sleep(0.02)


def _greet(host: str, port: int, timeout_s: float) -> None:
    """One CONNECT and its CONNACK. Raises OSError or WireError."""
    greeting = wire.connect(
        f"gengfu-ready-{secrets.token_hex(4)}",
        username="gengfu-ready",  # else a broker that takes the user name for the client id refuses earlier
        password="",
        clean_start=True,
        keep_alive_s=10,
        session_expiry_s=0,
        receive_maximum=1,
        max_packet_bytes=4096,
        authentication_method=UNKNOWN_METHOD,
    )
    with socket.create_connection((host, port), timeout_s) as connection:
        connection.settimeout(timeout_s)
        connection.sendall(greeting)
        reader = wire.Wire(4096)
        while data := connection.recv(4096):
            if any(isinstance(control, Connack) for control in reader.feed(data).controls):
                connection.sendall(wire.DISCONNECT)
                return
    raise ConnectionResetError("closed before it answered")
