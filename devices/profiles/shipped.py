"""The profiles of this release."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from devices.profiles import own, zigbee2mqtt
from devices.profiles.own import OwnProfile
from devices.profiles.profile import Profile
from devices.profiles.zigbee2mqtt import Zigbee2MqttProfile

PROFILE_NAMES: Final = (own.NAME, zigbee2mqtt.NAME)


def shipped_profiles() -> list[Profile]:
    """One of each, with memories of their own: a process keeps the list it asked for."""
    return [OwnProfile(), Zigbee2MqttProfile()]


def choose(topic: str, profiles: Sequence[Profile]) -> Profile | None:
    """The first profile whose topic it is."""
    return next((profile for profile in profiles if profile.matches(topic)), None)
