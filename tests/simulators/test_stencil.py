"""Patched packets are what the encoder would have written, and hold exactly the points that are counted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.model import LIFE_FLAGS, METRIC_BY_NAME, Int64, Metric
from devices.profiles.own.own_profile import OwnProfile
from devices.profiles.profile import Decoded
from simulators.forms import FORMS, POINTS, forms_of
from simulators.mix import KINDS, MAX_DEVICES, Mix, identity_of, parse_mix
from simulators.stencil import FIRST_SEQ, POINTS_PER_MESSAGE, make_stencil
from simulators.wire import packet_length, publish
from tests.devices.profiles.listening import Registry, readings
from tests.devices.profiles.shipping import zigbee2mqtt

Row = tuple[int, int, int, int]

row = st.tuples(
    st.integers(0, MAX_DEVICES - 1),
    st.integers(1, 65_535),
    st.integers(10**12, 10**13 - 1),
    st.integers(FIRST_SEQ, 10 * FIRST_SEQ - 1),
)
ALL = parse_mix("fixed:2,own:60,smoke:25,bare:15")


def columns(rows: list[Row]) -> tuple[Int64, Int64, Int64, Int64]:
    devices, packet_ids, at_ms, seqs = np.array(rows, np.int64).T
    return devices, packet_ids, at_ms, seqs


def packets(rows: list[Row], qos: int, mix: Mix) -> Iterator[bytes]:
    devices, packet_ids, at_ms, seqs = columns(rows)
    batch = make_stencil(qos).batch(forms_of(devices, seqs, mix), devices, packet_ids, at_ms, seqs)
    ends = [0, *batch.ends.tolist()]
    assert ends[-1] == len(batch.octets)
    for start, end in pairwise(ends):
        yield bytes(batch.octets[start:end])


def taken_apart(packet: bytes, qos: int) -> tuple[str, int, bytes]:
    """Topic, packet id and payload of a PUBLISH, read by the book (3.3)."""
    assert packet_length(packet) == len(packet)
    head = 2 if packet[1] < 128 else 3
    length = int.from_bytes(packet[head : head + 2], "big")
    topic = packet[head + 2 : head + 2 + length]
    rest = packet[head + 2 + length :]
    packet_id = int.from_bytes(rest[:2], "big") if qos else 0
    return topic.decode(), packet_id, rest[3 if qos else 1 :]


def rounds(mix: Mix, devices: int = 300, seqs: int = 12) -> list[Row]:
    """Every device of a fleet with some messages, in the order in which they would go."""
    return [
        (device, 1, 1_763_755_200_000 + seq, FIRST_SEQ + seq)
        for seq in range(seqs)
        for device in range(devices)
    ]


def decoded(topics: list[str], payloads: list[bytes]) -> tuple[list[int], list[Decoded]]:
    """The real profiles' points by message, and what they decoded."""
    found = [0] * len(topics)
    results = []
    for profile in (OwnProfile(), zigbee2mqtt()):
        mine = [n for n, topic in enumerate(topics) if profile.matches(topic)]
        result = profile.decode([topics[n] for n in mine], [payloads[n] for n in mine], Registry())
        assert result.rejected == []
        for message in result.message.tolist():
            found[mine[message]] += 1
        results.append(result)
    return found, results


@given(
    st.lists(row, min_size=1, max_size=20), st.sampled_from([0, 1]), st.sampled_from([*KINDS, "own,smoke"])
)
def test_each_packet_of_a_batch_is_a_sound_publish_of_its_device(
    rows: list[Row], qos: int, text: str
) -> None:
    mix = parse_mix(text)
    made = list(packets(rows, qos, mix))
    assert len(made) == len(rows)
    for (device, packet_id, at, seq), packet in zip(rows, made, strict=True):
        topic, got_id, payload = taken_apart(packet, qos)
        assert topic == identity_of(device, mix).topic
        assert got_id == (packet_id if qos else 0)
        assert len(packet) == len(publish(topic, payload, qos))
        told = json.loads(payload)
        if topic.startswith("gengfu/"):
            assert (told["at"], told["seq"]) == (at, seq)


