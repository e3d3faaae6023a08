"""Acknowledgements that come as expected are counted; everything else is read or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.pubacks import Pubacks
from simulators.wire import BrokerRefused


def puback(k: int, tail: bytes = b"") -> bytes:
    return bytes([0x40, 2 + len(tail)]) + (k % 65_535 + 1).to_bytes(2, "big") + tail


def fed(reader: Pubacks, stream: bytes, cuts: list[int], owed: int) -> tuple[int, list[int]]:
    answered, refused, start = 0, [], 0
    for end in [*sorted(min(cut, len(stream)) for cut in cuts), len(stream)]:
        if chunk := stream[start:end]:
            more, bad = reader.take(chunk, owed - answered)
            answered += more
            refused += bad.tolist()
        start = end
    return answered, refused


@given(
    st.sampled_from([0, 1, 65_500, 65_534, 65_535, 200_000]),
    st.lists(st.sampled_from([b"", b"\x00", b"\x10", b"\x87", b"\x10\x00"]), max_size=80),
    st.lists(st.integers(0, 500), max_size=6),
)
def test_every_answer_is_counted_once_however_it_is_cut(
    first: int, tails: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(puback(first + n, tail) for n, tail in enumerate(tails))
    refused = [first + n for n, tail in enumerate(tails) if tail == b"\x87"]
    assert fed(Pubacks(first), stream, cuts, len(tails)) == (len(tails), refused)


def test_more_than_a_round_of_packet_ids_at_once() -> None:
    stream = b"".join(puback(k) for k in range(65_000, 65_000 + 65_535))
    assert Pubacks(65_000).take(stream, 65_535)[0] == 65_535


def test_an_answer_to_nothing_is_refused() -> None:
    with pytest.raises(BrokerRefused):
        Pubacks(0).take(puback(0) + puback(1), 1)


def test_answers_out_of_order_are_refused() -> None:
    with pytest.raises(BrokerRefused):
        Pubacks(0).take(puback(1) + puback(0), 2)


def test_another_packet_is_refused() -> None:
    with pytest.raises(BrokerRefused):
        Pubacks(0).take(puback(0) + b"\xe0\x01\x8b", 2)
