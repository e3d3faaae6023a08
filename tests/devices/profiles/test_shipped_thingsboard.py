"""Whose a message of ThingsBoard's interfaces is: one device, one uid, whatever it is called."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.devices.profiles.describing import decode, heard
from tests.devices.profiles.listening import Registry, readings
from tests.devices.profiles.shipping import shipped

LIST = "v1/devices/me/telemetry"
LEVEL = st.sampled_from(["gw", "gw-1", "Sensor 1", "%2F", "烟"])
NAME = st.lists(st.one_of(LEVEL, st.just("")), min_size=1, max_size=3).map("/".join).filter(str.strip)
THINGSBOARD = shipped("thingsboard")


def uid_of(topic: str, payload: object) -> str:
    [(uid, *_)] = heard(THINGSBOARD, (topic, payload))
    return uid


@settings(deadline=None)
@given(st.lists(st.tuples(st.one_of(LEVEL, st.just("")), NAME), min_size=2, max_size=6, unique=True))
def test_devices_of_gateways_and_of_the_plain_topic_are_as_many_as_there_are(
    said: list[tuple[str, str]],
) -> None:
    found = {
        uid_of(f"{gateway}/v1/gateway/telemetry".removeprefix("/"), {name: [{"smoke": True}]})
        for gateway, name in said
    }
    clients = {gateway for gateway, _ in said} - {""}
    found |= {uid_of(f"{client}/v2/t", {"smoke": True}) for client in clients}
    assert len(found) == len(said) + len(clients)


def test_who_clears_by_a_name_that_reads_as_another_gateways_device_clears_only_its_own() -> None:
    fire = ("gw-1/v1/gateway/telemetry", {"Sensor 1": [{"smoke": True}]})
    clear = ("v1/gateway/telemetry", {"gw-1/Sensor 1": [{"smoke": False}]})
    assert [(uid, value) for uid, _, _, value, _ in heard(shipped("thingsboard"), fire, clear)] == [
        ("thingsboard:gw-1/Sensor 1", 1.0),
        ("thingsboard:/gw-1/Sensor 1", 0.0),
    ]


def test_devices_of_a_list_are_each_their_own_and_nobodys_children() -> None:
    said = [{"deviceName": "a", "smoke": False}, {"deviceName": "b", "smoke": True}]
    decoded = decode(shipped("thingsboard"), (LIST, said))
    assert [one.key for one in decoded.asides.said] == []
    assert decoded.value.tolist() == [0.0, 1.0]
    assert len(set(decoded.row.tolist())) == 2


def rescued(said: object) -> list[tuple[str, str, float | None]]:
    """What is heard of a message whose last sign is missing."""
    registry = Registry()
    payload = json.dumps(said)[:-1].encode()
    decoded = decode(shipped("thingsboard"), (LIST, payload), registry=registry)
    return [(uid, metric, value) for uid, _, metric, value, _ in readings(decoded, registry)]


def test_a_fire_in_a_list_that_is_cut_off_is_the_named_devices() -> None:
    said = [{"deviceName": "a", "smoke": False}, {"deviceName": "b", "smoke": True}]
    assert rescued(said) == [("thingsboard:/b", "smoke.alarm", 1.0)]


def test_a_fire_of_a_device_alone_that_is_cut_off_is_still_its_own() -> None:
    alone = {"deviceName": "a", "smoke": True}
    for said in (alone, [alone], {"ts": 1735732800000, "values": alone}):
        assert rescued(said) == [("thingsboard:/a", "smoke.alarm", 1.0)]
