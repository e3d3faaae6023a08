"""The shipped profiles as the tests ask for them: each by its name, with a memory of its own."""

from __future__ import annotations

from devices.profiles.described import DescribedProfile
from devices.profiles.shipped import shipped_compiled


def shipped(name: str) -> DescribedProfile:
    made = shipped_compiled()
    objects = [thing for one in made for thing in one.objects]
    return DescribedProfile(next(one for one in made if one.name == name), objects)


def zigbee2mqtt() -> DescribedProfile:
    return shipped("zigbee2mqtt")
