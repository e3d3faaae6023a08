from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.model import Metric
from devices.profiles.general.naming import UID_MAX
from devices.profiles.profile import Reason
from devices.profiles.shipped import shipped_files
from devices.profiles.values.times import NONSENSE_US
from tests.devices.profiles.listening import Registry, check_form, hear, short
from tests.devices.profiles.shipping import zigbee2mqtt

TOPIC = "zigbee2mqtt/0x00124B00AABBCC01"
UID = "zigbee:00124b00aabbcc01"


def values(state: dict[str, Any]) -> dict[str, float | None]:
    return short(hear(zigbee2mqtt(), TOPIC, state))


def test_a_smoke_detector_with_keys_we_do_not_know() -> None:
    state = {
        "smoke": True,
        "battery": 81.5,
        "battery_low": False,
        "linkquality": 61,
        "enrolled": True,
        "x": {},
    }
    assert values(state) == {"smoke.alarm": 1.0, "battery.pct": 81.5, "battery.low": 0.0, "link.lqi": 61.0}


def test_a_detector_with_test_mute_and_fault() -> None:
    state = {"test": True, "silence": False, "tamper": True, "fault_alarm": False, "smoke_concentration": 12}
    assert values(state) == {
        "smoke.test": 1.0,
        "smoke.muted": 0.0,
        "device.tamper": 1.0,
        "device.fault": 0.0,
        "smoke.density_ppm": 12.0,
    }


@pytest.mark.parametrize("bits", [True, 1, 4, 160])
def test_a_fault_bit_field_is_a_fault_when_any_bit_is_set(bits: int) -> None:
    assert values({"fault": bits}) == {"device.fault": 1.0}


def test_voltage_beside_a_battery_is_the_batterys_millivolts() -> None:
    assert values({"voltage": 3005, "battery": 97, "smoke": False})["battery.v"] == pytest.approx(3.005)
    assert values({"voltage": 2900, "smoke": False})["battery.v"] == pytest.approx(2.9)


def test_voltage_beside_mains_quantities_is_the_mains() -> None:
    state = {"current": 1.5, "energy": 0.25, "power": 330, "produced_energy": 0.5, "voltage": 231.5}
    assert values(state) == {
        "current": 1.5,
        "energy.import": 250.0,
        "power.active": 330.0,
        "energy.export": 500.0,
        "voltage": 231.5,
    }
    assert values({"voltage": 230.5}) == {"voltage": 230.5}


def test_a_two_clamp_meter_has_signed_power_and_a_factor_in_percent() -> None:
    state = {
        "current_a": 0.75,
        "current_b": 2.5,
        "energy_flow_a": "producing",
        "energy_flow_b": "consuming",
        "power_a": 100.5,
        "power_b": 500.25,
        "power_ab": 399.75,
        "power_factor_a": 50,
        "power_factor_b": 100,
        "energy_produced_a": 1.5,
        "energy_b": 2.5,
        "voltage": 233.5,
        "ac_frequency": 50,
    }
    assert values(state) == {
        "ch1/current": 0.75,
        "ch2/current": 2.5,
        "ch1/power.active": -100.5,
        "ch2/power.active": 500.25,
        "total/power.active": 399.75,
        "ch1/power.factor": 0.5,
        "ch2/power.factor": 1.0,
        "ch1/energy.export": 1500.0,
        "ch2/energy.import": 2500.0,
        "voltage": 233.5,
        "frequency": 50.0,
    }


def test_power_that_is_signed_already_is_not_turned_again() -> None:
    assert values({"power_a": -8.0, "energy_flow_a": "producing"}) == {"ch1/power.active": -8.0}


def test_a_three_phase_meter_names_its_phases_and_its_total() -> None:
    found = hear(
        zigbee2mqtt(),
        TOPIC,
        {
            "current": 5.5,
            "current_phase_b": 6554,
            "current_phase_c": 9,
            "voltage": 231,
            "voltage_phase_b": 232,
            "power": 3100,
            "energy": 12.5,
        },
    )
    by_place = {(channel, metric): (value, quality) for _, channel, metric, value, quality in found}
    assert by_place == {
        ("l1", "current"): (5.5, []),
        ("l2", "current"): (None, ["sentinel"]),
        ("l3", "current"): (9.0, []),
        ("l1", "voltage"): (231.0, []),
        ("l2", "voltage"): (232.0, []),
        ("total", "power.active"): (3100.0, []),
        ("total", "energy.import"): (12500.0, []),
    }


def test_a_meter_with_power_by_phase_has_no_total() -> None:
    assert values({"power": 10, "power_phase_b": 20, "power_phase_c": 30}) == {
        "l1/power.active": 10.0,
        "l2/power.active": 20.0,
        "l3/power.active": 30.0,
    }


def test_null_is_silence_for_a_battery_and_a_fault_for_the_rest() -> None:
    found = hear(
        zigbee2mqtt(),
        TOPIC,
        {"battery": None, "voltage": None, "battery_low": None, "smoke": None, "temperature": None},
    )
    assert [(metric, value, quality) for _, _, metric, value, quality in found] == [
        ("smoke.alarm", None, ["fault"]),
        ("temperature", None, ["fault"]),
    ]


def test_objects_and_flags_where_numbers_belong_are_mismatches_and_the_rest_stands() -> None:
    found = hear(
        zigbee2mqtt(),
        TOPIC,
        {"current_a": {"0": 1}, "power_factor_b": False, "current": 2, "test": "checking"},
    )
    assert {metric: quality for _, _, metric, _, quality in found if quality} == {
        "current": ["type_mismatch"],
        "power.factor": ["type_mismatch"],
        "smoke.test": ["type_mismatch"],
    }
    assert ("current", 2.0) in [(metric, value) for _, _, metric, value, _ in found]


