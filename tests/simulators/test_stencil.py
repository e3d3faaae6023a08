"""Patched packets are what the encoder would have written."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from devices.model import METRIC_BY_NAME
from simulators.stencil import FIRST_SEQ, MAX_DEVICES, POINTS_PER_MESSAGE, device_id, make_stencil
from simulators.wire import packet_length, publish

row = st.tuples(
    st.integers(0, MAX_DEVICES - 1),
    st.integers(1, 65_535),
    st.integers(10**12, 10**13 - 1),
    st.integers(FIRST_SEQ, 10 * FIRST_SEQ - 1),
)


@given(st.lists(row, min_size=1, max_size=10), st.sampled_from([0, 1]))
def test_each_packet_of_a_batch_is_a_sound_publish(rows: list[tuple[int, int, int, int]], qos: int) -> None:
    devices, packet_ids, at_ms, seqs = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    stream = make_stencil(qos).batch(devices, packet_ids, at_ms, seqs)
    for device, packet_id, at, seq in rows:
        packet, stream = stream[: packet_length(stream)], stream[packet_length(stream) :]
        topic = f"gengfu/{device_id(device)}/readings"
        payload = packet[packet.index(b'{"at"') :]
        assert packet == publish(topic, payload, qos).replace(
            topic.encode() + b"\x00\x00", topic.encode() + packet_id.to_bytes(2, "big") if qos else b"", 1
        )
        told = json.loads(payload)
        assert (told["at"], told["seq"]) == (at, seq)
        assert 2.34 <= told["channels"]["l1"]["current"] < 2.36
    assert stream == b""


def test_a_message_has_four_points_in_about_200_bytes() -> None:
    one = np.ones(1, np.int64)
    packet = make_stencil(1).batch(one, one, one * 10**12, one * FIRST_SEQ)
    told = json.loads(packet[packet.index(b'{"at"') :])
    names = [*told["values"], *(name for values in told["channels"].values() for name in values)]
    assert len(names) == POINTS_PER_MESSAGE
    assert set(names) <= set(METRIC_BY_NAME)
    assert 180 <= len(packet) <= 230


def test_currents_are_not_all_the_same() -> None:
    k = np.arange(100)
    stream = make_stencil(0).batch(k, k, k + 10**12, k + FIRST_SEQ)
    size = len(stream) // 100
    values = {
        json.loads(packet[packet.index(b'{"at"') :])["channels"]["l1"]["current"]
        for packet in (stream[at : at + size] for at in range(0, len(stream), size))
    }
    assert len(values) == 100
