"""Every look at personal data in clear is on record, and the record can be asked."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from devices import registry
from devices.registry import LookRow, NotThere, Written, list_looks
from devices.registry.looks import SLICE, count_looks, delete_looks
from devices.schema import look
from devices.vault import Vault
from tests.devices.conftest import NOW_US

WHO = Written(by="t", now_us=NOW_US)


def test_looks_are_listed_by_contact_time_and_person_the_newest_first(
    connection: Connection, vault: Vault
) -> None:
    for code in ("p1", "p2"):
        registry.add_contact(connection, vault, code=code, name="示例甲", **WHO)
    registry.list_contacts(connection, vault)
    assert list_looks(connection) == []
    registry.reveal_contacts(connection, vault, only="p1", by="anna", now_us=NOW_US)
    registry.reveal_contacts(connection, vault, by="bert", now_us=NOW_US + 1)
    assert [(row.contact, row.by) for row in list_looks(connection)] == [
        ("p2", "bert"), ("p1", "bert"), ("p1", "anna"),
    ]  # fmt: skip
    first = LookRow(NOW_US, "anna", "p1", "name, addresses")
    assert list_looks(connection, by="anna") == [first]
    assert list_looks(connection, contact_code="p1")[-1] == first
    assert len(list_looks(connection, since_us=NOW_US + 1)) == 2
    assert len(list_looks(connection, limit=1)) == 1
    with pytest.raises(NotThere):
        list_looks(connection, contact_code="nobody")


def test_who_looked_stays_on_record_after_the_contact_is_erased(connection: Connection, vault: Vault) -> None:
    registry.add_contact(connection, vault, code="p1", name="示例甲", **WHO)
    registry.reveal_contacts(connection, vault, only="p1", **WHO)
    registry.erase_contact(connection, "p1", **WHO)
    assert [row.contact for row in list_looks(connection, contact_code="p1")] == ["p1"]


def test_old_looks_are_deleted_a_slice_at_a_time(connection: Connection) -> None:
    rows = [{"at_us": NOW_US + n, "by": "t", "contact_id": 0, "what": "x"} for n in range(SLICE + 50)]
    connection.execute(look.insert(), rows)
    assert count_looks(connection, NOW_US + SLICE + 10) == SLICE + 10
    assert delete_looks(connection, NOW_US + SLICE + 10) == SLICE
    assert delete_looks(connection, NOW_US + SLICE + 10) == 10
    assert delete_looks(connection, NOW_US + SLICE + 10) == 0
    assert len(list_looks(connection)) == 40
