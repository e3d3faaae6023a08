"""Home Assistant's discovery yields proposals and nothing else."""

from __future__ import annotations

from typing import Any, Final

from tests.devices.profiles.describing import decode
from tests.devices.profiles.shipping import shipped

TOPIC: Final = "homeassistant/binary_sensor/0x0015bc00310000d1/smoke/config"
SMOKE: Final = {
    "device": {"identifiers": ["zigbee2mqtt_0x0015bc00310000d1"], "manufacturer": "Acme", "model": "S1"},
    "device_class": "smoke",
    "payload_off": False,
    "payload_on": True,
    "state_topic": "zigbee2mqtt/stair 2",
    "value_template": "{{ value_json.smoke }}",
}


def test_a_config_proposes_what_could_be_bound() -> None:
    decoded = decode(shipped("home-assistant"), (TOPIC, SMOKE))
    (proposal,) = decoded.asides.proposals
    assert (proposal.uid, proposal.topic) == ("zigbee:0015bc00310000d1", "zigbee2mqtt/stair 2")
    expected = {"metric": "smoke.alarm", "path": "smoke", "on": "true", "off": "false", "vendor": "Acme"}
    assert expected.items() <= proposal.detail.items()
    assert len(decoded.row) == 0


def test_a_device_config_proposes_each_of_its_components() -> None:
    config: dict[str, Any] = {
        "dev": {"ids": "panel-4"},
        "cmps": {
            "v": {"p": "sensor", "dev_cla": "voltage", "unit_of_meas": "V", "stat_t": "panel/4/v"},
            "i": {"p": "sensor", "dev_cla": "current", "unit_of_meas": "A", "stat_t": "panel/4/i"},
            "lamp": {"p": "light", "stat_t": "panel/4/lamp"},
        },
    }
    decoded = decode(shipped("home-assistant"), ("homeassistant/device/panel-4/config", config))
    found = {one.topic: one.detail["metric"] for one in decoded.asides.proposals}
    assert found == {"panel/4/v": "voltage", "panel/4/i": "current"}


def test_a_withdrawn_config_proposes_nothing() -> None:
    decoded = decode(shipped("home-assistant"), (TOPIC, b""))
    assert (decoded.asides.proposals, decoded.rejected) == ((), [])
