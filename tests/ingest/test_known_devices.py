"""What is held of each device: the gateway it speaks through is never one that speaks through it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.profile import Said
from ingest.known_devices import Devices
from ingest.registered import NAN, PARENT, Known


def known(number: int, parent: int = 0) -> Known:
    """Device `dev:N` with id N + 100, that said to speak through another."""
    return Known(
        number + 100, f"dev:{number}", 0, 0, 0, 0, NAN, NAN, 0, 0, 0, 0, {},
        parent=f"dev:{parent}" if parent else "",
    )  # fmt: skip


def with_devices(count: int) -> Devices:
    devices = Devices()
    devices.take([known(n) for n in range(1, count + 1)])
    return devices


def says(devices: Devices, number: int, parent: int) -> bool:
    """Whether it changes anything that the device names this one."""
    return devices.hear(Said(f"dev:{number}", PARENT, f"dev:{parent}" if parent else "")) >= 0


def parents(devices: Devices, count: int) -> list[int]:
    """The gateway of each, 0 for none."""
    numbers = [devices.number(f"dev:{n}") for n in range(1, count + 1)]
    found: list[int] = devices.fact("parent", np.array(numbers, np.int32)).tolist()
    return [one - 100 if one else 0 for one in found]


def test_of_two_that_name_each_other_the_first_keeps_its_gateway() -> None:
    devices = with_devices(2)
    assert says(devices, 1, 2)
    assert not says(devices, 2, 1)
    assert parents(devices, 2) == [2, 0]


def test_it_is_so_when_the_database_says_it() -> None:
    devices = Devices()
    devices.take([known(1, parent=2), known(2, parent=1)])
    assert parents(devices, 2) == [2, 0]
    devices.take([known(1), known(2)])
    assert parents(devices, 2) == [2, 0]


@pytest.mark.parametrize("ring", range(1, 12))
def test_a_ring_of_any_length_is_open(ring: int) -> None:
    devices = with_devices(ring)
    for n in range(1, ring + 1):
        says(devices, n, n % ring + 1)
    assert parents(devices, ring) == [*range(2, ring + 1), 0]


def test_a_gateway_behind_four_others_is_one_and_behind_five_it_is_none() -> None:
    devices = with_devices(7)
    for n in range(6, 0, -1):
        says(devices, n, n + 1)
    assert parents(devices, 7) == [0, 3, 4, 5, 6, 7, 0]


def test_one_that_says_it_again_is_heard_when_the_ring_is_open() -> None:
    devices = with_devices(3)
    says(devices, 1, 2)
    says(devices, 2, 1)
    assert says(devices, 1, 3)
    assert says(devices, 2, 1)
    assert not says(devices, 2, 1)
    assert parents(devices, 3) == [3, 1, 0]


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6), st.booleans()), max_size=60))
def test_whatever_they_say_nobody_is_behind_itself(said: list[tuple[int, int, bool]]) -> None:
    devices = with_devices(6)
    for number, parent, again in said:
        says(devices, number, parent)
        if again:
            devices.take([known(number)])
        via = [0, *parents(devices, 6)]
        for one in range(1, 7):
            at = one
            for _ in range(6):
                at = via[at]
            assert not at
