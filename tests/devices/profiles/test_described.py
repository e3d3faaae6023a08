"""Messages of described profiles: kinds, groups, operands, refusals, and what is said beside readings."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.model import Quality
from devices.profiles.described import DescribedProfile
from devices.profiles.general.naming import UID_MAX
from devices.profiles.profile import Hold, Reason, Reply, Said
from tests.devices.profiles.describing import compiled, decode, described, heard, octets, values, world
from tests.devices.profiles.listening import Registry, check_form, readings

METER = """
name = "acme"
[[message]]
name = "report"
topics = ["acme/{serial}/report", "{site}/acme-{serial:[0-9]+}"]
where = { kind = ["report"] }
device = ["acme:{.id|lower}", "acme:{serial}"]
seq = "n"
seq_default = 0
time = [{ path = "at", format = "ms" }, { path = "late", format = "s" }]
[message.values]
smoke = "smoke.alarm"
"mains.u" = "voltage"
amps = { metric = "current", list_channel = "ch{n}", sentinels = [6553.5] }
power.metric = "power.active"
power.sign_from = { path = "flow", negative = ["out"], positive = ["in"], remember = true }
raw = { metric = "current.residual", unit = "mA", multiply_by = { path = "k", remember = true } }
battery = { metric = "battery.pct", null = "skip" }
tamper = { metric = "device.tamper", default = false, when = { has = ["battery"] } }
moved = { metric = "device.alarm", const = true, hold_s = 60 }
hot = { metric = "temperature", needs = ["probe"] }
[[message.group]]
each = "phases.{phase}"
backfill = "old"
values = { u = { metric = "voltage", channel = "{phase}" } }
[[message.group]]
each = "list[{n}]"
name = "{.name}"
value = "v"
unit = "u"
label = "{.text}"
names = { "leak" = "current.residual", "t*" = { metric = "temperature", channel = "{.name}" } }
units = { "Hz" = "frequency" }

[[message]]
name = "hello"
topics = ["acme/{serial}/report"]
where = { kind = ["hello"] }
device = ["acme:{serial}"]
about = { model = "{.model}", firmware = "{.fw}" }
reply = { topic = "acme/{serial}/answer", payload = '{{"ack":{.n}}}' }

[[message]]
name = "word"
topics = ["acme/{serial}/smoke"]
format = "text"
device = ["acme:{serial}"]
values = { "" = { metric = "smoke.alarm", true = ["FIRE"], false = ["calm"] } }

