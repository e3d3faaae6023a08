"""Proves with real traffic that a broker keeps the promises ingest relies on, for `gengfu check`.

Uses client ids and topics of its own (`gengfu-check/<random>/…`), removes what it left and ends its sessions.
Needs the right to publish and subscribe there. Takes a few seconds, and `timeout_s` for what fails.
"""

from __future__ import annotations

import dataclasses
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest.session import SourceSettings

AWAY_MESSAGES: Final = 1500
"""More than mosquitto's default limit of 1000 queued messages a client."""
_SESSION_S: Final = 300
_FAILED: Final = 0x80


@dataclass(frozen=True, slots=True)
class Finding:
    """One promise: whether it is kept, and in words what was seen or what to do."""

    name: str
    ok: bool
    text: str


class _Refused(Exception):
    """The broker did not do what was asked; the text says what."""


class _Client:
    """A paho client that collects what arrives; one connection, made on entering `_connected`."""

    def __init__(self, settings: SourceSettings, client_id: str) -> None:
        self.messages: list[tuple[str, bool]] = []
        self.session_present = self.gone = False
        self._taken: dict[int, int] = {}
        self._arrived = threading.Condition()
        self._answer: ReasonCode | None = None
        self._granted: list[ReasonCode] = []
        self.mqtt = paho.Client(
            CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5, reconnect_on_failure=False
        )
        if settings.username:
            self.mqtt.username_pw_set(settings.username, settings.password)
        self.mqtt.on_connect = self._on_connect
        self.mqtt.on_subscribe = self._on_subscribe
        self.mqtt.on_message = self._on_message
        self.mqtt.on_publish = self._on_publish
        self.mqtt.on_disconnect = self._on_disconnect

    def _on_connect(
        self, _c: paho.Client, _u: object, flags: paho.ConnectFlags, code: ReasonCode, _p: Properties | None
    ) -> None:
        with self._arrived:
            self.session_present, self._answer = flags.session_present, code
            self._arrived.notify_all()

    def _on_subscribe(
        self, _c: paho.Client, _u: object, _mid: int, codes: list[ReasonCode], _p: Properties | None
    ) -> None:
        with self._arrived:
            self._granted = codes
            self._arrived.notify_all()

    def _on_message(self, _c: paho.Client, _u: object, message: paho.MQTTMessage) -> None:
        with self._arrived:
            self.messages.append((message.topic, message.retain))
            self._arrived.notify_all()

    def await_answer(self, timeout_s: float) -> ReasonCode:
        """The CONNACK's reason. Raises _Refused when there is none."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._answer is not None, timeout_s)
        if self._answer is None:
            raise _Refused("no answer to CONNECT")
        return self._answer

    def subscribe(self, topic: str, timeout_s: float) -> None:
        """As ingest does: QoS 1, Retain As Published 0. Raises _Refused."""
        options = SubscribeOptions(qos=1, retainAsPublished=False, retainHandling=1)
        self.mqtt.subscribe(topic, options=options)
        with self._arrived:
            self._arrived.wait_for(lambda: bool(self._granted), timeout_s)
        if not self._granted or self._granted[0].value != 1:
            reason = self._granted[0] if self._granted else "no answer"
            raise _Refused(f"subscribing to {topic} at QoS 1: {reason}")

    def reason_of_publish(self, topic: str, timeout_s: float) -> int:
        """The PUBACK's reason of one message at QoS 1. Raises _Refused when there is none."""
        sent = self.mqtt.publish(topic, b"gengfu check", 1)
        with self._arrived:
            self._arrived.wait_for(lambda: sent.mid in self._taken or self.gone, timeout_s)
        if sent.mid not in self._taken:
            raise _Refused(f"publishing to {topic}: no answer")
        return self._taken[sent.mid]

    def await_end(self, timeout_s: float) -> bool:
        """Whether the broker ended the connection in time."""
        with self._arrived:
            return self._arrived.wait_for(lambda: self.gone, timeout_s)

    def _on_publish(self, _c: object, _u: object, mid: int, code: ReasonCode, _p: object) -> None:
        with self._arrived:
            self._taken[mid] = code.value
            self._arrived.notify_all()

    def _on_disconnect(self, *_: object) -> None:
        with self._arrived:
            self.gone = True
            self._arrived.notify_all()

    def publish(self, topic: str, count: int, qos: int, timeout_s: float, *, retain: bool = False) -> None:
        """Publishes `count` messages; returns when the broker has taken them. Raises _Refused."""
        sent = [self.mqtt.publish(topic, b"gengfu check", qos, retain) for _ in range(count)]
        for one in sent:
            one.wait_for_publish(timeout_s)
            if not one.is_published():
                raise _Refused(f"publishing to {topic}: not taken in {timeout_s:g} s")

    def await_messages(self, topic: str, count: int, timeout_s: float) -> list[bool]:
        """The retain bits of what arrived on `topic`, at least `count` or what came in time."""

        def bits() -> list[bool]:
            return [retain for name, retain in self.messages if name == topic]

        with self._arrived:
            self._arrived.wait_for(lambda: len(bits()) >= count, timeout_s)
            return bits()


