from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.model import LIFE_FLAGS, Metric
from devices.profiles.own.own_profile import DEVICE_ID_MAX, OwnProfile
from devices.profiles.profile import Reason
from devices.profiles.values.times import NONSENSE_US
from tests.devices.profiles.listening import Registry, check_form, hear, hear_refused, readings, short

TOPIC = "gengfu/METER-7/readings"


def refused(payload: bytes, topic: str = TOPIC) -> tuple[Reason, str]:
    decoded = OwnProfile().decode([topic], [payload], Registry())
    assert len(decoded.row) == 0
    [rejected] = decoded.rejected
    return rejected.reason, rejected.detail


def test_values_and_channels_become_readings_in_canonical_units() -> None:
    payload = {
        "at": 1763755200123,
        "seq": 17,
        "values": {"smoke.alarm": False, "temperature": 21.5, "manual.alarm": 1},
        "channels": {"l1": {"current": 3.2, "voltage": 229.8}, "ch2": {"current.residual": 0.012}},
    }
    registry = Registry()
    decoded = OwnProfile().decode([TOPIC], [json.dumps(payload).encode()], registry)
    assert readings(decoded, registry) == [
        ("own:meter-7", "", "smoke.alarm", 0.0, []),
        ("own:meter-7", "", "temperature", 21.5, []),
        ("own:meter-7", "", "manual.alarm", 1.0, []),
        ("own:meter-7", "l1", "current", 3.2, []),
        ("own:meter-7", "l1", "voltage", 229.8, []),
        ("own:meter-7", "ch2", "current.residual", 0.012, []),
    ]
    assert decoded.observed_us.tolist() == [1763755200123000] * 6
    assert decoded.seq.tolist() == [17]


@pytest.mark.parametrize("metric", list(Metric))
def test_every_metric_is_known_by_its_name(metric: Metric) -> None:
    assert short(hear(OwnProfile(), TOPIC, {"values": {metric.name_on_wire: 1}})) == {
        metric.name_on_wire: 1.0
    }


def test_a_message_without_time_and_number_says_so() -> None:
    decoded = OwnProfile().decode([TOPIC], [b'{"values":{"current":1}}'], Registry())
    assert (decoded.observed_us.tolist(), decoded.seq.tolist()) == ([0], [-1])


@pytest.mark.parametrize("at", [0, -1e300, 1e300, 2**63, 10**30, "yesterday", True, [], {"x": 1}])
def test_a_time_that_is_none_is_marked_and_the_readings_stand(at: Any) -> None:
    payload = json.dumps({"at": at, "values": {"smoke.alarm": True}}).encode()
    decoded = OwnProfile().decode([TOPIC], [payload], Registry())
    assert decoded.observed_us.tolist() == [NONSENSE_US]
    assert decoded.value.tolist() == [1.0]


def test_a_time_long_past_is_passed_on_for_the_clock_window_to_judge() -> None:
    decoded = OwnProfile().decode([TOPIC], [b'{"at":-5,"values":{"current":1}}'], Registry())
    assert decoded.observed_us.tolist() == [-5000]


@pytest.mark.parametrize("seq", [-1, 1.5, "7", None, True, 2**63])
def test_a_number_that_is_none_is_left_out(seq: Any) -> None:
    payload = json.dumps({"seq": seq, "values": {"current": 1}}).encode()
    assert OwnProfile().decode([TOPIC], [payload], Registry()).seq.tolist() == [-1]


def test_null_says_that_measuring_failed() -> None:
    found = hear(OwnProfile(), TOPIC, {"values": {"current": None, "smoke.alarm": None}})
    assert [(metric, value, quality) for _, _, metric, value, quality in found] == [
        ("current", None, ["fault"]),
        ("smoke.alarm", None, ["fault"]),
    ]


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("temperature", "21.5"),
        ("temperature", True),
        ("temperature", {"a": 1}),
        ("temperature", [1]),
        ("temperature", int("9" * 400)),
        ("battery.low", 2),
        ("battery.low", 0.5),
        ("battery.low", "true"),
        ("smoke.alarm", "maybe"),
        ("smoke.alarm", "2"),
        ("smoke.alarm", ""),
    ],
)
def test_a_wrong_type_costs_its_own_metric_only(metric: str, value: Any) -> None:
    found = hear(OwnProfile(), TOPIC, {"values": {metric: value, "heat.alarm": True, "new.metric": "x"}})
    assert [(name, got, quality) for _, _, name, got, quality in found] == [
        (metric, None, ["type_mismatch"]),
        ("heat.alarm", 1.0, []),
    ]


@pytest.mark.parametrize("said", [True, 1, 2, -1, 0.5, 10**400, "true", "True", "1", "on", "ON", " alarm "])
@pytest.mark.parametrize("flag", LIFE_FLAGS)
def test_a_life_flag_is_true_in_every_spelling(flag: Metric, said: Any) -> None:
    assert short(hear(OwnProfile(), TOPIC, {"values": {"battery.low": 0, flag.name_on_wire: said}})) == {
        "battery.low": 0.0,
        flag.name_on_wire: 1.0,
    }


