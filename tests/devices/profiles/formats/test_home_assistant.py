from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.formats.discovery_words import LONG
from devices.profiles.formats.format import Unreadable
from devices.profiles.formats.home_assistant import MOST, read_home_assistant
from devices.profiles.profile import Reason
from tests.devices.profiles.formats.surroundings import context

SMOKE = {
    "availability": [{"topic": "z/bridge/state"}, {"topic": "z/hall/availability"}],
    "device": {
        "identifiers": ["zigbee2mqtt_0x00158D00AABB0102"],
        "manufacturer": "Wachsam",
        "model": "Smoke head (WS-1)",
        "name": "hall",
    },
    "device_class": "smoke",
    "name": "hall smoke",
    "payload_off": False,
    "payload_on": True,
    "state_topic": "z/hall",
    "unique_id": "0x00158d00aabb0102_smoke",
    "value_template": "{{ value_json.smoke }}",
}


def proposals(config: Any, component: str = "sensor") -> list[dict[str, str]]:
    tree = read_home_assistant(json.dumps(config).encode(), context({"component": component}))
    found: list[dict[str, str]] = tree["proposals"]
    return found


def sensor(**config: Any) -> dict[str, str]:
    (one,) = proposals({"state_topic": "t", **config})
    return one


def test_a_smoke_detector_is_proposed_with_what_binds_it() -> None:
    assert proposals(SMOKE, "binary_sensor") == [
        {
            "uid": "zigbee:00158d00aabb0102",
            "topic": "z/hall",
            "path": "smoke",
            "metric": "smoke.alarm",
            "class": "smoke",
            "unit": "",
            "component": "binary_sensor",
            "on": "true",
            "off": "false",
            "vendor": "Wachsam",
            "model": "Smoke head (WS-1)",
            "label": "hall",
            "unique_id": "0x00158d00aabb0102_smoke",
            "availability": "z/bridge/state z/hall/availability",
        }
    ]


def test_short_forms_and_the_base_mean_the_same() -> None:
    short = {
        "~": "plug/kitchen",
        "stat_t": "~/state",
        "avty_t": "up/~",
        "val_tpl": "{{value_json['ENERGY']['Power']}}",
        "unit_of_meas": "W",
        "dev_cla": "power",
        "uniq_id": "k1",
        "dev": {"ids": "k1", "cns": [["mac", "A0:B1:C2:D3:E4:05"]], "mf": "Wachsam", "mdl": "P2", "sw": "1"},
    }
    (one,) = proposals(short)
    assert (one["uid"], one["topic"], one["path"]) == (
        "mac:a0b1c2d3e405",
        "plug/kitchen/state",
        "ENERGY.Power",
    )
    assert (one["metric"], one["availability"], one["model"]) == ("power.active", "up/plug/kitchen", "P2")


@pytest.mark.parametrize(("short", "long"), sorted(LONG.items()))
def test_a_long_form_is_never_a_short_one(short: str, long: str) -> None:
    assert long not in LONG
    assert len(short) < len(long)


def test_a_device_config_proposes_each_component() -> None:
    config = {
        "dev": {"ids": ["box 1"], "name": "Box"},
        "o": {"name": "maker"},
        "state_topic": "box/1",
        "cmps": {
            "a": {"p": "sensor", "dev_cla": "current", "unit_of_meas": "mA", "val_tpl": "{{ value_json.i }}"},
            "b": {"p": "binary_sensor", "dev_cla": "heat", "stat_t": "box/1/heat"},
            "c": {"p": "button", "cmd_t": "box/1/press"},
            "d": {"p": "sensor"},
            "e": 5,
        },
    }
    first, second, third = proposals(config, "device")
    assert (first["metric"], first["unit"], first["path"], first["topic"]) == ("current", "mA", "i", "box/1")
    assert (second["metric"], second["on"], second["off"], second["topic"]) == (
        "heat.alarm",
        "ON",
        "OFF",
        "box/1/heat",
    )
    assert (third["metric"], third["uid"], third["label"]) == ("", "topic:box/1", "Box")


@pytest.mark.parametrize(
    ("template", "path"),
    [
        (None, ""),
        ("", ""),
        ("{{ value }}", ""),
        ("{{ value | float(0) }}", ""),
        ("{{ value_json }}", ""),
        ("{{value_json.a.b}}", "a.b"),
        ('{{ value_json["smoke"] }}', "smoke"),
        ("{{ value_json['a.b'].c[0] }}", "`a.b`.c.0"),
        ("{{ value_json.power | round(2) | default(0) }}", "power"),
    ],
)
def test_a_template_that_names_a_place_is_that_place(template: str | None, path: str) -> None:
    one = sensor(value_template=template)
    assert one["path"] == path
    assert "note" not in one


