"""Whatever octets come on whatever topic, a described profile reads or refuses them."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import Quality
from devices.profiles.described import DescribedProfile
from tests.devices.profiles.describing import compiled, decode, described, world
from tests.devices.profiles.listening import check_form
from tests.devices.profiles.made_up import CARRIER, GATEWAY, METER, TOPIC, VENDOR

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
    | st.just(100_000).map(lambda times: b"[" * times)
    | st.just(5_000).map(lambda times: b'{"kind":"report","raw":1' + b"0" * times + b"}")
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


@settings(deadline=None)
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
