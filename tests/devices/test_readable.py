"""A row with a word of a later release costs itself only."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, update

from devices import registry
from devices.bound import (
    bound_to_building,
    bound_to_dwelling,
    duty_desks,
    has_duty_desk,
    unreachable_places,
)
from devices.model import Role
from devices.readable import unreadable_contacts
from devices.schema import binding, contact, contact_channel, substitution
from devices.vault import Vault
from tests.devices.conftest import NOW_US
from tests.devices.office import HOUR_US, Ids, Office


@pytest.fixture
def office(connection: Connection, vault: Vault, block: Ids) -> Office:
    """A worker, a family and a duty desk, each with a phone, and a detector in 201."""
    office = Office(connection, vault, block)
    office.meets("worker", "child", "desk")
    office.binds("worker", Role.GRID_WORKER, "building", "B")
    office.binds("child", Role.FAMILY, "dwelling", "201")
    office.binds("desk", Role.DUTY_DESK, "area", "C")
    registry.register_device(
        connection, uid="own:201", kind="smoke", profile="own", dwelling_code="201", **office.who
    )
    return office


def id_of(connection: Connection, code: str) -> int:
    return int(connection.execute(contact.select().where(contact.c.code == code)).one().id)


def spoil_binding(connection: Connection, code: str, **words: str) -> None:
    connection.execute(update(binding).where(binding.c.contact_id == id_of(connection, code)).values(**words))


def spoil_way(connection: Connection, code: str, **words: str) -> None:
    owner = contact_channel.c.contact_id == id_of(connection, code)
    connection.execute(update(contact_channel).where(owner).values(**words))


def told(office: Office) -> list[tuple[str, int]]:
    """Everybody an alarm in 201 concerns, with how many ways."""
    found = bound_to_dwelling(office.connection, office.block["201"], NOW_US, live=True)
    return [(one.code, len(one.ways)) for one in found]


def gaps(office: Office) -> list[tuple[str, tuple[str, ...]]]:
    return [(gap.code, gap.mute) for gap in unreachable_places(office.connection, NOW_US, live=True)]


@pytest.mark.parametrize("words", [{"role": "drone"}, {"place_kind": "tower"}])
def test_a_binding_in_an_unknown_role_or_place_is_left_out_alone(
    office: Office, words: dict[str, str]
) -> None:
    spoil_binding(office.connection, "worker", **words)
    assert told(office) == [("child", 1), ("desk", 1)]
    found = bound_to_building(office.connection, office.block["B"], NOW_US, live=True)
    assert [one.code for one in found] == ["desk"]
    assert unreadable_contacts(office.connection, NOW_US, live=True) == ("worker",)


def test_a_duty_desk_on_an_unknown_kind_of_place_hides_no_other_desk(office: Office) -> None:
    office.meets("second")
    office.binds("second", Role.DUTY_DESK, "building", "B")
    spoil_binding(office.connection, "desk", place_kind="tower")
    assert [one.code for one in duty_desks(office.connection, NOW_US, live=True)] == ["second"]
    assert has_duty_desk(office.connection, NOW_US, live=True)
    spoil_binding(office.connection, "second", place_kind="tower")
    assert not has_duty_desk(office.connection, NOW_US, live=True)


@pytest.mark.parametrize("words", [{"carrier": "pigeon"}, {"medium": "smell"}])
def test_a_way_of_an_unknown_carrier_or_medium_is_no_way(office: Office, words: dict[str, str]) -> None:
    for code in ("child", "desk"):
        spoil_way(office.connection, code, **words)
    assert told(office) == [("worker", 1), ("child", 0), ("desk", 0)]
    assert not has_duty_desk(office.connection, NOW_US, live=True)
    assert gaps(office) == []
    spoil_way(office.connection, "worker", **words)
    assert gaps(office) == [("201", ("child", "worker"))]
    assert unreadable_contacts(office.connection, NOW_US, live=True) == ("child", "desk", "worker")


def test_the_other_ways_of_such_a_contact_stay(office: Office) -> None:
    spoil_way(office.connection, "child", carrier="pigeon")
    words: dict[str, Any] = {"medium": "push", "carrier": "webhook", "address": "https://push.example/child"}
    registry.add_channel(office.connection, office.vault, contact_code="child", **words, **office.who)
    assert told(office) == [("worker", 1), ("child", 1), ("desk", 1)]


def test_a_substitute_whose_only_way_is_unknown_does_not_stand_in(office: Office) -> None:
    office.meets("other")
    spoil_way(office.connection, "other", carrier="pigeon")
    away = {"from_us": NOW_US, "until_us": NOW_US + HOUR_US, "made_us": NOW_US, "made_by": "t"}
    ids = {
        "contact_id": id_of(office.connection, "worker"),
        "substitute_id": id_of(office.connection, "other"),
    }
    office.connection.execute(substitution.insert().values(**ids, **away))
    assert told(office) == [("worker", 1), ("child", 1), ("desk", 1)]


def test_a_substitution_for_an_unknown_role_is_in_force_for_none_and_said_until_it_is_over(
    office: Office,
) -> None:
    away = {"from_us": NOW_US, "until_us": NOW_US + HOUR_US, "made_us": NOW_US, "made_by": "t"}
    ids = {
        "contact_id": id_of(office.connection, "worker"),
        "substitute_id": id_of(office.connection, "child"),
    }
    office.connection.execute(substitution.insert().values(role="drone", **ids, **away))
    assert told(office) == [("worker", 1), ("child", 1), ("desk", 1)]
    assert unreadable_contacts(office.connection, NOW_US) == ("worker",)
    assert unreadable_contacts(office.connection, NOW_US + HOUR_US) == ()


def test_what_has_ended_is_not_said(office: Office) -> None:
    spoil_binding(office.connection, "worker", role="drone", ended_us=NOW_US)  # type: ignore[arg-type]
    spoil_way(office.connection, "child", carrier="pigeon", removed_us=NOW_US)  # type: ignore[arg-type]
    spoil_way(office.connection, "desk", carrier="pigeon")
    registry.erase_contact(office.connection, "desk", **office.who)
    assert unreadable_contacts(office.connection, NOW_US, live=True) == ()
