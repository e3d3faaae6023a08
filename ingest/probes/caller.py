"""One MQTT 5 connection of the check: it does one thing at a time, waits for each, and keeps what arrives.

Unlike `ingest/session.py` it acknowledges when it is told to, can be cut off, and may publish. It needs
packets that ingest never sends, so it knows the codec itself.

Errors:
* NotServed: refused, left, or no answer in time; Unreachable: no connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import mqtt5

from ingest import wire
from ingest.link import Link, LinkLost
from ingest.packets import WireError
from ingest.probes import speech
from ingest.probes.finding import NotServed, Unreachable
from ingest.salvage import frame_length

STEP_S: Final = 5.0
"""How long one answer may take (chosen: a broker across a slow line answers within one)."""
QUIET_S: Final = 0.5
"""After so long without a byte nothing more is coming (chosen: ten times a slow line's round trip)."""
CHUNK_BYTES: Final = 1 << 16
FAILED: Final = 0x80
_PUBACK: Final = 4


Dial = Callable[[], Link]
"""Makes a connected link to the broker. Raises LinkLost or OSError."""


@dataclass(frozen=True, slots=True)
class Login:
    """User name and password; both empty where none are sent."""

    name: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a connection asks for, as in CONNECT. `expiry_s` 0: the session ends with the connection."""

    clean: bool = True
    expiry_s: int = 0
    receive_maximum: int = 10_000
    max_packet_bytes: int = 327_680


class Caller:
    """A connection that was let in; `greeting` is the CONNACK.

    `messages` are the PUBLISH packets in the order of arrival. `gone`: it is over; `ended` says why the
    broker ended it, or is empty. Use as a context: leaving it without `leave` or `cut` leaves in order.
    """

    def __init__(self, dial: Dial, client_id: str, login: Login, terms: Terms) -> None:
        """Connects. Raises NotServed when not let in, Unreachable when nobody is there."""
        self.messages: list[mqtt5.PublishPacket] = []
        self.ended = ""
        self._buffer = b""
        self._acknowledged = 0
        self._taken: dict[int, int] = {}
        self._granted: list[int] = []
        self._pongs = self._next_id = 0
        self._greeting: mqtt5.ConnAckPacket | None = None
        self.gone = False
        try:
            self._link = dial()
        except (LinkLost, OSError) as error:
            raise Unreachable(f"{error}{_do(error)}") from None
        packet = mqtt5.ConnectPacket(
            client_id,
            username=login.name or None,
            password=login.password.encode() if login.name else None,
            clean_start=terms.clean,
            keep_alive=60,
            session_expiry_interval=terms.expiry_s,
            receive_max=terms.receive_maximum,
            max_packet_size=terms.max_packet_bytes,
        )
        try:
            self._send(packet.write())
            self._await(lambda: self._greeting is not None, "no answer to CONNECT")
        except NotServed:
            self.cut()
            raise
        answer = self.greeting.reason_code
        if int(answer) >= FAILED:
            self.cut()
            raise NotServed(speech.words(answer.name, self.greeting.reason_str))

    @property
    def greeting(self) -> mqtt5.ConnAckPacket:
        """The broker's CONNACK."""
        if self._greeting is None:
            raise NotServed("no answer to CONNECT")
        return self._greeting

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def subscribe(self, *filters: str) -> None:
        """As ingest does: QoS 1, Retain As Published 0, Retain Handling 1. Raises NotServed."""
        self._granted = []
        self._send(wire.subscribe(1, filters))
        self._await(lambda: bool(self._granted), f"no answer to subscribing to {filters[0]}")
        for name, code in zip(filters, self._granted, strict=True):
            if code != 1:
                raise NotServed(f"{name} at QoS 1 was answered with {code:#04x}")

    def publish(self, topic: str, payloads: Iterable[bytes], *, qos: int = 1) -> None:
        """Returns when the broker has taken all of them, never more than its Receive Maximum at once.

        Raises NotServed when it takes one not, or ends the connection.
        """
        window = self.greeting.receive_max
        waiting: list[int] = []
        for payload in payloads:
            if len(waiting) >= window:
                waiting = self._await_taken(waiting, window - 1)
            packet_id = self._id() if qos else None
            self._send(speech.publish(topic, payload, qos, packet_id))
            if packet_id:
                waiting.append(packet_id)
        self._await_taken(waiting, 0)
        if not qos:
            self.round_trip()

    def reason_of(self, topic: str, payload: bytes, *, retain: bool = False, expiry_s: int = 0) -> int:
        """The PUBACK's reason code of one message at QoS 1. Raises NotServed when there is none."""
        packet_id = self._id()
        self._send(speech.publish(topic, payload, 1, packet_id, retain=retain, expiry_s=expiry_s))
        self._await(lambda: packet_id in self._taken, f"no answer to publishing on {topic}")
        return self._taken.pop(packet_id)

    def round_trip(self) -> None:
        """Returns when the broker has handled all that was sent before. Raises NotServed."""
        wanted = self._pongs + 1
        self._send(mqtt5.PingReqPacket().write())
        self._await(lambda: self._pongs >= wanted, "no answer to PINGREQ")

    def on(self, topic: str) -> list[mqtt5.PublishPacket]:
        """What arrived on `topic`."""
        return [one for one in self.messages if one.topic == topic]

    def gather(self, count: int, *, acknowledge: bool, quiet_s: float = QUIET_S) -> None:
        """Reads until `count` messages are there, or none came for `quiet_s`. Ends early with the broker."""
        heard_at = time.monotonic()
        limit = heard_at + 4 * STEP_S
        while len(self.messages) < count and not self.gone and time.monotonic() < limit:
            if self._pump(quiet_s / 4):
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > quiet_s:
                break
            if acknowledge:
                self.acknowledge()
        if acknowledge:
            self.acknowledge()

    def acknowledge(self) -> None:
        """A PUBACK for each message at QoS 1 that has none yet, in order of arrival."""
        due = self.messages[self._acknowledged :]
        self._acknowledged = len(self.messages)
        packets = [mqtt5.PubAckPacket(one.packet_id).write() for one in due if one.packet_id]
        if packets and not self.gone:
            self._send(b"".join(packets))

    def is_ended(self, timeout_s: float) -> bool:
        """Whether the broker ends the connection in time."""
        until = time.monotonic() + timeout_s
        while not self.gone and (rest := until - time.monotonic()) > 0:
            self._pump(rest)
        return self.gone

    def leave(self, expiry_s: int | None = None) -> None:
        """Says goodbye; `expiry_s` 0 ends the session that CONNECT asked to keep. Raises nothing."""
        if self.gone:
            return
        try:
            self._send(mqtt5.DisconnectPacket(session_expiry_interval=expiry_s).write())
            until = time.monotonic() + STEP_S
            while self._link.unsent and time.monotonic() < until:
                self._link.wait(0.1, reading=False)
            self.is_ended(1.0)  # the broker closes when it has done it
        except (NotServed, LinkLost, OSError):
            pass  # it left first
        self.cut()

    def cut(self) -> None:
        """Ends the connection without a word, as a lost line does."""
        self.gone = True
        self._link.close()

    def _id(self) -> int:
        self._next_id = self._next_id % 65_535 + 1
        return self._next_id

    def _await_taken(self, waiting: list[int], most: int) -> list[int]:
        """What is still untaken when that is `most` at most. Raises NotServed for a refusal."""

        def left() -> list[int]:
            return [one for one in waiting if one not in self._taken]

        self._await(lambda: len(waiting) - len(self._taken) <= most, "a published message was not taken")
        still = left()
        refused = [code for code in self._taken.values() if code >= FAILED]
        self._taken.clear()
        if refused:
            raise NotServed(f"a published message was refused with {refused[0]:#04x}")
        return still

    def _await(self, there: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + STEP_S
        while not there():
            rest = until - time.monotonic()
            if self.gone or rest <= 0:
                raise NotServed(f"{what}: {self.ended or 'not in time'}")
            self._pump(rest)

    def _send(self, data: bytes) -> None:
        if self.gone:
            raise NotServed(self.ended)
        try:
            self._link.send(data)
        except (LinkLost, OSError) as error:
            self._end(str(error))
            raise NotServed(self.ended) from None

    def _pump(self, timeout_s: float) -> bool:
        """Reads what comes within `timeout_s`; whether anything came. The end of the connection is noted."""
        try:
            if not self._link.wait(max(timeout_s, 0.001), reading=True):
                return False
            data = self._link.receive(CHUNK_BYTES)
            self._buffer += data
            self._take_all()
            return bool(data)
        except (LinkLost, OSError, WireError) as error:
            self._end(str(error))
            return False

    def _end(self, why: str) -> None:
        self.ended = self.ended or why
        self.gone = True
        self._link.close()

    def _take_all(self) -> None:
        view = memoryview(self._buffer)
        at = 0
        while len(view) - at >= 2 and (length := frame_length(view[at:])) and at + length <= len(view):
            self._take(view[at : at + length])
            at += length
        self._buffer = self._buffer[at:]

    def _take(self, frame: memoryview) -> None:
        if frame[0] >> 4 == _PUBACK:  # mosquitto refuses with codes the codec does not know
            self._taken[int.from_bytes(frame[2:4], "big")] = frame[4] if len(frame) > 4 else 0
            return
        packet = speech.read(frame)
        if isinstance(packet, mqtt5.PublishPacket):
            self.messages.append(packet)
        elif isinstance(packet, mqtt5.ConnAckPacket):
            self._greeting = packet
        elif isinstance(packet, mqtt5.SubAckPacket):
            self._granted = [int(code) for code in packet.reason_codes]
        elif isinstance(packet, mqtt5.PingRespPacket):
            self._pongs += 1
        elif isinstance(packet, mqtt5.DisconnectPacket):
            self._end(f"the broker says: {speech.words(packet.reason_code.name, packet.reason_str)}")


def _do(error: Exception) -> str:
    said = error.do if isinstance(error, LinkLost) else ""
    return f"; {said}" if said else ""
