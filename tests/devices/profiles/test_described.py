"""Messages of described profiles: paths, lists, groups, operands, times, and what is said beside readings."""

from __future__ import annotations

import pytest

from devices.profiles.general.naming import UID_MAX
from devices.profiles.profile import Hold, Reply, Said
from tests.devices.profiles.describing import decode, described, heard, octets, values, world
from tests.devices.profiles.listening import Registry, readings
from tests.devices.profiles.made_up import METER, TOPIC, report


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