@contextmanager
def _connected(
    settings: SourceSettings, client_id: str, timeout_s: float, *, session_s: int = 0, clean: bool = True
) -> Iterator[_Client]:
    """A connected client. Raises OSError when unreachable, _Refused when not let in."""
    client = _Client(settings, client_id)
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = session_s
    client.mqtt.connect_timeout = timeout_s
    client.mqtt.connect(settings.host, settings.port, clean_start=clean, properties=properties)
    client.mqtt.loop_start()
    try:
        answer = client.await_answer(timeout_s)
        if answer.value >= _FAILED:
            raise _Refused(str(answer))
        yield client
    finally:
        client.mqtt.disconnect()
        client.mqtt.loop_stop()


def probe_broker(
    settings: SourceSettings, timeout_s: float = 10.0, reader: SourceSettings | None = None
) -> list[Finding]:
    """What a broker does, tried out; stops at the first thing without which the rest cannot be tried.

    Of `settings` only host, port and credentials are used. `reader` are those of who subscribes, where the
    broker takes the user name for the client id: one user would then throw itself out. Raises nothing.
    """
    reader = reader or settings
    mark = secrets.token_hex(6)
    place = f"{settings.host}:{settings.port}"
    try:
        with _connected(settings, f"gengfu-check-{mark}-p", timeout_s) as publisher:
            findings = [Finding("broker", True, f"{place} speaks MQTT 5 and lets us in")]
            findings += _try_away(reader, publisher, mark, timeout_s)
            findings.append(_try_retain(reader, publisher, mark, timeout_s))
            return findings
    except OSError as error:
        return [Finding("broker", False, f"{place} is not reachable: {error}; start it, or correct [broker]")]
    except _Refused as error:
        text = f"{place} does not serve us: {error}; it needs MQTT 5, valid credentials, and the right to "
        return [Finding("broker", False, text + "publish and subscribe below gengfu-check/")]


def _try_away(settings: SourceSettings, publisher: _Client, mark: str, timeout_s: float) -> list[Finding]:
    """Leaves a session behind, publishes while it is away, and counts what it finds on return."""
    name, base = f"gengfu-check-{mark}-s", f"gengfu-check/{mark}"
    with _connected(settings, name, timeout_s, session_s=_SESSION_S) as session:
        session.subscribe(f"{base}/#", timeout_s)
    publisher.publish(f"{base}/qos0", 1, 0, timeout_s)
    publisher.publish(f"{base}/many", AWAY_MESSAGES, 1, timeout_s)
    # Session expiry 0 on return: leaving again ends the session and removes what it held.
    with _connected(settings, name, timeout_s, clean=False) as session:
        present = session.session_present
        many = len(session.await_messages(f"{base}/many", AWAY_MESSAGES, timeout_s))
        qos0 = len(session.await_messages(f"{base}/qos0", 1, 1.0))
    return [
        Finding(
            "broker session", present, "kept while away" if present else "not kept; allow session expiry"
        ),
        Finding(
            "broker queue",
            many >= AWAY_MESSAGES,
            f"{many} of {AWAY_MESSAGES} messages published while away arrived"
            + ("" if many >= AWAY_MESSAGES else "; set max_queued_messages 0 and a large max_queued_bytes"),
        ),
        Finding(
            "broker qos 0",
            qos0 > 0,
            "a QoS 0 message published while away arrived"
            if qos0
            else "a QoS 0 message published while away is lost, an alarm too; set upgrade_outgoing_qos true, "
            "or let every device publish at QoS 1",
        ),
    ]


