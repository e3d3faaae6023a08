"""A format's surroundings for tests: captures, memory and options, and an encoder of protobuf's wire
format."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from devices.profiles.formats.format import FormatContext
from devices.profiles.language.file import Message
from devices.profiles.memory import Memory


def context(
    captures: Mapping[str, str] | None = None,
    memory: Memory | None = None,
    received_us: int = 0,
    **options: Any,
) -> FormatContext:
    known = Memory("test") if memory is None else memory
    return FormatContext(captures or {}, known, Message("test", **options), received_us)


def varint(number: int) -> bytes:
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*octets, number))


def field(number: int, value: int | float | bytes | str) -> bytes:
    """A field as protobuf writes it: int as varint, float as 64 bits, text and octets with their length."""
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    octets = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(octets)) + octets


def single(number: int, value: float) -> bytes:
    """A field of 32 bits."""
    return varint(number << 3 | 5) + struct.pack("<f", value)