[[message]]
name = "ignored"
topics = ["acme/{serial}/log"]
format = "none"
"""
TOPIC = "acme/7/report"


def report(**said: object) -> tuple[str, dict[str, object]]:
    return TOPIC, {"kind": "report", **said}


def test_paths_lists_and_groups_become_readings() -> None:
    said = report(
        smoke=False,
        mains={"u": 230.5},
        amps=[1.5, 2.5],
        phases={"l1": {"u": 231}, "l2": {"u": 229}},
        list=[
            {"name": "leak", "v": 250, "u": "mA"},
            {"name": "tank", "v": 21, "u": "degC"},
            {"name": "f", "v": 50, "u": "Hz"},
        ],
    )
    assert values(described(METER), said) == {
        "smoke.alarm": 0.0,
        "voltage": 230.5,
        "ch1/current": 1.5,
        "ch2/current": 2.5,
        "l1/voltage": 231.0,
        "l2/voltage": 229.0,
        "current.residual": 0.25,
        "tank/temperature": 21.0,
        "frequency": 50.0,
    }


def test_the_device_is_the_first_template_with_a_value() -> None:
    found = heard(
        described(METER),
        report(smoke=False, id="ABC"),
        report(smoke=False),
        ("w/acme-12", report(smoke=False)[1]),
    )
    assert [uid for uid, *_ in found] == ["acme:abc", "acme:7", "acme:12"]


def test_two_devices_on_one_topic_are_told_apart_tick_after_tick() -> None:
    profile, registry = described(METER), Registry()
    for _ in range(3):
        found = heard(profile, report(smoke=False, id="A"), report(smoke=True, id="B"), registry=registry)
        assert [(uid, value) for uid, _, _, value, _ in found] == [("acme:a", 0.0), ("acme:b", 1.0)]
    assert registry.asked == 2


def test_a_list_where_one_value_is_expected_is_a_mismatch() -> None:
    [reading] = heard(described(METER), report(mains={"u": [1]}))
    assert reading[3:] == (None, ["type_mismatch"])


def test_numbers_and_times_of_a_message() -> None:
    decoded = decode(described(METER), report(smoke=False, n=12, at=1_763_755_200_123, late=1))
    assert decoded.seq.tolist() == [12]
    assert decoded.observed_us.tolist() == [1_763_755_200_123_000]
    assert decode(described(METER), report(smoke=False)).seq.tolist() == [0]
    decoded = decode(described(METER), report(smoke=False, at=None, late=1_763_755_200))
    assert decoded.observed_us.tolist() == [1_763_755_200_000_000]
    assert decode(described(METER), report(smoke=False, n=-1)).seq.tolist() == [-1]


def test_a_sign_is_remembered_per_device_and_over_a_restart() -> None:
    profile, registry = described(METER), Registry()
    [first] = heard(profile, report(power=5), registry=registry)
    assert first[3:] == (None, ["incomplete"])
    decoded = decode(
        profile,
        report(power=5, flow="out"),
        report(power=6),
        ("acme/8/report", report(power=7)[1]),
        registry=registry,
    )
    assert [value for *_, value, _ in readings(decoded, registry)] == [-5.0, -6.0, None]
    again = described(METER)
    again.remember(decoded.asides.notes)
    assert heard(again, report(power=2))[0][3] == -2.0


def test_a_factor_that_comes_alone_holds_for_what_comes_later() -> None:
    profile = described(METER)
    decoded = decode(profile, report(k=10))
    assert (decoded.rejected, len(decoded.row)) == ([], 0)
    assert len(decoded.asides.notes) == 1
    assert heard(profile, report(raw=3))[0][3] == pytest.approx(0.03)
    assert decode(profile, report(raw=3, k=10)).asides.notes == ()


def test_what_strangers_say_is_not_remembered() -> None:
    profile = described(METER)
    decoded = decode(profile, report(power=5, flow="out"), registry=Registry(unknown={"acme:7"}))
    assert decoded.asides.notes == ()
    assert heard(profile, report(power=5))[0][4] == ["incomplete"]


def test_null_can_mean_silence_and_a_missing_key_its_default() -> None:
    assert heard(described(METER), report(battery=None)) == [("acme:7", "", "device.tamper", 0.0, [])]


def test_a_value_without_what_it_needs_is_incomplete() -> None:
    [reading] = heard(described(METER), report(hot=80))
    assert reading[3:] == (None, ["incomplete"])
    assert values(described(METER), report(hot=80, probe=1)) == {"temperature": 80.0}


def test_a_part_that_says_so_is_backfill() -> None:
    found = heard(
        described(METER), report(smoke=False, phases={"l1": {"u": 1, "old": True}, "l2": {"u": 2, "old": 0}})
    )
    assert [(channel, quality) for _, channel, _, _, quality in found] == [
        ("", []),
        ("l1", ["backfill"]),
        ("l2", []),
    ]


def test_a_flag_that_nobody_takes_back_is_held() -> None:
    registry = Registry()
    decoded = decode(described(METER), report(smoke=False), report(moved="x"), registry=registry)
    row = registry.places.index(("acme:7", ""))
    assert decoded.asides.holds == (Hold(1, row, 9, 60_000_000),)


def test_texts_are_said_once_and_again_when_they_change() -> None:
    profile = described(METER)
    hello = TOPIC, {"kind": "hello", "model": "Q\u0007 2", "fw": 3, "n": 1}
    decoded = decode(profile, hello)
    assert decoded.rejected == []
    assert decoded.asides.said == (Said("acme:7", "model", "Q? 2"), Said("acme:7", "firmware", "3"))
    assert decoded.asides.replies == (Reply("acme/7/answer", b'{"ack":1}'),)
    hello[1]["fw"] = 4
    assert decode(profile, hello).asides.said == (Said("acme:7", "firmware", "4"),)
    labelled = decode(profile, report(list=[{"name": "x", "text": "Machine Room"}]))
    assert labelled.asides.said == (Said("acme:7", "label", "Machine Room"),)


def test_kinds_that_mean_nothing_are_quiet_and_so_is_the_end_of_a_retained_message() -> None:
    decoded = decode(described(METER), ("acme/7/log", b"\xff\xfe"), (TOPIC, b""), ("acme/7/smoke", b""))
    assert (decoded.rejected, len(decoded.row)) == ([], 0)


@pytest.mark.parametrize(
    ("topic", "payload", "reason", "detail"),
    [
        (TOPIC, b"{", Reason.NOT_JSON, ""),
        (TOPIC, b'{"kind":"report","x":1}', Reason.NOTHING_KNOWN, "keys kind, x"),
        (TOPIC, b'{"kind":"other"}', Reason.NOTHING_KNOWN, "no kind of message with keys kind"),
        (TOPIC, b"[[1,2],3]", Reason.NOTHING_KNOWN, "int"),
        (TOPIC, b'{"kind":"report","list":[' + b"{}," * 10000 + b"{}]}", Reason.TOO_LARGE, "4096 items"),
        (TOPIC, b'{"kind":"report","amps":[' + b"1," * 4096 + b"1]}", Reason.TOO_LARGE, "2048 values"),
        ("acme/7/other", b"{}", Reason.UNKNOWN_TOPIC, "acme/7/other"),
    ],
)
def test_what_is_refused_says_why(topic: str, payload: bytes, reason: Reason, detail: str) -> None:
    decoded = decode(described(METER), (topic, payload))
    [rejected] = decoded.rejected
    assert (rejected.reason, len(decoded.row)) == (reason, 0)
    assert detail in rejected.detail


def test_padding_that_is_no_part_of_the_payload_is_passed_over() -> None:
    assert values(described(METER), (TOPIC, b'\xef\xbb\xbf{"kind":"report","smoke":true}\x00\x00')) == {
        "smoke.alarm": 1.0
    }
    assert values(described(METER), ("acme/7/smoke", b"FIRE\x00")) == {"smoke.alarm": 1.0}


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (TOPIC, b'{"kind":"report","smoke":true,"mains":{"u":23'),
        (TOPIC, b'{"smoke": 1, "t": NaN'),
        (TOPIC, b'{"kind":"report","smoke":"alarm","list":[' + b"{}," * 10000 + b"{}]}"),
        (TOPIC, b'{"kind":"reporT2","smoke":true}'),
        ("acme/7/smoke", b"FI\xffRE"),
    ],
)
def test_a_fire_in_a_refused_message_is_a_reading_all_the_same(topic: str, payload: bytes) -> None:
    registry = Registry()
    decoded = decode(described(METER), (topic, payload), registry=registry)
    assert len(decoded.rejected) == 1
    assert readings(decoded, registry) == [("acme:7", "", "smoke.alarm", 1.0, ["suspect"])]


@pytest.mark.parametrize(
    "payload", [b'{"smoke":false,', b'{"smoker":true,', b'{"smoke":0,', b'{"smoke":"no fire",']
)
def test_nothing_that_is_no_fire_is_rescued(payload: bytes) -> None:
    assert len(decode(described(METER), (TOPIC, payload)).row) == 0


def test_the_profiles_own_words_of_fire_are_rescued() -> None:
    text = """
