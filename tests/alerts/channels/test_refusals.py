from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.channels.channel import Accepted, Failed
from alerts.channels.http import Reply
from alerts.channels.refusals import NOT_UNDERSTOOD, Codes, number

CODES = Codes(fields=("code", "StatusCode"), waits={11232: 5.0, -1: 0.0}, lasting=frozenset({19001}))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["code", "x"]), inner),
    max_leaves=5,
)


def judged(answer: object, status: int = 200, refused: Failed | None = None) -> object:
    return CODES.judge(Reply(status, json.dumps(answer).encode(), refused))


@pytest.mark.parametrize(
    "answer", [{"code": 0}, {"code": "0"}, {"StatusCode": 0}, {"code": 0, "StatusCode": 7}]
)
def test_only_a_code_of_zero_is_accepted(answer: object) -> None:
    assert judged(answer) == Accepted()


@pytest.mark.parametrize(
    "body",
    [b"", b"OK", b"<html>log in to the network</html>", b"[0]", b"0", b'{"msg": "ok"}', b"\xff\xfe", b"{"],
)
def test_what_holds_no_code_is_no_answer_of_the_provider(body: bytes) -> None:
    assert CODES.judge(Reply(200, body)) == Failed(NOT_UNDERSTOOD)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"code": 11232}, Failed("code 11232", False, 5.0)),
        ({"code": -1}, Failed("code -1")),
        ({"code": "19001"}, Failed("code 19001", permanent=True)),
        ({"code": 4711}, Failed("code 4711")),
        ({"code": None}, Failed("code None")),
        ({"code": False}, Failed("code False")),
        ({"code": "no user at 13900000000"}, Failed("code not zero")),
    ],
)
def test_codes_pass_last_or_are_worth_another_try(answer: object, expected: Failed) -> None:
    assert judged(answer) == expected


def test_of_an_unknown_code_the_status_decides() -> None:
    assert judged({"code": 5}, 400, Failed("HTTP 400", permanent=True)) == Failed("code 5", permanent=True)


def test_a_code_that_passes_outweighs_the_status_and_the_longer_wait_counts() -> None:
    assert judged({"code": 11232}, 400, Failed("HTTP 400", True, 9.0)) == Failed("code 11232", False, 9.0)


def test_a_code_of_zero_does_not_mend_a_refused_request() -> None:
    assert judged({"code": 0}, 503, Failed("HTTP 503")) == Failed("HTTP 503")


@given(ANY_JSON, st.integers(100, 599))
def test_whatever_json_comes_is_judged(answer: object, status: int) -> None:
    assert isinstance(judged(answer, status), Accepted | Failed)


@pytest.mark.parametrize("code", ["٠", "0x0", "", " ", "-", "--1", "1e3", "0" * 12, 0.0, None, False, [0]])
def test_what_only_looks_like_a_number_is_none(code: object) -> None:
    assert number(code) is None


@given(st.text() | st.integers() | st.floats() | st.none() | st.booleans())
def test_any_code_is_a_number_or_none(code: object) -> None:
    found = number(code)
    assert found is None or type(found) is int