@pytest.mark.parametrize(
    ("topic", "uid"),
    [
        (TOPIC, UID),
        ("zigbee2mqtt/二楼/走廊 烟感", "topic:zigbee2mqtt/二楼/走廊 烟感"),
        ("zigbee2mqtt/0x12", "topic:zigbee2mqtt/0x12"),
        ("zigbee2mqtt/set", "topic:zigbee2mqtt/set"),
        ("zigbee2mqtt/bridges", "topic:zigbee2mqtt/bridges"),
    ],
)
def test_a_device_is_its_address_or_else_its_topic(topic: str, uid: str) -> None:
    [(device, *_)] = hear(zigbee2mqtt(), topic, {"smoke": True})
    assert device == uid


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("zigbee2mqtt/bridge/logging", b"no json"),
        ("zigbee2mqtt/bridge", b"x"),
        ("zigbee2mqtt/bridge/state", b""),
        (TOPIC + "/availability", b""),
        (TOPIC + "/set", b'{"smoke":true}'),
        ("zigbee2mqtt/a/b/get", b'{"smoke":""}'),
        (TOPIC, b""),
    ],
)
def test_what_is_no_state_is_accepted_and_means_nothing(topic: str, payload: bytes) -> None:
    registry = Registry()
    assert hear(zigbee2mqtt(), topic, payload, registry) == []


@pytest.mark.parametrize(
    ("seen", "us"),
    [
        ("2026-05-19T08:20:31.250Z", 1779178831250000),
        ("2026-05-19T16:20:31.250+08:00", 1779178831250000),
        (1779178831250, 1779178831250000),
        ("2026-05-19T16:20:31", 1779178831000000),
        ("never", NONSENSE_US),
        ("0001-01-01T00:00:00+23:59", None),
        (True, NONSENSE_US),
        ([], NONSENSE_US),
        (None, 0),
    ],
)
def test_last_seen_is_the_time_where_it_is_one(seen: Any, us: int | None) -> None:
    payload = json.dumps({"smoke": True, "last_seen": seen}).encode()
    decoded = zigbee2mqtt().decode([TOPIC], [payload], Registry())
    [observed] = decoded.observed_us.tolist()
    assert observed == us or (us is None and observed < 10)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"online", Reason.NOT_JSON),
        (b'{"smoke":\xff}', Reason.NOT_JSON),
        (b'{"smoke":"\xff"}', Reason.NOT_UTF8),
        (b"true", Reason.NOTHING_KNOWN),
        (b'[{"smoke":true}]', Reason.NOTHING_KNOWN),
        (b'{"state":"ON","brightness":254}', Reason.NOTHING_KNOWN),
        (b'{"x":' * 100_000, Reason.TOO_LARGE),
    ],
)
def test_bad_input_is_refused_with_its_reason(payload: bytes, reason: Reason) -> None:
    [rejected] = zigbee2mqtt().decode([TOPIC], [payload], Registry()).rejected
    assert rejected.reason is reason


def test_a_foreign_topic_is_refused() -> None:
    profile = zigbee2mqtt()
    for topic in ("zigbee2mqtt", "other/x"):
        [rejected] = profile.decode([topic], [b'{"smoke":true}'], Registry()).rejected
        assert rejected.reason is Reason.UNKNOWN_TOPIC


def test_a_name_too_long_for_a_uid_still_alarms() -> None:
    [(first, *_, value, _)] = hear(zigbee2mqtt(), "zigbee2mqtt/" + "x" * 200 + "1", {"smoke": True})
    [(second, *_)] = hear(zigbee2mqtt(), "zigbee2mqtt/" + "x" * 200 + "2", {"smoke": True})
    assert value == 1.0
    assert first != second
    assert len(first) <= UID_MAX


def test_a_time_without_a_zone_is_the_sites_and_says_so() -> None:
    state = {"smoke": True, "last_seen": "2026-05-19T16:20:31"}
    assert hear(zigbee2mqtt(), TOPIC, state) == [(UID, "", "smoke.alarm", 1.0, ["tz_assumed"])]


def test_smoke_from_a_detector_nobody_registered_is_heard() -> None:
    decoded = zigbee2mqtt().decode([TOPIC], [b'{"smoke":true,"battery":5}'], Registry(unknown={UID}))
    assert len(decoded.row) == 0
    assert [(one.reason, one.detail) for one in decoded.rejected] == [(Reason.UNKNOWN_DEVICE, UID)]
    assert [(s.uid, s.metric, s.value) for s in decoded.strangers] == [(UID, Metric.SMOKE_ALARM, 1.0)]


STATE = shipped_files()["zigbee2mqtt"].message[-1]
KEYS = st.sampled_from([*STATE.values, "last_seen", "energy_flow_a", "energy_flow", "update"])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["producing", "2026-05-19T08:20:31.250Z", ""]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
PAYLOADS = st.binary(max_size=60) | st.builds(
    lambda state: json.dumps(state).encode(), JSON | st.dictionaries(KEYS, JSON, max_size=8)
)
TOPICS = st.sampled_from([TOPIC, "zigbee2mqtt/ghost", "zigbee2mqtt/a/set"]) | st.text(max_size=20).map(
    "zigbee2mqtt/{}".format
)


@given(messages=st.lists(st.tuples(TOPICS, PAYLOADS), max_size=5))
def test_any_bytes_on_any_topic_give_arrays_and_reasons_and_never_an_exception(
    messages: list[tuple[str, bytes]],
) -> None:
    registry = Registry(unknown={"topic:zigbee2mqtt/ghost"})
    decoded = zigbee2mqtt().decode([t for t, _ in messages], [p for _, p in messages], registry)
    check_form(decoded, len(messages))
