from __future__ import annotations

import base64
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.formats.format import Unreadable
from devices.profiles.formats.sparkplug import LONGEST, MOST_METRICS, read_sparkplug
from devices.profiles.formats.sparkplug_wire import DataType
from devices.profiles.memory import Memory
from devices.profiles.profile import Reason
from tests.devices.profiles.formats.surroundings import context, field, single

AT_MS = 1_700_000_123_456
NODE = {"group": "block 7", "node": "gw2"}


def payload(*metrics: bytes, seq: int = 3) -> bytes:
    return field(1, AT_MS) + b"".join(field(2, metric) for metric in metrics) + field(3, seq)


def metric(name: str = "", *fields: bytes, alias: int | None = None, kind: int | None = None) -> bytes:
    head = field(1, name) if name else b""
    if alias is not None:
        head += field(2, alias)
    if kind is not None:
        head += field(4, kind)
    return head + b"".join(fields)


def boolean(value: bool) -> bytes:
    return field(14, int(value))


def read(kind: str, body: bytes, memory: Memory | None = None, device: str = "smoke 3") -> dict[str, Any]:
    captures = NODE | {"type": kind} | ({"device": device} if device else {})
    return read_sparkplug(body, context(captures, memory))


def only(metric_fields: bytes) -> dict[str, Any]:
    (one,) = read("DDATA", payload(metric_fields))["metrics"]
    found: dict[str, Any] = one
    return found


def test_a_message_says_its_time_its_number_and_its_metrics() -> None:
    body = payload(
        metric("Smoke/Alarm", field(3, AT_MS - 5), boolean(True), kind=DataType.BOOLEAN),
        metric("Level", field(10, 0xFF), kind=DataType.INT8),
    )
    assert read("DDATA", body) == {
        "type": "DDATA",
        "timestamp": AT_MS,
        "seq": 3,
        "metrics": [
            {"name": "Smoke/Alarm", "timestamp": AT_MS - 5, "value": True},
            {"name": "Level", "datatype": 1, "value": -1},
        ],
    }


@pytest.mark.parametrize(
    ("kind", "wire", "value"),
    [
        (DataType.INT8, field(10, 0xFB), -5),
        (DataType.INT8, field(10, 0xFFFFFFFB), -5),
        (DataType.INT8, field(10, 127), 127),
        (DataType.INT16, field(10, 0xFFFF), -1),
        (DataType.INT32, field(10, 0x80000000), -(2**31)),
        (DataType.INT64, field(11, 2**64 - 7), -7),
        (DataType.UINT8, field(10, 0xFB), 0xFB),
        (DataType.UINT32, field(10, 0xFFFFFFFF), 2**32 - 1),
        (DataType.UINT64, field(11, 2**64 - 1), 2**64 - 1),
        (DataType.DATETIME, field(11, AT_MS), AT_MS),
        (DataType.FLOAT, single(12, 0.5), 0.5),
        (DataType.STRING, field(15, "on"), "on"),
        (DataType.STRING, field(15, b"\xffn"), "\ufffdn"),
        (DataType.BYTES, field(16, b"\x01\xff"), base64.b64encode(b"\x01\xff").decode()),
        (DataType.FLOAT, single(12, math.nan), None),
        (DataType.DOUBLE, field(13, math.inf), None),
    ],
)
def test_values_are_what_their_type_says(kind: int, wire: bytes, value: Any) -> None:
    assert only(metric("m", wire, kind=kind))["value"] == value


def test_a_metric_without_a_value_has_none_and_null_is_null() -> None:
    assert "value" not in only(metric("m", kind=DataType.TEMPLATE))
    assert only(metric("m", field(7, 1), kind=DataType.FLOAT))["value"] is None
    assert only(metric("m", field(7, 1), boolean(True)))["value"] is None


def quality(code: int) -> bytes:
    others = field(1, "engUnit") + field(2, field(1, 12) + field(8, "kW"))
    return field(9, others + field(1, "Quality") + field(2, field(1, 3) + field(3, code)))


@pytest.mark.parametrize(("code", "value"), [(0, None), (192, 21.5), (500, 21.5)])
def test_a_bad_quality_takes_the_value_away(code: int, value: float | None) -> None:
    one = only(metric("m", field(13, 21.5), quality(code)))
    assert (one["quality"], one["value"], one.get("stale", False)) == (code, value, code == 500)


