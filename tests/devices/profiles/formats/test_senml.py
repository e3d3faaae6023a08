from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.formats.format import Unreadable
from devices.profiles.formats.senml import MOST_RECORDS, RELATIVE_BELOW, read_senml
from devices.profiles.profile import Reason
from tests.devices.profiles.formats.surroundings import context

NOW_S = 1_700_000_000
METER = "urn:dev:mac:0024befffe804f01:"


def records(*pack: Any, now_s: int = NOW_S) -> list[dict[str, Any]]:
    tree = read_senml(json.dumps(pack).encode(), context(received_us=now_s * 1_000_000))
    found: list[dict[str, Any]] = tree["records"]
    return found


def refused(pack: Any) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read_senml(json.dumps(pack).encode(), context())
    return caught.value


def test_bases_hold_until_said_otherwise() -> None:
    first, second, third = records(
        {"bn": METER, "bt": 1_600_000_000, "bu": "A", "n": "l1", "v": 1.5},
        {"n": "l2", "v": 2, "t": 60},
        {"bn": "urn:dev:ow:10e2073a01080002/", "n": "u", "u": "V", "v": 230},
    )
    assert first == {
        "name": METER + "l1",
        "device": METER[:-1],
        "n": "l1",
        "unit": "A",
        "value": 1.5,
        "t": 1_600_000_000,
    }
    assert (second["value"], second["t"], second["device"]) == (2.0, 1_600_000_060, METER[:-1])
    assert (third["unit"], third["device"], third["t"]) == ("V", "urn:dev:ow:10e2073a01080002", 1_600_000_000)


def test_base_value_and_base_sum_are_added() -> None:
    first, second, third = records(
        {"bn": METER, "bv": 20, "bs": 100, "n": "t", "v": 1.25, "s": 5},
        {"n": "u", "v": 2},
        {"n": "w", "s": 1},
    )
    assert (first["value"], first["sum"]) == (21.25, 105)
    assert (second["value"], second["sum"]) == (22, 100)
    assert third["sum"] == 101
    assert "value" not in third


def test_values_keep_their_kind() -> None:
    found = records(
        {"bn": METER, "n": "label", "vs": "stairs"},
        {"n": "open", "vb": False},
        {"n": "tag", "vd": "-_8"},
        {"n": "x", "v": None},
    )
    assert [one["value"] for one in found] == ["stairs", False, "+/8=", None]


def test_texts_of_the_first_device_stand_by_name() -> None:
    pack = [
        {"bn": METER, "n": "label", "vs": "stairs"},
        {"n": "t", "v": 1},
        {"n": "label", "vs": "attic"},
        {"n": "model", "vs": 5},
        {"bn": "urn:dev:ow:10e2073a01080002:", "n": "vendor", "vs": "Wachsam"},
    ]
    assert read_senml(json.dumps(pack).encode(), context())["texts"] == {"label": "attic"}


def test_a_record_with_two_values_is_both_so_that_no_fire_is_lost() -> None:
    assert [one["value"] for one in records({"n": "smoke", "v": 0, "vb": True})] == [True, 0.0]


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (0, {"ago_s": 0.0}),
        (-30, {"t": NOW_S - 30.0, "ago_s": 30.0}),
        (15, {"t": NOW_S + 15.0, "ago_s": -15.0}),
        (RELATIVE_BELOW - 1, {"t": NOW_S + RELATIVE_BELOW - 1.0, "ago_s": 1.0 - RELATIVE_BELOW}),
        (RELATIVE_BELOW, {"t": float(RELATIVE_BELOW)}),
        ("later", {"t": "later"}),
    ],
)
def test_times_below_two_to_the_28_are_relative_to_now(time: Any, said: dict[str, Any]) -> None:
    (one,) = records({"n": "t", "v": 1, "t": time})
    assert {key: one[key] for key in ("t", "ago_s") if key in one} == said


def test_a_relative_base_time_moves_the_records_times() -> None:
    found = records({"n": "t", "bt": -100, "t": 0, "v": 1}, {"n": "t", "t": 40, "v": 2})
    assert [one["t"] for one in found] == [NOW_S - 100, NOW_S - 60]


def test_without_a_time_of_receipt_a_relative_time_stays_relative() -> None:
    (one,) = records({"n": "t", "v": 1, "t": -5}, now_s=0)
    assert one["ago_s"] == 5.0
    assert "t" not in one


@pytest.mark.parametrize("version", [11, 0, -1, 27, "10", 10.0, True, None])
def test_an_unknown_version_is_refused(version: Any) -> None:
    assert refused([{"bver": version, "n": "t", "v": 1}]).reason is Reason.UNREADABLE


@pytest.mark.parametrize("version", [5, 10, 26])
def test_known_versions_are_read(version: int) -> None:
    assert len(records({"bver": version, "n": "t", "v": 1})) == 1


def test_a_label_that_must_be_understood_spoils_the_pack_and_others_do_not() -> None:
    assert refused([{"n": "t", "v": 1}, {"n": "u", "v": 1, "foo_": 1}]).reason is Reason.UNREADABLE
    assert len(records({"n": "t", "v": 1, "foo": 1})) == 1


def test_records_that_say_nothing_readable_are_counted_and_leave_the_others() -> None:
    tree = read_senml(json.dumps([1, {"v": 3}, {"bn": METER}, {"n": "t", "v": 4}]).encode(), context())
    assert [one["name"] for one in tree["records"]] == [METER + "t"]
    assert tree["unread"] == 2


def test_a_lone_record_is_read_and_other_roots_are_not() -> None:
    assert read_senml(b'{"n":"smoke","vb":true}', context())["records"][0]["value"] is True
    assert refused("text").reason is Reason.WRONG_TYPE
    assert refused([{}] * (MOST_RECORDS + 1)).reason is Reason.TOO_LARGE
    with pytest.raises(Unreadable):
        read_senml(b"[", context())


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**400)
labels = st.sampled_from(
    ["bn", "bt", "bu", "bv", "bs", "n", "u", "v", "vs", "vb", "vd", "s", "t", "ut", "bver", "x_"]
)
packs = st.lists(st.dictionaries(labels, scalars | st.lists(scalars)) | scalars) | scalars


@given(packs)
def test_any_pack_is_resolved_or_refused(pack: Any) -> None:
    try:
        tree = read_senml(json.dumps(pack).encode(), context(received_us=NOW_S * 1_000_000))
    except Unreadable as error:
        assert error.detail
        return
    for one in tree["records"]:
        assert one["name"]
        assert "value" in one or "sum" in one


@given(st.binary())
def test_any_octets_are_read_or_refused(payload: bytes) -> None:
    try:
        read_senml(payload, context())
    except Unreadable as error:
        assert error.detail
