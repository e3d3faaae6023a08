"""Profiles from the text of a file, as the tests describe them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from devices.profiles.compiling.compiled import Compiled, CompiledObject
from devices.profiles.compiling.whole_file import compile_profile
from devices.profiles.described import DescribedProfile
from devices.profiles.language.load import load_profile
from devices.profiles.profile import Decoded
from tests.devices.profiles.listening import Reading, Registry, readings

ZONE = "Asia/Shanghai"
_WORLDS: WeakKeyDictionary[DescribedProfile, Registry] = WeakKeyDictionary()
"""The registry of a profile that is given none: rows are the same points' for ever."""


def world(profile: DescribedProfile) -> Registry:
    return _WORLDS.setdefault(profile, Registry())


def compiled(text: str) -> Compiled:
    return compile_profile(load_profile(text, file="acme.toml", known={}), site_tz=ZONE)


def described(text: str, objects: Sequence[CompiledObject] = ()) -> DescribedProfile:
    made = compiled(text)
    return DescribedProfile(made, [*made.objects, *objects])


def octets(payload: Any) -> bytes:
    return payload if isinstance(payload, bytes) else json.dumps(payload).encode()


def decode(
    profile: DescribedProfile, *messages: tuple[str, Any], registry: Registry | None = None
) -> Decoded:
    """One tick of (topic, payload as bytes or JSON value)."""
    topics = [topic for topic, _ in messages]
    payloads = [octets(payload) for _, payload in messages]
    return profile.decode(topics, payloads, world(profile) if registry is None else registry)


def heard(
    profile: DescribedProfile, *messages: tuple[str, Any], registry: Registry | None = None
) -> list[Reading]:
    """The readings of a tick in which nothing is refused."""
    registry = world(profile) if registry is None else registry
    decoded = decode(profile, *messages, registry=registry)
    assert decoded.rejected == []
    return readings(decoded, registry)


def values(profile: DescribedProfile, *messages: tuple[str, Any]) -> dict[str, float | None]:
    """Values by `channel/metric` of messages of one device and good quality."""
    found = heard(profile, *messages)
    assert all(not quality for *_, quality in found)
    return {f"{channel}/{metric}" if channel else metric: value for _, channel, metric, value, _ in found}
