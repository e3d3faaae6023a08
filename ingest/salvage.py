"""Reads the envelope of a PUBLISH frame when the codec will not: framing, topic, packet id, payload.

Why it is worth having: a message that is refused is sent again after every reconnect, and nothing behind it
arrives.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ingest.packets import WireError

_PUBLISH: Final = 3


class Salvaged(NamedTuple):
    """A PUBLISH read without the codec; the attributes of mqtt5.PublishPacket that we use."""

    topic: str
    payload: bytes
    packet_id: int | None
    retain: bool
    duplicate: bool


def _variable_byte_integer(view: memoryview | bytes, at: int) -> tuple[int, int] | None:
    """The number at `at` and where it ends (MQTT 5, 1.5.5); None where it is not complete."""
    value = 0
    for place in range(4):
        if at + place >= len(view):
            return None
        value |= (view[at + place] & 0x7F) << (7 * place)
        if view[at + place] < 0x80:
            return value, at + place + 1
    raise WireError("a length of more than four bytes")


def frame_length(view: memoryview) -> int:
    """The length of the whole packet at the start of `view`; 0 while its header is not complete."""
    found = _variable_byte_integer(view, 1)
    return sum(found) if found else 0


def salvage(frame: bytes) -> Salvaged | None:
    """Topic, packet id and payload of a whole PUBLISH frame; None where not even those can be told."""
    qos = (frame[0] >> 1) & 3
    header = _variable_byte_integer(frame, 1)
    if frame[0] >> 4 != _PUBLISH or qos > 1 or header is None:
        return None
    at = header[1]
    topic_end = at + 2 + int.from_bytes(frame[at : at + 2], "big")
    body = topic_end + 2 * qos
    if body > len(frame) or topic_end < at + 2:
        return None
    return Salvaged(
        topic=frame[at + 2 : topic_end].decode("utf-8", "replace"),
        payload=frame[_after_properties(frame, body) :],
        packet_id=int.from_bytes(frame[topic_end:body], "big") or None,
        retain=bool(frame[0] & 1),
        duplicate=bool(frame[0] & 8),
    )


def _after_properties(frame: bytes, at: int) -> int:
    """Where the payload starts; `at` itself where the properties make no sense."""
    try:
        found = _variable_byte_integer(frame, at)
    except WireError:
        return at
    return sum(found) if found and sum(found) <= len(frame) else at
