"""Whom an alarm in the common parts of a stair concerns, and when that is nobody."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from devices import registry
from devices.bound import bound_to_stair, unreachable_places
from devices.model import PlaceKind, Role
from devices.registry.rows import need
from devices.schema import stair
from tests.devices.conftest import NOW_US
from tests.devices.test_bound import WHO, Ids, People, people

__all__ = ["people"]


def test_a_stair_concerns_those_bound_above_it_and_all_who_live_there_as_neighbours(
    connection: Connection, block: Ids, people: People
) -> None:
    people.bind("worker", Role.GRID_WORKER, "area", "G")
    people.bind("keeper", Role.VOLUNTEER, "stair", "S1")
    people.bind("over-there", Role.NEIGHBOUR, "dwelling", "S2-201")
    people.bind("low", Role.NEIGHBOUR, "dwelling", "101")
    people.bind("high", Role.NEIGHBOUR, "dwelling", "401")
    people.bind("child", Role.FAMILY, "dwelling", "301")
    people.bind("both", Role.FAMILY, "dwelling", "101")
    people.bind("both", Role.NEIGHBOUR, "dwelling", "201")
    people.bind("flat-worker", Role.GRID_WORKER, "dwelling", "101")
    stair_id = need(connection, stair, "code", "S1")["id"]
    found = [(one.code, one.role) for one in bound_to_stair(connection, stair_id, NOW_US)]
    assert sorted(found) == [
        ("both", "neighbour"), ("child", "neighbour"), ("high", "neighbour"), ("keeper", "volunteer"),
        ("low", "neighbour"), ("worker", "grid_worker"),
    ]  # fmt: skip
    lesser = bound_to_stair(connection, stair_id, NOW_US, residents=False)
    assert sorted(one.code for one in lesser) == ["keeper", "worker"]
    assert bound_to_stair(connection, 999, NOW_US) == ()


def test_who_stands_in_for_a_family_and_is_a_neighbour_is_told_once(
    connection: Connection, block: Ids, people: People
) -> None:
    people.bind("child", Role.FAMILY, "dwelling", "301")
    people.bind("low", Role.NEIGHBOUR, "dwelling", "101")
    registry.substitute(
        connection, contact_code="child", substitute_code="low", from_us=NOW_US - 1, until_us=NOW_US + 10**9,
        by="t", now_us=NOW_US - 1,
    )  # fmt: skip
    stair_id = need(connection, stair, "code", "S1")["id"]
    found = {one.code: one for one in bound_to_stair(connection, stair_id, NOW_US)}
    assert found.keys() == {"child", "low"}
    assert (found["child"].away, found["low"].away, found["low"].stands_for) == (True, False, ("child",))


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize(
    ("role", "place", "counts"),
    [
        (Role.FAMILY, ("dwelling", "401"), True),
        (Role.NEIGHBOUR, ("dwelling", "101"), True),
        (Role.NEIGHBOUR, ("building", "B"), True),
        (Role.GRID_WORKER, ("stair", "S1"), True),
        (Role.GRID_WORKER, ("dwelling", "101"), False),
        (Role.NEIGHBOUR, ("dwelling", "S2-201"), False),
        (Role.FAMILY, ("dwelling", "S2-201"), False),
        (Role.GRID_WORKER, ("stair", "S2"), False),
        (Role.DUTY_DESK, ("area", "C"), False),
    ],
)
def test_a_stair_with_a_device_is_reachable_through_who_lives_on_it_and_who_is_bound_above(
    connection: Connection, people: People, role: Role, place: tuple[str, str], counts: bool
) -> None:
    registry.register_device(connection, uid="own:d", kind="smoke", profile="own", stair_code="S1", **WHO)
    people.bind("somebody", role, *place)
    gaps = [(gap.kind, gap.code) for gap in unreachable_places(connection, NOW_US)]
    assert gaps == ([] if counts else [(PlaceKind.STAIR, "S1")])
    registry.retire_device(connection, uid="own:d", **WHO)
    assert unreachable_places(connection, NOW_US) == ()
