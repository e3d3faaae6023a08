from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from alerts.schema import system_fault
from alerts.standing import NO_DUTY_DESK, UNREACHABLE, UNREADABLE, check_standing
from devices.database import reading, writing
from devices.model import Carrier, Medium, PlaceKind, Role
from devices.schema import (
    area,
    binding,
    building,
    contact_channel,
    device,
    dwelling,
    registry_change,
    stair,
    substitution,
)
from tests.alerts.outboxes import NOW, Outbox, open_outbox


@pytest.fixture
def registry(database: str) -> Iterator[Outbox]:
    """One dwelling with a detector, and nobody bound to anything."""
    with open_outbox(database) as opened:
        with writing(opened.engine) as connection:
            connection.execute(area.insert().values(id=1, level="city", code="a", name="a"))
            connection.execute(building.insert().values(id=1, area_id=1, code="b", name="b", floors=6))
            connection.execute(stair.insert().values(id=1, building_id=1, code="s", name="s"))
            connection.execute(dwelling.insert().values(id=1, stair_id=1, floor=1, flat="101", code="d"))
            connection.execute(
                device.insert().values(
                    uid="x:1",
                    kind="smoke",
                    profile="own",
                    dwelling_id=1,
                    registered_us=NOW,
                    registered_by="test",
                )
            )
        yield opened


def bind(registry: Outbox, role: Role) -> None:
    [channel] = registry.add_contact((Medium.PUSH, Carrier.WEBHOOK, "http://x"))
    with writing(registry.engine) as connection:
        contact_id = connection.scalar(
            select(contact_channel.c.contact_id).where(contact_channel.c.id == channel)
        )
        connection.execute(
            binding.insert().values(
                contact_id=contact_id, role=role, place_kind=PlaceKind.AREA, place_id=1, bound_us=NOW
            )
        )
        connection.execute(registry_change.insert().values(at_us=NOW, by="test", what="bound"))


def standing(registry: Outbox) -> dict[str, Any]:
    with reading(registry.engine) as connection:
        rows = connection.execute(select(system_fault).where(system_fault.c.ended_us.is_(None)))
        return {row.code: row for row in rows}


def test_a_registry_with_nobody_bound_has_both_faults_from_when_they_were_found(registry: Outbox) -> None:
    check_standing(registry.engine, NOW, None)
    faults = standing(registry)
    assert faults.keys() == {NO_DUTY_DESK, UNREACHABLE}
    assert {row.since_us for row in faults.values()} == {NOW}
    assert faults[UNREACHABLE].text == (
        "1 处有设备但没有可立即通知的人：d · "
        "1 place with a device has nobody to tell at once: d; gengfu contact gaps"
    )


def test_a_device_outside_dwellings_with_nobody_to_tell_at_once_is_a_fault(registry: Outbox) -> None:
    with writing(registry.engine) as connection:
        connection.execute(device.update().values(dwelling_id=None, building_id=1))
    bind(registry, Role.NEIGHBOUR)
    check_standing(registry.engine, NOW, None)
    assert "nobody to tell at once: b;" in standing(registry)[UNREACHABLE].text
    bind(registry, Role.MICRO_STATION)
    check_standing(registry.engine, NOW + 60, 0)
    assert UNREACHABLE not in standing(registry)


def test_of_many_places_the_first_five_are_named(registry: Outbox) -> None:
    common = {"kind": "smoke", "profile": "own", "registered_us": NOW, "registered_by": "test"}
    with writing(registry.engine) as connection:
        for n in range(2, 8):
            home = {"id": n, "stair_id": 1, "floor": 1, "flat": str(n), "code": f"d{n}"}
            connection.execute(dwelling.insert().values(home))
            connection.execute(device.insert().values(uid=f"x:{n}", dwelling_id=n, **common))
    check_standing(registry.engine, NOW, None)
    assert standing(registry)[UNREACHABLE].text == (
        "7 处有设备但没有可立即通知的人：d、d2、d3、d4、d5 等 7 个 · "
        "7 places with a device have nobody to tell at once: d, d2, d3, d4, d5 and 2 more; "
        "gengfu contact gaps"
    )


