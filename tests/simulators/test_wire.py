"""The generator's MQTT 5 bytes, checked against the standard's own examples and layouts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.wire import (
    NO_LIMIT,
    BrokerRefused,
    connect,
    packet_length,
    publish,
    read_connack,
    read_pubacks,
    varint,
)


@pytest.mark.parametrize(
    ("number", "encoded"),
    [(0, "00"), (127, "7f"), (128, "8001"), (16_383, "ff7f"), (16_384, "808001"), (268_435_455, "ffffff7f")],
)
def test_lengths_are_encoded_as_the_standard_shows(number: int, encoded: str) -> None:
    assert varint(number).hex() == encoded


@given(st.integers(0, 268_435_455))
def test_a_packets_length_is_read_back(length: int) -> None:
    header = b"\x30" + varint(length)
    assert packet_length(header) == len(header) + length
    assert packet_length(header[:-1]) == 0


def test_connect_asks_for_mqtt_5_and_a_clean_start() -> None:
    assert connect("c").hex() == "100e" + "00044d515454" + "05" + "02" + "0000" + "00" + "000163"
    assert connect("c", "u", "p").endswith(b"\x00\x01c\x00\x01u\x00\x01p")
    assert connect("c", "u", "p")[9] == 0xC2


def test_publish_has_room_for_a_packet_id_at_qos_1_only() -> None:
    assert publish("a/b", b"xy", 0) == b"\x30\x08\x00\x03a/b\x00xy"
    assert publish("a/b", b"xy", 1) == b"\x32\x0a\x00\x03a/b\x00\x00\x00xy"


def test_a_connack_grants_its_receive_maximum() -> None:
    # reason string, receive maximum 20, topic alias maximum 10, maximum QoS 1
    properties = b"\x1f\x00\x02ok" + b"\x21\x00\x14" + b"\x22\x00\x0a" + b"\x24\x01"
    granted = read_connack(bytes([0x20, len(properties) + 3, 0, 0, len(properties)]) + properties)
    assert (granted.receive_maximum, granted.maximum_qos) == (20, 1)


def test_a_connack_without_properties_grants_the_defaults() -> None:
    granted = read_connack(b"\x20\x03\x00\x00\x00")
    assert (granted.receive_maximum, granted.maximum_qos) == (NO_LIMIT, 2)


@pytest.mark.parametrize("packet", [b"\x20\x03\x00\x87\x00", b"\x40\x03\x00\x00\x00", b"\x20\x02\x00\x00"])
def test_anything_but_a_welcome_is_a_refusal(packet: bytes) -> None:
    with pytest.raises(BrokerRefused):
        read_connack(packet)


pubacks = st.lists(
    st.tuples(st.integers(1, 65_535), st.sampled_from([None, 0x00, 0x10, 0x87]), st.booleans()), max_size=20
)


def encode_puback(packet_id: int, reason: int | None, with_properties: bool) -> bytes:
    body = packet_id.to_bytes(2, "big")
    if reason is not None:
        body += bytes([reason]) + (b"\x00" if with_properties else b"")
    return bytes([0x40, len(body)]) + body


@given(pubacks, st.integers(0, 200))
def test_acknowledgements_are_read_whatever_their_form_and_wherever_the_read_ended(
    wanted: list[tuple[int, int | None, bool]], cut: int
) -> None:
    stream = b"".join(encode_puback(*each) for each in wanted)
    found: list[tuple[int, int]] = []
    rest = b""
    for chunk in (stream[:cut], stream[cut:]):
        ids, reasons, rest = read_pubacks(rest + chunk)
        found += zip(ids.tolist(), reasons.tolist(), strict=True)
    assert rest == b""
    assert found == [(packet_id, reason or 0) for packet_id, reason, _ in wanted]


def test_a_disconnect_instead_of_an_acknowledgement_is_told() -> None:
    with pytest.raises(BrokerRefused, match="e0018b"):
        read_pubacks(b"\x40\x02\x00\x01" + b"\xe0\x01\x8b")
