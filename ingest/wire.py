"""MQTT 5 bytes to values and back. Only this file and ingest/probes know the `mqtt5` codec.

`Wire` does no input or output: it is fed what the socket held and gives everything that is complete, as
parallel lists, because one Python object per message costs more than the parsing.

What a hostile or broken peer may send, and what becomes of it:
* A PUBLISH the codec refuses (invalid UTF-8 in the topic, wrong properties) but whose frame is whole is
  salvaged: topic with U+FFFD for what is not UTF-8, payload as it stands. Were it an error, the broker
  would send it again after every reconnect and nothing behind it would ever arrive.
* Anything else that is not MQTT 5 from a broker to a subscriber is a WireError: drop the connection.
* For invalid UTF-8 the codec's Rust code panics: `pyo3_runtime.PanicException` derives from BaseException
  (measured, mqtt5 0.8.0) and a trace goes to stderr. So every exception but KeyboardInterrupt and SystemExit
  is caught here. Such a message costs 0.1 ms, or 2.7 ms with RUST_BACKTRACE=1 (measured).
* A packet longer than `max_packet_bytes` is never buffered: its length is refused as soon as it is known.
  We announce that length in CONNECT. mosquitto 2.0.11 then drops a longer message for us alone, without a
  word, and goes on with the next one (measured; tests/ingest/test_mqtt_source.py holds it to it).

Errors:
* WireError: the bytes cannot be what they must be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final

import mqtt5
import numpy as np

from ingest.packets import Connack, Control, Disconnected, Pong, Received, Suback, Unsuback, WireError
from ingest.salvage import Salvaged, frame_length, salvage

PINGREQ: Final = b"\xc0\x00"
DISCONNECT: Final = b"\xe0\x00"
"""Normal disconnection: the broker keeps the session for its expiry interval (MQTT 5, 3.14.2.1)."""
_PUBACK_HEADER: Final = 0x4002
_QOS_2: Final = 0x04
"""The bit of a PUBLISH's first byte (MQTT 5, 3.3.1.2) that we never ask for."""

_Message = mqtt5.PublishPacket | Salvaged
_topic = attrgetter("topic")
_payload = attrgetter("payload")
_packet_id = attrgetter("packet_id")
_retain = attrgetter("retain")
_dup = attrgetter("duplicate")


class Wire:
    """The reading side of one connection; start a new one for each connection.

    `salvaged` counts the messages so far which the codec refused and we delivered all the same. `broken` is
    the violation after which there is nothing more to read.
    """

    def __init__(self, max_packet_bytes: int) -> None:
        self.salvaged = 0
        self.broken: WireError | None = None
        self._limit = max_packet_bytes
        self._held: list[bytes] = []  # a packet that is not complete yet, as it came
        self._size = 0
        self._need = 0  # do not parse before so many bytes are there

    def feed(self, data: bytes) -> Received:
        """Takes the next bytes of the stream and gives the packets that are complete now.

        The result does not depend on how the stream was cut. Packets in front of a violation are given
        first; WireError is raised by the next call, or by this one where there is nothing to give.
        """
        if self.broken:
            raise self.broken
        self._held.append(data)
        self._size += len(data)
        if self._size < self._need:
            return Received()
        buffer = data if len(self._held) == 1 else b"".join(self._held)
        messages: list[_Message] = []
        controls: list[Control] = []
        used = self._parse(memoryview(buffer), messages, controls)
        self._size = len(buffer) - used
        self._held = [buffer[used:]] if self._size else []
        received = _columns(messages, controls)
        if self.broken and not received and not received.controls:
            raise self.broken
        return received

    def _parse(self, view: memoryview, messages: list[_Message], controls: list[Control]) -> int:
        """Fills the lists; returns how many bytes were used. Sets `_need`, and `_broken` at a violation."""
        read, limit, add = mqtt5.read, self._limit, messages.append
        publish = mqtt5.PublishPacket
        at, end = 0, len(view)
        self._need = 0
        try:
            while at < end:
                try:
                    packet, length = read(view[at:])
                except (KeyboardInterrupt, SystemExit):
                    raise
                except BaseException as error:  # a Rust panic is no Exception; see the module
                    salvaged = self._second_look(view[at:], error)
                    if salvaged is None:
                        break
                    add(salvaged[0])
                    at += salvaged[1]
                    continue
                if length > limit:
                    raise WireError(f"a packet of {length} bytes, more than {limit}")
                if type(packet) is not publish:
                    controls.append(_control(packet))
                elif view[at] & _QOS_2:
                    raise WireError("a QoS 2 message though QoS 1 was asked for")
                else:
                    add(packet)
                at += length
        except WireError as error:
            self.broken = error
        return at

    def _second_look(self, view: memoryview, error: BaseException) -> tuple[Salvaged, int] | None:
        """What to make of bytes the codec did not take: None for need-more, a salvaged message, WireError."""
        length = frame_length(view)
        if length > self._limit:
            raise WireError(f"a packet of {length} bytes, more than {self._limit}")
        if len(view) < max(length, 2) or not length:
            self._need = max(length, len(view) + 1)
            return None
        salvaged = salvage(bytes(view[:length]))
        if salvaged is None:
            raise WireError(f"packet type {view[0] >> 4} malformed: {type(error).__name__}: {error}")
        self.salvaged += 1
        return salvaged, length


