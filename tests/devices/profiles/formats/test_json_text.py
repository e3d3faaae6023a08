from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.profiles.formats.format import Unreadable
from devices.profiles.formats.json_text import DEEPEST, LONGEST_MENDED, read_json
from devices.profiles.profile import Reason


def refused(payload: bytes) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read_json(payload)
    return caught.value


@pytest.mark.parametrize(
    ("payload", "tree"),
    [
        (b'{"a":{"b":[1,2.5,"x",true,null]}}', {"a": {"b": [1, 2.5, "x", True, None]}}),
        (b"[1]", [1]),
        (b"  12 ", 12),
        (b'"on"', "on"),
        (b"null", None),
        (b'\xef\xbb\xbf{"a":1}\x00\x00\n', {"a": 1}),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b'{"n":123456789012345678901234567890}', {"n": 123456789012345678901234567890}),
    ],
)
def test_a_payload_is_read_as_it_stands(payload: bytes, tree: Any) -> None:
    assert read_json(payload) == tree


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_a_word_for_no_number_is_null_and_the_rest_of_the_message_stands(word: str) -> None:
    payload = f'{{"smoke":true,"t":{word},"list":[{word}, 1],"said":"t:{word},"}}'.encode()
    assert read_json(payload) == {"smoke": True, "t": None, "list": [None, 1], "said": f"t:{word},"}


@pytest.mark.parametrize("text", [r"a \" NaN, b", r"NaN\\", "NaN", r"\\\" : NaN"])
def test_texts_are_left_alone_when_numbers_are_mended(text: str) -> None:
    payload = f'{{"text":"{text}","t":NaN}}'.encode()
    assert read_json(payload) == {"text": json.loads(f'"{text}"'), "t": None}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.NOT_JSON),
        (b"{", Reason.NOT_JSON),
        (b'{"a":NaNs}', Reason.NOT_JSON),
        (b'{"a":NaN', Reason.NOT_JSON),
        (b'{"a":-NaN}', Reason.NOT_JSON),
        (b'{"a":1e999}', Reason.WRONG_TYPE),
        (b'{"a":' + b"9" * 10_000 + b"}", Reason.WRONG_TYPE),
        (b'{"a":"\xff"}', Reason.NOT_UTF8),
        (b"[" * 100_000, Reason.TOO_LARGE),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), Reason.TOO_LARGE),
    ],
)
def test_what_is_no_json_is_refused_in_the_parsers_words(payload: bytes, reason: Reason) -> None:
    error = refused(payload)
    assert error.reason is reason
    assert error.detail


def test_the_deepest_allowed_is_read_and_many_shallow_objects_are() -> None:
    assert read_json(b"[" * DEEPEST + b"]" * DEEPEST)
    assert len(read_json(json.dumps([{"a": [1]}] * 5000).encode())) == 5000


def test_a_long_message_is_not_searched_for_words() -> None:
    payload = b'{"t":NaN,"x":"' + b"x" * LONGEST_MENDED + b'"}'
    assert refused(payload).reason is Reason.NOT_JSON


trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(trees)
def test_every_tree_comes_back_as_it_was(tree: Any) -> None:
    assert read_json(json.dumps(tree).encode()) == tree


@given(
    st.recursive(st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_every_number_that_is_none_is_null_and_nothing_else_changes(tree: Any) -> None:
    assert read_json(json.dumps(tree).encode()) == json.loads(json.dumps(tree), parse_constant=lambda _: None)


hostile = st.lists(
    st.sampled_from(
        [b"NaN", b'"', b"\\", b"{", b"[", b"}", b"]", b":", b",", b"-Infinity", b"1", b"\xff", b"e", b"\x00"]
    )
).map(b"".join)


@given(st.binary() | hostile)
def test_any_octets_are_read_or_refused(payload: bytes) -> None:
    try:
        tree = read_json(payload)
    except Unreadable as error:
        assert error.detail
    else:
        assert not (type(tree) is float and math.isnan(tree))
