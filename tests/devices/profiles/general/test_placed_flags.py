"""A fire in a gateway's message that is refused is the detector's where it can be told which."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.formats.damaged_json import TOKENS_MAX, Salvaged, salvaged_json
from devices.profiles.general.findings import FINDINGS_MAX
from tests.devices.profiles.describing import decode, described
from tests.devices.profiles.listening import Registry, readings

FILE = """
name = "gate"
[[message]]
name = "list"
topics = ["gate/{gateway}"]
device = ["gate:{gateway}"]
[[message.group]]
each = "sensors.{serial}"
device = ["s:{serial}"]
values = { smoke = "smoke.alarm", v = "voltage" }
[[message]]
name = "own"
topics = ["self/{place}"]
device = ["self:{.serial}"]
values = { smoke = "smoke.alarm" }
"""


def rescued(topic: str, payload: bytes) -> list[tuple[str, str, float | None, list[str]]]:
    registry = Registry()
    decoded = decode(described(FILE), (topic, payload), registry=registry)
    assert len(decoded.rejected) == 1
    return [(uid, metric, value, quality) for uid, _, metric, value, quality in readings(decoded, registry)]


def fire(uid: str) -> tuple[str, str, float, list[str]]:
    return uid, "smoke.alarm", 1.0, ["suspect"]


CUT = b'{"sensors":{"a":{"smoke":false,"v":230},"b":{"smoke":true,"v":23'


@pytest.mark.parametrize(
    ("payload", "uids"),
    [
        (CUT, ["s:b"]),
        (b'{"sensors":{"a":{"v":undefined,"smoke":true},"b":{"smoke":true}}}', ["s:a", "s:b"]),
        (b'{"sensors":{"a":{"v":,"smoke":true}}}', ["s:a"]),
        (b'{"sensors":{"a":{"smoke":true', ["s:a"]),
        (b'"{\\"sensors\\":{\\"a\\":{\\"smoke\\":true', ["gate:1"]),
    ],
)
def test_a_fire_is_the_detectors_where_its_item_can_be_told(payload: bytes, uids: list[str]) -> None:
    assert rescued("gate/1", payload) == [fire(uid) for uid in uids]


def test_a_fire_behind_what_can_be_told_is_the_gateways() -> None:
    payload = b'{"sensors":{"a":{"smoke":true}}} "smoke": true'
    assert rescued("gate/1", payload) == [fire("s:a"), fire("gate:1")]


def test_a_fire_among_too_many_values_is_the_detectors() -> None:
    sensors: dict[str, Any] = {f"n{n}": {"v": n} for n in range(FINDINGS_MAX + 1)}
    payload = json.dumps({"sensors": {**sensors, "late": {"smoke": True}}}).encode()
    assert rescued("gate/1", payload) == [fire("s:late")]


def test_a_damaged_message_is_its_devices_where_it_says_whose_it_is() -> None:
    assert rescued("self/x", b'{"serial":"77","smoke":true,"v":nope}') == [fire("self:77")]
    for cut in (b'{"smoke":true,"serial":"77', b'{"smoke":true,"serial":77', b'{"smoke":true,"serial'):
        assert rescued("self/x", cut) == [fire("topic:self/x")]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
        lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below, max_size=3),
    )
)
def test_what_is_whole_is_told_as_it_is(tree: Any) -> None:
    found = salvaged_json(json.dumps(tree).encode())
    assert found == (Salvaged(tree, whole=True) if type(tree) in (dict, list) else None)


@given(st.binary(max_size=200) | st.text('[]{},:"a1tru\\', max_size=60).map(str.encode))
def test_any_octets_are_told_or_not_and_never_an_exception(payload: bytes) -> None:
    salvaged_json(payload)


def test_what_is_looked_at_is_bounded() -> None:
    found = salvaged_json(b"[" + b"1," * TOKENS_MAX)
    assert found is not None
    assert (found.whole, len(found.tree)) == (False, TOKENS_MAX // 2)
    assert salvaged_json(b"[" * 100_000) is not None
