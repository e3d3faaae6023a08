"""A real mosquitto behind its leash with access files of its own, and clients that tell their fate."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from devices.registry.credentials import Credential, broker_hash, new_password
from gengfu.tls import AUTHORITY, CERTIFICATE, KEY, make_authority, make_server
from ingest.broker import TlsListener, find_mosquitto, private_broker, wait_ready, write_configuration
from ingest.gate.files import Account, file_texts, write_files
from ingest.gate.follow import LogFollower
from ingest.gate.lines import CutOff, LogReader, Refused, Reloaded
from tests.gengfu.program import eventually
from tests.ingest.mosquitto import free_port

INGEST = "gengfu-ingest"
NOBODY_LISTENS = 0x10
Meaning = Refused | CutOff | Reloaded


class Client:
    """A paho client at QoS 1 that never hides a break: it does not reconnect."""

    def __init__(self, gate: Gate, login: Credential | None, client_id: str, **more: object) -> None:
        self.taken: dict[int, int] = {}
        self.messages: list[tuple[str, bytes]] = []
        self.breaks = 0
        self.code: ReasonCode | None = None
        self.session_present = False
        self._left = False
        self._changed = threading.Condition()
        self.mqtt = paho.Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5, reconnect_on_failure=False
        )
        if login:
            self.mqtt.username_pw_set(login.name, login.password)
        if gate.authority:
            self.mqtt.tls_set(str(gate.authority))
        self.mqtt.on_connect = self._on_connect
        self.mqtt.on_disconnect = self._on_disconnect
        self.mqtt.on_publish = self._on_publish
        self.mqtt.on_message = self._on_message
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = int(str(more.get("session_s", 0)))
        clean = not more.get("session_s")
        self.mqtt.connect("127.0.0.1", gate.device_port, clean_start=clean, properties=properties)
        self.mqtt.loop_start()
        self._wait(lambda: self.code is not None or self.breaks > 0)

    @property
    def refused(self) -> bool:
        return self.code is None or self.code.is_failure

    def publish(self, topic: str, payload: bytes = b"1") -> int:
        """The reason code of the PUBACK; -1 when none came."""
        sent = self.mqtt.publish(topic, payload, 1)
        self._wait(lambda: sent.mid in self.taken or self.breaks > 0)
        return self.taken.get(sent.mid, -1)

    def subscribe(self, topic: str) -> None:
        self.mqtt.subscribe(topic, 1)
        time.sleep(0.2)

    def got(self, count: int) -> list[bytes]:
        """The payloads so far, at least `count` of them or what came in time."""
        self._wait(lambda: len(self.messages) >= count)
        return [payload for _, payload in self.messages]

    def cut_off(self) -> bool:
        return self._wait(lambda: self.breaks > 0)

    def leave(self) -> None:
        self._left = True
        self.mqtt.disconnect()
        self.mqtt.loop_stop()

    def _wait(self, happened: object) -> bool:
        assert callable(happened)
        with self._changed:
            return bool(self._changed.wait_for(happened, 20))

    def _on_connect(
        self, _c: object, _u: object, flags: paho.ConnectFlags, code: ReasonCode, _p: object
    ) -> None:
        with self._changed:
            self.code, self.session_present = code, flags.session_present
            self._changed.notify_all()

    def _on_disconnect(self, *_: object) -> None:
        with self._changed:
            self.breaks += not self._left
            self._changed.notify_all()

    def _on_publish(self, _c: object, _u: object, mid: int, code: ReasonCode, _p: object) -> None:
        with self._changed:
            self.taken[mid] = 0 if code.value == NOBODY_LISTENS else code.value
            self._changed.notify_all()

    def _on_message(self, _c: object, _u: object, message: paho.MQTTMessage) -> None:
        with self._changed:
            self.messages.append((message.topic, bytes(message.payload)))
            self._changed.notify_all()


@dataclass
class Gate:
    """The broker, its users, and what its log has told."""

    folder: Path
    port: int
    tls_port: int = 0
    authority: Path | None = None
    logins: dict[str, Credential] = field(default_factory=dict)
    prefixes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    told: list[Meaning] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._follower = LogFollower(self.folder / "broker" / "mosquitto.log")
        self._reader = LogReader()

    @property
    def device_port(self) -> int:
        return self.tls_port or self.port

    def login(self, name: str, *prefixes: str) -> Credential:
        """A user anew, as `publisher add` and `rotate` would make it."""
        self.logins[name] = Credential(name, new_password())
        self.prefixes[name] = prefixes or (f"gengfu/{name}",)
        return self.logins[name]

    def write(self) -> None:
        """The files as the users are now."""
        accounts = [
            Account(one.name, broker_hash(one.password), self.prefixes[one.name], one.name == INGEST)
            for one in self.logins.values()
        ]
        write_files(self.folder / "broker", file_texts(accounts))

    def reload(self) -> None:
        """What the caretaker does; it is through when the broker has said so."""
        before = self._reloads()
        self.write()
        self.hang_up()
        eventually(lambda: self._reloads() > before, "the broker reloaded")

    def hang_up(self) -> None:
        """SIGHUP to the leash."""
        assert self.process
        self.process.send_signal(1)

    def _reloads(self) -> int:
        return sum(isinstance(one, Reloaded) for one in self.meanings())

    def meanings(self) -> list[Meaning]:
        """All that the log has told so far."""
        for line in self._follower.lines():
            meaning = self._reader.read(line)
            if meaning:
                self.told.append(meaning)
        return self.told

    def refusals(self, count: int) -> list[Refused]:
        """The first so many refusals."""

        def so_far() -> list[Refused]:
            return [one for one in self.meanings() if isinstance(one, Refused)]

        eventually(lambda: len(so_far()) >= count, f"{count} refusals are told")
        return so_far()

    def connect(self, login: Credential | None, client_id: str = "", **more: object) -> Client:
        client = Client(self, login, client_id or (login.name if login else "nobody"), **more)
        self.clients.append(client)
        return client

    def start(self) -> None:
        log = self.folder / "broker" / "mosquitto.log"
        words = [str(self.folder), str(log), INGEST, str(find_mosquitto()), "-c"]
        conf = self.folder / "broker" / "mosquitto.conf"
        self.process = subprocess.Popen([sys.executable, "-m", "gengfu.broker_leash", *words, str(conf)])
        wait_ready("127.0.0.1", self.port, 20)

    def close(self) -> None:
        for client in self.clients:
            client.leave()
        self.stop()
        self._follower.close()

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.process = None


@contextmanager
def gated(folder: Path, *, tls: bool = False) -> Iterator[Gate]:
    """A started broker with the user `gengfu-ingest`; ended at the end."""
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    gate = Gate(folder, free_port())
    broker = replace(
        private_broker(folder / "broker", gate.port),
        log_file=None,
        access_folder=(folder / "broker").resolve(),
        watch_topics=True,
    )
    if tls:
        now = datetime.now(UTC)
        make_authority(folder / "tls", "test", now)
        make_server(folder / "tls", ["127.0.0.1"], now)
        gate.tls_port, gate.authority = free_port(), folder / "tls" / AUTHORITY
        files = (folder / "tls" / CERTIFICATE, folder / "tls" / KEY)
        broker = replace(broker, tls=TlsListener("127.0.0.1", gate.tls_port, *files))
    write_configuration(broker)
    gate.login(INGEST)
    gate.write()
    gate.start()
    try:
        yield gate
    finally:
        gate.close()