def _columns(messages: list[_Message], controls: list[Control]) -> Received:
    ids = list(map(_packet_id, messages))
    if None in ids:
        ids = [packet_id or 0 for packet_id in ids]
    return Received(
        topics=list(map(_topic, messages)),
        payloads=list(map(_payload, messages)),
        packet_ids=ids,
        retain=list(map(_retain, messages)),
        dup=list(map(_dup, messages)),
        controls=controls,
    )


def _control(packet: mqtt5.Packet) -> Control:
    """The small packets, translated."""
    if isinstance(packet, mqtt5.ConnAckPacket):
        return Connack(
            accepted=packet.reason_code == mqtt5.ConnAckReasonCode.SUCCESS,
            reason=_words(packet.reason_code.name, packet.reason_str),
            session_present=packet.session_present,
            keep_alive_s=packet.server_keep_alive,
            session_expiry_s=packet.session_expiry_interval,
        )
    if isinstance(packet, mqtt5.SubAckPacket):
        return Suback(packet.packet_id, tuple(map(_refusal, packet.reason_codes)))
    if isinstance(packet, mqtt5.UnsubAckPacket):
        return Unsuback(packet.packet_id)
    if isinstance(packet, mqtt5.PingRespPacket):
        return Pong()
    if isinstance(packet, mqtt5.DisconnectPacket):
        taken_over = packet.reason_code == mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER
        return Disconnected(_words(packet.reason_code.name, packet.reason_str), taken_over)
    raise WireError(f"a {type(packet).__name__} that a broker has no reason to send us")


def _words(name: str, text: str | None) -> str:
    words = name.lower().replace("_", " ")
    return f"{words}: {text}" if text else words


def _refusal(code: mqtt5.SubAckReasonCode) -> str:
    granted = code == mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE
    return "" if granted else _words(code.name, None)


def connect(
    client_id: str,
    *,
    username: str,
    password: str,
    clean_start: bool,
    keep_alive_s: int,
    session_expiry_s: int,
    receive_maximum: int,
    max_packet_bytes: int,
    authentication_method: str = "",
) -> bytes:
    """A CONNECT packet; an empty username sends neither username nor password. Topic aliases are declined."""
    return mqtt5.ConnectPacket(
        client_id,
        username=username or None,
        password=password.encode() if username else None,
        clean_start=clean_start,
        keep_alive=keep_alive_s,
        session_expiry_interval=session_expiry_s,
        receive_max=receive_maximum,
        max_packet_size=max_packet_bytes,
        authentication_method=authentication_method or None,
    ).write()


def subscribe(packet_id: int, filters: Iterable[str]) -> bytes:
    """A SUBSCRIBE at QoS 1 with Retain As Published 0 and Retain Handling 1.

    So a live message keeps no retain bit, and retained ones come with the first subscription only.
    """
    asked = [
        mqtt5.TopicFilter(
            name,
            max_qos=mqtt5.QoS.AT_LEAST_ONCE,
            retain_as_published=False,
            retain_handling=mqtt5.RetainHandling.SEND_IF_SUBSCRIPTION_NOT_EXISTS,
        )
        for name in filters
    ]
    return mqtt5.SubscribePacket(packet_id, asked).write()


def unsubscribe(packet_id: int, filters: Iterable[str]) -> bytes:
    """An UNSUBSCRIBE; one filter at least."""
    return mqtt5.UnsubscribePacket(packet_id, list(filters)).write()


def publish(topic: str, payload: bytes) -> bytes:
    """A PUBLISH at QoS 0, not retained. The caller has made sure that `topic` is one."""
    return mqtt5.PublishPacket(topic, payload).write()


def pubacks(packet_ids: Sequence[int]) -> bytes:
    """A PUBACK of four bytes for each id that is not 0, in order, joined."""
    ids = np.array(packet_ids, np.uint16)
    ids = ids[ids != 0]
    joined = np.empty((len(ids), 2), ">u2")
    joined[:, 0] = _PUBACK_HEADER
    joined[:, 1] = ids
    return joined.tobytes()
