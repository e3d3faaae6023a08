from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.model import LIFE_FLAGS, Metric, Quality
from devices.profiles.own.own_profile import OwnProfile
from devices.profiles.profile import Profile, Reason
from devices.profiles.rescue import Rescue, unpadded
from tests.devices.profiles.listening import Registry, check_form, hear, hear_refused, readings, short
from tests.devices.profiles.shipping import zigbee2mqtt

OWN = "gengfu/d1/readings"
ZIGBEE = "zigbee2mqtt/0x00124B00AABBCC01"
WORDS_OF_AN_ALARM = [
    *(
        "true",
        "ON",
        "1",
        "yes",
        "Active",
        "triggered",
        "detected",
        "smoke detected",
        "fire detected",
        "alarm",
    ),
    *("ALARMING", "alarmed", "alert", "fire", "fire alarm", "smoke", "smoke alarm"),
    *("报警", "告警", "火警", "火灾", "着火", "有烟", "烟雾报警"),
]
SMOKE = [("own:d1", "", "smoke.alarm", 1.0, ["suspect"])]
LIFE = Rescue(flag.name_on_wire for flag in LIFE_FLAGS)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"values":{"smoke.alarm":true,"temperature":NaN}}', Reason.NOT_JSON),
        (b'{"at":5,"values":{"temperature":NaN,"smoke.alarm":true}}', Reason.NOT_JSON),
        (b'{"values":{"smoke.alarm":true,"temperature":1e999}}', Reason.WRONG_TYPE),
        (b'{"values":{"smoke.alarm":1e999}}', Reason.WRONG_TYPE),
        (b'{"values":{"smoke.alarm":true,"x":"\xff"}}', Reason.NOT_UTF8),
        (b'{"values":{"smoke.alarm":true},"x":' + b"[" * 100_000, Reason.NOT_JSON),
        (b'{"x":' + b"[" * 5000 + b"]" * 5000 + b',"values":{"smoke.alarm":true}}', Reason.NOT_JSON),
        (b'{"values":{"smoke.alarm":true', Reason.NOT_JSON),
        (b'{"values":{"smoke.alarm":"ON', Reason.NOT_JSON),
        (b'{"values":{"temperature":21"smoke.alarm" : 1}}', Reason.NOT_JSON),
        (b'{"values":{"smoke.alarm":true}} x', Reason.NOT_JSON),
        (b"{'values': {'smoke.alarm': True}}", Reason.NOT_JSON),
        (b"{values:{smoke.alarm:on}}", Reason.NOT_JSON),
        (b'[{"values":{"smoke.alarm":true}}]', Reason.WRONG_TYPE),
        (b'"{\\"values\\":{\\"smoke.alarm\\":true}}"', Reason.WRONG_TYPE),
        (b'{"values":"{\\"smoke.alarm\\":\\"alarm\\"}"}', Reason.WRONG_TYPE),
        (b'{"values":[{"smoke.alarm":true}]}', Reason.WRONG_TYPE),
        (b'{"channels":[{"smoke.alarm":true}]}', Reason.WRONG_TYPE),
        (b'{"smoke.alarm":true}', Reason.NOTHING_KNOWN),
    ],
)
def test_a_true_flag_in_a_message_that_cannot_be_read_is_heard_and_the_message_is_refused(
    payload: bytes, reason: Reason
) -> None:
    registry = Registry()
    decoded = OwnProfile().decode([OWN], [payload], registry)
    assert readings(decoded, registry) == SMOKE
    assert decoded.observed_us.tolist() == [0]
    assert [(one.message, one.reason) for one in decoded.rejected] == [(0, reason)]
    check_form(decoded, 1)


def test_a_flag_among_too_many_channels_is_heard() -> None:
    channels = {f"c{n}": {"current": 1, "smoke.alarm": n == 40} for n in range(65)}
    registry = Registry()
    decoded = OwnProfile().decode([OWN], [json.dumps({"channels": channels}).encode()], registry)
    assert readings(decoded, registry) == SMOKE
    assert [one.reason for one in decoded.rejected] == [Reason.WRONG_TYPE]


def test_a_flag_in_a_part_that_is_passed_over_is_heard_beside_the_other_part() -> None:
    payload = b'{"values":{"smoke.alarm":false},"channels":[{"smoke.alarm":true}]}'
    assert hear_refused(OwnProfile(), OWN, payload) == [("own:d1", "", "smoke.alarm", 0.0, []), *SMOKE]
    payload = b'{"values":{"smoke.alarm":true},"channels":{"l1":7}}'
    assert hear_refused(OwnProfile(), OWN, payload) == [("own:d1", "", "smoke.alarm", 1.0, [])]


