"""Names and numbers among other words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.masking import Traces, mask_within

BETWEEN = ("", " ", "-", "·", ".")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("no answer in time", "no answer in time"),
        ("HTTP 503", "HTTP 503"),
        ("errcode 60020", "errcode 60020"),
        ("code isv.BUSINESS_LIMIT_CONTROL", "code isv.BUSINESS_LIMIT_CONTROL"),
        ("13800001234 is not reachable", "138****1234 is not reachable"),
        ("errcode 13800001234", "errcode 138****1234"),
        ("to +86 138-0000-1234: refused", "to +86****1234: refused"),
        ("mail to kid@example.org bounced", "mail to k**@example.org bounced"),
        ("POST https://hook.example/token failed", "POST https://** failed"),
        ("尾号13800001234停机", "尾号138****1234停机"),
    ],
)
def test_what_a_provider_says_keeps_its_sense_and_loses_addresses(said: str, shown: str) -> None:
    assert mask_within(said) == shown


@given(
    digits=st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    between=st.lists(st.sampled_from(BETWEEN), min_size=10, max_size=10),
    before=st.sampled_from(["", "打 ", "致电", "+86 ", "+86", "(", "号码："]),
    after=st.sampled_from(["", " 无人接听", "。", ")", "转"]),
)
def test_a_number_is_found_however_its_digits_are_grouped(
    digits: str, between: list[str], before: str, after: str
) -> None:
    written = digits[0] + "".join(gap + digit for gap, digit in zip(between, digits[1:], strict=True))
    text = before + written + after
    for address in (digits, f"+86{digits}", f"https://sms.example/{digits}", f"sms://key@{digits}"):
        hidden = Traces.of([], [address]).hidden_in(text)
        assert digits not in "".join(c for c in hidden if c.isdigit())
        assert hidden.endswith(after)
    assert digits[3:9] not in "".join(c for c in mask_within(text) if c.isdigit())


def test_names_and_addresses_are_hidden_and_everything_else_stays() -> None:
    traces = Traces.of(
        ["王小明"], ["https://sms.example/13800001234", "mailto://u:p@x.example?to=kid@y.example"]
    )
    text = "王小明 138 0000 1234 说老人已下楼；kid@y.example；13800001235；501室"
    assert traces.hidden_in(text) == "** ** 说老人已下楼；**；13800001235；501室"


def test_a_name_of_one_letter_and_nobody_at_all_hide_nothing() -> None:
    assert Traces.of(["王"], []).hidden_in("王府井大街") == "王府井大街"
    assert Traces.of([], []).hidden_in("13800001234") == "13800001234"


@given(name=st.text(min_size=2, max_size=20), text=st.text(max_size=50))
def test_any_name_is_hidden_in_any_text(name: str, text: str) -> None:
    assert name not in Traces.of([name], []).hidden_in(f"{text}{name}") or "*" in name
