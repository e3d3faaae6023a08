"""Streams a broker, a broken broker or an attacker may send: valid packets, nearly valid ones, and noise.

Built by the book (MQTT 5, chapters 1.5 and 2 to 3), with a lie allowed at every place: lengths, flags, text,
properties.
"""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

from tests.ingest.packets import (
    CONNACK_PRESENT,
    PONG,
    SUBACK_HALF,
    TAKEN_OVER,
    encode_publish,
    integer,
    packet,
)

NUMBERS_OF_PROPERTIES = (
    1, 2, 3, 8, 9, 11, 17, 18, 19, 21, 22, 23, 24, 25, 26, 28, 31, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42,
)  # fmt: skip
"""All property identifiers of MQTT 5 (2.2.2.2)."""


integers = st.integers(0, 2**28 - 1).map(integer) | st.sampled_from(
    [b"\x80\x00", b"\x80\x80\x80\x00", b"\x80\x80\x80\x80\x01", b"\xff\xff\xff\xff", b"\xff"]
)
"""Lengths as they may stand there: any, longer than need be, endless, cut off."""

texts = (
    st.text(max_size=12).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.binary(max_size=12)
    | st.sampled_from(
        [b"", b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\xef\xbf\xbf", b"\xf0\x9f", b"a/#", b"+"]
    )
)
"""UTF-8 or not, with what MQTT forbids in text: NUL, surrogates, wildcards."""

strings = st.builds(
    lambda text, lie: max(0, min(65_535, len(text) + lie)).to_bytes(2, "big") + text,
    texts,
    st.sampled_from([0, 0, 0, 0, 1, -1, 65_535]),
)

properties_one = st.builds(
    lambda number, value: integer(number) + value,
    st.sampled_from(NUMBERS_OF_PROPERTIES) | st.integers(0, 300),
    st.binary(max_size=5) | strings | st.builds(bytes.__add__, strings, strings),
)
properties = st.builds(
    lambda each, twice, lie: integer(max(0, len(b"".join(each * twice)) + lie)) + b"".join(each * twice),
    st.lists(properties_one, max_size=3),
    st.sampled_from([1, 1, 2]),
    st.sampled_from([0, 0, 0, 1, -1]),
)
"""Known and unknown ones, right and wrong values, all of them twice at times, a length that lies at times."""

publishes = st.builds(
    encode_publish,
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20),
    st.binary(max_size=200),
    qos=st.integers(0, 1),
    retain=st.booleans(),
    packet_id=st.integers(1, 65_535),
    dup=st.booleans(),
)
"""What a broker ought to send."""

odd_publishes = st.builds(
    lambda flags, topic, packet_id, said, payload: packet(0x30 | flags, topic + packet_id + said + payload),
    st.integers(0, 15),
    strings,
    st.sampled_from([b"", b"\x00\x07", b"\x00\x00"]),
    properties,
    st.binary(max_size=20),
)

others = st.builds(
    lambda head, front, said, back: packet(head, front + said + back),
    st.integers(0, 255),
    st.binary(max_size=4),
    properties | st.just(b""),
    st.binary(max_size=6),
)
"""Every packet type with every flag, reserved ones as well."""

liars = st.builds(
    lambda head, length, body: bytes([head]) + length + body,
    st.integers(0, 255),
    integers,
    st.binary(max_size=30),
)

packets = (
    publishes
    | st.sampled_from([CONNACK_PRESENT, SUBACK_HALF, PONG, TAKEN_OVER])
    | odd_publishes
    | others
    | liars
    | st.binary(max_size=12)
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid stream to which things happened on its way."""
    stream = b"".join(
        draw(
            st.lists(
                publishes | st.sampled_from([CONNACK_PRESENT, SUBACK_HALF, PONG]), min_size=1, max_size=6
            )
        )
    )
    for _ in range(draw(st.integers(1, 4))):
        at, to = sorted((draw(st.integers(0, len(stream))), draw(st.integers(0, len(stream)))))
        piece, rest = stream[at:to], stream[to:]
        happened = draw(st.sampled_from(["flip", "cut", "insert", "double", "swap"]))
        if happened == "flip" and piece:
            piece = bytes([piece[0] ^ 1 << draw(st.integers(0, 7))]) + piece[1:]
        elif happened == "cut":
            piece = b""
        elif happened == "insert":
            piece = draw(st.binary(max_size=8)) + piece
        elif happened == "double":
            piece = 2 * piece
        elif happened == "swap":
            piece, rest = rest, piece
        stream = stream[:at] + piece + rest
    return stream


streams = st.lists(packets, max_size=8).map(b"".join) | mutated()


@st.composite
def chunked(draw: st.DrawFn, stream: bytes) -> list[bytes]:
    """The stream cut anywhere; empty chunks too."""
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    edges = [0, *cuts, len(stream)]
    return [stream[a:b] for a, b in pairwise(edges)]