@pytest.mark.parametrize(
    "template",
    [
        "{{ value_json.p / 10 }}",
        "{{ value_json.a if value_json.b else 0 }}",
        "{% if value_json.a %}ON{% endif %}",
        "{{ value_json['a`b'] }}",
        "{{ value_json[''] }}",
        "{{ value | multiply(2) }}",
        "{{ states('x') }}",
        "{{" * 5000,
        17,
    ],
)
def test_a_template_that_does_more_is_kept_and_not_understood(template: Any) -> None:
    one = sensor(value_template=template)
    assert one["path"] == ""
    assert one["note"]
    assert one["template"] == str(template)[:256]


@pytest.mark.parametrize(
    ("device_class", "unit", "metric"),
    [
        ("voltage", "V", "voltage"),
        ("voltage", "mV", "battery.v"),
        ("apparent_power", "VA", "power.apparent"),
        ("energy", "kWh", "energy.import"),
        ("energy", "m³", ""),
        ("frequency", "Hz", "frequency"),
        ("power_factor", "", "power.factor"),
        ("temperature", "°C", "temperature"),
        ("humidity", "%", "humidity"),
        ("battery", "%", "battery.pct"),
        ("signal_strength", "dBm", "link.rssi"),
        ("signal_strength", "%", ""),
        ("", "lqi", "link.lqi"),
        ("smoke", "", ""),
        ("gas", "m³", ""),
    ],
)
def test_a_sensors_metric_follows_from_class_and_unit(device_class: str, unit: str, metric: str) -> None:
    assert sensor(device_class=device_class, unit_of_measurement=unit)["metric"] == metric


@pytest.mark.parametrize(
    ("device_class", "metric"),
    [
        ("smoke", "smoke.alarm"),
        ("gas", "gas.alarm"),
        ("carbon_monoxide", "gas.alarm"),
        ("heat", "heat.alarm"),
        ("tamper", "device.tamper"),
        ("problem", "device.fault"),
        ("battery", "battery.low"),
        ("motion", ""),
    ],
)
def test_a_flags_metric_follows_from_its_class(device_class: str, metric: str) -> None:
    (one,) = proposals({"state_topic": "t", "device_class": device_class}, "binary_sensor")
    assert one["metric"] == metric


def test_a_switch_reports_in_its_own_words() -> None:
    (one,) = proposals({"stat_t": "t", "pl_on": "turn on", "stat_on": "1", "pl_off": "0"}, "switch")
    assert (one["metric"], one["on"], one["off"]) == ("switch", "1", "0")


def test_an_empty_payload_withdraws() -> None:
    assert read_home_assistant(b"", context()) == {"proposals": [], "withdrawn": True}


def test_what_reports_nothing_is_no_proposal() -> None:
    assert not proposals({"command_topic": "t"}, "switch")
    assert not proposals({"state_topic": "t"}, "light")
    assert not proposals({"state_topic": "t" * 2000})
    assert not proposals({"state_topic": 5})


def test_no_config_and_too_many_components_are_refused() -> None:
    for payload, reason in ((b"[]", Reason.WRONG_TYPE), (b"{", Reason.NOT_JSON)):
        with pytest.raises(Unreadable) as caught:
            read_home_assistant(payload, context())
        assert caught.value.reason is reason
    with pytest.raises(Unreadable) as caught:
        proposals({"cmps": {str(n): {"p": "sensor", "stat_t": "t"} for n in range(MOST + 1)}}, "device")
    assert caught.value.reason is Reason.TOO_LARGE


keys = st.sampled_from([*LONG, *LONG.values(), "~", "name", "device_class", "platform", "p"])
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.just("{{ value_json['x'] }}"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=12,
)


@given(
    st.dictionaries(keys, values) | values,
    st.sampled_from(["sensor", "binary_sensor", "switch", "device", ""]),
)
def test_any_config_is_read_or_refused(config: Any, component: str) -> None:
    try:
        found = proposals(config, component)
    except Unreadable as error:
        assert error.detail
        return
    for one in found:
        assert all(type(value) is str for value in one.values())
        assert one["topic"]
