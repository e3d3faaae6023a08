"""Who is there: explicit words, wills, what is heard through something else, and coming back."""

from __future__ import annotations

from typing import Any

import pytest

from devices.model import Metric
from devices.profiles.described import DescribedProfile
from devices.profiles.profile import Reason, Said
from tests.devices.profiles.describing import decode, described, octets, world
from tests.devices.profiles.listening import Registry, readings

MESH = """
name = "mesh"
max_silence = "25h"
[[message]]
name = "bridge"
topics = ["{base}/bridge/state"]
device = ["mesh:{base}"]
time = [{ path = "at", format = "s" }]
presence = { path = "state", online = ["online"], offline = ["offline"], children = true }
[[message]]
name = "availability"
topics = ["{base}/{name}/availability"]
device = ["mesh:{base}-{name}"]
parent = "mesh:{base}"
where = { state = true }
presence = { path = "state", online = ["online"], offline = ["offline"] }
[[message]]
name = "availability in a word"
topics = ["{base}/{name}/availability"]
device = ["mesh:{base}-{name}"]
parent = "mesh:{base}"
presence = { online = ["online", true], offline = ["offline", false] }
[[message]]
name = "sleeper"
topics = ["{base}/{name}/LWT"]
format = "text"
device = ["mesh:{base}-{name}"]
presence = { online = ["online"], offline = ["offline"], sleepy = true }
[[message]]
name = "birth"
topics = ["{base}/{name}/birth"]
device = ["mesh:{base}-{name}"]
presence = { always = "online" }
values = { t = "temperature" }
[[message]]
name = "state"
topics = ["{base}/{name}"]
device = ["mesh:{base}-{name}"]
parent = "mesh:{base}"
values = { t = "temperature", smoke = "smoke.alarm" }
"""
Line = tuple[str, float | None, list[str]]
A, B = "mesh:m-a", "mesh:m-b"
OFFLINE = {"state": "offline"}


def presences(profile: DescribedProfile, *messages: tuple[str, Any]) -> list[Line]:
    decoded = decode(profile, *messages)
    assert decoded.rejected == []
    found = readings(decoded, world(profile))
    name = Metric.DEVICE_ONLINE.name_on_wire
    return [(uid, value, quality) for uid, channel, metric, value, quality in found if metric == name]


@pytest.mark.parametrize(
    ("topic", "payload", "online"),
    [
        ("m/a/availability", {"state": "Online "}, 1.0),
        ("m/a/availability", OFFLINE, 0.0),
        ("m/a/availability", b"online", 1.0),
        ("m/a/availability", b'"offline"', 0.0),
        ("m/a/availability", b"true", 1.0),
        ("m/a/availability", b"false", 0.0),
        ("m/a/LWT", b"Online", 1.0),
    ],
)
def test_presence_is_a_reading(topic: str, payload: Any, online: float) -> None:
    assert presences(described(MESH), (topic, payload)) == [(A, online, [])]


def test_a_sleepers_goodbye_means_nothing() -> None:
    assert presences(described(MESH), ("m/a/LWT", b"Offline")) == []


def test_another_word_is_refused() -> None:
    decoded = decode(described(MESH), ("m/a/LWT", b"perhaps"), ("m/a/availability", {"state": "perhaps"}))
    assert [one.reason for one in decoded.rejected] == [Reason.NOTHING_KNOWN] * 2
    assert "perhaps" in decoded.rejected[0].detail


def test_presence_has_the_time_of_its_message() -> None:
    decoded = decode(described(MESH), ("m/bridge/state", {"state": "online", "at": 1_763_755_200}))
    assert decoded.observed_us.tolist() == [1_763_755_200_000_000]


def test_a_message_can_be_presence_and_readings_at_once() -> None:
    decoded = decode(described(MESH), ("m/a/birth", {"t": 20}))
    assert decoded.metric.tolist() == [Metric.TEMPERATURE, Metric.DEVICE_ONLINE]


def test_the_end_of_a_retained_availability_says_that_the_device_is_removed() -> None:
    decoded = decode(described(MESH), ("m/a/availability", b""))
    assert decoded.rejected == []
    assert Said(A, "presence", "removed") in decoded.asides.said


def test_with_the_bridge_all_that_are_heard_through_it_are_absent_once() -> None:
    profile = described(MESH)
    decode(profile, ("m/a", {"t": 1}), ("m/b", {"t": 1}), ("other/c", {"t": 1}))
    gone = [("mesh:m", 0.0, []), (A, 0.0, ["stale"]), (B, 0.0, ["stale"])]
    assert presences(profile, ("m/bridge/state", OFFLINE)) == gone
    assert presences(profile, ("m/bridge/state", OFFLINE)) == gone[:1]


