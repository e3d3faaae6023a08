"""Evidence in columns and on the timeline, in the reader's language."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.sayings import pack, render
from alerts.why_text import pack_why, read_why
from rules.transition import Why

SMOKE = Why(en="smoke flag set", zh_cn="烟雾报警信号触发")
TEXTS = st.text(st.characters(codec="utf-8"))


@given(st.builds(Why, TEXTS, TEXTS))
def test_what_was_packed_is_read_again(why: Why) -> None:
    assert read_why(pack_why(why)) == why
    assert render(pack("opened", why=why), "zh-CN") == f"警情开始：{why.zh_cn}"
    assert render(pack("opened", why=why), "en") == f"opened: {why.en}"


@pytest.mark.parametrize("text", ["", "smoke flag set", "{", "null", '{"en":"only"}', '{"en":1,"zh_cn":2}'])
def test_text_that_nobody_packed_stands_in_both_languages(text: str) -> None:
    assert read_why(text) == Why(text, text)


@given(TEXTS)
def test_no_text_stops_an_alarm(text: str) -> None:
    read_why(text)


@pytest.mark.parametrize("why", [{"en": "only"}, {"en": "x", "zh_cn": "y", "fr": "z"}, {}])
def test_a_line_with_evidence_of_another_form_is_shown_as_it_is(why: dict[str, str]) -> None:
    line = pack("opened", why=SMOKE).replace(pack_why(SMOKE), json.dumps(why))
    assert json.dumps(why) in line
    assert render(line, "en") == line
