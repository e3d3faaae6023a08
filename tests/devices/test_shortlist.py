from __future__ import annotations

from devices.shortlist import shortlist


def test_five_codes_are_all_named() -> None:
    assert shortlist(["a", "b", "c", "d", "e"]) == "a, b, c, d, e"
    assert shortlist(["a", "b"], chinese=True) == "a、b"


def test_of_more_the_first_five_are_named_and_the_others_counted() -> None:
    assert shortlist(list("abcdefgh")) == "a, b, c, d, e and 3 more"
    assert shortlist(list("abcdefgh"), chinese=True) == "a、b、c、d、e 等 8 个"