def test_a_bad_quality_takes_false_away_and_leaves_true() -> None:
    assert only(metric("smoke", boolean(False), quality(0)))["value"] is None
    assert only(metric("smoke", boolean(True), quality(0)))["value"] is True


def test_historical_values_say_so() -> None:
    assert only(metric("m", field(5, 1), boolean(True)))["is_historical"] is True


BIRTH = payload(
    metric("Smoke/Alarm", boolean(False), alias=0, kind=DataType.BOOLEAN),
    metric("Temperature", field(10, 20), alias=1, kind=DataType.INT16),
    metric("Level", field(10, 20), kind=DataType.INT8),
)
BY_ALIAS = payload(
    metric("", boolean(True), alias=0),
    metric("", field(10, 0xFFFF), alias=1),
    metric("Level", field(10, 0xFE)),
)


def values(tree: dict[str, Any]) -> dict[str | None, Any]:
    return {one["name"]: one["value"] for one in tree["metrics"]}


def restarted(memory: Memory) -> Memory:
    again = Memory("test")
    again.restore(memory.taken())
    return again


def test_aliases_and_types_come_from_the_birth_also_after_a_restart() -> None:
    memory = Memory("test")
    assert values(read("DBIRTH", BIRTH, memory)) == {"Smoke/Alarm": False, "Temperature": 20, "Level": 20}
    expected = {"Smoke/Alarm": True, "Temperature": -1, "Level": -2}
    assert values(read("DDATA", BY_ALIAS, memory)) == expected
    assert values(read("DDATA", BY_ALIAS, restarted(memory))) == expected


def test_an_alias_nobody_was_born_with_is_incomplete() -> None:
    memory = Memory("test")
    read("DBIRTH", BIRTH, memory, device="another")
    first, *_ = read("DDATA", BY_ALIAS, memory)["metrics"]
    assert first == {"alias": 0, "name": None, "incomplete": True, "value": True}


def test_a_new_birth_takes_the_place_of_the_old_one() -> None:
    memory = Memory("test")
    read("DBIRTH", BIRTH, memory)
    read("DBIRTH", payload(metric("Other", boolean(True), alias=1, kind=DataType.BOOLEAN)), memory)
    found = read("DDATA", BY_ALIAS, memory)["metrics"]
    assert [one["name"] for one in found] == [None, "Other", "Level"]


def test_a_birth_is_not_explained_by_the_one_before() -> None:
    memory = Memory("test")
    read("DBIRTH", BIRTH, memory)
    tree = read(
        "DBIRTH", payload(metric("", boolean(True), alias=0), metric("Level", field(10, 0xFE))), memory
    )
    assert values(tree) == {None: True, "Level": 0xFE}
    assert values(read("DDATA", BY_ALIAS, memory)) == {None: 0xFFFF, "Level": 0xFE}


def test_the_same_birth_again_is_nothing_new_to_remember() -> None:
    memory = Memory("test")
    read("DBIRTH", BIRTH, memory)
    assert memory.taken()
    read("DBIRTH", BIRTH, memory)
    assert not memory.taken()


def test_a_birth_too_large_to_remember_is_read_and_the_old_one_forgotten() -> None:
    memory = Memory("test")
    read("DBIRTH", BIRTH, memory)
    many = [metric("x" * 40 + str(n), boolean(True), alias=n) for n in range(2000)]
    tree = read("DBIRTH", payload(*many), memory)
    assert tree["forgotten"] is True
    assert len(tree["metrics"]) == 2000
    assert read("DDATA", BY_ALIAS, memory)["metrics"][0]["incomplete"] is True


def test_names_that_are_not_utf8_do_not_spoil_the_rest() -> None:
    memory = Memory("test")
    body = payload(field(1, b"\xff") + field(2, 4) + boolean(False), metric("Smoke", boolean(True)))
    assert values(read("DBIRTH", body, memory)) == {"\ufffd": False, "Smoke": True}
    assert values(read("DDATA", payload(metric("", boolean(True), alias=4)), memory)) == {"\ufffd": True}


def death(number: int) -> bytes:
    return field(1, AT_MS) + field(2, metric("bdSeq", field(11, number), kind=DataType.INT64))


@pytest.mark.parametrize(("number", "stale"), [(4, False), (3, True), (5, True)])
def test_a_death_of_another_session_is_stale(number: int, stale: bool) -> None:
    memory = Memory("test")
    read("NBIRTH", death(4), memory, device="")
    assert read("NDEATH", death(number), memory, device="")["stale_death"] is stale
    assert read("NDEATH", death(number), restarted(memory), device="")["stale_death"] is stale


