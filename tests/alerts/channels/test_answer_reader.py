"""What servers say, in pieces of any size, well and badly."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.channels.answer_reader import BODY_MAX, HEAD_MAX, Answer, AnswerReader, NotHttp

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def read(pieces: Iterable[bytes], *, closed: bool = False) -> Answer | None:
    """What is read of these pieces; None while more must come, or where it broke off."""
    reader = AnswerReader()
    for piece in pieces:
        if (answer := reader.feed(piece)) is not None:
            return answer
    return reader.end() if closed else None


def said(raw: bytes, *, closed: bool = False) -> tuple[int, bytes, bool]:
    answer = read([raw], closed=closed)
    assert answer is not None
    return answer.status, answer.body, answer.goes_on


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", (200, b"{}", True)),
        (b"HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n", (503, b"", True)),
        (b"HTTP/1.1 200 OK\ncontent-length:2\n\nok", (200, b"ok", True)),
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"", True)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", (200, b"ok", False)),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", (200, b"ok", False)),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", (200, b"ok", True)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500", (200, b"ok", False)),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", (200, b"", True)),
        (CHUNKED + b"2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n", (200, b"abc", True)),
        (CHUNKED + b"2\r\nab\r\n0\r\nTrailer: x\r\n\r\n", (200, b"ab", True)),
        (CHUNKED + b"0\r\n\r\nmore", (200, b"", False)),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            (200, b"", False),
        ),
    ],
)
def test_an_answer_is_read_however_it_is_cut(raw: bytes, expected: tuple[int, bytes, bool]) -> None:
    """But for what comes behind it, which is only seen where it comes with its end."""
    assert said(raw) == expected
    answer = read(raw[n : n + 1] for n in range(len(raw)))
    assert answer is not None
    assert (answer.status, answer.body) == expected[:2]
    assert read([raw[: len(raw) // 2]]) is None


def test_a_body_without_a_length_lasts_until_the_end() -> None:
    raw = b"HTTP/1.1 200 OK\r\nRetry-After:  7 \r\n\r\n{}"
    assert read([raw]) is None
    answer = read([raw], closed=True)
    assert answer == Answer(200, {b"retry-after": b"7"}, b"{}", goes_on=False)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        CHUNKED + b"2\r\nab\r\n",
        CHUNKED + b"0\r\nTrailer: x\r\n",
    ],
)
def test_what_breaks_off_is_no_answer(raw: bytes) -> None:
    assert read([raw], closed=True) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 099 Odd\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        CHUNKED + b"zz\r\n",
        CHUNKED + b"2\r\nabc\r\n",
        CHUNKED + b"1" * 2_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * HEAD_MAX,
        b"HTTP/1.1 100 Continue\r\n\r\n" * HEAD_MAX,
    ],
)
def test_what_is_not_http_is_refused(raw: bytes) -> None:
    with pytest.raises(NotHttp):
        read(raw[n : n + 4096] for n in range(0, len(raw), 4096))


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
                                  b"HTTP/1.1 200 OK\r\n\r\n", CHUNKED + b"ffffff\r\n"])  # fmt: skip
def test_of_a_body_without_end_its_beginning_is_read(head: bytes) -> None:
    answer = read([head, *[b"x" * 1_000] * 70])
    assert answer == Answer(200, answer.headers if answer else {}, b"x" * BODY_MAX, goes_on=False)


@pytest.mark.parametrize("zipped", [gzip.compress(b'{"errcode": 0}'), zlib.compress(b'{"errcode": 0}')])
def test_a_zipped_body_is_read_and_a_bomb_to_its_bound(zipped: bytes) -> None:
    def answered(body: bytes) -> bytes:
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
        return said(head + body)[1]

    assert answered(zipped) == b'{"errcode": 0}'
    assert answered(gzip.compress(bytes(50_000_000))) == bytes(BODY_MAX)
    assert answered(b"not zipped") == b"not zipped"


@given(st.binary(max_size=300), st.integers(1, 20))
def test_whatever_comes_behind_a_head_is_read_or_refused(raw: bytes, size: int) -> None:
    for head in (b"", b"HTTP/1.1 200 OK\r\n", CHUNKED):
        try:
            answer = read(((head + raw)[n : n + size] for n in range(0, len(head + raw), size)), closed=True)
        except NotHttp:
            continue
        assert answer is None or len(answer.body) <= BODY_MAX


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.integers(1, 9))
def test_chunks_are_put_together(parts: list[bytes], size: int) -> None:
    raw = CHUNKED + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    answer = read(raw[n : n + size] for n in range(0, len(raw), size))
    assert answer is not None
    assert answer.body == b"".join(parts)
