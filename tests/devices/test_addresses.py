from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.addresses import mask, normalise_address


@pytest.mark.parametrize(
    "written",
    [
        "13800001234",
        "138 0000 1234",
        "+86 138-0000-1234",
        "0086 13800001234",
        "１３８００００１２３４",
        "(138)00001234",
    ],
)
def test_a_mobile_number_has_one_form(written: str) -> None:
    assert normalise_address(written) == "13800001234"


@pytest.mark.parametrize(
    "written", ["010-1234 5678", "+86 10 12345678", "+86 (0)10 1234-5678", "00861012345678"]
)
def test_a_landline_has_one_form_with_and_without_country_code(written: str) -> None:
    assert normalise_address(written) == "1012345678"


def test_a_number_of_another_country_keeps_its_code() -> None:
    assert normalise_address("+1 650 555 0100") == normalise_address("001 650 555 0100") == "+16505550100"


def test_short_numbers_stay() -> None:
    assert normalise_address("119") == "119"


def test_of_a_url_only_scheme_and_host_lose_their_case() -> None:
    assert normalise_address("HTTPS://User@Example.ORG:8080/Token/AbC?k=V") == (
        "https://User@example.org:8080/Token/AbC?k=V"
    )


def test_mail_addresses_lose_their_case() -> None:
    assert normalise_address(" Desk@Example.org ") == "desk@example.org"


@given(text=st.one_of(st.text(), st.from_regex(r"[+0-9 ()-]{1,20}", fullmatch=True), st.just("http://[")))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise_address(text)
    assert normalise_address(once) == once


@pytest.mark.parametrize(
    ("clear", "masked"),
    [
        ("王小明", "王**"),
        ("王", "**"),
        ("", "**"),
        ("13800001234", "138****1234"),
        ("+86 138 0000 1234", "+86****1234"),
        ("12345678", "****78"),
        ("desk@example.org", "d**@example.org"),
        ("dingtalk://SECRET/13800001234", "dingtalk://**"),
    ],
)
def test_a_mask_shows_what_a_colleague_needs_and_no_more(clear: str, masked: str) -> None:
    assert mask(clear) == masked


@given(name=st.text(min_size=2, alphabet=st.characters(categories=["Lo"])))
def test_a_masked_name_holds_one_character_of_it_at_most(name: str) -> None:
    assert len(mask(name).replace("*", "")) <= 1