@pytest.mark.parametrize("tail", [b"\x00", b"\x00\x00", b"\r\n\x00 ", b" \n"])
@pytest.mark.parametrize("head", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_and_nuls_at_the_end_cost_nothing(head: bytes, tail: bytes) -> None:
    state = b'{"values":{"smoke.alarm":true,"current":2}}'
    assert short(hear(OwnProfile(), OWN, head + state + tail)) == {"smoke.alarm": 1.0, "current": 2.0}
    assert short(hear(zigbee2mqtt(), ZIGBEE, head + b'{"smoke":false}' + tail)) == {"smoke.alarm": 0.0}


@pytest.mark.parametrize(
    ("payload", "metric"),
    [
        (b'{"smoke":true,"temperature":Nan}', "smoke.alarm"),
        (b'{"temperature":1e999,"gas":1}', "gas.alarm"),
        (b'{"battery":50,"smoke":"true","x":', "smoke.alarm"),
        (b'[{"smoke":true}]', "smoke.alarm"),
        (b'{"smoke":{"alarm":true},"x":', "smoke.alarm"),
        (b'{"smoke":[{"alarm":1}],"x":', "smoke.alarm"),
        ('{"smoke":"火警","x":'.encode(), "smoke.alarm"),
        (b'{"smoke":"\\u62a5\\u8b66","x":', "smoke.alarm"),
    ],
)
def test_a_vendors_own_key_is_looked_for(payload: bytes, metric: str) -> None:
    registry = Registry()
    decoded = zigbee2mqtt().decode([ZIGBEE], [payload], registry)
    assert readings(decoded, registry) == [("zigbee:00124b00aabbcc01", "", metric, 1.0, ["suspect"])]
    assert len(decoded.rejected) == 1


@pytest.mark.parametrize("said", ["true", "ON", "alarm", "1", 3])
def test_a_vendors_flag_is_true_in_every_spelling(said: Any) -> None:
    assert short(hear(zigbee2mqtt(), ZIGBEE, {"smoke": said})) == {"smoke.alarm": 1.0}


@pytest.mark.parametrize(
    ("profile", "topic", "payload"),
    [
        (OwnProfile(), OWN, b'{"values":{"smoke.alarm":true,"temperature":NaN}}'),
        (zigbee2mqtt(), ZIGBEE, b'{"smoke":true,"temperature":Nan}'),
    ],
)
def test_a_stranger_in_alarm_is_heard_and_refused_once(profile: Profile, topic: str, payload: bytes) -> None:
    uid = "own:d1" if topic == OWN else "zigbee:00124b00aabbcc01"
    decoded = profile.decode([topic], [payload], Registry(unknown={uid}))
    assert [(one.message, one.reason) for one in decoded.rejected] == [(0, Reason.NOT_JSON)]
    [heard] = decoded.strangers
    assert (heard.uid, heard.metric, heard.value, heard.observed_us, heard.quality, heard.message) == (
        uid,
        Metric.SMOKE_ALARM,
        1.0,
        0,
        Quality.SUSPECT,
        0,
    )


def test_messages_around_a_rescued_one_stay_as_they_are_and_in_order() -> None:
    good, broken = b'{"values":{"current":1}}', b'{"values":{"heat.alarm":true'
    registry = Registry()
    decoded = OwnProfile().decode([OWN] * 3, [good, broken, good], registry)
    assert decoded.message.tolist() == [0, 1, 2]
    assert decoded.quality.tolist() == [0, Quality.SUSPECT, 0]
    assert [one.message for one in decoded.rejected] == [1]


@pytest.mark.parametrize(
    "text",
    [
        b'"smoke.alarm":false', b'"smoke.alarm":0', b'"smoke.alarm":0.0', b'"smoke.alarm":-0e5',
        b'"smoke.alarm":1e-999', b'"smoke.alarm":"off"', b'"smoke.alarm":"0"', b'"smoke.alarm":"normal"',
        b'"smoke.alarm":null', b'"smoke.alarm":NaN', b'"smoke.alarm":tru', b'"smoke.alarm":trueish',
        b'"smoke.alarm":"only"', b'"smoke.alarm":"10"', b'"smoke.alarm"', b'"smoke.alarm":',
        b'"smoke.alarm":"alarm clear"', b'"smoke.alarm",true', b'"no smoke.alarm":true',
        b'"xsmoke.alarm":true', b'x.smoke.alarm:true', b'"smoke.alarm.x":true', b'"smokexalarm":true',
        b'"smoke.test":true',
    ],
)  # fmt: skip
def test_what_is_not_said_to_be_true_is_not_rescued(text: bytes) -> None:
    assert LIFE.true_flags(b"{" + text) == {}


def test_each_key_is_found_once_and_one_true_value_is_enough() -> None:
    text = b'"gas.alarm":1,"smoke.alarm":false,"smoke.alarm":true,"gas.alarm":true,"smoke.alarm":false'
    assert LIFE.true_flags(text) == {"gas.alarm": True, "smoke.alarm": True}


@pytest.mark.parametrize(
    "piece",
    [b"\\\\\\", b'"', b'"smoke.alarm"', b'"smoke.alarm"                 ', b'"smoke.alarm":', b" ", b"1",
     b'"smoke.alarm":"                 ', b"smoke.alarm:0000000000", b'\\\\\\"smoke.alarm\\\\\\":\\\\\\'],
)  # fmt: skip
def test_a_megabyte_made_to_be_slow_is_gone_through_once(piece: bytes) -> None:
    # Quadratic time would be minutes here: the test would not end.
    assert LIFE.true_flags(piece * (1_000_000 // len(piece))) == {}


FALSE = st.sampled_from([False, 0, 0.0, "false", "off", "OFF", "0", "normal", None])
OTHERS = st.dictionaries(
    st.sampled_from(["temperature", "current", "battery.pct", "smoke.test", "at", "smoke", "x"]),
    st.booleans() | st.floats(0, 100) | st.sampled_from(["on", "true", "1"]),
    max_size=3,
)
BREAKS = st.sampled_from([b"", b"\xff", b"\x00", b" x", b',"t":NaN}', b',"t":1e999}', b"[" * 3000, b"}"])


@pytest.mark.parametrize("word", WORDS_OF_AN_ALARM)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_each_word_of_an_alarm_means_one_wherever_a_life_flag_is_looked_for(
    word: str, ascii_only: bool
) -> None:
    def packed(said: Any) -> bytes:
        return json.dumps(said, ensure_ascii=ascii_only).encode()

    assert short(hear(zigbee2mqtt(), ZIGBEE, packed({"smoke": word}))) == {"smoke.alarm": 1.0}
    assert short(hear(OwnProfile(), OWN, packed({"values": {"smoke.alarm": word}}))) == {"smoke.alarm": 1.0}
    assert LIFE.true_flags(packed({"smoke.alarm": word})) == {"smoke.alarm": True}
    for profile, topic, key in ((zigbee2mqtt(), ZIGBEE, "smoke"), (OwnProfile(), OWN, "smoke.alarm")):
        registry = Registry()
        decoded = profile.decode([topic], [packed({key: word})[:-1] + b',"x":'], registry)
        assert [one[2:4] for one in readings(decoded, registry)] == [("smoke.alarm", 1.0)]
    registry = Registry()
    decoded = zigbee2mqtt().decode([ZIGBEE], [packed({"fire": word, "battery": 3})], registry)
    assert ("smoke.alarm", 1.0) in [one[2:4] for one in readings(decoded, registry)]


@pytest.mark.parametrize("word", ["no smoke", "no fire", "alarm!", "critical", "无火警", "smoky", "y"])
def test_a_word_that_nobody_knows_is_neither_an_alarm_nor_its_end(word: str) -> None:
    payload = json.dumps({"smoke": word}).encode()
    [(_, _, metric, value, quality)] = hear_refused(zigbee2mqtt(), ZIGBEE, payload)
    assert (metric, value, quality) == ("smoke.alarm", None, ["type_mismatch"])
    assert LIFE.true_flags(json.dumps({"smoke.alarm": word}).encode()) == {}


@given(
    flags=st.dictionaries(st.sampled_from([flag.name_on_wire for flag in LIFE_FLAGS]), FALSE, max_size=4),
    others=OTHERS,
    cut=st.integers(0, 200),
    broken=BREAKS,
    inside=st.booleans(),
)
def test_false_flags_are_never_rescued_however_the_message_is_broken(
    flags: dict[str, Any], others: dict[str, Any], cut: int, broken: bytes, inside: bool
) -> None:
    others.pop("smoke", None)
    text = json.dumps({"values": {**others, **flags}}).encode()
    payload = text[:cut] + broken if inside else text + broken
    decoded = OwnProfile().decode([OWN], [payload], Registry())
    assert not (decoded.quality & Quality.SUSPECT).any()
    assert LIFE.true_flags(payload) == {}


@given(
    before=st.binary(max_size=30),
    flag=st.sampled_from(sorted(LIFE_FLAGS)),
    said=st.sampled_from([b"true", b"1", b'"on"', b'"ALARM"', b"2.5", b"True"]),
    after=st.sampled_from([b"", b"}", b",", b"\xff", b"\x00", b" }}"])
    | st.binary(max_size=30).map(b",".__add__),
)
def test_a_true_flag_is_found_among_any_bytes(before: bytes, flag: Metric, said: bytes, after: bytes) -> None:
    key = flag.name_on_wire
    assert key in LIFE.true_flags(before + b',"' + key.encode() + b'":' + said + after)


@given(payload=st.binary(max_size=60) | st.binary(max_size=20).map(b'{"smoke.alarm":'.__add__))
def test_any_bytes_are_searched_and_decoded_without_an_exception(payload: bytes) -> None:
    LIFE.true_flags(payload)
    unpadded(payload)
    for profile, topic in ((OwnProfile(), OWN), (zigbee2mqtt(), ZIGBEE)):
        check_form(profile.decode([topic], [payload], Registry()), 1)
