"""Who was bound to a dwelling when: changes of bindings, told as they happen."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, select

from devices import registry
from devices.bound import bound_to_dwelling, has_duty_desk
from devices.model import PlaceKind, Role
from devices.registry import NotAllowed
from devices.schema import registry_change
from devices.vault import Vault
from tests.devices.conftest import NOW_US
from tests.devices.office import HOUR_US, Ids, Office


@pytest.fixture
def office(connection: Connection, vault: Vault, block: Ids) -> Office:
    return Office(connection, vault, block)


def test_a_grid_worker_who_moves_on_is_followed_by_another_and_the_past_stays(office: Office) -> None:
    office.meets("old", "new")
    office.at(1).binds("old", Role.GRID_WORKER, "area", "G")
    office.at(10).unbinds("old", Role.GRID_WORKER, "area", "G")
    office.binds("new", Role.GRID_WORKER, "area", "G")
    assert [office.codes(hour) for hour in (0.9, 1, 9.9, 10, 99)] == [[], ["old"], ["old"], ["new"], ["new"]]


def test_changed_quiet_hours_leave_the_earlier_ones_on_record(office: Office) -> None:
    office.meets("worker")
    office.at(1).binds("worker", Role.GRID_WORKER, "area", "G", quiet="22:00-06:00", delay_s=30)
    office.at(5).rebinds("worker", Role.GRID_WORKER, "area", "G", quiet="23:00-06:30")
    office.at(9).rebinds("worker", Role.GRID_WORKER, "area", "G", quiet="", rank=2)
    quiet = [office.one("worker", hour).quiet for hour in (1, 5, 9)]
    assert [hours.text if hours else "" for hours in quiet] == ["22:00-06:00", "23:00-06:30", ""]
    assert [(office.one("worker", h).rank, office.one("worker", h).delay_s) for h in (8, 9)] == [
        (1, 30),
        (2, 30),
    ]
    rows = registry.list_bindings(office.connection, contact_code="worker", history=True)
    assert [(row.quiet, row.bound_us, row.ended_us) for row in rows] == [
        ("22:00-06:00", NOW_US + HOUR_US, NOW_US + 5 * HOUR_US),
        ("23:00-06:30", NOW_US + 5 * HOUR_US, NOW_US + 9 * HOUR_US),
        ("", NOW_US + 9 * HOUR_US, None),
    ]


def test_a_change_that_changes_nothing_is_none(office: Office) -> None:
    office.meets("worker")
    office.binds("worker", Role.GRID_WORKER, "area", "G", quiet="22:00-06:00")
    before = office.connection.execute(select(registry_change)).all()
    office.at(5).rebinds("worker", Role.GRID_WORKER, "area", "G", rank=1, quiet=" 22:00-06:00")
    assert office.connection.execute(select(registry_change)).all() == before
    assert len(registry.list_bindings(office.connection, history=True)) == 1


def test_the_list_says_what_stands_what_stood_then_and_all_there_was(office: Office) -> None:
    office.meets("worker")
    office.at(1).binds("worker", Role.GRID_WORKER, "area", "G")
    office.at(3).unbinds("worker", Role.GRID_WORKER, "area", "G")
    office.at(5).binds("worker", Role.GRID_WORKER, "building", "B")
    rows = registry.list_bindings
    assert [row.place for row in rows(office.connection)] == ["B"]
    assert [row.place for row in rows(office.connection, at_us=NOW_US + 2 * HOUR_US)] == ["G"]
    assert rows(office.connection, at_us=NOW_US + 4 * HOUR_US) == []
    assert [row.place for row in rows(office.connection, history=True)] == ["G", "B"]


def test_what_stands_now_stands_whatever_the_clock_says(office: Office) -> None:
    office.meets("desk", "child")
    office.binds("desk", Role.DUTY_DESK, "area", "C")
    office.binds("child", Role.FAMILY, "dwelling", "201")
    long_ago = 0
    found = bound_to_dwelling(office.connection, office.block["201"], long_ago, live=True)
    assert [one.code for one in found] == ["child", "desk"]
    assert office.codes(-1) == []
    assert has_duty_desk(office.connection, long_ago, live=True)


def test_the_nearest_binding_says_delay_and_quiet_hours_and_the_best_rank_counts(office: Office) -> None:
    office.meets("both")
    office.binds("both", Role.GRID_WORKER, "stair", "S1", rank=3, delay_s=60)
    office.binds("both", Role.GRID_WORKER, "area", "G", rank=1, quiet="22:00-06:00")
    office.binds("both", Role.GRID_WORKER, "area", "C", rank=2, delay_s=5)
    near, far = office.one("both", 1), office.one("both", 1, "S2-201")
    assert (near.rank, near.delay_s, near.quiet, near.place_kind) == (1, 60, None, PlaceKind.STAIR)
    assert far.quiet is not None
    assert (far.rank, far.delay_s, far.quiet.text, far.place_kind) == (1, 0, "22:00-06:00", PlaceKind.AREA)


@pytest.mark.parametrize("role", [Role.DUTY_DESK, Role.MICRO_STATION, Role.FIRE_BRIGADE])
def test_who_is_on_duty_has_no_quiet_hours(office: Office, role: Role) -> None:
    office.meets("station")
    with pytest.raises(NotAllowed, match="always on duty"):
        office.binds("station", role, "area", "C", quiet="22:00-06:00")


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"quiet": "22:00-22:00"}, "two different times"),
        ({"quiet": "22-7"}, "such as 22:00-07:00"),
        ({"quiet": "22:00-24:00"}, "00:00 to 23:59"),
        ({"delay_s": -1}, "delay -1 s: 0 to 86400"),
        ({"delay_s": 86_401}, "0 to 86400"),
    ],
)
def test_terms_of_a_binding_that_make_no_sense_are_refused(
    office: Office, terms: dict[str, Any], reason: str
) -> None:
    office.meets("worker")
    with pytest.raises(NotAllowed, match=reason):
        office.binds("worker", Role.GRID_WORKER, "area", "G", **terms)
    office.binds("worker", Role.GRID_WORKER, "area", "G")
    with pytest.raises(NotAllowed, match=reason):
        office.rebinds("worker", Role.GRID_WORKER, "area", "G", **terms)
