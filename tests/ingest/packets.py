"""MQTT 5 packets built and cut by the book, so that the service's codec is not its own judge."""

from __future__ import annotations

CONNACK = b"\x20\x03\x00\x00\x00"
CONNACK_PRESENT = b"\x20\x03\x01\x00\x00"
PONG = b"\xd0\x00"
SUBACK = b"\x90\x04\x00\x01\x00\x01"
SUBACK_REFUSED = b"\x90\x04\x00\x01\x00\x87"
SUBACK_BOTH = b"\x90\x05\x00\x01\x00\x01\x01"
SUBACK_HALF = b"\x90\x05\x00\x01\x00\x01\x87"
"""Of two filters the second is refused."""
UNSUBACK = b"\xb0\x04\x00\x01\x00\x00"
TAKEN_OVER = b"\xe0\x01\x8e"


def integer(value: int) -> bytes:
    """A variable byte integer (1.5.5) in as few bytes as it takes."""
    encoded = b""
    while value >= 128:
        encoded += bytes([value % 128 | 128])
        value //= 128
    return encoded + bytes([value])


def packet(head: int, body: bytes) -> bytes:
    """A fixed header with the true length, and the body."""
    return bytes([head]) + integer(len(body)) + body


def encode_publish(
    topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, packet_id: int = 1, dup: bool = False
) -> bytes:
    """A PUBLISH packet without properties (3.3)."""
    name = topic.encode()
    number = packet_id.to_bytes(2, "big") if qos else b""
    body = len(name).to_bytes(2, "big") + name + number + b"\x00" + payload
    return packet(0x30 | dup << 3 | qos << 1 | retain, body)


def first_packet(data: bytes) -> bytes:
    """The first whole packet, empty where there is none (2.1.4)."""
    length, shift = 0, 0
    for at, byte in enumerate(data[1:5], start=2):
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return data[: at + length] if len(data) >= at + length else b""
    return b""