@pytest.mark.parametrize("said", [False, 0, -0.0, "false", "False", "0", "off", "OFF", "normal"])
def test_a_life_flag_is_false_in_every_spelling(said: Any) -> None:
    assert short(hear(OwnProfile(), TOPIC, {"values": {"smoke.alarm": said}})) == {"smoke.alarm": 0.0}


def test_what_cannot_be_by_definition_is_kept_and_flagged() -> None:
    found = hear(OwnProfile(), TOPIC, {"values": {"battery.pct": 150, "power.factor": -1.0}})
    assert [(value, quality) for *_, value, quality in found] == [(150.0, ["out_of_range"]), (-1.0, [])]


@pytest.mark.parametrize(
    ("payload", "reason", "words"),
    [
        (b"", Reason.NOT_JSON, "truncated"),
        (b"{", Reason.NOT_JSON, "truncated"),
        (b'{"values":{"current":NaN}}', Reason.NOT_JSON, "malformed"),
        (b'{"values":{"current":-Infinity}}', Reason.NOT_JSON, "malformed"),
        (b'{"values":{"current":1e999}}', Reason.WRONG_TYPE, "out of range"),
        (b'{"values":{"current":1}} x', Reason.NOT_JSON, "trailing"),
        (b"[" * 100_000, Reason.WRONG_TYPE, "object"),
        (b'{"values":' * 100_000, Reason.NOT_JSON, "recursion"),
        (b'{"values":{"\xff":1}}', Reason.NOT_UTF8, "utf-8"),
        (b"5", Reason.WRONG_TYPE, "object"),
        (b"[]", Reason.WRONG_TYPE, "object"),
        (b"null", Reason.WRONG_TYPE, "object"),
        (b'{"values":5}', Reason.WRONG_TYPE, "$.values"),
        (b'{"channels":[1]}', Reason.WRONG_TYPE, "$.channels"),
        (b'{"channels":{"l1":5}}', Reason.WRONG_TYPE, "$.channels"),
        (b"{}", Reason.NOTHING_KNOWN, "no values"),
        (b'{"values":{}}', Reason.NOTHING_KNOWN, "no values"),
        (b'{"values":{"a":1},"channels":{"l1":{"b":2}}}', Reason.NOTHING_KNOWN, "among: a, b"),
        (
            json.dumps({"channels": {f"c{n}": {"current": 1} for n in range(65)}}).encode(),
            Reason.WRONG_TYPE,
            "64",
        ),
    ],
)
def test_bad_input_is_refused_with_its_reason(payload: bytes, reason: Reason, words: str) -> None:
    found, detail = refused(payload)
    assert found is reason
    assert words in detail


def test_a_part_that_is_no_object_does_not_cost_the_other() -> None:
    some = {"values": 5, "channels": {"l1": {"current": 1}, "l2": 7}}
    assert short(hear_refused(OwnProfile(), TOPIC, some)) == {"l1/current": 1.0}
    some = {"values": {"smoke.alarm": True}, "channels": 5}
    assert short(hear_refused(OwnProfile(), TOPIC, some)) == {"smoke.alarm": 1.0}


@pytest.mark.parametrize("said", [[True], {"value": 1}])
def test_what_an_object_or_a_list_says_of_a_life_flag_is_heard_as_suspect(said: Any) -> None:
    found = hear_refused(OwnProfile(), TOPIC, {"values": {"smoke.alarm": said, "current": 2}})
    assert [(metric, value, quality) for _, _, metric, value, quality in found] == [
        ("smoke.alarm", None, ["type_mismatch"]),
        ("current", 2.0, []),
        ("smoke.alarm", 1.0, ["suspect"]),
    ]


def test_long_channel_names_stay_apart_and_a_person_sees_that_they_are_not_what_was_said() -> None:
    profile, registry = OwnProfile(), Registry()
    said = {"channels": {"x" * 99: {"current": 1}, "x" * 98: {"current": 2, "smoke.alarm": True}}}
    decoded = profile.decode([TOPIC], [json.dumps(said).encode()], registry)
    [refused] = decoded.rejected
    assert (refused.reason, "99 characters, at most 32" in refused.detail) == (Reason.WRONG_TYPE, True)
    found = readings(decoded, registry)
    assert [(metric, value) for _, _, metric, value, _ in found] == [
        ("current", 1.0),
        ("current", 2.0),
        ("smoke.alarm", 1.0),
    ]
    first, second, third = (channel for _, channel, *_ in found)
    assert first != second == third
    assert len(first) == 32
    assert first.startswith("x" * 23 + "#")


@pytest.mark.parametrize(
    "topic",
    [
        "gengfu//readings",
        "gengfu/a/b/readings",
        "gengfu/a/other",
        "other/a/readings",
        "",
        "gengfu/" + "x" * (DEVICE_ID_MAX + 1) + "/readings",
    ],
)
def test_a_topic_of_another_form_is_not_ours(topic: str) -> None:
    assert not OwnProfile().matches(topic)
    assert refused(b'{"values":{"current":1}}', topic)[0] is Reason.UNKNOWN_TOPIC


