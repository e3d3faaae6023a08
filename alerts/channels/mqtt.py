"""A command to a siren or a neighbour's sounder: JSON to the topic in the address, QoS 1, until PUBACK.

The command is `{"command": "alarm", "key", "severity", "what", "where", "text", "urgent", "sent_at"}`,
without the link: a topic is no person. One connection for one command: nothing is queued in us and sent
later, no dead connection is used, and a broker that comes back needs nobody to notice.

With MQTT 5 (the default) the broker drops a command that waits longer than `expiry_s` for a siren that is
away, or it would sound when all is over; and it says when nobody listens on the topic, which is a failure.
MQTT 3.1.1 can do neither, nor can a broker refuse a topic: there PUBACK says only that the broker took it.
"""

from __future__ import annotations

import math
import secrets
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec
from paho.mqtt.client import Client, MQTTMessageInfo, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from alerts.channels.blocking import failure_of, trust_in
from alerts.channels.channel import Accepted, Failed, Message, Outcome
from alerts.channels.errands import Errand, Errands, shut_socket
from alerts.channels.http import TIMEOUT_S
from devices.addresses import can_carry
from devices.model import Carrier

_TURN_S: Final = 0.1
"""How long a wait for the broker lasts before the time is looked at."""
_NOBODY: Final = 0x10
_NEVER: Final = frozenset({0x81, 0x82, 0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C, 0x90, 0x95, 0x99, 0x9B})
"""MQTT 5 section 2.4: malformed, protocol, version, client id, password, not authorised, banned, method,
topic name, too large, payload format, QoS. Others (busy, quota, unavailable) pass."""


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """The broker of the sirens. `ca_file` replaces the system's certificates. `expiry_s`: how long a
    command may wait for a siren that is away (chosen)."""

    host: str
    port: int = 1883
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca_file: str = ""
    version: Literal["5", "3.1.1"] = "5"
    expiry_s: int = 300


class MqttChannel:
    """One command for one message, on threads of its own."""

    def __init__(
        self,
        settings: MqttSettings,
        timeout_s: float = TIMEOUT_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._timeout_s = timeout_s
        self._clock = clock
        self._errands = Errands("mqtt")

    async def send(self, message: Message) -> Outcome:
        """Publishes once. Reasons never hold the topic."""
        if not can_carry(Carrier.MQTT, message.address):
            return Failed("the address is no MQTT topic", permanent=True)
        payload = command(message, self._clock())

        def work(errand: Errand) -> Outcome:
            return _deliver(self._settings, message.address, payload, errand)

        try:
            return await self._errands.run(work, urgent=message.urgent, timeout_s=self._timeout_s)
        except TimeoutError:
            return Failed("no answer in time")
        except RuntimeError:
            return Failed("the channel is closed")

    async def close(self) -> None:
        """Breaks off what is under way."""
        self._errands.close()


def command(message: Message, now_s: float) -> bytes:
    """The JSON that the siren gets."""
    text = message.text.replace(message.link, "").strip() if message.link else message.text
    return msgspec.json.encode(
        {
            "command": "alarm",
            "key": message.key,
            "severity": message.parts.get("severity", ""),
            "what": message.parts.get("what", ""),
            "where": message.parts.get("where", ""),
            "text": text,
            "urgent": message.urgent,
            "sent_at": datetime.fromtimestamp(int(now_s), UTC).isoformat(),
        }
    )


class _Client(Client):
    """Closes the socket of a TLS handshake that fails; paho 2.2 leaves it to the garbage collector."""

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        assert self._ssl_context is not None
        wrapped = self._ssl_context.wrap_socket(
            tcp_sock, server_hostname=self._host, do_handshake_on_connect=False
        )
        try:
            wrapped.settimeout(self._connect_timeout)
            wrapped.do_handshake()
        except BaseException:
            wrapped.close()
            raise
        return wrapped


class _Exchange:
    """Connect, publish, wait for PUBACK: what the broker said so far. On one thread."""

    def __init__(self, settings: MqttSettings, topic: str, payload: bytes) -> None:
        self._settings = settings
        self._topic = topic
        self._payload = payload
        self.outcome: Outcome | None = None
        self.client = self._client()

    def _client(self) -> Client:
        settings = self._settings
        is_5 = settings.version == "5"
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"gengfu-{secrets.token_hex(6)}",
            protocol=MQTTv5 if is_5 else MQTTv311,
            clean_session=None if is_5 else True,
            reconnect_on_failure=False,
        )
        if settings.user:
            client.username_pw_set(settings.user, settings.password)
        if settings.tls:
            client.tls_set_context(trust_in(settings.ca_file))
        client.on_connect = self._connected
        client.on_publish = self._published
        return client

    def _connected(
        self, client: Client, _data: object, _flags: object, code: ReasonCode, _properties: Properties | None
    ) -> None:
        if code.is_failure:
            self.outcome = _refused(code.value)
            return
        properties = None
        if self._settings.version == "5":
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = self._settings.expiry_s
        info: MQTTMessageInfo = client.publish(self._topic, self._payload, qos=1, properties=properties)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self.outcome = Failed("the connection broke off")

    def _published(
        self, _client: Client, _data: object, _mid: int, code: ReasonCode, _properties: Properties | None
    ) -> None:
        if code.value == _NOBODY:
            self.outcome = Failed("nobody listens on the topic")
        else:
            self.outcome = _refused(code.value) if code.is_failure else Accepted()


def _deliver(settings: MqttSettings, topic: str, payload: bytes, errand: Errand) -> Outcome:
    """On a thread. Never raises."""
    try:
        exchange = _Exchange(settings, topic, payload)
    except (OSError, ValueError) as error:
        return _failure(error)
    client = exchange.client
    errand.on_cut(lambda: shut_socket(client.socket()))
    try:
        client.connect_timeout = max(errand.left_s, 0.01)
        client.connect(settings.host, settings.port, keepalive=max(math.ceil(errand.left_s), 1))
        return _wait(exchange, errand)
    except (OSError, ValueError) as error:
        return _failure(error)
    finally:
        if sock := client.socket():
            sock.close()


def _wait(exchange: _Exchange, errand: Errand) -> Outcome:
    while exchange.outcome is None and errand.left_s:
        if exchange.client.loop(min(errand.left_s, _TURN_S)) != MQTTErrorCode.MQTT_ERR_SUCCESS:
            break
    if exchange.outcome is None:
        return Failed("the connection broke off" if errand.left_s else "no answer in time")
    exchange.client.disconnect()
    return exchange.outcome


def _refused(code: int) -> Failed:
    return Failed(f"MQTT reason {code:#04x}", permanent=code in _NEVER)


def _failure(error: Exception) -> Failed:
    if isinstance(error, ValueError) and not isinstance(error, ssl.SSLError):
        return Failed("the topic or the settings are none that MQTT knows", permanent=True)
    return failure_of(error)