name = "horn"
[[message]]
name = "all"
topics = ["horn/{id}"]
[message.values]
event = { metric = "smoke.alarm", true = ["brenner"], false = ["ruhe"] }
[[message.group]]
each = "[]"
name = "{.n}"
value = "v"
names = { rauch = "smoke.alarm" }
"""
    registry = Registry()
    for payload in (b'{"event":"Brenner"', b'[{"n":"rauch","u":"/","v":1},'):
        decoded = decode(described(text), ("horn/1", payload), registry=registry)
        assert [found[2:] for found in readings(decoded, registry)] == [("smoke.alarm", 1.0, ["suspect"])]
    assert len(decode(described(text), ("horn/1", b'{"event":"ruhe"')).row) == 0


def test_a_stranger_is_refused_but_for_what_it_says_about_life() -> None:
    registry = Registry(unknown={"acme:7"})
    decoded = decode(described(METER), report(smoke=True, mains={"u": 3}), registry=registry)
    assert [(one.reason, one.detail) for one in decoded.rejected] == [(Reason.UNKNOWN_DEVICE, "acme:7")]
    assert len(decoded.row) == 0
    [stranger] = decoded.strangers
    assert (stranger.uid, stranger.metric.name, stranger.value) == ("acme:7", "SMOKE_ALARM", 1.0)


GATEWAY = """
name = "gate"
[[message]]
name = "batch"
topics = ["gate/{gate}/up"]
device = ["gate:{gate}"]
backfill = { old = [true] }
replayed = { cached = true }
[[message.group]]
each = "of.{name}[]"
device = ["gate:{gate}-{name}"]
time = [{ path = "ts", format = "s" }]
values = { smoke = "smoke.alarm", t = "temperature" }
"""


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


CARRIER = """
name = "carrier"
[[message]]
name = "up"
topics = ["lora/{eui}/up"]
device = ["lorawan:{eui|hex}"]
object = "object"
values = { rssi = "link.rssi" }
"""
VENDOR = """
name = "vendor"
[[object]]
name = "head"
where = { fire = true }
values = { fire = { metric = "smoke.alarm", true = ["yes"], false = ["no"] } }
about = { vendor = "Acme" }
max_silence = "25h"
"""


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


def test_a_topic_that_is_too_long_for_a_uid_is_shortened_to_one_that_stays_its_own() -> None:
    text = (
        'name = "long"\n[[message]]\nname = "a"\ntopics = ["long/{rest+}"]\nvalues = { t = "temperature" }\n'
    )
    topics = ["long/" + "x" * 300, "long/" + "x" * 301]
    found = heard(described(text), *((topic, {"t": 1}) for topic in topics))
    uids = [uid for uid, *_ in found]
    assert len(set(uids)) == 2
    assert all(uid.startswith("topic:long/xxx") and len(uid) <= UID_MAX for uid in uids)


def test_a_channel_has_no_signs_that_cannot_be_printed() -> None:
    found = heard(described(METER), report(phases={"p" * 32: {"u": 1}, "a\nb": {"u": 2}}))
    assert [channel for _, channel, *_ in found] == ["p" * 32, "a?b"]


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
_KEYS = st.sampled_from(
    [
        "kind",
        "smoke",
        "mains",
        "u",
        "amps",
        "phases",
        "list",
        "name",
        "v",
        "flow",
        "power",
        "k",
        "raw",
        "at",
        "object",
        "fire",
    ]
)
_TREES = st.recursive(
    _LEAVES,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(_KEYS, below, max_size=5),
    max_leaves=12,
)
_PAYLOADS = (
    st.binary(max_size=60)
    | _TREES.map(lambda tree: ('{"kind":"report","x":' + repr(tree).replace("'", '"') + "}").encode())
    | st.dictionaries(_KEYS, _TREES, max_size=8).map(lambda tree: _dumped({"kind": "report", **tree}))
    | st.just(b"[" * 100_000)
    | st.just(b'{"kind":"report","raw":1' + b"0" * 5000 + b"}")
)
_TOPICS = st.sampled_from(
    [TOPIC, "acme/8/smoke", "gate/1/up", "lora/0a/up", "acme//report", "a/acme-1"]
) | st.text(max_size=12)


def _dumped(tree: object) -> bytes:
    return json.dumps(tree).encode()


@pytest.fixture(scope="module")
def profiles() -> list[DescribedProfile]:
    return [
        described(METER),
        described(GATEWAY),
        described(CARRIER, compiled(VENDOR).objects),
        described(VENDOR).at_any_topic(),
    ]


@given(
    messages=st.lists(st.tuples(_TOPICS, _PAYLOADS), max_size=6), unknown=st.sampled_from([set(), {"acme:7"}])
)
def test_any_bytes_on_any_topic_are_decoded_or_refused(
    profiles: list[DescribedProfile], messages: list[tuple[str, bytes]], unknown: set[str]
) -> None:
    for profile in profiles:
        world(profile).unknown = set(unknown)
        decoded = decode(profile, *messages)
        check_form(decoded, len(messages))
        assert all(
            math.isnan(value) == bool(Quality(quality) & 15)
            for value, quality in zip(decoded.value, decoded.quality.tolist(), strict=True)
        )


SENML = """
name = "packs"
[[message]]
name = "pack"
topics = ["packs/{id}"]
format = "senml"
device = ["senml:{id}"]
[[message.group]]
each = "records.[]"
name = "{.n}"
value = "value"
time = [{ path = "t", format = "s" }]
names = { t = "temperature" }
"""
RECEIVED_US = 1_790_000_000_000_000


def test_a_time_relative_to_now_is_counted_from_the_receipt() -> None:
    profile = described(SENML)
    payload = [octets([{"n": "t", "v": 21.5, "t": -5}])]
    decoded = profile.decode(["packs/1"], payload, world(profile), received_us=RECEIVED_US)
    assert decoded.observed_us.tolist() == [RECEIVED_US - 5_000_000]
    assert profile.decode(["packs/1"], payload, world(profile)).observed_us.tolist() == [0]


NAMED = """
name = "named"
[[message]]
name = "state"
topics = ["named/{id}/json"]
device = ["named:{id}"]
[[message.group]]
each = "{key}"
name = "{key}"
names = { "smoke_*_level" = "smoke.density", smoke_test = "device.alarm", "smoke_*" = "smoke.alarm" }
[[message]]
name = "line"
topics = ["named/{id}/csv"]
format = "csv"
separator = ";"
columns = ["t", "smoke", "note"]
device = ["named:{id}"]
values = { t = "temperature", smoke = "smoke.alarm" }
"""


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("named/7/json", b'{"smoke_1": 1, "t": 2'),
        ("named/7/json", b'{"smoke_1_level": 1, "smoke_test": 1, "smoke_2": {"value": "true"}, '),
        ("named/7/json", b'[{\\"n\\":\\"smoke_9\\",\\"v\\":1}'),
        ("named/7/csv", b"21.5;1;\xff\xfe"),
        ("named/7/csv", b"21.5;1;" + b"x" * 300),
        ("named/7/csv", b"21.5;1;" + b";" * 300),
    ],
)
def test_a_fire_is_found_under_a_pattern_and_beside_a_broken_field(topic: str, payload: bytes) -> None:
    registry = Registry()
    decoded = decode(described(NAMED), (topic, payload), registry=registry)
    assert len(decoded.rejected) == 1
    assert readings(decoded, registry) == [("named:7", "", "smoke.alarm", 1.0, ["suspect"])]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("named/7/json", b'{"smoke_1_level": 1, "smoke_test": 1, "x_smoke_1": 1, "smoke_1": 0'),
        ("named/7/json", b'{"note": "smoke_1"'),
        ("named/7/csv", b"1;0;\xff"),
        ("named/7/csv", b"\xff;;1"),
    ],
)
def test_no_fire_is_found_under_other_names_and_in_other_fields(topic: str, payload: bytes) -> None:
    decoded = decode(described(NAMED), (topic, payload))
    assert (len(decoded.rejected), len(decoded.row)) == (1, 0)
