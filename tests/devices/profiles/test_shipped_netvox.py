"""R718N3: two of its multipliers come in another uplink than the currents."""

from __future__ import annotations

from typing import Any

from devices.profiles.described import DescribedProfile
from tests.devices.profiles.describing import heard
from tests.devices.profiles.restarting import restarted
from tests.devices.profiles.shipping import shipped

EUI, OTHER = "ac1f09fffe00d001", "ac1f09fffe00d002"
CURRENTS = {"Device": "R718N3", "Current1": 1000, "Current2": 500, "Current3": 40, "Multiplier1": 2}
MULTIPLIERS = {"Device": "R718N3", "Multiplier2": 10, "Multiplier3": 100}


def up(device: str, said: dict[str, Any]) -> tuple[str, Any]:
    return f"application/a/device/{device}/event/up", {"object": said}


def currents(profile: DescribedProfile, message: tuple[str, Any]) -> dict[str, float | None]:
    return {channel: value for _, channel, metric, value, _ in heard(profile, message) if metric == "current"}


def test_multipliers_survive_a_restart() -> None:
    profile = restarted("chirpstack", up(EUI, MULTIPLIERS))
    assert currents(profile, up(EUI, CURRENTS)) == {"l1": 2.0, "l2": 5.0, "l3": 4.0}


def test_multipliers_are_each_devices_own() -> None:
    profile = restarted("chirpstack", up(EUI, MULTIPLIERS))
    assert currents(profile, up(OTHER, CURRENTS)) == {"l1": 2.0, "l2": None, "l3": None}


def test_the_last_multiplier_heard_holds() -> None:
    profile = shipped("chirpstack")
    heard(profile, up(EUI, MULTIPLIERS), up(EUI, MULTIPLIERS | {"Multiplier2": 4}))
    assert currents(profile, up(EUI, CURRENTS)) == {"l1": 2.0, "l2": 2.0, "l3": 4.0}
