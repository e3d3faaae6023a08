from __future__ import annotations

from typing import Any

from devices.profiles.described import DescribedProfile
from devices.profiles.profile import Asides
from tests.devices.profiles.describing import decode, heard
from tests.devices.profiles.shipping import zigbee2mqtt

HALL = "zigbee:00124b00aabbcc21"
ATTIC = "zigbee:00124b00aabbcc22"
BRIDGE = "topic:zigbee2mqtt/bridge"


def devices(**names: str) -> list[dict[str, Any]]:
    """The bridge's list, by friendly name."""
    coordinator = {
        "ieee_address": "0x00124b00aabbcc00",
        "friendly_name": "Coordinator",
        "type": "Coordinator",
    }
    return [
        coordinator,
        *(
            {
                "ieee_address": f"0x{uid.removeprefix('zigbee:').upper()}",
                "friendly_name": name,
                "definition": {"model": "M-1", "vendor": "Acme"},
            }
            for name, uid in names.items()
        ),
    ]


def tell(profile: DescribedProfile, **names: str) -> Asides:
    return decode(profile, ("zigbee2mqtt/bridge/devices", devices(**names))).asides


def online(profile: DescribedProfile, topic: str, payload: Any) -> dict[str, tuple[float | None, list[str]]]:
    found = heard(profile, (f"zigbee2mqtt/{topic}", payload))
    return {uid: (value, quality) for uid, _, metric, value, quality in found if metric == "device.online"}


def whose(profile: DescribedProfile, topic: str) -> str:
    [(uid, *_)] = heard(profile, (f"zigbee2mqtt/{topic}", {"smoke": True}))
    return uid


def test_names_are_known_after_a_restart() -> None:
    first = zigbee2mqtt()
    notes = tell(first, hall=HALL).notes
    assert whose(first, "hall") == HALL
    second = zigbee2mqtt()
    second.remember(notes)
    assert whose(second, "hall") == HALL
    assert whose(zigbee2mqtt(), "hall") == "topic:zigbee2mqtt/hall"


def test_a_name_that_is_given_to_another_device_is_that_devices_from_then_on() -> None:
    profile = zigbee2mqtt()
    tell(profile, hall=HALL)
    assert whose(profile, "hall") == HALL
    tell(profile, hall=ATTIC, old=HALL)
    assert whose(profile, "hall") == ATTIC
    assert whose(profile, "old") == HALL


def test_the_list_says_what_the_devices_are() -> None:
    said = {(one.key, one.text) for one in tell(zigbee2mqtt(), hall=HALL).said if one.uid == HALL}
    assert said >= {("label", "hall"), ("vendor", "Acme"), ("model", "M-1")}


def test_what_is_behind_a_bridge_that_is_gone_is_gone_until_it_is_heard() -> None:
    profile = zigbee2mqtt()
    tell(profile, hall=HALL, attic=ATTIC)
    whose(profile, "hall")
    whose(profile, "attic")
    gone = online(profile, "bridge/state", {"state": "offline"})
    assert gone == {BRIDGE: (0.0, []), HALL: (0.0, ["stale"]), ATTIC: (0.0, ["stale"])}
    assert online(profile, "bridge/state", {"state": "online"}) == {BRIDGE: (1.0, [])}
    assert online(profile, "hall", {"smoke": False}) == {HALL: (1.0, [])}
    assert online(profile, "hall", {"smoke": False}) == {}
    assert online(profile, "attic/availability", "online") == {ATTIC: (1.0, [])}


def test_a_battery_device_that_is_unavailable_is_there_when_it_reports() -> None:
    profile = zigbee2mqtt()
    tell(profile, hall=HALL)
    assert online(profile, "hall/availability", {"state": "offline"}) == {HALL: (0.0, [])}
    found = heard(profile, ("zigbee2mqtt/hall", {"smoke": True}))
    assert {(metric, value) for _, _, metric, value, _ in found} == {
        ("smoke.alarm", 1.0),
        ("device.online", 1.0),
    }


def test_an_availability_that_is_taken_back_means_removed() -> None:
    profile = zigbee2mqtt()
    tell(profile, hall=HALL)
    decoded = decode(profile, ("zigbee2mqtt/hall/availability", b""))
    assert len(decoded.row) == 0
    assert [(one.uid, one.key, one.text) for one in decoded.asides.said] == [(HALL, "presence", "removed")]


def test_a_device_says_how_long_it_may_be_silent() -> None:
    said = decode(zigbee2mqtt(), ("zigbee2mqtt/0x00124b00aabbcc21", {"smoke": False})).asides.said
    assert ("max_silence", "90000") in {(one.key, one.text) for one in said if one.uid == HALL}


def test_what_is_no_devices_word_says_nothing_of_one() -> None:
    profile = zigbee2mqtt()
    for topic in ("bridge/logging", "hall/set", "0x00124b00aabbcc21/get"):
        assert decode(profile, (f"zigbee2mqtt/{topic}", {"smoke": True})).asides.said == ()