def _try_retain(settings: SourceSettings, publisher: _Client, mark: str, timeout_s: float) -> Finding:
    """A live message whose publisher set the retain bit must arrive without it."""
    topic = f"gengfu-check/{mark}/retain"
    with _connected(settings, f"gengfu-check-{mark}-r", timeout_s) as subscriber:
        subscriber.subscribe(topic, timeout_s)
        publisher.publish(topic, 1, 1, timeout_s, retain=True)
        bits = subscriber.await_messages(topic, 1, timeout_s)
    publisher.mqtt.publish(topic, b"", 1, True).wait_for_publish(timeout_s)  # an empty one removes it
    if bits == [False]:
        return Finding("broker retain", True, "a live message published with retain arrives as live")
    seen = "arrives marked as retained and would be muted" if bits else "does not arrive"
    text = f"a live message published with retain {seen}; the broker must honour Retain As Published 0"
    return Finding("broker retain", False, text)


NOT_AUTHORISED: Final = 0x87


def probe_guard(
    settings: SourceSettings, login: tuple[str, str] | None, timeout_s: float = 5.0
) -> list[Finding]:
    """Whether the broker keeps out whom it should: without credentials, and outside the own topics.

    Of `settings` only host and port are used. `login` may publish below `gengfu-check/` only; without it only
    the first is tried. Touches no client id but those of the check itself. Raises nothing.
    """
    mark = secrets.token_hex(6)
    plain = dataclasses.replace(settings, username="", password="")
    try:
        findings = [_try_anonymous(plain, f"gengfu-check-{mark}-n", timeout_s)]
        if login:
            own = dataclasses.replace(settings, username=login[0], password=login[1])
            findings += _try_outside(own, mark, timeout_s)
        return findings
    except (OSError, _Refused) as error:
        return [Finding("broker guard", False, f"could not be tried: {error}")]


def _try_anonymous(settings: SourceSettings, client_id: str, timeout_s: float) -> Finding:
    try:
        with _connected(settings, client_id, timeout_s):
            text = "lets in who gives no credentials, so anybody can raise and end alarms; "
            return Finding("broker credentials", False, text + "set allow_anonymous false")
    except _Refused:
        return Finding("broker credentials", True, "who gives no credentials is refused")


def _try_outside(settings: SourceSettings, mark: str, timeout_s: float) -> list[Finding]:
    with _connected(settings, f"gengfu-check-{mark}-a", timeout_s) as one:
        reason = one.reason_of_publish(f"gengfu-check-outside/{mark}", timeout_s)
        with _connected(settings, f"gengfu-check-{mark}-b", timeout_s):
            replaced = one.await_end(min(timeout_s, 2.0))
    return [
        Finding(
            "broker topics",
            reason == NOT_AUTHORISED,
            "who publishes outside the own topics is refused"
            if reason == NOT_AUTHORISED
            else f"takes what is published outside the own topics (reason {reason:#04x}); set acl_file",
        ),
        Finding(
            "broker client id",
            replaced,
            "the user name is the client id: nobody takes over another's connection"
            if replaced
            else "client ids are free, so any publisher can end the session of ingest and what waits in it; "
            "set use_username_as_clientid true",
        ),
    ]
