"""The few MQTT 5 bytes that the load generator speaks, encoded by hand: no codec can then share our errors.

Source of the layouts: OASIS MQTT 5.0, sections 2.1 (fixed header), 3.1 (CONNECT), 3.2 (CONNACK), 3.3
(PUBLISH), 3.4 (PUBACK), 3.14 (DISCONNECT).

Errors:
* BrokerRefused: the broker answered with something other than what was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from devices.model import UInt16

DISCONNECT: Final = b"\xe0\x00"
CONNACK_TYPE: Final = 0x20
PUBACK: Final = 0x40
NO_LIMIT: Final = 65_535
"""Receive Maximum where the broker sends none (3.2.2.3.3); also the number of packet ids."""
REFUSED_FROM: Final = 0x80
"""Reason codes from here on are failures (2.4)."""
_PROPERTY_BYTES: Final = {
    0x11: 4, 0x13: 2, 0x21: 2, 0x22: 2, 0x24: 1, 0x25: 1, 0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1,
}  # fmt: skip
_TEXT_PROPERTIES: Final = frozenset({0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F})
_PAIR_PROPERTY: Final = 0x26


class BrokerRefused(Exception):
    """The broker closed, answered out of turn, or said no; the text holds its reason code."""


@dataclass(frozen=True, slots=True)
class Connack:
    """What the broker grants: unacknowledged QoS 1 messages at once, and the highest QoS."""

    receive_maximum: int
    maximum_qos: int


def varint(number: int) -> bytes:
    """A Variable Byte Integer (1.5.5) of 0 .. 268,435,455."""
    encoded = bytearray()
    while True:
        number, digit = divmod(number, 128)
        encoded.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(encoded)


def text(value: str) -> bytes:
    """A UTF-8 Encoded String (1.5.4)."""
    encoded = value.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def connect(client_id: str, username: str = "", password: str = "") -> bytes:
    """CONNECT with Clean Start and no keep alive: runs are bounded and a lost peer shows by their end."""
    flags = 0x02 | (0x80 if username else 0) | (0x40 if password else 0)
    body = text("MQTT") + bytes([5, flags]) + b"\x00\x00" + b"\x00" + text(client_id)
    body += (text(username) if username else b"") + (text(password) if password else b"")
    return b"\x10" + varint(len(body)) + body


def publish(topic: str, payload: bytes, qos: int) -> bytes:
    """PUBLISH at QoS 0 or 1 without properties; at QoS 1 the packet id is 0, to be patched."""
    body = text(topic) + (b"\x00\x00" if qos else b"") + b"\x00" + payload
    return bytes([0x30 | qos << 1]) + varint(len(body)) + body


def packet_length(received: bytes) -> int:
    """The length of the first packet in `received` with its header; 0 while that is not yet known."""
    length = 0
    for index, byte in enumerate(received[1:5]):
        length |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return index + 2 + length
    return 0


def read_connack(packet: bytes) -> Connack:
    """Reads one whole CONNACK. Raises BrokerRefused when it is something else or a refusal."""
    if packet[0] != CONNACK_TYPE or len(packet) < 5:
        raise BrokerRefused(f"expected CONNACK, got {packet[:8].hex()}")
    if packet[3] >= REFUSED_FROM:
        raise BrokerRefused(f"connection refused, reason code 0x{packet[3]:02x}")
    properties = _read_properties(packet[5:])
    return Connack(properties.get(0x21, NO_LIMIT), properties.get(0x24, 2))


def _read_properties(encoded: bytes) -> dict[int, int]:
    """Numeric properties by identifier; strings are stepped over."""
    found: dict[int, int] = {}
    at = 0
    while at < len(encoded):
        identifier, at = encoded[at], at + 1
        if identifier in _PROPERTY_BYTES:
            end = at + _PROPERTY_BYTES[identifier]
            found[identifier] = int.from_bytes(encoded[at:end], "big")
        elif identifier in _TEXT_PROPERTIES or identifier == _PAIR_PROPERTY:
            end = at
            for _ in range(2 if identifier == _PAIR_PROPERTY else 1):
                end += 2 + int.from_bytes(encoded[end : end + 2], "big")
        else:
            raise BrokerRefused(f"CONNACK with unknown property 0x{identifier:02x}")
        at = end
    return found


def read_pubacks(received: bytes) -> tuple[UInt16, UInt16, bytes]:
    """Packet ids and reason codes of all whole PUBACKs in `received`, and what is left over.

    Raises BrokerRefused on any other packet: the generator asks for nothing else, so that is the broker
    disconnecting us.
    """
    for size in (4, 5, 6):  # brokers write all of one length: without reason, with reason, with properties
        whole = len(received) // size * size
        packets, rest = whole // size, received[whole:]
        if (
            packets
            and received[0:whole:size] == bytes([PUBACK]) * packets
            and received[1:whole:size] == bytes([size - 2]) * packets
            and not _has_packet(rest)
        ):
            table = np.frombuffer(received, np.uint8, whole).reshape(packets, size)
            return *_columns(table), rest
    return _read_pubacks_slowly(received)


def _has_packet(received: bytes) -> bool:
    return 0 < packet_length(received) <= len(received)


def _columns(table: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> tuple[UInt16, UInt16]:
    ids = table[:, 2:4].copy().view(">u2")[:, 0].astype(np.uint16)
    reasons = table[:, 4] if table.shape[1] > 4 else np.zeros(len(table), np.uint8)
    return ids, reasons.astype(np.uint16)


def _read_pubacks_slowly(received: bytes) -> tuple[UInt16, UInt16, bytes]:
    ids: list[int] = []
    reasons: list[int] = []
    at = 0
    while (size := packet_length(received[at : at + 5])) and at + size <= len(received):
        packet = received[at : at + size]
        if packet[0] != PUBACK:
            raise BrokerRefused(f"expected PUBACK, got {packet[:8].hex()}")
        ids.append(packet[2] << 8 | packet[3])
        reasons.append(packet[4] if size > 4 else 0)
        at += size
    return np.array(ids, np.uint16), np.array(reasons, np.uint16), received[at:]
