"""Sparkplug B across messages and restarts: aliases, sessions, and whom a node takes with it."""

from __future__ import annotations

from typing import Any

from tests.devices.profiles.describing import decode, heard
from tests.devices.profiles.restarting import restarted

NODE, PANEL = "sparkplug:Block 7/Edge 1", "sparkplug:Block 7/Edge 1/Panel"


def node(kind: str, session: int) -> tuple[str, Any]:
    metric = {"name": "bdSeq", "dataType": "UInt64", "value": session}
    return f"spBv1.0/Block 7/{kind}/Edge 1", {"timestamp": 1735689600000, "metrics": [metric]}


def panel(kind: str, *metrics: dict[str, Any]) -> tuple[str, Any]:
    return f"spBv1.0/Block 7/{kind}/Edge 1/Panel", {"timestamp": 1735689600000, "metrics": metrics}


SMOKE = {"name": "Smoke", "alias": 3, "dataType": "Boolean", "value": False}
BORN = (node("NBIRTH", 8), panel("DBIRTH", SMOKE))


def test_an_alias_is_understood_after_a_restart() -> None:
    profile = restarted("sparkplug", *BORN)
    message = panel("DDATA", {"alias": 3, "value": True})
    assert heard(profile, message) == [(PANEL, "", "smoke.alarm", 1.0, [])]


def test_an_alias_without_a_birth_says_nothing_and_is_shown() -> None:
    decoded = decode(restarted("sparkplug"), panel("DDATA", {"alias": 3, "value": True}))
    assert decoded.value.tolist() == []
    assert ["birth" in one.detail for one in decoded.rejected] == [True]


def test_a_nodes_death_after_a_restart_takes_its_device_with_it() -> None:
    profile = restarted("sparkplug", *BORN)
    assert heard(profile, node("NDEATH", 8)) == [
        (NODE, "", "device.online", 0.0, []),
        (PANEL, "", "device.online", 0.0, ["stale"]),
    ]


def test_the_death_of_another_session_means_nothing_after_a_restart() -> None:
    profile = restarted("sparkplug", *BORN)
    assert heard(profile, node("NDEATH", 7)) == []


def test_a_device_comes_back_when_it_is_heard() -> None:
    profile = restarted("sparkplug", *BORN, node("NDEATH", 8))
    found = heard(profile, panel("DDATA", {"name": "Smoke", "value": False}))
    assert (PANEL, "", "device.online", 1.0) in [reading[:4] for reading in found]


def test_a_device_is_heard_through_its_node() -> None:
    said = decode(restarted("sparkplug"), panel("DBIRTH", SMOKE)).asides.said
    assert [(one.uid, one.text) for one in said if one.key == "parent"] == [(PANEL, NODE)]
