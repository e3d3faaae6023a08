"""A fire behind a key that stands twice, or inside an object or list, is heard and the message shown."""

from __future__ import annotations

import pytest

from devices.model import Quality
from devices.profiles.own.own_profile import OwnProfile
from devices.profiles.own.shapes import TICKS_BETWEEN, WORTH_A_SHAPE
from devices.profiles.profile import Decoded, Profile, Reason
from devices.profiles.repeated import RepeatedKeys
from tests.devices.profiles.listening import Registry
from tests.devices.profiles.shipping import zigbee2mqtt

OWN = "gengfu/d1/readings"
ZIGBEE = "zigbee2mqtt/0x00124B00AABBCC01"
USUAL = {
    OWN: b'{"values":{"smoke.alarm":false,"temperature":21.5}}',
    ZIGBEE: b'{"smoke":false,"battery":50}',
}


def new(topic: str) -> Profile:
    return OwnProfile() if topic == OWN else zigbee2mqtt()


def fires(decoded: Decoded) -> list[bool]:
    """Of the true readings, whether each is suspect."""
    told = zip(decoded.value.tolist(), decoded.quality.tolist(), strict=True)
    return [bool(quality & Quality.SUSPECT) for value, quality in told if value == 1.0]


@pytest.mark.parametrize("often", [0, 3 * WORTH_A_SHAPE])
@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (OWN, b'{"values":{"smoke.alarm":true,"smoke.alarm":false,"temperature":21.5}}'),
        (OWN, b'{"values":{"smoke.alarm":true},"values":{"smoke.alarm":false,"temperature":21.5}}'),
        (OWN, b'{"values":{"smoke.alarm":true},"values":{"temperature":3}}'),
        (OWN, b'{"values":{"smoke.alarm":{"value":true},"temperature":21.5}}'),
        (OWN, b'{"values":{"smoke.alarm":[1],"temperature":21.5}}'),
        (ZIGBEE, b'{"smoke":true,"smoke":false,"battery":50}'),
        (ZIGBEE, b'{"smoke" : "ON", "smoke" : false, "battery":50}'),
        (ZIGBEE, b'{"smoke":{"value":true},"battery":50}'),
        (ZIGBEE, b'{"smoke":[true],"battery":50}'),
    ],
)
def test_a_fire_that_is_hidden_is_heard_as_suspect_and_the_message_shown(
    topic: str, payload: bytes, often: int
) -> None:
    profile, registry = new(topic), Registry()
    for _ in range(often and TICKS_BETWEEN):
        profile.decode([topic] * often, [USUAL[topic]] * often, registry)
    beside = 2 if often else 0
    payloads = [USUAL[topic]] * beside + [payload]
    decoded = profile.decode([topic] * len(payloads), payloads, registry)
    assert fires(decoded) == [True]
    assert [(one.message, one.reason) for one in decoded.rejected] == [(beside, Reason.WRONG_TYPE)]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (OWN, b'{"values":{"smoke.alarm":false},"channels":{"a":{"smoke.alarm":false}}}'),
        (OWN, b'{"values":{"temperature":21},"note":"smoke.alarm","more":"\\"smoke.alarm\\":true"}'),
        (ZIGBEE, b'{"smoke":false,"note":"smoke","more":{"smoke":false}}'),
    ],
)
def test_a_key_that_stands_in_several_objects_or_in_a_text_hides_nothing(topic: str, payload: bytes) -> None:
    decoded = new(topic).decode([topic], [payload], Registry())
    assert fires(decoded) == []
    assert decoded.rejected == []


def test_false_flags_that_stand_twice_raise_nothing() -> None:
    decoded = new(OWN).decode([OWN], [b'{"values":{"gas.alarm":false,"gas.alarm":0}}'], Registry())
    assert fires(decoded) == []
    assert [one.reason for one in decoded.rejected] == [Reason.WRONG_TYPE]


def test_doubtful_is_what_has_a_key_more_often_than_is_usual() -> None:
    repeated = RepeatedKeys(["a", "b"])
    payloads = [b'{"a":1}', b'{"a":1,"a":2}', b"{}", b'{"b":1}']
    assert repeated.usual({"a": 1, "x": [{"a": 2}]}) == {"a": 2, "b": 0}
    assert repeated.doubtful(payloads, {"a": 1, "b": 0}) == [1, 3]
    assert repeated.hidden(payloads[1], {"a": 2}) == "a"
    assert repeated.hidden(payloads[0], {"a": 1}) == ""


def test_a_part_that_is_no_object_is_shown() -> None:
    payload = b'{"values":{"temperature":21},"channels":"{\\"l1\\":{\\"smoke.alarm\\":true}}"}'
    decoded = new(OWN).decode([OWN], [payload], Registry())
    assert fires(decoded) == [True]
    assert [one.reason for one in decoded.rejected] == [Reason.WRONG_TYPE]


@pytest.mark.parametrize("often", [0, 3 * WORTH_A_SHAPE])
@pytest.mark.parametrize(
    ("topic", "twice", "without"),
    [
        (
            OWN,
            b'{"values":{"smoke.alarm":true,"smoke.alarm":false,"temperature":21.5}}',
            b'{"values":{"humidity":80}}',
        ),
        (ZIGBEE, b'{"smoke":true,"smoke":false,"battery":50}', b'{"linkquality":80}'),
    ],
)
def test_a_neighbour_without_the_key_does_not_make_up_for_one_that_has_it_twice(
    topic: str, twice: bytes, without: bytes, often: int
) -> None:
    profile, registry, other = new(topic), Registry(), topic.replace("d1", "d2").replace("01", "02")
    for _ in range(often):
        profile.decode([topic, other], [USUAL[topic], USUAL[topic]], registry)
    for _ in range(TICKS_BETWEEN):
        profile.decode([], [], registry)
    for _ in range(3):
        profile.decode([topic, other], [USUAL[topic], USUAL[topic]], registry)
    decoded = profile.decode([topic, other], [twice, without], registry)
    assert fires(decoded) == [True]
    assert [one.reason for one in decoded.rejected] == [Reason.WRONG_TYPE]
