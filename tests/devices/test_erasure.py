"""Erasing a contact in the registry: what goes, what stays, and who has long been needed nowhere."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, select

from devices import registry
from devices.bound import bound_to_dwelling
from devices.registry import NotThere, Written, erase_contact, erasure_of, unused_contacts
from devices.registry.erasure import count_removed_addresses, erase_removed_addresses, words_of
from devices.registry.installed import register_device
from devices.schema import binding, contact, contact_channel, registry_change, substitution
from devices.vault import Vault
from tests.devices.conftest import NOW_US

WHO = Written(by="t", now_us=NOW_US)
HOUR_US = 3_600_000_000
LATER = NOW_US + HOUR_US
NUMBER = "https://sms.example/13800001234"


@pytest.fixture
def family(connection: Connection, vault: Vault, block: dict[str, int]) -> dict[str, int]:
    """A child of the old people in 401, a stand-in for them, and a grid worker bound to nothing yet."""
    for code, name in [("child", "王小明"), ("friend", "李晓"), ("worker", "赵网格")]:
        registry.add_contact(connection, vault, code=code, name=name, **WHO)
        registry.add_channel(
            connection, vault, contact_code=code, medium="sms", carrier="webhook", address=NUMBER, **WHO
        )
    bind(connection, "child", "family", "dwelling", "401")
    bind(connection, "child", "family", "dwelling", "301")
    connection.execute(
        substitution.insert().values(
            contact_id=id_of(connection, "child"),
            substitute_id=id_of(connection, "friend"),
            role="",
            from_us=NOW_US,
            until_us=NOW_US + 10 * HOUR_US,
            made_us=NOW_US,
            made_by="t",
        )
    )
    register_device(connection, uid="own:1", kind="smoke", profile="own", dwelling_code="401", **WHO)
    return block


def bind(connection: Connection, code: str, role: str, kind: str, place: str) -> None:
    registry.bind(connection, contact_code=code, role=role, place_kind=kind, place_code=place, **WHO)


def id_of(connection: Connection, code: str) -> int:
    return int(connection.execute(select(contact.c.id).where(contact.c.code == code)).scalar_one())


def told(connection: Connection, dwelling_id: int) -> set[str]:
    return {one.code for one in bound_to_dwelling(connection, dwelling_id, LATER, live=True)}


@pytest.mark.usefixtures("family")
def test_before_it_is_done_it_says_what_goes_and_who_is_left_with_nobody(connection: Connection) -> None:
    before = connection.execute(select(registry_change.c.id)).all()
    erasure = erasure_of(connection, "child", LATER)
    assert (erasure.addresses, erasure.bindings, erasure.substitutions) == (1, 2, 1)
    assert erasure.left_alone == ("401",)
    assert connection.execute(select(registry_change.c.id)).all() == before


@pytest.mark.usefixtures("family")
def test_a_dwelling_with_somebody_else_is_not_left_alone(connection: Connection) -> None:
    bind(connection, "worker", "grid_worker", "area", "G")
    assert erasure_of(connection, "child", LATER).left_alone == ()
    assert erasure_of(connection, "worker", LATER).left_alone == ()


def test_name_and_numbers_are_gone_and_code_and_history_stay(
    connection: Connection, vault: Vault, family: dict[str, int]
) -> None:
    assert "child" in told(connection, family["401"])
    erase_contact(connection, "child", by="admin", now_us=LATER)
    row = connection.execute(select(contact).where(contact.c.code == "child")).one()
    assert (bytes(row.name_sealed), row.erased_us) == (b"", LATER)
    way = connection.execute(select(contact_channel).where(contact_channel.c.contact_id == row.id)).one()
    assert (bytes(way.address_sealed), bytes(way.address_index), way.removed_us) == (b"", b"", LATER)
    stays = connection.execute(select(binding).where(binding.c.contact_id == row.id)).all()
    assert [(one.role, one.bound_us, one.ended_us) for one in stays] == [("family", NOW_US, LATER)] * 2
    assert connection.scalar(select(substitution.c.cancelled_us)) == LATER
    assert told(connection, family["401"]) == set()
    assert registry.find_by_address(connection, vault, NUMBER) == ("friend", "worker")
    assert words_of(connection, vault, "child") == ([], [])
    last = connection.execute(select(registry_change).order_by(registry_change.c.id.desc())).first()
    assert last is not None
    assert (last.by, last.what) == ("admin", "contact child erase")
    [listed] = registry.list_contacts(connection, vault, only="child")
    assert (listed.name, listed.channels) == ("", ())


@pytest.mark.usefixtures("family")
def test_a_substitute_who_is_erased_stands_in_for_nobody(connection: Connection) -> None:
    erase_contact(connection, "friend", **WHO)
    assert connection.scalar(select(substitution.c.cancelled_us)) == NOW_US


@pytest.mark.usefixtures("family")
def test_who_is_erased_or_unknown_cannot_be_erased(connection: Connection) -> None:
    erase_contact(connection, "child", **WHO)
    for code, reason in [("child", "erased already"), ("nobody", "no contact")]:
        with pytest.raises(NotThere, match=reason):
            erase_contact(connection, code, **WHO)
        with pytest.raises(NotThere, match=reason):
            erasure_of(connection, code, NOW_US)


@pytest.mark.usefixtures("family")
def test_only_who_has_long_been_bound_nowhere_is_unused(connection: Connection) -> None:
    """`friend` stands in for 10 hours, `worker` is bound to nothing, `child` is bound."""
    assert unused_contacts(connection, NOW_US - 1) == ()
    assert unused_contacts(connection, NOW_US) == ("worker",)
    assert unused_contacts(connection, NOW_US, only="child") == ()
    assert unused_contacts(connection, NOW_US + 11 * HOUR_US) == ("friend", "worker")
    registry.unbind(
        connection, contact_code="child", role="family", place_kind="dwelling", place_code="401", **WHO
    )
    assert "child" not in unused_contacts(connection, NOW_US + 11 * HOUR_US)
    registry.unbind(
        connection,
        contact_code="child",
        role="family",
        place_kind="dwelling",
        place_code="301",
        by="t",
        now_us=LATER,
    )
    assert "child" not in unused_contacts(connection, LATER - 1)
    assert "child" in unused_contacts(connection, LATER)
    erase_contact(connection, "child", **WHO)
    assert "child" not in unused_contacts(connection, LATER)


@pytest.mark.usefixtures("family")
def test_who_was_given_an_address_lately_is_being_set_up(connection: Connection, vault: Vault) -> None:
    registry.add_channel(
        connection,
        vault,
        contact_code="worker",
        medium="voice",
        carrier="webhook",
        address="https://call.example/1",
        by="t",
        now_us=LATER,
    )
    assert unused_contacts(connection, LATER - 1) == ()
    assert unused_contacts(connection, LATER) == ("worker",)


@pytest.mark.usefixtures("family")
def test_an_address_that_was_removed_long_ago_is_erased(connection: Connection, vault: Vault) -> None:
    [way] = registry.list_contacts(connection, vault, only="worker")[0].channels
    registry.remove_channel(connection, contact_code="worker", channel_id=way.id, by="t", now_us=NOW_US)
    assert count_removed_addresses(connection, NOW_US) == 0
    assert count_removed_addresses(connection, LATER) == 1
    assert erase_removed_addresses(connection, LATER) == 1
    assert erase_removed_addresses(connection, LATER) == 0
    left = connection.execute(select(contact_channel).where(contact_channel.c.id == way.id)).one()
    assert (bytes(left.address_sealed), bytes(left.address_index)) == (b"", b"")
    assert registry.find_by_address(connection, vault, NUMBER) == ("child", "friend")
