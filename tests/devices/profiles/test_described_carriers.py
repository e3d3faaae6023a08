"""Messages of described profiles that speak for others: gateways with devices, and vendors' objects."""

from __future__ import annotations

import pytest

from devices.profiles.profile import Reason, Said
from tests.devices.profiles.describing import compiled, decode, described, heard, values
from tests.devices.profiles.listening import Registry, readings
from tests.devices.profiles.made_up import CARRIER, GATEWAY, VENDOR


def test_devices_below_a_message_speak_for_themselves() -> None:
    registry = Registry(unknown={"gate:1-b"})
    said = {"of": {"a": [{"t": 20, "ts": 1_763_755_200}, {"t": 21}], "b": [{"t": 30, "smoke": True}]}}
    decoded = decode(described(GATEWAY), ("gate/1/up", said), registry=registry)
    assert [found[0:4:3] for found in readings(decoded, registry)] == [("gate:1-a", 20.0), ("gate:1-a", 21.0)]
    assert decoded.observed_us.tolist() == [1_763_755_200_000_000, 0]
    assert [one.detail for one in decoded.rejected] == ["gate:1-b"]
    assert [(one.uid, one.value) for one in decoded.strangers] == [("gate:1-b", 1.0)]


def test_a_message_can_be_history_or_a_replay() -> None:
    profile = described(GATEWAY)
    item = {"of": {"a": [{"t": 1}]}}
    assert heard(profile, ("gate/1/up", item | {"old": True}))[0][4] == ["backfill"]
    assert heard(profile, ("gate/1/up", item | {"cached": None}))[0][4] == ["replayed"]


def test_a_vendors_object_is_read_inside_its_carrier() -> None:
    profile = described(CARRIER, compiled(VENDOR).objects)
    decoded = decode(profile, ("lora/0A-0b/up", {"rssi": -50, "object": {"fire": "Yes"}}))
    assert decoded.value.tolist() == [-50.0, 1.0]
    assert decoded.asides.said == (
        Said("lorawan:0a0b", "vendor", "Acme"),
        Said("lorawan:0a0b", "max_silence", "90000"),
    )
    assert [column.number for column in profile.carrying.columns] == [0, 1]
    for unknown in ({"rssi": -50}, {"rssi": -50, "object": {}}, {"rssi": -50, "object": None}):
        assert values(profile, ("lora/0A-0b/up", unknown)) == {"link.rssi": -50.0}


@pytest.mark.parametrize(
    ("carried", "fire"),
    [({"other": 1}, []), ({"deep": {"fire": "Yes"}}, ["suspect"]), ({"fires": "Yes"}, [])],
)
def test_an_object_nobody_knows_is_refused_beside_the_radios_readings_and_searched_for_a_fire(
    carried: dict[str, object], fire: list[str]
) -> None:
    profile, registry = described(CARRIER, compiled(VENDOR).objects), Registry()
    decoded = decode(profile, *[("lora/0A/up", {"rssi": -50, "object": carried})] * 3, registry=registry)
    flag = [("lorawan:0a", "", "smoke.alarm", 1.0, fire)] if fire else []
    assert readings(decoded, registry) == [("lorawan:0a", "", "link.rssi", -50.0, []), *flag] * 3
    assert [(one.message, one.reason) for one in decoded.rejected] == [
        (n, Reason.NOTHING_KNOWN) for n in range(3)
    ]


def test_a_fire_inside_a_vendors_object_is_rescued() -> None:
    profile = described(CARRIER, compiled(VENDOR).objects)
    registry = Registry()
    decoded = decode(profile, ("lora/0A/up", b'{"rssi":-50,"object":{"fire":"yes"},'), registry=registry)
    assert readings(decoded, registry) == [("lorawan:0a", "", "smoke.alarm", 1.0, ["suspect"])]


def test_a_fire_that_two_vendors_would_know_is_rescued_once() -> None:
    objects = compiled(VENDOR).objects
    registry = Registry()
    decoded = decode(
        described(CARRIER, objects + objects), ("lora/0A/up", b'{"fire":"yes"'), registry=registry
    )
    assert len(readings(decoded, registry)) == 1


def test_an_object_alone_is_read_where_its_profile_is_named() -> None:
    profile = described(VENDOR)
    assert not profile.matches("bench/1")
    assert heard(profile.at_any_topic(), ("bench/1", {"fire": "no"})) == [
        ("topic:bench/1", "", "smoke.alarm", 0.0, [])
    ]
