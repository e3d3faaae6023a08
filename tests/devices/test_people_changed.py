"""Contacts whose names and ways change, or who are erased: told as it happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from devices import registry
from devices.model import Role
from devices.registry import NotAllowed, NotThere
from devices.schema import binding, contact
from devices.vault import Vault
from tests.devices.conftest import NOW_US
from tests.devices.office import HOUR_US, Ids, Office


@pytest.fixture
def office(connection: Connection, vault: Vault, block: Ids) -> Office:
    return Office(connection, vault, block)


def test_who_was_bound_at_a_past_fire_is_known_with_the_ways_they_had(office: Office) -> None:
    office.meets("child")
    office.at(1).binds("child", Role.FAMILY, "dwelling", "201")
    [channel] = registry.list_contacts(office.connection, office.vault, only="child")[0].channels
    office.at(4)
    registry.remove_channel(office.connection, contact_code="child", channel_id=channel.id, **office.who)
    assert [len(office.one("child", hour).ways) for hour in (2, 3.9, 4, 5)] == [1, 1, 0, 0]


def test_a_person_who_asks_to_be_forgotten_is_bound_to_nothing_any_more(office: Office) -> None:
    office.meets("child")
    office.at(1).binds("child", Role.FAMILY, "dwelling", "201")
    erased = contact.c.code == "child"
    office.connection.execute(
        update(contact).where(erased).values(name_sealed=b"", erased_us=NOW_US + 3 * HOUR_US)
    )
    assert [office.codes(hour) for hour in (2, 3)] == [["child"], []]


def test_to_an_erased_contact_nothing_is_added(office: Office) -> None:
    office.meets("gone", "other")
    erased = contact.c.code == "gone"
    office.connection.execute(update(contact).where(erased).values(name_sealed=b"", erased_us=office.now_us))
    writes: list[Callable[[], object]] = [
        lambda: office.phone("gone"),
        lambda: office.binds("gone", Role.FAMILY, "dwelling", "201"),
        lambda: office.substitutes("gone", "other", (0, 1)),
        lambda: office.substitutes("other", "gone", (0, 1)),
        lambda: registry.set_contact(
            office.connection, office.vault, code="gone", language="en", **office.who
        ),
    ]
    for write in writes:
        with pytest.raises(NotThere, match="'gone' was erased"):
            write()
    assert office.connection.execute(select(binding)).all() == []
    shown = registry.list_contacts(office.connection, office.vault, only="gone")
    shown += registry.reveal_contacts(office.connection, office.vault, only="gone", **office.who)
    assert [(row.name, row.channels, row.erased_us) for row in shown] == [("", (), office.now_us)] * 2


def test_a_contact_changes_name_and_language_and_the_order_of_its_ways(office: Office) -> None:
    office.meets("p")
    second = registry.add_channel(
        office.connection, office.vault, contact_code="p", medium="push", carrier="webhook",
        address="https://push.example/p", rank=2, **office.who,
    )  # fmt: skip
    registry.set_contact(office.connection, office.vault, code="p", name="示例乙", **office.who)
    registry.set_contact(office.connection, office.vault, code="p", language="en", **office.who)
    [first] = [
        way.id
        for way in registry.list_contacts(office.connection, office.vault)[0].channels
        if way.id != second
    ]
    registry.set_channel_rank(office.connection, contact_code="p", channel_id=first, rank=3, **office.who)
    [shown] = registry.reveal_contacts(office.connection, office.vault, only="p", **office.who)
    assert (shown.name, shown.language, [way.id for way in shown.channels]) == (
        "示例乙",
        "en",
        [second, first],
    )
    with pytest.raises(NotAllowed, match="nothing to change"):
        registry.set_contact(office.connection, office.vault, code="p", **office.who)


def test_a_removed_channel_is_no_way_for_anybody_and_may_be_added_again(office: Office) -> None:
    office.meets("p", "q")
    [way] = registry.list_contacts(office.connection, office.vault, only="p")[0].channels
    named: dict[str, Any] = {"contact_code": "p", "channel_id": way.id}
    with pytest.raises(NotThere, match=f"'q' has no channel {way.id}"):
        registry.remove_channel(office.connection, **{**named, "contact_code": "q"}, **office.who)
    registry.remove_channel(office.connection, **named, **office.who)
    with pytest.raises(NotThere):
        registry.remove_channel(office.connection, **named, **office.who)
    with pytest.raises(NotThere):
        registry.address_to_send(office.connection, office.vault, way.id)
    assert registry.find_by_address(office.connection, office.vault, "https://sms.example/p") == ()
    assert registry.list_contacts(office.connection, office.vault, only="p")[0].channels == ()
    again = office.phone("p")
    assert registry.address_to_send(office.connection, office.vault, again) == "https://sms.example/p"
