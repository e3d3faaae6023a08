from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.channels.numbers import domestic, e164


@pytest.mark.parametrize(
    ("address", "international", "inside"),
    [
        ("13900001234", "+8613900001234", "13900001234"),
        ("+86 139-0000-1234", "+8613900001234", "13900001234"),
        ("008613900001234", "+8613900001234", "13900001234"),
        ("8613900001234", "+8613900001234", "13900001234"),
        ("（010）１２３４５６７８", "+861012345678", "01012345678"),
        ("+86 0571 12345678", "+8657112345678", "057112345678"),
        ("400-123-4567", "+864001234567", "4001234567"),
        ("12345", "+8612345", "12345"),
        ("+1 202 555 0101", "+12025550101", "12025550101"),
        ("00852 5123 4567", "+85251234567", "85251234567"),
        ("wang@example.org", "", ""),
        ("", "", ""),
        ("1" * 40, "", ""),
        ("１٣٤٥", "", ""),
    ],
)
def test_a_number_in_the_forms_that_vendors_dial(address: str, international: str, inside: str) -> None:
    assert (e164(address), domestic(address)) == (international, inside)


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_empty(address: str) -> None:
    number = e164(address)
    assert not number or (number[0] == "+" and number[1:].isascii() and number[1:].isdigit())
    assert domestic(address).isdigit() or not number
    assert not number or e164(number) == number
