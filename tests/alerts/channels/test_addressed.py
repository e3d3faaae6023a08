from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.channels.addressed import cut_bytes, cut_letters, split_secret, title_of, with_link

LINK = "https://answers.example/i/7-9-abcdefghijklmnopqrstuv"
ANY_TEXT = st.text() | st.text("a x\ud800烟\n…", max_size=60)
"""Lone surrogates too, which UTF-8 cannot carry."""


@pytest.mark.parametrize(
    ("address", "url", "secret"),
    [
        ("https://a.example/x?k=1#SEC1", "https://a.example/x?k=1", "SEC1"),
        ("https://a.example/x#whsec_MfKQ+/==", "https://a.example/x", "whsec_MfKQ+/=="),
        ("https://a.example/x#a#b", "https://a.example/x", "a#b"),
        (" https://a.example/x# SEC1 ", "https://a.example/x", "SEC1"),
        ("https://a.example/x#", "https://a.example/x", ""),
        ("https://a.example/x", "https://a.example/x", ""),
    ],
)
def test_the_secret_is_what_follows_the_first_hash(address: str, url: str, secret: str) -> None:
    assert split_secret(address) == (url, secret)


@pytest.mark.parametrize(
    ("most", "cut"),
    [(12, "厨房冒烟"), (11, "厨房…"), (9, "厨房…"), (8, "厨…"), (3, "…"), (2, ""), (0, "")],
)
def test_a_text_is_cut_at_a_whole_character(most: int, cut: str) -> None:
    assert cut_bytes("厨房冒烟", most) == cut


@given(ANY_TEXT, st.integers(0, 60))
def test_no_text_exceeds_its_bytes(text: str, most: int) -> None:
    cut = cut_bytes(text, most)
    assert len(cut.encode()) <= most
    assert cut == text.encode("utf-8", "replace").decode() or cut.endswith("…") or cut == ""


@given(ANY_TEXT, st.integers(1, 20))
def test_no_text_exceeds_its_letters(text: str, most: int) -> None:
    cut = cut_letters(text, most)
    assert len(cut) <= most
    assert cut.encode().decode() == cut
    assert cut.endswith("…") or len(text) <= most


@given(ANY_TEXT, st.integers(60, 200))
def test_the_link_stays_whole_whatever_is_cut(text: str, most: int) -> None:
    joined = with_link(text, LINK, most)
    assert LINK in joined
    assert len(joined.encode()) <= most


def test_a_link_that_stands_in_the_text_is_not_said_twice() -> None:
    assert with_link(f"烟感报警 {LINK} 请处理", LINK, 500) == f"烟感报警 {LINK} 请处理"


def test_a_link_in_a_text_that_is_cut_moves_to_the_end() -> None:
    assert with_link(f"{LINK} " + "烟" * 50, LINK, 80) == f" {'烟' * 7}…\n{LINK}"


def test_without_a_link_the_text_stands_alone() -> None:
    assert with_link("烟感报警", "", 500) == "烟感报警"


def test_a_link_that_is_too_long_is_left_out() -> None:
    assert with_link("烟感报警", LINK, 20) == "烟感报警"


@given(st.dictionaries(st.sampled_from(["severity", "what", "where"]), ANY_TEXT), ANY_TEXT)
def test_a_title_is_one_line_that_can_be_sent(parts: dict[str, str], text: str) -> None:
    title = title_of(parts, text)
    assert title.encode().decode() == title
    assert "\n" not in title


@pytest.mark.parametrize(
    ("parts", "title"),
    [
        ({"severity": "P0", "what": "烟感报警", "where": "3-2-501"}, "P0 烟感报警 · 3-2-501"),
        ({"what": "烟感\n报警"}, "烟感 报警"),
        ({"where": "3-2-501"}, "3-2-501"),
        ({}, "厨房冒烟"),
    ],
)
def test_a_title_is_severity_what_and_where_or_the_first_line(parts: dict[str, str], title: str) -> None:
    assert title_of(parts, "厨房冒烟\n请速查看") == title
