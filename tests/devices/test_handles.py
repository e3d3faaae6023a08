"""A code for a person names nobody: it stands in clear, and stays when the person is erased."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from devices import registry
from devices.registry import NotAllowed, Written
from devices.registry.device_checks import check_said
from devices.registry.errors import check_handle
from devices.vault import Vault
from tests.devices.conftest import NOW_US

WHO = Written(by="t", now_us=NOW_US)
PERSONAL = (
    "13800138000", "王小明", "gw-王", "138-0013-8000", "１３８００１３８０００", "tel5718888", "8888888",
    "3号楼", "𠮷野", "おおの", "김",
    "wang@example.org", "+8613800138000", "138.0013.8000",
)  # fmt: skip
HANDLES = ("gw-3", "family-b12-s3-1201", "W-17", "secretary-b1", "b3-501-a", "12-3-1201", "P000001")


@pytest.mark.parametrize("code", PERSONAL)
def test_names_and_numbers_are_no_code_of_a_contact_or_an_installer(
    connection: Connection, vault: Vault, code: str
) -> None:
    with pytest.raises(NotAllowed, match="a handle without personal data, such as gw-3") as refused:
        registry.add_contact(connection, vault, code=code, name="示例", **WHO)
    assert code not in str(refused.value)
    with pytest.raises(NotAllowed, match=r"installed_by.*such as gw-3"):
        check_said({"installed_by": code}, NOW_US)


@pytest.mark.parametrize("code", HANDLES)
def test_handles_are(connection: Connection, vault: Vault, code: str) -> None:
    registry.add_contact(connection, vault, code=code, name="示例", **WHO)
    assert check_said({"installed_by": code}, NOW_US) == {"installed_by": code}


def test_codes_of_places_may_be_as_the_city_writes_them(connection: Connection) -> None:
    registry.add_area(connection, level="city", code="330106000000", name="演示市", parent_code=None, **WHO)


@given(
    st.text("abc-", max_size=20), st.from_regex(r"[0-9]{7,12}", fullmatch=True), st.text("xyz", max_size=20)
)
def test_no_code_hides_seven_digits_in_a_row(before: str, digits: str, after: str) -> None:
    with pytest.raises(NotAllowed):
        check_handle(before + digits + after, "contact")
