"""A message read by its source's shape means exactly what the general way makes of it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import Metric
from devices.profiles.own.own_profile import OwnProfile
from devices.profiles.own.shapes import SHAPES_MAX, TICKS_BETWEEN, WORTH_A_SHAPE
from devices.profiles.profile import Decoded, Reason
from tests.devices.profiles.listening import Registry, check_form, readings

METER: dict[str, Any] = {
    "at": 1_790_000_000_000,
    "seq": 7,
    "values": {"temperature.ambient": 21.5},
    "channels": {"l1": {"current": 3, "power.active": 700.25}, "n": {"current.residual": 0.004}},
}
BATTERY = Metric.BATTERY_PCT.name_on_wire
SMOKE: dict[str, Any] = {"seq": 1, "values": {"smoke.alarm": False, BATTERY: 88}}
STRANGE_NUMBERS = [0, -1, 1e300, 2**53 + 1, 2**63 - 1, 2**63, 2**70, -0.0, 10**400]
KEYS = [metric.name_on_wire for metric in Metric] + ["firmware", "", 'a"b', "电流", "x" * 300]


def packed(*payloads: Any) -> list[bytes]:
    return [one if isinstance(one, bytes) else json.dumps(one).encode() for one in payloads]


def topics(count: int, first: int = 0) -> list[str]:
    return [f"gengfu/d{first + n}/readings" for n in range(count)]


def taught(*forms: Any, registry: Registry | None = None, devices: int = 2 * WORTH_A_SHAPE) -> OwnProfile:
    """A profile that has heard each form from so many devices, the later ones by shape."""
    profile = OwnProfile()
    registry = registry or Registry()
    for n, form in enumerate(forms):
        for _ in range(3):
            profile.decode(topics(devices, n * devices), packed(form) * devices, registry)
        for _ in range(TICKS_BETWEEN):
            profile.decode([], [], registry)
        for _ in range(2):
            profile.decode(topics(devices, n * devices), packed(form) * devices, registry)
    return profile


def said(decoded: Decoded, registry: Registry) -> tuple[Any, ...]:
    """Everything a tick said, comparable."""
    return (
        readings(decoded, registry),
        decoded.observed_us.tolist(),
        decoded.message.tolist(),
        decoded.seq.tolist(),
        decoded.rejected,
        [(one.message, one.uid, one.channel, one.metric, one.observed_us) for one in decoded.strangers],
    )


def check_alike(profile: OwnProfile, names: list[str], payloads: list[bytes], registry: Registry) -> None:
    """What a profile that knows shapes says is what one says that knows nothing yet."""
    decoded = profile.decode(names, payloads, registry)
    check_form(decoded, len(names))
    assert said(decoded, registry) == said(OwnProfile().decode(names, payloads, registry), registry)


def test_a_device_that_says_the_same_things_is_read_by_its_shape() -> None:
    registry = Registry()
    profile = taught(METER, registry=registry)
    assert len(profile.shapes) == 1
    check_alike(profile, topics(5), packed(METER) * 5, registry)


@pytest.mark.parametrize(
    "changed",
    [
        METER | {"values": {"temperature.ambient": 21.5, "smoke.alarm": True}},
        METER | {"values": {"temperature.ambient": 21.5, "smoke.alarm": "on"}},
        METER | {"values": None},
        METER | {"values": {"temperature.ambient": None}},
        METER | {"values": {"temperature.ambient": "NaN"}},
        METER | {"values": [1]},
        METER | {"channels": METER["channels"] | {"l2": {"smoke.alarm": True}}},
        METER | {"channels": {"l1": {"current": 3, "power.active": 1}}},
        METER | {"channels": {"l1": 5}},
        METER | {"at": None},
        METER | {"at": -5},
        METER | {"at": 1_790_000_000_000.5},
        METER | {"at": 2**62},
        METER | {"seq": -1},
        METER | {"seq": 2**63},
        METER | {"firmware": {"deep": [1, 2]}},
        METER | {"channels": {"l1": None}},
        METER | {"channels": {"l1": {"current": 1}, "l2": None}},
        METER | {"values": {"temperature.ambient": 1, 'room "A"': 1}},
        METER | {"channels": {'l"1': {"smoke.alarm": True}}},
        METER | {"values": {"smoke.alarm": True, "back\\slash": 1, "tab\t": 2, "": 3}},
        b"",
        b'{"values":{"smoke.alarm":true,"temperature":NaN}}',
        b"\xff\xfe",
        b"\xef\xbb\xbf" + json.dumps(METER).encode() + b"\x00",
    ],
)
def test_a_message_that_differs_means_what_it_always_meant(changed: Any) -> None:
    registry = Registry()
    profile = taught(METER, registry=registry)
    check_alike(profile, topics(3), packed(METER, changed, METER), registry)
    check_alike(profile, topics(3), packed(METER, changed, METER), registry)  # also when it comes again


@pytest.mark.parametrize(
    "form",
    [
        {"seq": 1, "values": {"smoke.alarm": True}, "channels": {"l1": None}},
        {"seq": 1, "values": {"smoke.alarm": True, 'room "A"': 1}},
        {"seq": 1, "values": {"smoke.alarm": True, "a\\b": 1}},
        {"seq": 1, "values": {"smoke.alarm": True, "a\nb": 1, "\u200b": 2}},
        {"seq": 1, "values": {"smoke.alarm": True, "": 1}},
        {"seq": 1, "channels": {'"': {"smoke.alarm": True}}},
        {"seq": 1, "channels": {"": {"smoke.alarm": True}}},
        {"seq": 1, "values": {"smoke.alarm": True} | {f"k{n}": n for n in range(300)}},
        {"seq": 1, "channels": {f"c{n}": {"smoke.alarm": True} for n in range(60)}},
        {"seq": 1, "channels": {"l1": {"v0": 1, "current": 2, "smoke.alarm": True}, "c1": {"current": 1}}},
    ],
)
def test_no_form_costs_a_message_however_often_it_comes(form: dict[str, Any]) -> None:
    registry = Registry()
    profile = taught(form, registry=registry)
    for _ in range(2 * TICKS_BETWEEN):
        check_alike(profile, topics(4), packed(form, METER, form, form), registry)
    assert profile.shapes.declined == 0


def test_values_beyond_what_a_quantity_can_be_are_flagged_in_a_shape_too() -> None:
    registry = Registry()
    profile = taught(SMOKE, registry=registry)
    beyond = {"seq": 2, "values": {"smoke.alarm": True, BATTERY: 101}}
    decoded = profile.decode(topics(1), packed(beyond), registry)
    assert [one[2:] for one in readings(decoded, registry)] == [
        ("smoke.alarm", 1.0, []),
        (BATTERY, 101.0, ["out_of_range"]),
    ]
    check_alike(profile, topics(2), packed(SMOKE, beyond), registry)


def test_a_device_retired_since_is_a_stranger_and_its_fire_is_heard() -> None:
    registry = Registry()
    profile = taught(SMOKE, METER, registry=registry)
    registry.unknown.add("own:d0")
    fire = {"seq": 9, "values": {"smoke.alarm": True, BATTERY: 80}}
    decoded = profile.decode(topics(2), packed(fire, SMOKE), registry)
    assert [(one.message, one.reason) for one in decoded.rejected] == [(0, Reason.UNKNOWN_DEVICE)]
    assert [(one.uid, one.value) for one in decoded.strangers] == [("own:d0", 1.0)]
    check_alike(profile, topics(2), packed(fire, SMOKE), registry)


def test_devices_of_several_shapes_in_one_tick_keep_the_order_of_their_messages() -> None:
    registry = Registry()
    profile = taught(SMOKE, METER, registry=registry)
    devices = 2 * WORTH_A_SHAPE
    names = topics(2) + topics(2, devices) + topics(1, 9 * devices) + topics(1, 1)
    check_alike(profile, names, packed(SMOKE, SMOKE, METER, METER, METER, SMOKE), registry)


def test_a_device_with_new_firmware_is_read_by_its_new_shape_after_two_messages() -> None:
    registry = Registry()
    profile = taught(SMOKE, METER, registry=registry)
    source = int(profile.recall(topics(1))[0])
    for _ in range(3):
        check_alike(profile, topics(1), packed(METER), registry)
    source = int(profile.recall(topics(1))[0])
    found, rest = profile.shapes.take(np.array([source], np.int32), packed(METER))
    assert len(found) == 1
    assert list(rest) == []


def test_a_device_with_a_longer_report_now_and_then_is_read_by_shape_both_times() -> None:
    registry = Registry()
    longer = METER | {"values": METER["values"] | {"battery.pct": 90}}
    profile = taught(METER, longer, registry=registry)
    names, both = topics(1), [packed(METER)[0], packed(longer)[0]]
    for payload in both * 2:
        profile.decode(names, [payload], registry)
    for payload in both:
        _, rest = profile.shapes.take(profile._sources.recall(names), [payload])
        assert list(rest) == []
        check_alike(profile, names * 3, [*both, payload], registry)


def test_invented_forms_are_bounded() -> None:
    registry = Registry()
    profile = OwnProfile()
    for n in range(SHAPES_MAX + 40):
        form = {"values": {"current": 1, f"k{n}": 1}}
        for _ in range(TICKS_BETWEEN):
            profile.decode(topics(WORTH_A_SHAPE), packed(form) * WORTH_A_SHAPE, registry)
    assert len(profile.shapes) == SHAPES_MAX
    check_alike(profile, topics(4), packed(form, METER, form, {"values": {"current": 1, "k0": 2}}), registry)


numbers = st.one_of(st.integers(-5, 500), st.floats(allow_nan=False), st.sampled_from(STRANGE_NUMBERS))
values = st.one_of(numbers, st.booleans(), st.none(), st.sampled_from(["on", "x", [], {}]))
objects = st.dictionaries(st.sampled_from(KEYS), st.one_of(numbers, st.booleans(), values), max_size=5)
payloads = st.fixed_dictionaries(
    {},
    optional={
        "at": st.one_of(st.integers(0, 2**44), values),
        "seq": st.one_of(st.integers(0, 2**44), values),
        "values": st.one_of(objects, values),
        "channels": st.one_of(
            st.dictionaries(
                st.sampled_from(["l1", "n", "", "c" * 40, 'l"']), st.one_of(objects, values), max_size=3
            ),
            values,
        ),
        "firmware": values,
    },
)


@settings(max_examples=150, deadline=None)
@given(st.lists(payloads, min_size=1, max_size=4), st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_whatever_was_learnt_every_message_means_what_the_general_way_says(
    forms: list[dict[str, Any]], order: list[int]
) -> None:
    registry = Registry()
    profile = taught(*forms, registry=registry, devices=WORTH_A_SHAPE + 1)
    chosen = [forms[n % len(forms)] for n in order]
    check_alike(profile, topics(len(chosen)), packed(*chosen), registry)


def test_two_values_under_one_key_are_read_alike() -> None:
    registry = Registry()
    profile = taught(SMOKE, registry=registry)
    twice = b'{"seq":1,"values":{"smoke.alarm":true,"%s":5,"smoke.alarm":false}}' % BATTERY.encode()
    parts = b'{"seq":1,"values":{"smoke.alarm":true,"%s":5},"values":{"smoke.alarm":false,"%s":6}}'
    check_alike(profile, topics(2), [twice, parts % (BATTERY.encode(), BATTERY.encode())], registry)
