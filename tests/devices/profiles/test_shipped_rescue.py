"""Every true life flag of the shipped profiles' own vectors is heard from a message that cannot be read."""

from __future__ import annotations

from functools import cache
from typing import Final

import pytest

from devices.model import LIFE_FLAGS, Metric
from devices.profiles.checking.vectors import messages_of
from devices.profiles.described import DescribedProfile
from devices.profiles.profile import Decoded
from devices.profiles.shipped import shipped_files
from tests.devices.profiles.listening import Registry
from tests.devices.profiles.shipping import shipped

FILES: Final = shipped_files()
CANNOT: Final = {
    (
        "milesight",
        "data",
    ): "a codec's octets stand in it as base64 text, which means anything once it is changed",
}
"""Vectors with this text in the payload, and why no flag can be found in them. Of payloads that are neither
a JSON object or list nor a word none is looked for: protobuf or a codec's octets mean something else once
cut."""


def _true(decoded: Decoded) -> set[int]:
    told = zip(decoded.metric.tolist(), decoded.value.tolist(), strict=True)
    return {metric for metric, value in told if Metric(metric) in LIFE_FLAGS and value == 1.0}


def _is_word(payload: bytes) -> bool:
    return len(payload) <= 32 and payload.isascii() and payload.decode().isprintable()


def _broken(payload: bytes) -> tuple[bytes, bytes]:
    """What cannot be read: cut off or with an octet that is no text."""
    if _is_word(payload):
        return b"\xff" + payload, payload + b"\xff"
    tail = b', "x": "\xff"}' if payload[-1:] == b"}" else b', {"x": "\xff"}]'
    return payload[:-1], payload[:-1] + tail


def _made(name: str) -> tuple[DescribedProfile, Registry]:
    return shipped(name).at_any_topic(), Registry()


_made_once: Final = cache(_made)
"""For messages before which nothing needs to come: most of the work is making it."""


def _heard(name: str, before: list[tuple[str, bytes]], topic: str, payload: bytes) -> Decoded:
    profile, registry = (_made if before else _made_once)(name)
    for one, said in before:
        profile.decode([one], [said], registry)
    return profile.decode([topic], [payload], registry)


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_fire_of_the_profiles_own_vectors_is_heard_from_what_cannot_be_read(name: str) -> None:
    missed = []
    for vector in FILES[name].test:
        *before, (topic, payload) = messages_of(vector)
        payload = payload.strip()
        excused = any(one == name and f'"{key}"'.encode() in payload for one, key in CANNOT)
        if vector.rejected or excused or not (payload[:1] in (b"{", b"[") or _is_word(payload)):
            continue
        wanted = _true(_heard(name, before, topic, payload))
        if not wanted:
            continue
        for broken in _broken(payload):
            decoded = _heard(name, before, topic, broken)
            if not wanted <= _true(decoded) or not decoded.rejected:
                missed.append((vector.name, broken))
    assert missed == []
