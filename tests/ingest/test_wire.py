"""The wire gives the same packets however the stream is cut, and never anything but packets or WireError."""

from __future__ import annotations

import mqtt5
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest import wire
from ingest.packets import Connack, Disconnected, Pong, Received, Suback, WireError
from ingest.wire import Wire, pubacks
from tests.ingest.packets import CONNACK_PRESENT, PONG, SUBACK_HALF, TAKEN_OVER, encode_publish
from tests.ingest.wired import one_by_one, taken

# The codec panics over invalid UTF-8 (see ingest/wire.py): Python reports the UnicodeDecodeError inside as
# unraisable, once the panic itself is caught.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

LIMIT = 4096
NOT_UTF8 = b"\x32\x0a\x00\x03\xff\xfea\x00\x07\x00hi"


def _feed(pieces: list[bytes]) -> tuple[Received, str]:
    return taken(pieces, LIMIT)


_publishes = st.builds(
    encode_publish,
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=40),
    st.binary(max_size=300),
    qos=st.integers(0, 1),
    retain=st.booleans(),
    packet_id=st.integers(1, 65535),
    dup=st.booleans(),
)
_packets = _publishes | st.sampled_from([PONG, SUBACK_HALF, CONNACK_PRESENT, TAKEN_OVER, NOT_UTF8])
_streams = st.lists(_packets | st.binary(max_size=12), max_size=8).map(b"".join)


@settings(deadline=None)
@given(st.lists(_publishes, max_size=20), st.data())
def test_what_was_encoded_comes_back_in_order(packets: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(packets)
    cut = data.draw(st.integers(0, len(stream)))
    got, error = _feed([stream[:cut], stream[cut:]])
    assert not error
    again = [
        encode_publish(topic, payload, qos=int(packet_id > 0), retain=retain, packet_id=packet_id, dup=dup)
        for topic, payload, packet_id, retain, dup in zip(
            got.topics, got.payloads, got.packet_ids, got.retain, got.dup, strict=True
        )
    ]
    assert b"".join(again) == stream


@settings(max_examples=300, deadline=None)
@given(_streams)
@example(NOT_UTF8 + encode_publish("a", b"behind"))
@example(b"\x30\x05\x00\x09abc" + PONG)
def test_any_stream_cut_at_every_byte_gives_the_same_packets(stream: bytes) -> None:
    whole, error = _feed([stream])
    assert _feed(one_by_one(stream)) == (whole, error)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=10))
def test_any_bytes_end_in_packets_or_need_more_or_wire_error(pieces: list[bytes]) -> None:
    _feed(pieces)  # anything else it raises fails the test


def test_small_packets_become_values() -> None:
    got, error = _feed([CONNACK_PRESENT + SUBACK_HALF + PONG + TAKEN_OVER])
    assert not error
    assert got.controls == [
        Connack(True, "success", True, None, None),
        Suback(1, ("", "not authorized")),
        Pong(),
        Disconnected("session taken over", True),
    ]
    assert Suback(1, ("", "not authorized")).refused(["a", "b"]) == [("b", "not authorized")]


def test_a_topic_that_is_not_utf8_is_delivered_and_stops_nothing_behind_it() -> None:
    reader = Wire(LIMIT)
    got = reader.feed(NOT_UTF8 + encode_publish("a", b"behind"))
    assert got.topics == ["\ufffd\ufffda", "a"]
    assert got.payloads == [b"hi", b"behind"]
    assert got.packet_ids == [7, 1]
    assert reader.salvaged == 1


def test_packets_in_front_of_a_violation_are_given_first() -> None:
    reader = Wire(LIMIT)
    assert reader.feed(encode_publish("a", b"x") + b"\x00\x00").topics == ["a"]
    with pytest.raises(WireError):
        reader.feed(b"")


@pytest.mark.parametrize(
    "stream", [b"\x00\x00", b"\x30\xff\xff\xff\xff", b"\x82\x00", b"\x40\x02\x00\x01", b"\xd1\x00"]
)
def test_what_a_broker_must_not_send_is_a_wire_error(stream: bytes) -> None:
    with pytest.raises(WireError):
        Wire(LIMIT).feed(stream)


def test_a_qos_2_message_is_a_wire_error_behind_what_came_before() -> None:
    got, error = _feed([encode_publish("a", b"1") + encode_publish("b", b"2", qos=2)])
    assert got.topics == ["a"]
    assert "QoS 2" in error


def test_a_packet_too_long_is_refused_at_its_length_and_never_held() -> None:
    with pytest.raises(WireError, match="more than 4096"):
        Wire(LIMIT).feed(encode_publish("a", bytes(LIMIT))[:3])
    with pytest.raises(WireError, match="more than 4096"):
        Wire(LIMIT).feed(encode_publish("a", bytes(LIMIT)))


def test_a_packet_of_exactly_the_limit_is_taken() -> None:
    packet = encode_publish("a", bytes(LIMIT - 9))
    assert len(packet) == LIMIT
    assert len(_feed(one_by_one(packet))[0]) == 1


@settings(deadline=None)
@given(st.lists(st.integers(0, 65535), max_size=50))
def test_pubacks_are_what_the_codec_itself_would_write(packet_ids: list[int]) -> None:
    expected = b"".join(b"\x40\x02" + i.to_bytes(2, "big") for i in packet_ids if i)
    assert pubacks(packet_ids) == expected
    at = 0
    for packet_id in filter(None, packet_ids):
        packet, length = mqtt5.read(memoryview(expected)[at:])
        assert isinstance(packet, mqtt5.PubAckPacket)
        assert packet.packet_id == packet_id
        at += length


def test_connect_announces_what_bounds_us() -> None:
    packet, _ = mqtt5.read(
        memoryview(
            wire.connect(
                "me",
                username="u",
                password="p",
                clean_start=False,
                keep_alive_s=30,
                session_expiry_s=86_400,
                receive_maximum=10_000,
                max_packet_bytes=LIMIT,
            )
        )
    )
    assert isinstance(packet, mqtt5.ConnectPacket)
    assert (packet.receive_max, packet.max_packet_size, packet.topic_alias_max) == (10_000, LIMIT, 0)
    assert (packet.clean_start, packet.session_expiry_interval, packet.keep_alive) == (False, 86_400, 30)
    assert (packet.username, packet.password) == ("u", b"p")


def test_subscribe_asks_for_qos_1_without_retain_as_published() -> None:
    packet, _ = mqtt5.read(memoryview(wire.subscribe(1, ["a/#"])))
    assert isinstance(packet, mqtt5.SubscribePacket)
    asked = packet.topic_filters[0]
    assert (asked.max_qos, asked.retain_as_published, asked.retain_handling) == (1, False, 1)
