"""SenML by form: whatever comes, it means what the general way says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.profiles.described import DescribedProfile
from devices.profiles.shipped import shipped_compiled
from tests.devices.profiles.fast.both_ways import Both

TOPIC = "senml/block-7/flat"
(SENML,) = [one for one in shipped_compiled() if one.name == "senml"]


def both() -> Both:
    general = DescribedProfile(SENML, SENML.objects)
    general.fast = None
    return Both(DescribedProfile(SENML, SENML.objects), general)


def pack(
    volts: Any = 230.5, smoke: Any = False, *, at: Any = 1_790_000_000, base: Any = "urn:dev:mac:0a:"
) -> list[dict[str, Any]]:
    return [
        {"bn": base, "bt": at, "bu": "V", "n": "voltage", "v": volts},
        {"n": "smoke", "vb": smoke, "t": 2},
        {"n": "shelf/t", "u": "Cel", "v": 21.5, "t": -1.5},
    ]


def test_packs_with_other_values_and_times_are_read_by_their_form() -> None:
    ways = both()
    ways.teach((TOPIC, pack()))
    tick = [(TOPIC, pack(200 + n, n == 2, at=1_790_000_000.5 + n)) for n in range(5)]
    assert ways.left(*tick) == 0
    ways.hear(*tick)


def test_devices_share_a_form_and_each_is_itself() -> None:
    ways = both()
    ways.teach((TOPIC, pack()))
    others = [(f"{TOPIC}{n}", pack(n, base=f"urn:dev:mac:{n:02x}:")) for n in range(9)]
    for _ in range(3):
        ways.hear(*others)
    assert ways.left(*others) == 0
    assert len(ways.way) == 1
    ways.hear(*[(topic, pack(base="urn:dev:mac:ff:")) for topic, _ in others])


@pytest.mark.parametrize("at", [0, 1, -5, 2**28 - 1, 2**28, "x", None, 1e300])
def test_times_relative_to_now_go_the_general_way(at: Any) -> None:
    ways = both()
    ways.teach((TOPIC, pack()))
    ways.hear((TOPIC, pack(at=at)), (TOPIC, pack()))


odd: st.SearchStrategy[Any] = st.sampled_from(
    [None, "5", True, False, 0, -1, 1e308, 10**400, 0.1, [], {"a": 1}]
)
packs = st.builds(
    pack,
    st.floats(allow_nan=False, allow_infinity=False) | odd,
    st.booleans() | odd,
    at=st.integers(0, 2**33) | odd,
    base=st.sampled_from(["urn:dev:mac:0a:", "urn:dev:mac:0b:", "", "/", "a+b", "#", 5]),
)


@st.composite
def changed(draw: st.DrawFn) -> list[dict[str, Any]]:
    said = draw(packs)
    label = draw(
        st.sampled_from(
            ["n", "u", "v", "vb", "vs", "t", "bn", "bu", "bt", "bv", "bs", "s", "bver", "x", "x_"]
        )
    )
    said[draw(st.integers(0, 2))][label] = draw(odd | st.sampled_from(["smoke", "V", "A", 10, 1_790_000_000]))
    return said


TAUGHT = both()
TAUGHT.teach((TOPIC, pack()), (TOPIC, [{"bn": "urn:dev:mac:0a:", "n": "smoke", "vb": False}]))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(packs | changed() | st.just([{"bn": "urn:dev:mac:0a:", "n": "smoke", "vb": True}]), max_size=6)
)
def test_whatever_packs_come_they_mean_what_the_general_way_says(tick: list[list[dict[str, Any]]]) -> None:
    TAUGHT.hear(*[(TOPIC, one) for one in tick], (TOPIC, pack()))
