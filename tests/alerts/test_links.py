from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alerts.links import Link, link_open, link_token, read_link

KEY = b"k" * 32
NUMBERS = st.integers(1, 10**17)


@given(NUMBERS, NUMBERS)
def test_a_link_says_whose_it_is(incident_id: int, contact_id: int) -> None:
    assert read_link(KEY, link_token(KEY, incident_id, contact_id)) == Link(incident_id, contact_id)


@given(st.data())
def test_an_altered_link_is_nothing(data: st.DataObject) -> None:
    token = link_token(KEY, 12, 34)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(blacklist_characters=token[at]))
    assert read_link(KEY, token[:at] + other + token[at + 1 :]) is None


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert read_link(KEY, text) is None


def test_a_link_cannot_be_turned_to_another_incident_or_contact() -> None:
    mac = link_token(KEY, 12, 34).split("-", 2)[2]
    for prefix in ("13-34", "12-35", "1-234", "123-4", "012-34", "+12-34", "１２-34"):
        assert read_link(KEY, f"{prefix}-{mac}") is None
    for around in (
        f"{link_token(KEY, 12, 34)}\n",
        f" {link_token(KEY, 12, 34)}",
        f"{link_token(KEY, 12, 34)}=",
    ):
        assert read_link(KEY, around) is None


def test_another_key_reads_nothing() -> None:
    assert read_link(b"x" * 32, link_token(KEY, 12, 34)) is None


def test_the_mac_has_at_least_96_bits() -> None:
    assert len(link_token(KEY, 12, 34).split("-", 2)[2]) * 6 >= 96


def test_a_link_ends_24_h_after_close() -> None:
    day = 24 * 3600 * 1_000_000
    assert link_open(None, 10 * day)
    assert link_open(day, 2 * day - 1)
    assert not link_open(day, 2 * day)
