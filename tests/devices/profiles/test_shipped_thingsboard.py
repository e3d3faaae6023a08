"""Whose a message of ThingsBoard's interfaces is: one device, one uid, whatever it is called."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.devices.profiles.describing import decode, heard, world
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


SHAPES: dict[str, tuple[str, Callable[[list[tuple[str, bool]]], object]]] = {
    "gateway, names before lists": (
        "v1/gateway/telemetry",
        lambda said: {name: [{"ts": 1735689600000, "values": {"smoke": fire}}] for name, fire in said},
    ),
    "gateway, names before entries": (
        "gw-1/v1/gateway/telemetry",
        lambda said: {name: {"values": {"smoke": fire}} for name, fire in said},
    ),
    "gateway, empty names before entries": (
        "v1/gateway/telemetry",
        lambda said: {"": [{"values": {"deviceName": name, "smoke": fire}} for name, fire in said]},
    ),
}
"""How devices are listed; more of them below, by the word for a name and the place where it stands."""
WORDS = ("deviceName", "device_name", "deviceId", "device_id", "device", "name")
ENTRIES: dict[str, Callable[[str, str, bool], dict[str, object]]] = {
    "beside flat values": lambda word, name, fire: {word: name, "smoke": fire, "battery": 80},
    "beside values": lambda word, name, fire: {word: name, "values": {"smoke": fire, "battery": 80}},
    "among values": lambda word, name, fire: {"values": {word: name, "smoke": fire}, "ts": 1735732800000},
    "among values, the flag beside": lambda word, name, fire: {"values": {word: name}, "smoke": fire},
}
"""How an entry of a list names its device."""
UNNAMED: st.SearchStrategy[Any] = st.sampled_from(["", " ", None, "a+b", "a#b", "x" * 250, [], {}, "\n"])
"""What is no name."""


def entries_shape(word: str, entry: str) -> Callable[[list[tuple[str, bool]]], list[dict[str, object]]]:
    return lambda said: [ENTRIES[entry](word, name, fire) for name, fire in said]


for _word in WORDS:
    for _entry in ENTRIES:
        SHAPES[f"list, {_word} {_entry}"] = LIST, entries_shape(_word, _entry)
        SHAPES[f"gateway, list, {_word} {_entry}"] = "gw-1/v1/gateway/telemetry", entries_shape(_word, _entry)

NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="+#"), max_size=12)
    .filter(str.strip)
    .filter(str.isprintable),
    min_size=1,
    max_size=6,
    unique=True,
)


@settings(deadline=None, max_examples=20)
@given(names=NAMES, shape=st.sampled_from(sorted(SHAPES)), data=st.data())
def test_of_many_devices_in_a_message_the_one_that_burns_burns_alone(
    names: list[str], shape: str, data: st.DataObject
) -> None:
    burning = data.draw(st.integers(0, len(names) - 1))
    topic, said = SHAPES[shape]
    message = said([(name, n == burning) for n, name in enumerate(names)])
    prefix = "thingsboard:gw-1/" if topic.startswith("gw-1/") else "thingsboard:/"
    found = heard(THINGSBOARD, (topic, message))
    smoke = {(uid, value) for uid, _, metric, value, _ in found if metric == "smoke.alarm"}
    assert smoke == {(prefix + name, float(n == burning)) for n, name in enumerate(names)}
    assert all(not quality for *_, quality in found)


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_in_every_shape_the_one_that_burns_burns_alone(shape: str) -> None:
    topic, said = SHAPES[shape]
    prefix = "thingsboard:gw-1/" if topic.startswith("gw-1/") else "thingsboard:/"
    for burning in range(3):
        message = said([(name, n == burning) for n, name in enumerate("abc")])
        fires = [uid for uid, _, _, value, _ in heard(THINGSBOARD, (topic, message)) if value == 1.0]
        assert fires == [prefix + "abc"[burning]]


@settings(deadline=None, max_examples=50)
@given(
    names=NAMES,
    unnamed=UNNAMED,
    word=st.sampled_from(WORDS),
    entry=st.sampled_from(sorted(ENTRIES)),
    at=st.integers(0, 6),
    topic=st.sampled_from([LIST, "gw-1/v1/gateway/telemetry"]),
)
def test_a_fire_that_nobody_is_named_for_is_the_publishers_and_no_named_devices(
    names: list[str], unnamed: Any, word: str, entry: str, at: int, topic: str
) -> None:
    said: list[dict[str, object]] = [ENTRIES[entry](word, name, False) for name in names]
    said.insert(at, ENTRIES[entry](word, unnamed, True))
    found = readings(decode(THINGSBOARD, (topic, said)), world(THINGSBOARD))
    fires = [(uid, quality) for uid, _, _, value, quality in found if value == 1.0]
    assert fires == [("thingsboard:gw-1" if topic != LIST else f"topic:{LIST}", ["suspect"])]


@pytest.mark.parametrize("cut", [b"", b"]", b"}]"])
@pytest.mark.parametrize("entry", sorted(ENTRIES))
def test_a_fire_in_a_list_that_cannot_be_read_is_never_its_neighbours(entry: str, cut: bytes) -> None:
    for names in (["a", ""], ["", "a"], ["a", "b"], ["a", " ", "b"]):
        for burning in range(len(names)):
            said = [ENTRIES[entry]("name", name, n == burning) for n, name in enumerate(names)]
            payload = json.dumps(said).encode().removesuffix(cut) + (b"" if cut else b" x")
            registry = Registry()
            decoded = decode(shipped("thingsboard"), (LIST, payload), registry=registry)
            fires = [uid for uid, _, _, value, _ in readings(decoded, registry) if value == 1.0]
            name = names[burning]
            nobodys = f"topic:{LIST}"
            assert fires[:1] == [f"thingsboard:/{name}" if name.strip() else nobodys]
            assert set(fires[1:]) <= {nobodys}  # what stands behind the list's end may say anything


def test_a_fire_below_an_entry_that_no_mapping_reads_is_the_publishers() -> None:
    said = [{"deviceName": "a", "smoke": False}, {"deviceName": "b", "box": {"smoke": True}}]
    registry = Registry()
    decoded = decode(shipped("thingsboard"), (LIST, said), registry=registry)
    fires = [(uid, quality) for uid, _, _, value, quality in readings(decoded, registry) if value == 1.0]
    assert fires == [(f"topic:{LIST}", ["suspect"])]


def test_an_entry_that_names_several_things_is_one_device_whatever_stands_where() -> None:
    entry = {"deviceName": "a", "smoke": True, "values": {"deviceName": "b", "battery": 3}, "sn": "x"}
    found = heard(shipped("thingsboard"), (LIST, [entry, {"deviceName": "c", "smoke": False}]))
    assert [uid for uid, *_ in found] == ["thingsboard:/a", "thingsboard:/c", "thingsboard:/a"]
    for topic, said in ((LIST, [entry]), (LIST, entry)):
        assert {uid for uid, *_ in heard(shipped("thingsboard"), (topic, said))} == {"thingsboard:/a"}


def test_two_fires_in_a_list_that_cannot_be_read_are_two() -> None:
    said = b'[{"deviceName": "a", "smoke": true}, {"deviceName": "", "smoke": true, "battery": +}]'
    registry = Registry()
    decoded = decode(shipped("thingsboard"), (LIST, said), registry=registry)
    fires = [uid for uid, _, _, value, _ in readings(decoded, registry) if value == 1.0]
    assert fires == ["thingsboard:/a", f"topic:{LIST}"]
