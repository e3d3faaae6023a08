"""Who sends what follows from a device's index alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.formats import own_topic, smoke_topic
from simulators.mix import (
    KINDS,
    MAX_DEVICES,
    MixError,
    device_id,
    identities,
    identity_of,
    kind_of,
    kinds_of,
    parse_mix,
)

weights = st.dictionaries(st.sampled_from(KINDS), st.integers(1, 500), min_size=1)


def written(of: dict[str, int]) -> str:
    return ",".join(f"{kind}:{weight}" for kind, weight in of.items())


@given(weights)
def test_a_pattern_holds_each_kind_by_its_weight(of: dict[str, int]) -> None:
    mix = parse_mix(written(of))
    total = sum(of.values())
    counted = Counter(kind_of(index, mix) for index in range(total))
    assert counted == of


@given(weights, st.integers(1, 300))
def test_every_stretch_of_devices_is_mixed_as_the_whole(of: dict[str, int], stretch: int) -> None:
    """Smooth: after any number of devices no kind is a whole device per other kind off its share."""
    mix = parse_mix(written(of))
    counted = Counter(kind_of(index, mix) for index in range(stretch))
    for kind, weight in of.items():
        assert abs(counted[kind] - stretch * weight / sum(of.values())) <= len(of)


def test_the_order_of_the_example_is_as_documented() -> None:
    mix = parse_mix("own:60,smoke:25,bare:15")
    assert len(mix.pattern) == 20
    assert [kind_of(index, mix) for index in range(4)] == ["own", "smoke", "own", "bare"]


def test_many_indexes_at_once_give_what_one_gives() -> None:
    mix = parse_mix("own:3,bare:2,smoke")
    indexes = np.array([0, 1, 5, 6, 999_999])
    assert [KINDS[each] for each in kinds_of(indexes, mix)] == [kind_of(int(each), mix) for each in indexes]


@given(st.integers(0, MAX_DEVICES - 1))
def test_an_identity_is_where_its_device_publishes(index: int) -> None:
    mix = parse_mix("own,smoke")
    identity = identity_of(index, mix)
    if kind_of(index, mix) == "smoke":
        address = identity.uid.removeprefix("zigbee:")
        assert len(address) == 16
        assert (identity.profile, identity.kind) == ("zigbee2mqtt", "smoke")
        assert identity.topic == smoke_topic(f"0x{address}")
        assert int(address, 16) >> 56 == 0x02  # locally administered, not multicast
    else:
        assert (identity.profile, identity.kind) == ("own", "electrical")
        assert identity.uid == f"own:{device_id(index)}"
        assert identity.topic == own_topic(device_id(index))


def test_no_two_devices_are_the_same() -> None:
    mix = parse_mix("smoke:2,bare,own")
    many = list(identities(0, 5000, mix))
    assert len({identity.uid for identity in many}) == len({identity.topic for identity in many}) == 5000
    assert many[4321] == identity_of(4321, mix)


@pytest.mark.parametrize(
    "text", ["", "water", "own:0", "own:-1", "own:1.5", "own:x", "own,own", "own:9999,smoke:7", "own:1,"]
)
def test_what_is_no_mix_is_refused(text: str) -> None:
    with pytest.raises(MixError):
        parse_mix(text)
