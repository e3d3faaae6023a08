"""Names, times and units that are not as they should be: each says so, and costs no fire."""

from __future__ import annotations

from typing import Any

import pytest

from devices.model import Metric
from devices.profiles.compiling.whole_file import ProfileFault
from devices.profiles.profile import Reason
from tests.devices.profiles.describing import compiled, decode, described, heard, world
from tests.devices.profiles.listening import Registry, readings

FILE = """
name = "acme"
[[message]]
name = "all"
topics = ["acme/{id}"]
device = ["acme:{.serial}"]
time = [{ path = "at", format = "s" }, { path = "iso", format = "iso", tz = "UTC" }]
[message.values]
smoke = "smoke.alarm"
pct = { metric = "battery.pct", unit = "%" }
watts = { metric = "power.active", unit = "W" }
amps = { metric = "current", unit_path = "amps" }
volts = { metric = "voltage", unit_path = "u" }
plain = "frequency"
[[message.group]]
each = "rooms.{room}"
device = ["acme:{.serial}"]
time = [{ path = "t", format = "s" }]
values.v = { metric = "temperature", channel = "{room}" }
values.smoke = { metric = "smoke.alarm", channel = "{room}" }
"""
NOON = 1_767_268_800
LATER = 1_767_268_860


@pytest.mark.parametrize("bad", ["soon", 0, "", {"x": 1}, -5, 3, 10**30])
def test_a_time_that_is_none_leaves_it_to_the_next_path(bad: Any) -> None:
    said = {"serial": "1", "smoke": False, "at": bad, "iso": "2026-01-01T12:00:00"}
    assert decode(described(FILE), ("acme/x", said)).observed_us.tolist() == [NOON * 1_000_000]


def test_an_items_time_that_is_none_leaves_it_to_the_messages() -> None:
    said = {
        "serial": "1",
        "at": NOON,
        "rooms": {"hall": {"t": "never", "v": 20}, "bath": {"t": LATER, "v": 21}},
    }
    found = decode(described(FILE), ("acme/x", said)).observed_us.tolist()
    assert found == [NOON * 1_000_000, LATER * 1_000_000]


def test_times_of_which_none_is_one_are_flagged_as_before() -> None:
    decoded = decode(described(FILE), ("acme/x", {"serial": "1", "smoke": True, "at": "soon", "iso": "soon"}))
    assert decoded.observed_us.tolist() == [1]


def test_messages_read_by_form_fall_to_the_next_time_as_well() -> None:
    profile = described(FILE)
    said = [{"serial": "1", "smoke": False, "at": n, "iso": "2026-01-01T12:00:00"} for n in (NOON, 0, LATER)]
    for _ in range(60):
        found = decode(profile, *(("acme/x", one) for one in said)).observed_us.tolist()
        assert found == [NOON * 1_000_000, NOON * 1_000_000, LATER * 1_000_000]
    assert profile.fast is not None
    assert len(profile.fast) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ({"pct": "87 %"}, 87.0),
        ({"pct": "87%"}, 87.0),
        ({"watts": " 21.5 W "}, 21.5),
        ({"watts": "21.5w"}, 21.5),
        ({"amps": "250 mA"}, 0.25),
        ({"amps": "0.25A"}, 0.25),
        ({"volts": "230 V", "u": "V"}, 230.0),
        ({"volts": "0.23 kV"}, 0.23 * 1000),
        ({"volts": "0.23", "u": "kV"}, 230.0),
    ],
)
def test_a_unit_that_is_glued_to_a_number_is_read_where_the_profile_says_it(said: Any, value: float) -> None:
    [(*_, found, quality)] = heard(described(FILE), ("acme/x", {"serial": "1", **said}))
    assert found == pytest.approx(value)
    assert quality == []


@pytest.mark.parametrize(
    "said",
    [
        {"plain": "50 Hz"},
        {"watts": "1.2 kW"},
        {"pct": "87 percent of it"},
        {"amps": "5 V"},
        {"volts": "230 V", "u": "kV"},
        {"watts": "W 5"},
        {"watts": "5 5 W"},
    ],
)
def test_a_unit_that_the_profile_does_not_say_is_no_number(said: Any) -> None:
    [(*_, found, quality)] = heard(described(FILE), ("acme/x", {"serial": "1", **said}))
    assert (found, quality) == (None, ["type_mismatch"])


def test_a_long_channel_is_stored_apart_from_others_and_a_person_sees_it() -> None:
    profile, rooms = described(FILE), {"r" * 40 + one: {"v": 20} for one in "ab"}
    decoded = decode(profile, ("acme/x", {"serial": "1", "rooms": rooms}))
    [refused] = decoded.rejected
    assert (refused.reason, "has 41 characters, at most 32" in refused.detail) == (Reason.WRONG_TYPE, True)
    channels = [channel for _, channel, *_ in readings(decoded, world(profile))]
    assert len(set(channels)) == 2
    assert {len(one) for one in channels} == {32}
    edge = {"serial": "1", "rooms": {"r" * 32: {"v": 20}}}
    assert heard(profile, ("acme/x", edge))[0][1] == "r" * 32


def test_a_file_whose_channel_is_too_long_is_refused() -> None:
    with pytest.raises(ProfileFault, match="has 33 characters, at most 32"):
        compiled(
            FILE.replace('plain = "frequency"', f'plain = {{ metric = "frequency", channel = "{"c" * 33}" }}')
        )


@pytest.mark.parametrize("serial", ["a+b", "#", "x/#"])
def test_a_device_with_a_wildcard_in_its_name_is_refused_with_the_reason_and_its_fire_is_heard(
    serial: str,
) -> None:
    registry = Registry(unknown={"topic:acme/x"})
    decoded = decode(described(FILE), ("acme/x", {"serial": serial, "smoke": True}), registry=registry)
    [refused] = decoded.rejected
    assert (refused.reason, "wildcards of MQTT" in refused.detail) == (Reason.WRONG_TYPE, True)
    assert [(one.uid, one.metric, one.value) for one in decoded.strangers] == [
        ("topic:acme/x", Metric.SMOKE_ALARM, 1.0)
    ]


def test_an_item_with_a_wildcard_in_its_name_is_nobodys_but_for_its_fire() -> None:
    profile = described(FILE)
    said = {"serial": "1", "rooms": {"hall": {"serial": "h#", "v": 20, "smoke": True}}}
    decoded = decode(profile, ("acme/x", said))
    assert "acme:h#" in decoded.rejected[0].detail
    assert [one[:3] for one in readings(decoded, world(profile))] == [("acme:1", "hall", "smoke.alarm")]


GLUED = """
name = "glued"
[[message]]
name = "all"
topics = ["glued/{id}"]
values = { t = { metric = "temperature", unit_path = "" }, w = { metric = "power.active", unit_path = "" } }
"""


@pytest.mark.parametrize(
    ("said", "value", "quality"),
    [
        ({"t": "77F"}, 25.0, []),
        ({"t": "23.5 °C"}, 23.5, []),
        ({"w": "1.5kW"}, 1500.0, []),
        ({"w": 1500}, None, ["incomplete"]),
        ({"w": "1500"}, None, ["incomplete"]),
        ({"w": "23.5C"}, None, ["type_mismatch"]),
    ],
)
def test_an_empty_unit_path_is_the_unit_behind_the_number(
    said: Any, value: float | None, quality: list[str]
) -> None:
    profile = described(GLUED)
    for _ in range(20):  # also once such messages have a form
        [(*_, found, flags)] = heard(profile, ("glued/x", said))
        assert (found, flags) == (value if value is None else pytest.approx(value), quality)
