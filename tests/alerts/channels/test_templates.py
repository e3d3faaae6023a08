from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.channels.channel import PARTS
from alerts.channels.templates import (
    Piece,
    Template,
    Variable,
    cut,
    faults_of,
    reading_of,
    signed,
    values_of,
)

ALIYUN = Template(
    "SMS_1",
    "${place}发生${what}，查看 a.example/a/${code} 。",
    (Variable("place", "where", 12), Variable("what", "what", 35), Variable("code", "code", 35)),
)
TENCENT = Template("1110", "{1}发生{2}", (Variable("1", "where", 12), Variable("2", "what", 12)))
FILLED = {
    "where": "3栋2单元501",
    "what": "烟雾报警",
    "code": "7-3-abc",
    "link": "https://a.example/a/7-3-abc",
}


def test_a_person_reads_the_fixed_text_with_its_places_filled() -> None:
    reading = reading_of(ALIYUN, FILLED)
    assert reading.text == "3栋2单元501发生烟雾报警，查看 a.example/a/7-3-abc 。"
    assert reading.pieces == (
        Piece("3栋2单元501", "place"),
        Piece("发生"),
        Piece("烟雾报警", "what"),
        Piece("，查看 a.example/a/"),
        Piece("7-3-abc", "code"),
        Piece(" 。"),
    )
    assert reading.exceeding == ()
    assert reading_of(TENCENT, FILLED).text == "3栋2单元501发生烟雾报警"


def test_what_is_too_long_is_cut_and_said() -> None:
    reading = reading_of(ALIYUN, FILLED | {"where": "幸福小区三号楼二单元五零一室"})
    assert reading.pieces[0] == Piece("幸福小区三号楼二单元五…", "place", cut=True)
    assert reading.exceeding == ("place",)


def test_all_together_is_no_longer_than_the_provider_takes() -> None:
    text = "{1}" + "定" * 30 + "{2}，{1}，{3}"
    variables = (Variable("1", "where", 30), Variable("2", "what", 50), Variable("3", "code", 35))
    template = Template("c", text, variables, in_all=80)
    reading = reading_of(template, {"where": "地" * 20, "what": "事" * 40, "code": "7-3-" + "x" * 21})
    assert len(reading.text) <= 80
    assert reading.text.endswith("，7-3-" + "x" * 21) and "定" * 30 in reading.text
    assert reading.exceeding == ("1", "2")
    assert faults_of(replace(template, in_all=34)) == ("the text alone is longer than 34 characters",)
    assert faults_of(template) == ()


def test_the_signature_takes_its_room() -> None:
    assert signed(ALIYUN, "更夫").in_all == 496


def test_a_code_is_whole_or_not_there() -> None:
    reading = reading_of(ALIYUN, FILLED | {"code": "x" * 36})
    assert reading.pieces[4] == Piece("-", "code", cut=True)
    assert reading.exceeding == ("code",)


def test_a_link_becomes_its_code_where_links_are_refused() -> None:
    template = replace(ALIYUN, variables=(*ALIYUN.variables[:2], Variable("code", "link", 60)))
    assert values_of(template, FILLED)[2] == "7-3-abc"
    assert values_of(replace(template, carries_links=True), FILLED)[2] == "https://a.example/a/7-3-abc"


@pytest.mark.parametrize(
    ("raw", "said", "is_cut"),
    [
        ("厨房 https://x.example/y?z=1，快", "厨房 ，快", True),
        ("www.x.example", "-", True),
        ("网关 10.0.0.1 离线", "网关 离线", True),
        ("版本 1.2.3", "版本 1.2.3", False),
        ("", "-", False),
        ("  ", "-", False),
        ("一行\n两行\t三\x00", "一行 两行 三", False),
        ("【急】着火", "（急）着火", False),
    ],
)
def test_what_a_provider_would_refuse_is_made_to_fit(raw: str, said: str, is_cut: bool) -> None:
    template = Template("c", "{1}", (Variable("1", "text", 100),))
    reading = reading_of(template, {"text": raw})
    assert (values_of(template, {"text": raw}), reading.exceeding) == ((said,), ("1",) if is_cut else ())


def test_a_cut_leaves_no_half_character() -> None:
    assert cut("e\u0301e\u0301e\u0301", 4) == "e\u0301…"
    assert cut("abc", 3) == "abc"
    assert cut("abcd", 1) == "…"


def test_a_place_that_nobody_fills_stays_as_it_is_written() -> None:
    reading = reading_of(Template("c", "${a}和${b}", (Variable("a", "what", 9),)), FILLED)
    assert reading.text == "烟雾报警和${b}"
    assert reading.pieces[2] == Piece("${b}", "b")


def test_what_is_wrong_with_a_template_is_said_in_words() -> None:
    assert faults_of(ALIYUN) == faults_of(TENCENT) == ()
    wrong = Template(
        "c",
        "${a}和${b}",
        (Variable("a", "what", 9), Variable("a", "what", 9), Variable("c", "nothing", 0)),
    )
    assert faults_of(wrong) == (
        "the place b has no variable",
        "the variable c has no place in the text",
        "the variable a is given twice",
        f"the variable c is filled from nothing, which is none of {', '.join(PARTS)}",
        "the variable c takes no character",
    )


@given(
    parts=st.dictionaries(st.sampled_from(PARTS), st.text(max_size=80)),
    most=st.integers(1, 40),
    links=st.booleans(),
    in_all=st.integers(0, 400),
)
def test_every_value_fits_its_place(parts: dict[str, str], most: int, links: bool, in_all: int) -> None:
    variables = tuple(Variable(f"v{n}", part, most) for n, part in enumerate(PARTS))
    text = "".join(f"x${{{one.name}}}" for one in variables)
    template = Template("c", text, variables, links, in_all)
    values = values_of(template, parts)
    assert all(1 <= len(value) <= most and value.isprintable() for value in values)
    reading = reading_of(template, parts)
    assert reading.text == "".join(f"x{value}" for value in values)
    assert "".join(piece.text for piece in reading.pieces) == reading.text
    uncut = [value for value, one in zip(values, variables, strict=True) if one.part not in {"code", "link"}]
    assert len(reading.text) <= in_all or all(len(value) == 1 for value in uncut)


@given(st.lists(st.sampled_from(["厨房", "https://x.example/a", "http://10.0.0.1/", "WWW.x.cn", " ", "，"])))
def test_no_link_gets_into_a_template_that_carries_none(words: list[str]) -> None:
    value = values_of(Template("c", "{1}", (Variable("1", "text", 500),)), {"text": "".join(words)})[0]
    assert "://" not in value and "www." not in value.lower() and "10.0" not in value


def test_a_huge_part_takes_no_time() -> None:
    huge = "1." * 5_000_000
    assert values_of(TENCENT, {"where": huge, "what": "w" * 10_000_000})[1] == "w" * 11 + "…"
