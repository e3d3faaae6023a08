"""The plan of a block: the same from the same seed, and consistent in itself."""

from __future__ import annotations

import math
import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.model import AreaLevel, PlaceKind, Role
from simulators.block import MAX_DEVICES, neighbours, plan_block
from simulators.places import Block

sizes = st.integers(2, 120)
seeds = st.integers(0, 2**32)


def places_of(block: Block) -> dict[PlaceKind, set[str]]:
    return {
        PlaceKind.AREA: {area.code for area in block.areas},
        PlaceKind.BUILDING: {building.code for building in block.buildings},
        PlaceKind.STAIR: {stair.code for stair in block.stairs},
        PlaceKind.DWELLING: {dwelling.code for dwelling in block.dwellings},
    }


@given(sizes, seeds)
def test_the_same_seed_gives_the_same_block(devices: int, seed: int) -> None:
    assert plan_block(devices, seed) == plan_block(devices, seed)


def test_another_seed_gives_other_addresses() -> None:
    one, other = plan_block(24, 1), plan_block(24, 2)
    addresses = {device.native_id for device in one.smoke_detectors}
    assert addresses.isdisjoint(device.native_id for device in other.smoke_detectors)


@given(sizes, seeds)
def test_every_code_and_native_id_is_unique(devices: int, seed: int) -> None:
    block = plan_block(devices, seed)
    codes = [code for codes in places_of(block).values() for code in codes]
    codes += [contact.code for contact in block.contacts]
    natives = [device.native_id for device in block.devices]
    assert max(Counter(codes + natives).values()) == 1


@given(sizes, seeds)
def test_everything_hangs_on_something_that_exists(devices: int, seed: int) -> None:
    block = plan_block(devices, seed)
    places = places_of(block)
    assert len(block.devices) == devices
    assert {device.dwelling for device in block.devices} == places[PlaceKind.DWELLING]
    assert {dwelling.stair for dwelling in block.dwellings} == places[PlaceKind.STAIR]
    assert {stair.building for stair in block.stairs} == places[PlaceKind.BUILDING]
    assert {building.area for building in block.buildings} <= places[PlaceKind.AREA]
    assert {area.parent for area in block.areas} <= places[PlaceKind.AREA] | {""}
    assert all(1 <= dwelling.floor <= block.buildings[0].floors for dwelling in block.dwellings)


@given(sizes, seeds)
def test_every_binding_joins_a_contact_to_a_place(devices: int, seed: int) -> None:
    block = plan_block(devices, seed)
    places = places_of(block)
    assert {binding.contact for binding in block.bindings} == {contact.code for contact in block.contacts}
    assert all(binding.place in places[binding.place_kind] for binding in block.bindings)
    assert {binding.role for binding in block.bindings} >= set(Role) - {Role.VOLUNTEER, Role.NEIGHBOUR}


def test_the_five_levels_are_there_from_the_top() -> None:
    areas = plan_block(2, 1).areas
    assert [area.level for area in areas] == list(AreaLevel)
    assert [area.parent for area in areas[1:]] == [area.code for area in areas[:-1]]


@given(st.integers(4, 120), seeds)
def test_trouble_has_somebody_next_door(devices: int, seed: int) -> None:
    block = plan_block(devices, seed)
    helpers = {binding.place for binding in block.bindings if binding.role is Role.NEIGHBOUR}
    kinds = [device.kind for device in block.devices_of(block.scene)]
    assert kinds == ["smoke", "electrical"]
    assert block.scene not in helpers, "the one in trouble lives alone"
    assert helpers & {dwelling.code for dwelling in neighbours(block, block.scene)}


def test_neighbours_live_on_the_same_stair_at_most_a_floor_away() -> None:
    block = plan_block(96, 1)
    near = neighbours(block, "b1-s2-301")
    assert [dwelling.code for dwelling in near] == [
        "b1-s2-201",
        "b1-s2-202",
        "b1-s2-302",
        "b1-s2-401",
        "b1-s2-402",
    ]


@given(sizes, seeds)
def test_detectors_have_addresses_no_manufacturer_is_given(devices: int, seed: int) -> None:
    for device in plan_block(devices, seed).smoke_detectors:
        assert re.fullmatch("0x[0-9a-f]{16}", device.native_id)
        assert int(device.native_id[2:4], 16) & 0b11 == 0b10  # locally administered, not multicast


@given(sizes, seeds)
def test_monitors_have_ratings_and_detectors_none(devices: int, seed: int) -> None:
    block = plan_block(devices, seed)
    assert all(math.isnan(device.reference_a) for device in block.smoke_detectors)
    for device in block.current_monitors:
        assert device.breaker_a and device.cable_a
        assert device.reference_a == min(device.breaker_a, device.cable_a)


@pytest.mark.parametrize("devices", [-1, 0, 1, MAX_DEVICES + 1])
def test_a_block_of_no_size_is_refused(devices: int) -> None:
    with pytest.raises(ValueError, match="devices must be"):
        plan_block(devices, 1)