def test_one_bad_message_costs_only_itself() -> None:
    good = b'{"values":{"current":1}}'
    registry = Registry()
    decoded = OwnProfile().decode([TOPIC] * 3, [good, b"{", good], registry)
    assert decoded.message.tolist() == [0, 2]
    assert [one.message for one in decoded.rejected] == [1]


def test_a_device_nobody_registered_is_refused_but_its_life_flags_are_heard() -> None:
    registry = Registry(unknown={"own:ghost"})
    payload = (
        b'{"at":1763755200000,"values":{"smoke.alarm":true,"current":5},"channels":{"z":{"gas.alarm":false}}}'
    )
    decoded = OwnProfile().decode(
        [TOPIC, "gengfu/ghost/readings"], [b'{"values":{"current":1}}', payload], registry
    )
    assert decoded.message.tolist() == [0]
    assert [(one.message, one.reason, one.detail) for one in decoded.rejected] == [
        (1, Reason.UNKNOWN_DEVICE, "own:ghost")
    ]
    assert [(s.uid, s.channel, s.metric, s.value, s.observed_us, s.message) for s in decoded.strangers] == [
        ("own:ghost", "", Metric.SMOKE_ALARM, 1.0, 1763755200000000, 1),
        ("own:ghost", "z", Metric.GAS_ALARM, 0.0, 1763755200000000, 1),
    ]


def test_a_device_is_asked_for_once_and_a_retired_one_is_a_stranger_at_once() -> None:
    profile, registry = OwnProfile(), Registry(unknown={"own:meter-7"})
    message = [TOPIC], [b'{"channels":{"l1":{"current":1}}}']
    assert profile.decode(*message, registry).rejected
    registry.unknown.clear()
    for _ in range(3):
        assert not profile.decode(*message, registry).rejected
    assert registry.asked == 2
    registry.unknown.add("own:meter-7")
    assert profile.decode(*message, registry).rejected


def test_a_flood_of_invented_devices_leaves_nothing_behind() -> None:
    profile = OwnProfile()
    ghosts = [f"gengfu/ghost{n}/readings" for n in range(500)]
    registry = Registry(unknown={f"own:ghost{n}" for n in range(500)})
    payload = b'{"values":{"current":1},"channels":{"l1":{"current":1}}}'
    profile.decode([*ghosts, TOPIC], [payload] * 501, registry)
    profile.decode(ghosts, [b"garbage"] * 500, registry)
    assert len(profile._sources) == 1
    assert (profile.recall([*ghosts, TOPIC]) >= 0).tolist() == [False] * 500 + [True]


def test_a_device_that_follows_an_invented_one_is_not_taken_for_it() -> None:
    profile, registry = OwnProfile(), Registry(unknown={"own:ghost"})
    payload = [b'{"values":{"smoke.alarm":true}}']
    assert profile.decode(["gengfu/ghost/readings"], payload, registry).rejected
    assert short(hear(profile, TOPIC, payload[0], registry)) == {"smoke.alarm": 1.0}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([m.name_on_wire for m in Metric]) | st.text(max_size=5), inner, max_size=5
        )
    ),
    max_leaves=12,
)
PAYLOADS = st.binary(max_size=60) | st.builds(
    lambda parts: json.dumps(parts).encode("utf-8", "replace"),
    JSON | st.fixed_dictionaries({}, optional={"at": JSON, "seq": JSON, "values": JSON, "channels": JSON}),
)
TOPICS = st.sampled_from([TOPIC, "gengfu/ghost/readings", "gengfu//readings"]) | st.text(max_size=20)


@given(messages=st.lists(st.tuples(TOPICS, PAYLOADS), max_size=5))
def test_any_bytes_on_any_topic_give_arrays_and_reasons_and_never_an_exception(
    messages: list[tuple[str, bytes]],
) -> None:
    registry = Registry(unknown={"own:ghost"})
    decoded = OwnProfile().decode([t for t, _ in messages], [p for _, p in messages], registry)
    check_form(decoded, len(messages))


@given(messages=st.lists(st.tuples(TOPICS, PAYLOADS), max_size=5))
def test_messages_decode_the_same_alone_as_in_company(messages: list[tuple[str, bytes]]) -> None:
    registry = Registry(unknown={"own:ghost"})
    together = OwnProfile().decode([t for t, _ in messages], [p for _, p in messages], registry)
    alone = [OwnProfile().decode([t], [p], registry) for t, p in messages]
    assert readings(together, registry) == [r for one in alone for r in readings(one, registry)]
    assert [(r.reason, r.detail) for r in together.rejected] == [
        (r.reason, r.detail) for one in alone for r in one.rejected
    ]
    assert together.seq.tolist() == [n for one in alone for n in one.seq.tolist()]