def test_words_of_a_later_release_are_a_fault_that_names_the_contacts_and_ends_when_mended(
    registry: Outbox,
) -> None:
    bind(registry, Role.DUTY_DESK)
    bind(registry, Role.GRID_WORKER)
    with writing(registry.engine) as connection:
        connection.execute(binding.update().where(binding.c.role == Role.GRID_WORKER).values(role="drone"))
        connection.execute(contact_channel.update().values(carrier="pigeon"))
    check_standing(registry.engine, NOW, None)
    faults = standing(registry)
    assert faults.keys() == {NO_DUTY_DESK, UNREACHABLE, UNREADABLE}
    assert faults[UNREADABLE].severity == "P1"
    assert faults[UNREADABLE].text.startswith("2 个联系人")
    assert faults[UNREADABLE].text.endswith("which do not count: c0, c1")
    with writing(registry.engine) as connection:
        connection.execute(binding.update().where(binding.c.role == "drone").values(role=Role.GRID_WORKER))
        connection.execute(contact_channel.update().values(carrier=Carrier.WEBHOOK))
    check_standing(registry.engine, NOW + 60, None)
    assert standing(registry) == {}


def test_the_fault_of_an_earlier_release_about_dwellings_ends(registry: Outbox) -> None:
    former = {"code": "unreachable_dwellings", "severity": "P1", "text": "1", "since_us": NOW - 1}
    with writing(registry.engine) as connection:
        connection.execute(system_fault.insert().values(former))
    check_standing(registry.engine, NOW, None)
    assert standing(registry).keys() == {NO_DUTY_DESK, UNREACHABLE}


def test_a_fault_keeps_its_beginning_while_it_stands(registry: Outbox) -> None:
    check_standing(registry.engine, NOW, None)
    bind(registry, Role.GRID_WORKER)
    check_standing(registry.engine, NOW + 60, 0)
    assert {code: row.since_us for code, row in standing(registry).items()} == {NO_DUTY_DESK: NOW}


def test_faults_end_when_mended(registry: Outbox) -> None:
    check_standing(registry.engine, NOW, None)
    bind(registry, Role.DUTY_DESK)
    bind(registry, Role.GRID_WORKER)
    version = check_standing(registry.engine, NOW + 60, 0)
    assert (version, standing(registry)) == (2, {})


def test_a_fault_that_comes_back_begins_again(registry: Outbox) -> None:
    check_standing(registry.engine, NOW, None)
    bind(registry, Role.DUTY_DESK)
    bind(registry, Role.GRID_WORKER)
    check_standing(registry.engine, NOW + 60, 0)
    with writing(registry.engine) as connection:
        connection.execute(binding.delete())
    check_standing(registry.engine, NOW + 120, 0)
    assert {row.since_us for row in standing(registry).values()} == {NOW + 120}


def test_an_unchanged_registry_is_not_looked_at_again(registry: Outbox) -> None:
    version = check_standing(registry.engine, NOW, None)
    with writing(registry.engine) as connection:
        connection.execute(device.delete())
    check_standing(registry.engine, NOW, version)
    assert UNREACHABLE in standing(registry)


def test_a_substitute_whose_time_is_over_leaves_the_fault_without_any_change_of_the_registry(
    registry: Outbox,
) -> None:
    bind(registry, Role.GRID_WORKER)
    bind(registry, Role.DUTY_DESK)
    [stand_in] = registry.add_contact((Medium.PUSH, Carrier.WEBHOOK, "http://y"))
    with writing(registry.engine) as connection:
        ways = contact_channel.c
        mute = connection.scalar(select(binding.c.contact_id).where(binding.c.role == Role.GRID_WORKER))
        other = connection.scalar(select(ways.contact_id).where(ways.id == stand_in))
        connection.execute(contact_channel.update().where(ways.contact_id == mute).values(removed_us=NOW))
        values = {"from_us": NOW, "until_us": NOW + 90, "made_us": NOW, "made_by": "test"}
        connection.execute(substitution.insert().values(contact_id=mute, substitute_id=other, **values))
    version = check_standing(registry.engine, NOW + 60, None)
    assert standing(registry) == {}
    check_standing(registry.engine, NOW + 91, version)
    assert standing(registry).keys() == {UNREACHABLE}
