"""Messages of described profiles that are refused: why, and which fires in them are heard all the same."""

from __future__ import annotations

import pytest

from devices.profiles.profile import Reason
from tests.devices.profiles.describing import decode, described, values
from tests.devices.profiles.listening import Registry, readings
from tests.devices.profiles.made_up import METER, TOPIC, report


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
