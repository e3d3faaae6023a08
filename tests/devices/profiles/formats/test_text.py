from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.formats.format import Unreadable
from devices.profiles.formats.text import LONGEST, read_text
from devices.profiles.profile import Reason


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"ON", "ON"),
        (b" 23.5\r\n", "23.5"),
        (b'"off"', "off"),
        (b'" a\\u0041 "', "aA"),
        (b'"broken', '"broken'),
        (b'"a"b"', '"a"b"'),
        (b"true", "true"),
        (b"null", "null"),
        (b"", ""),
        (b"\xef\xbb\xbf1\x00", "1"),
        ("温度".encode(), "温度"),
    ],
)
def test_one_value_is_its_text(payload: bytes, text: str) -> None:
    assert read_text(payload) == text


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"\xff", Reason.NOT_UTF8),
        (b"x" * (LONGEST + 1), Reason.TOO_LARGE),
        (b"x" * 1_000_000, Reason.TOO_LARGE),
    ],
)
def test_what_is_no_short_text_is_refused(payload: bytes, reason: Reason) -> None:
    with pytest.raises(Unreadable) as caught:
        read_text(payload)
    assert caught.value.reason is reason


@given(st.binary() | st.text().map(str.encode))
def test_any_octets_are_a_stripped_text_or_refused(payload: bytes) -> None:
    try:
        text = read_text(payload)
    except Unreadable:
        return
    assert text == text.strip()
    assert len(text) <= LONGEST
