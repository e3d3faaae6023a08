"""What a LoRaWAN uplink says beside readings: its number, its gateway, its device's name and model."""

from __future__ import annotations

from typing import Any

import pytest

from tests.devices.profiles.describing import decode
from tests.devices.profiles.shipping import shipped

EUI = "AC1F09FFFE00F001"
UPLINKS: dict[str, tuple[str, dict[str, Any]]] = {
    "chirpstack": (
        f"application/a/device/{EUI}/event/up",
        {"deviceInfo": {"deviceName": "stair 2"}, "rxInfo": [{"gatewayId": "AC1F09FFFE00FF01", "rssi": -70}]},
    ),
    "the-things-stack": (
        "v3/a/devices/stair-2/up",
        {
            "end_device_ids": {"dev_eui": EUI, "device_id": "stair-2"},
            "uplink_message": {
                "rx_metadata": [{"gateway_ids": {"eui": "AC1F09FFFE00FF01"}, "rssi": -70}],
            },
        },
    ),
    "milesight": (
        "milesight/uplink",
        {"devEUI": EUI, "data": "", "rxInfo": [{"mac": "AC1F09FFFE00FF01", "rssi": -70}]},
    ),
}


@pytest.mark.parametrize("name", UPLINKS)
def test_a_frame_counter_that_is_left_out_is_0(name: str) -> None:
    topic, payload = UPLINKS[name]
    assert decode(shipped(name), (topic, payload)).seq.tolist() == [0]


@pytest.mark.parametrize("name", UPLINKS)
def test_an_uplink_names_its_gateway_as_the_parent_with_euis_in_lower_case(name: str) -> None:
    said = decode(shipped(name), UPLINKS[name]).asides.said
    parents = [(one.uid, one.text) for one in said if one.key == "parent"]
    assert parents == [("lorawan:ac1f09fffe00f001", "lorawan:ac1f09fffe00ff01")]


def test_a_frame_counter_is_the_messages_number() -> None:
    topic, payload = UPLINKS["chirpstack"]
    assert decode(shipped("chirpstack"), (topic, payload | {"fCnt": 12})).seq.tolist() == [12]


def test_a_vendors_object_says_the_model_and_how_long_it_may_be_silent() -> None:
    topic, payload = UPLINKS["chirpstack"]
    smoke = {"Device": "RA02A", "FireAlarm": "No Alarm"}
    said = decode(shipped("chirpstack"), (topic, payload | {"object": smoke})).asides.said
    found = {one.key: one.text for one in said}
    assert (found["vendor"], found["model"], found["label"]) == ("Netvox", "RA02A", "stair 2")
    assert found["max_silence"] == "9000"
