"""Which flags of an ESPHome node are fires: those of a detector's battery, lid, test and radio are none."""

from __future__ import annotations

from itertools import product

import pytest

from devices.model import LIFE_FLAGS, Metric
from tests.devices.profiles.describing import decode
from tests.devices.profiles.shipping import shipped

FIRE = "smoke", "kitchen_smoke", "smoke_detector", "rauchmelder", "hall_fire_alarm", "gas_sensor", "co_alarm"
BATTERY = "battery", "low_battery", "battery_low", "lowbatt"
SIDES = {
    Metric.BATTERY_LOW: [
        *BATTERY,
        *(f"{one}_{said}" for one in BATTERY for said in ("state", "alarm", "warn")),
    ],
    Metric.DEVICE_TAMPER: ["tamper", "removed", "tamper_alarm", "tamper_state"],
    Metric.DEVICE_FAULT: ["fault", "problem", "trouble", "end_of_life", "fault_state", "error_alarm"],
    Metric.SMOKE_TEST: ["test", "self_test", "selftest", "test_state", "test_button"],
    Metric.SMOKE_MUTED: ["mute", "silenced", "mute_state", "hush_button"],
}
QUIET = "online", "offline", "battery_ok", "battery_normal", "signal_low", "rssi", "warmup"
PLACES = (
    "room",
    "battery_room",
    "test_stand",
    "tamper_room",
    "door",
    "2",
    "battery_2",
    "signal",
    "battery_hall",
)


def metrics(*names: str) -> list[set[int]]:
    """What ON means of each of some flags of a node."""
    profile = shipped("esphome")
    decoded = decode(profile, *((f"hall/binary_sensor/{name}/state", b"ON") for name in names))
    of = zip(decoded.message.tolist(), decoded.metric.tolist(), strict=True)
    found: list[set[int]] = [set() for _ in names]
    for message, metric in of:
        found[message].add(metric)
    return found


@pytest.mark.parametrize("side", SIDES, ids=lambda side: side.name)
def test_what_a_detector_says_of_itself_is_no_fire(side: Metric) -> None:
    names = [f"{fire}_{one}" for fire, one in product(FIRE, SIDES[side])]
    assert dict(zip(names, metrics(*names), strict=True)) == {name: {int(side)} for name in names}


def test_whose_battery_it_is_may_stand_between() -> None:
    names = [
        "smoke_2_battery",
        "smoke_detector_kitchen_battery",
        "hall_door_battery",
        "rauchmelder_bad_batterie",
    ]
    assert metrics(*names) == [{int(Metric.BATTERY_LOW)}] * len(names)


def test_what_tells_of_its_radio_or_that_all_is_well_is_nothing() -> None:
    names = [f"{fire}_{one}" for fire, one in product(FIRE, QUIET)]
    names += ["smoke_detector_charging", "smoke_battery_charging", "rauchmelder_led", "gas_sensor_open"]
    assert dict(zip(names, metrics(*names), strict=True)) == {name: set[int]() for name in names}


def test_no_place_takes_a_fire_back_wherever_it_stands() -> None:
    names = [f"{fire}_{place}" for fire, place in product(FIRE, PLACES)]
    names += [
        f"{place}_{fire}" for fire, place in product(FIRE, (*PLACES, *SIDES[Metric.BATTERY_LOW], *QUIET))
    ]
    quiet = [name for name, found in zip(names, metrics(*names), strict=True) if not found & LIFE_FLAGS]
    assert quiet == []


def test_a_battery_that_may_burn_itself_rings() -> None:
    names = [
        f"{fire}_{thing}_battery" for fire, thing in product(FIRE[:5], ("ebike", "ups", "storage", "ev"))
    ]
    names += [f"smoke_{at}" for at in ("ebike_charging", "car_charging", "garage_open", "open", "room_led")]
    names += ["rauchmelder_e_bike_batterie", "fire_alarm_ev_battery_alarm", "smoke_sensor_forklift_battery"]
    names += ["smoke_ebike_battery_charging", "fire_alarm_ebike_charging"]
    names += ["smoke_ebike_battery_state", "hall_smoke_ups_battery_alarm", "smoke_forklift_battery"]
    assert metrics(*names) == [{int(Metric.SMOKE_ALARM)}] * len(names)
