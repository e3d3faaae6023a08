from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.registry import Attention, Flag, NotAllowed, attention_text, check_attention, read_attention
from devices.registry.attention import ATTENTION_MAX, WORDS


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        ("  ", ""),
        ("lives_alone", "lives_alone"),
        ("over_75, lives_alone", "lives_alone, over_75"),
        ("lives_alone,lives_alone", "lives_alone"),
        ("独居，75岁以上；门口有狗", "lives_alone, over_75; 门口有狗"),
        ("独居、行动不便", "lives_alone, reduced_mobility"),
        ("Lives alone, oxygen in use", "lives_alone, oxygen"),
        ("oxygen; two bottles, by the bed; heavy", "oxygen; two bottles, by the bed; heavy"),
        ("oxygen, two bottles", "oxygen; two bottles"),
        ("dog in the hall", "dog in the hall"),
        ("dog, oxygen", "dog, oxygen"),
        ("独居老人", "独居老人"),
        ("; dog", "; dog"),
    ],
)
def test_flags_are_taken_by_name_or_by_their_words_and_the_rest_stays_as_typed(typed: str, kept: str) -> None:
    assert check_attention(typed) == kept


@pytest.mark.parametrize("typed", ["over_57", "lives_alone, over_57", "dog; over_75", "lives_alone; over_76"])
def test_a_flag_mistyped_or_out_of_its_place_is_refused_with_all_there_are(typed: str) -> None:
    with pytest.raises(NotAllowed, match="lives_alone, over_75, reduced_mobility, hard_of_hearing"):
        check_attention(typed)


@pytest.mark.parametrize("typed", ["x" * (ATTENTION_MAX + 1), "a secret\nline"])
def test_a_refusal_quotes_nothing_of_what_is_personal(typed: str) -> None:
    with pytest.raises(NotAllowed, match="200 printable") as refused:
        check_attention(typed)
    assert typed[:8] not in str(refused.value)


def test_a_note_reads_in_either_language() -> None:
    note = "lives_alone, over_75; dog in the hall"
    assert attention_text(note, "zh-CN") == "独居、75岁以上；dog in the hall"
    assert attention_text(note, "en") == "lives alone, over 75; dog in the hall"
    assert attention_text("", "en") == ""
    assert attention_text("独居老人，75岁以上 / elderly", "en") == "独居老人，75岁以上 / elderly"


def test_every_flag_has_words_in_both_languages_and_each_is_understood() -> None:
    assert set(WORDS) == set(Flag)
    for flag, words in WORDS.items():
        assert [check_attention(word) for word in words] == [flag, flag]


NOTES = st.text(st.sampled_from("ab ,;，、；_75") | st.characters(), max_size=60) | st.builds(
    lambda parts, rest: ", ".join(parts) + rest,
    st.lists(st.sampled_from([*Flag, *(word for words in WORDS.values() for word in words)])),
    st.sampled_from(["", "; ", "; dog", ",", " dog; oxygen", "，猫"]),
)


@given(NOTES)
def test_the_canonical_form_comes_back_as_it_is_and_says_the_same(typed: str) -> None:
    try:
        kept = check_attention(typed)
    except NotAllowed:
        return
    assert check_attention(kept) == kept
    assert read_attention(kept) == read_attention(typed)


@given(NOTES, st.sampled_from(["zh-CN", "en"]))
def test_any_stored_text_can_be_read(stored: str, language: str) -> None:
    said = read_attention(stored)
    assert isinstance(said, Attention)
    assert said.words in attention_text(stored, language)