def test_what_was_absent_is_there_when_it_is_heard_again() -> None:
    profile = described(MESH)
    decode(profile, ("m/a", {"t": 1}), ("m/b", {"t": 1}))
    found = presences(
        profile, ("m/bridge/state", OFFLINE), ("m/bridge/state", {"state": "online"}), ("m/a", {"t": 2})
    )
    assert found[3:] == [("mesh:m", 1.0, []), (A, 1.0, [])]
    assert presences(profile, ("m/a", {"t": 3}), ("m/b", {"t": 3})) == [(B, 1.0, [])]
    assert presences(profile, ("m/a", {"t": 3}), ("m/b", {"t": 3})) == []


def test_one_that_said_goodbye_itself_is_back_when_it_is_heard() -> None:
    profile = described(MESH)
    assert presences(profile, ("m/a/availability", OFFLINE), ("m/a", {"t": 3})) == [
        (A, 0.0, []),
        (A, 1.0, []),
    ]


def test_a_birth_of_one_who_was_absent_is_said_once() -> None:
    profile = described(MESH)
    decode(profile, ("m/a/availability", OFFLINE))
    assert presences(profile, ("m/a/birth", {"t": 3})) == [(A, 1.0, [])]


def test_absence_and_family_survive_a_restart() -> None:
    profile = described(MESH)
    notes = decode(profile, ("m/a", {"t": 1}), ("m/b/availability", OFFLINE)).asides.notes
    again = described(MESH)
    again.remember(notes)
    assert presences(again, ("m/bridge/state", OFFLINE)) == [("mesh:m", 0.0, []), (A, 0.0, ["stale"])]
    assert presences(again, ("m/b", {"t": 1})) == [(B, 1.0, [])]


def test_presence_of_what_nobody_registered_is_quiet_and_leaves_no_note() -> None:
    profile = described(MESH)
    registry = Registry(unknown={"mesh:m", A})
    decoded = decode(profile, ("m/bridge/state", OFFLINE), ("m/a/availability", OFFLINE), registry=registry)
    assert decoded.rejected == []
    assert readings(decoded, registry) == []
    assert decoded.asides.notes == ()


def test_what_is_heard_through_a_gateway_is_absent_with_it_also_where_nobody_registered_the_gateway() -> None:
    profile = described(MESH)
    registry = Registry(unknown={"mesh:m"})
    decode(profile, ("m/b", {"t": 1}), registry=registry)
    decoded = decode(profile, ("m/bridge/state", OFFLINE), registry=registry)
    assert readings(decoded, registry) == [(B, "", "device.online", 0.0, ["stale"])]
    back = decode(profile, ("m/b", {"t": 2}), registry=registry)
    assert (B, "", "device.online", 1.0, []) in readings(back, registry)


def test_a_child_says_who_its_parent_is_and_how_long_it_may_be_silent_once() -> None:
    profile = described(MESH)
    said = decode(profile, ("m/a", {"t": 1})).asides.said
    assert set(said) == {Said(A, "parent", "mesh:m"), Said(A, "max_silence", "90000")}
    assert decode(profile, ("m/a", {"t": 1})).asides.said == ()


def test_devices_below_a_message_are_absent_with_it() -> None:
    text = """
name = "gate"
[[message]]
name = "up"
topics = ["gate/{gate}"]
device = ["gate:{gate}"]
[[message.group]]
each = "{name}"
device = ["gate:{gate}-{name}"]
values = { t = "temperature" }
[[message]]
name = "will"
topics = ["gate/{gate}/will"]
device = ["gate:{gate}"]
presence = { always = "offline", children = true }
"""
    profile = described(text)
    decode(profile, ("gate/1", {"x": {"t": 1}}))
    assert presences(profile, ("gate/1/will", {})) == [("gate:1", 0.0, []), ("gate:1-x", 0.0, ["stale"])]


def kept(profile: DescribedProfile, retained: bool, *messages: tuple[str, Any]) -> list[float]:
    """What a tick says of who is there, where the broker had kept its messages or not."""
    topics, payloads = [topic for topic, _ in messages], [octets(payload) for _, payload in messages]
    decoded = profile.decode(topics, payloads, world(profile), retained=[retained] * len(topics))
    assert decoded.rejected == []
    online: list[float] = decoded.value[decoded.metric == Metric.DEVICE_ONLINE].tolist()
    return online


def test_what_the_broker_kept_brings_nobody_back() -> None:
    profile = described(MESH)
    will, state = ("m/a/availability", OFFLINE), ("m/a", {"t": 20})
    assert kept(profile, True, will, state) == [0.0]
    assert kept(profile, True, state) == []
    assert kept(profile, False, state) == [1.0]


def test_what_the_broker_kept_brings_nobody_back_the_fast_way_either() -> None:
    profile = described(MESH)
    states = [("m/a", {"t": 20.5})] * 100
    for _ in range(20):
        assert kept(profile, False, *states) == []
    assert kept(profile, True, *states, ("m/a/availability", OFFLINE), *states) == [0.0]
    assert kept(profile, True, *states) == []
    assert kept(profile, False, *states) == [1.0]


def test_a_kept_word_of_presence_is_the_last_one_said() -> None:
    profile = described(MESH)
    kept(profile, False, ("m/a/availability", OFFLINE))
    assert kept(profile, True, ("m/a/availability", b"online")) == [1.0]