def test_a_death_of_a_node_never_heard_or_without_a_number_is_a_death() -> None:
    assert read("NDEATH", death(9), device="")["stale_death"] is False
    memory = Memory("test")
    read("NBIRTH", death(4), memory, device="")
    assert read("NDEATH", field(1, AT_MS), memory, device="")["stale_death"] is False


@pytest.mark.parametrize("note", ["", "[", "[[1]]", "{}", '[["a",1]]', '[["a",1,"b"]]'])
def test_a_damaged_memory_is_no_memory(note: str) -> None:
    memory = Memory("test")
    memory.set("birth", "block 7/gw2/smoke 3", note)
    memory.set("bdseq", "block 7/gw2", note)
    assert read("DDATA", BY_ALIAS, memory)["metrics"][0]["incomplete"] is True
    assert read("NDEATH", death(1), memory, device="")["stale_death"] is False


def test_the_json_rendering_reads_the_same() -> None:
    said = {
        "timestamp": AT_MS,
        "seq": 3,
        "metrics": [
            {"name": "Smoke/Alarm", "alias": 0, "timestamp": AT_MS, "dataType": "Boolean", "value": True},
            {
                "name": "Level",
                "dataType": "Int8",
                "value": -2,
                "properties": {"Quality": {"type": "Int32", "value": 500}},
            },
            {"name": "T", "isNull": True, "dataType": "Float"},
            {"alias": 1, "value": 7},
            "no metric",
        ],
    }
    memory = Memory("test")
    read("DBIRTH", BIRTH, memory)
    tree = read("DDATA", json.dumps(said).encode(), memory)
    assert values(tree) == {"Smoke/Alarm": True, "Level": -2, "T": None, "Temperature": 7}
    assert (tree["timestamp"], tree["seq"], tree["metrics"][1]["quality"]) == (AT_MS, 3, 500)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\x0a", Reason.UNREADABLE),
        (b"\xff\xff", Reason.UNREADABLE),
        (field(2, b"\x0a\x7f"), Reason.UNREADABLE),
        (b"\x00" * (LONGEST + 1), Reason.TOO_LARGE),
        (field(2, b"") * (MOST_METRICS + 1), Reason.TOO_LARGE),
        (b"{", Reason.NOT_JSON),
        (b'{"metrics":{}}', Reason.WRONG_TYPE),
    ],
)
def test_what_is_no_payload_is_refused(body: bytes, reason: Reason) -> None:
    with pytest.raises(Unreadable) as caught:
        read("DDATA", body)
    assert caught.value.reason is reason


fields = st.one_of(
    st.builds(field, st.integers(1, 18), st.integers(0, 2**64 - 1) | st.floats() | st.binary(max_size=20)),
    st.builds(single, st.integers(1, 18), st.floats(width=32)),
)
messages = st.lists(st.lists(fields).map(b"".join).map(lambda body: field(2, body)) | fields).map(b"".join)
SCALARS = {int, float, str, bool, type(None)}


@given(
    messages | st.binary(), st.sampled_from(["NBIRTH", "DBIRTH", "DDATA", "NDATA", "NDEATH", "DDEATH", "?"])
)
def test_any_octets_are_read_or_refused_and_later_messages_too(body: bytes, kind: str) -> None:
    memory = Memory("test")
    try:
        tree = read(kind, body, memory)
    except Unreadable as error:
        assert error.detail
    else:
        for one in tree["metrics"]:
            assert {type(value) for value in one.values()} <= SCALARS
            assert one["name"] or one["incomplete"]
            assert type(one.get("value")) is not float or math.isfinite(one["value"])
    assert values(read("DDATA", payload(metric("m", boolean(True))), memory)) == {"m": True}


json_values = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers())
)
json_metrics = st.dictionaries(
    st.sampled_from(["name", "alias", "timestamp", "dataType", "datatype", "value", "isNull", "properties"]),
    json_values | st.dictionaries(st.just("Quality"), json_values),
)


@given(
    st.dictionaries(st.sampled_from(["timestamp", "seq", "metrics"]), st.lists(json_metrics) | json_values)
)
def test_any_json_is_read_or_refused(said: Any) -> None:
    for kind in ("DBIRTH", "DDATA"):
        try:
            tree = read(kind, json.dumps(said).encode())
        except Unreadable as error:
            assert error.detail
        else:
            assert all({type(value) for value in one.values()} <= SCALARS for one in tree["metrics"])
