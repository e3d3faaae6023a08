"""Any bytes from the network end in packets, a need for more, or a WireError, whatever they are."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.packets import Received, WireError
from ingest.wire import Wire
from tests.fuzz.streams import chunked, publishes, streams
from tests.ingest.packets import CONNACK_PRESENT, PONG, SUBACK_HALF, encode_publish, integer, packet
from tests.ingest.wired import one_by_one, taken

# For invalid UTF-8 the codec panics (see ingest/wire.py): Python reports the UnicodeDecodeError inside as
# unraisable, once the panic itself is caught.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

LIMIT = 512
QOS_2 = encode_publish("b", b"2", qos=2)


def take(pieces: list[bytes], limit: int = LIMIT) -> tuple[Received, str]:
    return taken(pieces, limit)


@settings(max_examples=400, deadline=None)
@given(streams, st.data())
@example(QOS_2 + SUBACK_HALF, None)
@example(SUBACK_HALF + encode_publish("a", b"1") + QOS_2 + PONG + b"\x00\x00", None)
def test_no_stream_does_anything_else_and_no_cut_changes_what_comes_out(
    stream: bytes, data: st.DataObject | None
) -> None:
    whole = take([stream])
    assert take(one_by_one(stream)) == whole
    if data:
        assert take(data.draw(chunked(stream))) == whole


@settings(max_examples=200, deadline=None)
@given(st.lists(publishes, max_size=5), streams)
def test_what_came_whole_before_a_violation_is_given(valid: list[bytes], noise: bytes) -> None:
    got, _ = take([b"".join(valid) + noise])
    alone, error = take([b"".join(valid)])
    assert not error
    assert got.topics[: len(valid)] == alone.topics
    assert got.payloads[: len(valid)] == alone.payloads


@settings(max_examples=100, deadline=None)
@given(streams)
def test_after_a_violation_nothing_more_is_taken(stream: bytes) -> None:
    reader, violated = Wire(LIMIT), ""
    for _ in range(3):
        try:
            reader.feed(stream if not violated else encode_publish("a", b"behind") + CONNACK_PRESENT)
        except WireError as error:
            assert not violated or str(error) == violated
            violated = str(error)
        else:
            assert not violated


@pytest.mark.parametrize("length", [LIMIT, 2**21, 2**28 - 1])
def test_a_length_beyond_the_limit_is_refused_at_its_header_for_every_type_of_packet(length: int) -> None:
    for head in range(256):
        with pytest.raises(WireError):
            Wire(LIMIT).feed(bytes([head]) + integer(length))


@pytest.mark.parametrize("body", [b"", b"\x00", bytes(7), b"\xff" * 7, b"\x00\x01a\x00\x05x\x01\x00"])
def test_every_first_byte_ends_somewhere(body: bytes) -> None:
    for head in range(256):
        assert take([packet(head, body)]) == take(one_by_one(packet(head, body)))


def test_memory_is_bounded_by_the_largest_packet_and_a_chunk() -> None:
    limit, chunk = 1 << 20, 1 << 16
    endless = encode_publish("a", bytes(limit - 64))  # just short of the limit, again and again
    pieces = [endless[i : i + chunk] for i in range(0, len(endless), chunk)]
    reader = Wire(limit)
    tracemalloc.start()
    try:
        for _ in range(20):
            for piece in pieces:
                reader.feed(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Held, joined, the payload's copy, the rest: a small multiple, and not of how much came.
    assert peak < 5 * limit


def test_a_packet_that_trickles_in_costs_no_more_than_its_bytes() -> None:
    """One byte a read: were every read parsed from the start, 300,000 of them would be 45 GB to copy."""
    stream = encode_publish("a", bytes(300_000))
    assert len(take(one_by_one(stream), limit=1 << 20)[0]) == 1


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=2000), max_size=20))
def test_noise_is_never_held_beyond_the_limit(pieces: list[bytes]) -> None:
    """Whatever came: what completes a held packet comes within the limit, so need-more cannot last."""
    reader = Wire(LIMIT)
    given_out = total = 0
    try:
        for piece in [*pieces, bytes(2 * LIMIT)]:
            got = reader.feed(piece)
            total += len(piece)
            given_out += len(got) + len(got.controls)
        reader.feed(b"")
    except WireError:
        return
    raise AssertionError(f"{total} bytes ending in zeros, which start no packet, and {given_out} packets")