@pytest.mark.parametrize("kind", KINDS)
def test_every_form_decodes_to_exactly_the_points_that_are_counted(kind: str) -> None:
    mix = parse_mix(kind)
    rows = rounds(mix)
    apart = [taken_apart(packet, 1) for packet in packets(rows, 1, mix)]
    found, _ = decoded([topic for topic, *_ in apart], [payload for *_, payload in apart])
    devices, _, _, seqs = columns(rows)
    forms = forms_of(devices, seqs, mix)
    assert found == POINTS[forms].tolist()
    assert {FORMS[form].kind for form in forms.tolist()} == {kind}
    used = set(forms.tolist())
    assert used == {number for number, form in enumerate(FORMS) if form.kind == kind}


def test_nothing_that_is_sent_is_an_alarm_or_a_fault() -> None:
    rows = rounds(ALL)
    apart = [taken_apart(packet, 0) for packet in packets(rows, 0, ALL)]
    _, results = decoded([topic for topic, *_ in apart], [payload for *_, payload in apart])
    silent = [*LIFE_FLAGS, Metric.BATTERY_LOW, Metric.DEVICE_TAMPER, Metric.SMOKE_TEST]
    for result in results:
        assert not result.value[np.isin(result.metric, silent)].any()
        assert not result.quality.any()
        assert np.abs(result.value[result.metric == Metric.CURRENT]).max(initial=0) < 25


def test_a_mix_has_no_constant_layout_and_no_constant_length() -> None:
    mix = parse_mix("own:60,smoke:25,bare:15")
    made = list(packets(rounds(mix), 1, mix))
    lengths = np.array([len(packet) for packet in made])
    assert len(set(lengths.tolist())) > 20
    assert (np.diff(lengths) == 0).mean() < 0.2
    assert (np.diff(lengths.reshape(12, 300), axis=0) == 0).mean() < 0.5  # nor has one device


@pytest.mark.parametrize("kind", KINDS)
def test_a_device_has_the_same_few_series_whatever_it_leaves_out(kind: str) -> None:
    mix, series = parse_mix(kind), set()
    for packet in packets(rounds(mix, devices=40, seqs=60), 0, mix):
        topic, _, payload = taken_apart(packet, 0)
        registry = Registry()
        profile = OwnProfile() if topic.startswith("gengfu") else zigbee2mqtt()
        found = readings(profile.decode([topic], [payload], registry), registry)
        series |= {(uid, channel, metric) for uid, channel, metric, *_ in found}
    assert len(series) <= 40 * (8 if kind == "smoke" else 4)


def test_neighbours_of_one_detector_differ_in_their_link_quality() -> None:
    mix = parse_mix("smoke")
    rows = [(device, 1, 10**12, FIRST_SEQ + seq) for device in range(60) for seq in range(100)]
    told = [json.loads(taken_apart(packet, 0)[2])["linkquality"] for packet in packets(rows, 0, mix)]
    table = np.array(told).reshape(60, 100)
    assert (np.diff(table, axis=1) != 0).all()


def test_the_usual_message_has_four_points_in_about_200_bytes_and_one_layout() -> None:
    mix = parse_mix("fixed")
    made = list(packets(rounds(mix), 1, mix))
    assert {len(packet) for packet in made} == {223}
    told = json.loads(taken_apart(made[0], 1)[2])
    names = [*told["values"], *(name for values in told["channels"].values() for name in values)]
    assert len(names) == POINTS_PER_MESSAGE
    assert set(names) <= set(METRIC_BY_NAME)
    currents = {json.loads(taken_apart(each, 1)[2])["channels"]["l1"]["current"] for each in made[:300]}
    assert len(currents) == 300
    assert all(2.34 <= current < 2.36 for current in currents)
