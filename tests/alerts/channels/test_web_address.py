from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.channels.web_address import Target, target_of


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://a.example", Target(False, "a.example", 80, "/", "a.example")),
        ("https://A.example:443/x?k=1#SEC", Target(True, "a.example", 443, "/x?k=1", "a.example")),
        ("http://127.0.0.1:8080/", Target(False, "127.0.0.1", 8080, "/", "127.0.0.1:8080")),
        ("http://[::1]:8080/", Target(False, "::1", 8080, "/", "[::1]:8080")),
        (
            "http://a.example/厨 房?q=厨",
            Target(False, "a.example", 80, "/%E5%8E%A8%20%E6%88%BF?q=%E5%8E%A8", "a.example"),
        ),
        ("http://a.example/%E5%8E?x=%20+y", Target(False, "a.example", 80, "/%E5%8E?x=%20+y", "a.example")),
        ("http://消防.example/", Target(False, "xn--r1wm18f.example", 80, "/", "xn--r1wm18f.example")),
        ("http://u%40x:p@a.example/", Target(False, "a.example", 80, "/", "a.example", "Basic dUB4OnA=")),
    ],
)
def test_an_address_says_where_to_connect_and_what_to_ask(url: str, expected: Target) -> None:
    assert target_of(url) == expected


@pytest.mark.parametrize(
    "url",
    ["", "13900000000", "ftp://x/y", "http://", "http://a b/", "http://x:99999/", "http://x:p/", "http://[::1/",
     "http://-x/", "http://" + "a" * 300 + "/", "http:///x", "mailto:a@b.example", "http://a\\b/"],
)  # fmt: skip
def test_what_is_no_web_address_is_none(url: str) -> None:
    assert target_of(url) is None


@given(st.text())
def test_any_text_is_an_address_or_none_and_never_breaks_a_request(text: str) -> None:
    for url in (text, f"http://{text}", f"http://a.example/{text}", f"http://{text}@a.example/?{text}"):
        target = target_of(url)
        assert target is None or not set("\r\n\0 ") & set(target.asked + target.named + target.host)
        assert target is None or "\n" not in target.credentials
