"""Decoding a tick: profiles in their order, refusals as values, and memory that stays bounded."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from sqlalchemy import create_engine, insert
from structlog.testing import capture_logs

from devices.database import reading, writing
from devices.model import Metric, Quality
from devices.profiles.profile import Decoded, Points, Profile, Reason
from devices.profiles.searching import HEAD, TICK_OCTETS
from devices.profiles.shipped import shipped_profiles
from devices.schema import device, metadata
from ingest import decoding
from ingest.decoding import SHORT_US, Decoder
from ingest.record import StrangerTopic
from ingest.series import SeriesIndex
from ingest.sightings import Sighting
from tests.devices.profiles.describing import described
from tests.ingest.plain import PlainProfile


class OtherProfile(PlainProfile):
    """The same payloads under `o/`; falls over where the payload says so."""

    name = "other"

    def matches(self, topic: str) -> bool:
        return topic.startswith("o/")

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        """How many messages it was asked about, the same one counted each time."""

    def decode(
        self,
        topics: Sequence[str],
        payloads: Sequence[bytes],
        points: Points,
        *,
        received_us: int = 0,
        retained: Sequence[bool] | None = None,
    ) -> Decoded:
        self.asked += len(topics)
        if any(b"boom" in payload for payload in payloads):
            raise KeyError("boom")
        decoded = super().decode(topics, payloads, points, received_us=received_us, retained=retained)
        if any(b"wild" in topic.encode() for topic in topics):
            decoded.row[:] = 10_000
        return decoded


@pytest.fixture
def index() -> SeriesIndex:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with writing(engine) as connection:
        for uid in ("d1", "d2", "wild"):
            row = {"uid": uid, "kind": "smoke", "profile": "p", "registered_us": 1, "registered_by": "t"}
            connection.execute(insert(device).values(**row))
    with reading(engine) as connection:
        found = SeriesIndex(connection)
    engine.dispose()
    return found


def decoder_of(index: SeriesIndex) -> Decoder:
    profiles: list[Profile] = [PlainProfile(), OtherProfile()]
    return Decoder(profiles, index, max_payload_bytes=64)


def test_readings_of_several_profiles_come_in_the_order_of_their_messages(index: SeriesIndex) -> None:
    topics = ["o/d2", "t/d1", "o/d1", "t/d2"]
    payloads = [b'{"amps": %d, "seq": %d}' % (n, n + 10) for n in range(4)]
    decoded = decoder_of(index).decode(topics, payloads).decoded
    assert decoded.message.tolist() == [0, 1, 2, 3]
    assert decoded.value.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert decoded.seq.tolist() == [10, 11, 12, 13]
    assert decoded.row.tolist() == [index.row(topic[2:], "") for topic in topics]


def test_a_message_that_fells_a_profile_costs_about_another_look_at_the_tick(index: SeriesIndex) -> None:
    other = OtherProfile()
    decoder = Decoder([other], index, max_payload_bytes=64)
    payloads = [b'{"amps": %d}' % n for n in range(1000)]
    payloads[617] = b'{"amps": 1, "boom": 1}'
    decoded = decoder.decode(["o/d1"] * 1000, payloads).decoded
    assert [(one.message, one.reason) for one in decoded.rejected] == [(617, Reason.PROFILE_ERROR)]
    assert decoded.value.tolist() == [float(n) for n in range(1000) if n != 617]
    assert other.asked < 3100


def test_what_cannot_be_taken_is_refused_with_its_own_number(index: SeriesIndex) -> None:
    topics = ["nobody/knows", "t/d1", "t/d1", "o/d1", "t/d1"]
    payloads = [b"{}", b"x" * 65, b'{"amps": 1}', b"{", b"\xff"]
    tick = decoder_of(index).decode(topics, payloads)
    refused = {one.message: one.reason for one in tick.decoded.rejected}
    assert refused == {0: Reason.UNKNOWN_TOPIC, 1: Reason.TOO_LARGE, 3: Reason.NOT_JSON, 4: Reason.NOT_JSON}
    assert tick.decoded.message.tolist() == [2]


@pytest.mark.parametrize(
    ("topic", "payload", "uid"),
    [
        ("gengfu/a/readings", b'{"values":{"smoke.alarm":true},"pad":"%s"}', "own:a"),
        ("zigbee2mqtt/hall", b'{"smoke":true,"pad":"%s"}', "topic:zigbee2mqtt/hall"),
    ],
)
def test_a_fire_in_a_message_that_is_too_long_is_heard_and_the_message_refused_once(
    index: SeriesIndex, topic: str, payload: bytes, uid: str
) -> None:
    decoder = Decoder(shipped_profiles(), index, max_payload_bytes=64)
    long = payload % (b"x" * 100)
    tick = decoder.decode([topic, topic], [long, b"x" * 99 + b'{"smoke":true,"smoke.alarm":true}'])
    assert [(one.message, one.reason) for one in tick.decoded.rejected] == [
        (0, Reason.TOO_LARGE),
        (1, Reason.TOO_LARGE),
    ]
    found = [(one.message, one.uid, one.metric, one.value) for one in tick.decoded.strangers]
    assert found == [(0, uid, Metric.SMOKE_ALARM, 1.0)]
    assert tick.decoded.quality.tolist() == [int(Quality.SUSPECT)]
    assert [one.uid for one in tick.sightings] == [uid]


@pytest.mark.parametrize(
    ("topic", "payload"), [("o/d1", b'{"amps": 1, "boom": 1}'), ("o/wild", b'{"amps": 1}')]
)
def test_a_profile_that_falls_over_costs_only_the_message_it_fell_over(
    index: SeriesIndex, topic: str, payload: bytes
) -> None:
    decoder = decoder_of(index)
    topics = ["t/d1", "o/d1", topic, "o/d2"]
    good = b'{"amps": 1, "seq": 4}'
    with capture_logs() as logs:
        decoded = decoder.decode(topics, [good, good, payload, good]).decoded
        decoder.decode(topics, [good, good, payload, good])
        decoder.decode(topics, [good, good, payload, good])
    assert decoded.message.tolist() == [0, 1, 3]
    assert decoded.seq.tolist() == [4, 4, -1, 4]
    assert [(one.message, one.reason) for one in decoded.rejected] == [(2, Reason.PROFILE_ERROR)]
    assert decoder.profile_errors == 3
    assert len(logs) == 2  # the 1st and the 2nd: no flood


def test_strangers_are_sighted_and_their_true_life_flags_join_the_readings(index: SeriesIndex) -> None:
    decoder = decoder_of(index)
    payloads = [b'{"amps": 9}', b'{"amps": 1}', b'{"smoke": 1, "at": 77}', b'{"smoke": 0}', b'{"amps": 2}']
    tick = decoder.decode(["t/new", "t/d1", "o/late", "t/calm", "t/d2"], payloads)
    assert tick.decoded.message.tolist() == [1, 2, 4]
    assert tick.decoded.metric.tolist() == [Metric.CURRENT, Metric.SMOKE_ALARM, Metric.CURRENT]
    assert tick.decoded.observed_us.tolist() == [0, 77, 0]
    assert tick.sightings == [
        Sighting("new", "t/new", "plain"),
        Sighting("calm", "t/calm", "plain", life=True),
        Sighting("late", "o/late", "other", life=True, alarm=True),
    ]
    slots = index.slots_of(index.seats_for(tick.decoded.row, tick.decoded.metric))
    assert decoder.topics_of(tick) == [StrangerTopic(int(slots[1]), "o/late")]


def test_an_empty_tick_and_a_tick_of_garbage_give_empty_arrays(index: SeriesIndex) -> None:
    for topics in ([], ["a", "b"]):
        decoded = decoder_of(index).decode(topics, [b""] * len(topics)).decoded
        assert len(decoded.row) == 0
        assert decoded.seq.tolist() == [-1] * len(topics)
        assert decoded.row.dtype == np.int32


def test_garbage_topics_by_the_hundred_thousand_keep_memory_bounded(index: SeriesIndex) -> None:
    decoder = decoder_of(index)
    most = 0
    for start in range(0, 500_000, 10_000):
        topics = [f"garbage/{n}" for n in range(start, start + 9_999)]
        tick = decoder.decode([*topics, "t/d1"], [b'{"amps": 1}'] * 10_000)
        assert len(tick.decoded.row) == 1
        most = max(most, decoder.remembered_topics)
    assert most <= decoding.MAX_REMEMBERED_TOPICS
    decoder.decode(["t/" + "x" * 60_000], [b"{}"])
    assert all(len(topic) < 300 for topic in decoder._profile_of)


class Attentive(PlainProfile):
    """Notes when messages came and which of them were kept."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[list[str], int, list[bool] | None]] = []

    def decode(
        self,
        topics: Sequence[str],
        payloads: Sequence[bytes],
        points: Points,
        *,
        received_us: int = 0,
        retained: Sequence[bool] | None = None,
    ) -> Decoded:
        self.told.append((list(topics), received_us, None if retained is None else list(retained)))
        return super().decode(topics, payloads, points)


def test_profiles_are_told_when_messages_came_and_which_were_kept(index: SeriesIndex) -> None:
    profile = Attentive()
    decoder = Decoder([OtherProfile(), profile], index, max_payload_bytes=64)
    topics = ["t/d1", "o/d1", "t/d2"]
    decoder.decode(topics, [b"{}"] * 3, received_us=7, retained=[True, True, False])
    decoder.decode(["t/d1"], [b"{}"], received_us=8)
    assert profile.told == [(["t/d1", "t/d2"], 7, [True, False]), (["t/d1"], 8, None)]


def test_many_long_messages_in_a_tick_are_searched_in_part_and_hide_no_fire(index: SeriesIndex) -> None:
    decoder = Decoder(shipped_profiles(), index, max_payload_bytes=1 << 18)
    flood = b'{"smoke": true, "pad": "' + b'"smoke:0":{' * 20_000
    topics = [f"flood{n}/events/rpc" for n in range(30)]
    fire = ("gw/v1/devices/me/telemetry", b'{"smoke": true, \xff}')
    tick = decoder.decode([*topics, fire[0]], [flood] * 30 + [fire[1]], received_us=SHORT_US)
    reasons = [one.reason for one in tick.decoded.rejected]
    assert reasons.count(Reason.NOT_SEARCHED) == 30 - TICK_OCTETS // len(flood)
    assert decoder.unsearched == reasons.count(Reason.NOT_SEARCHED)
    assert ("thingsboard:gw", 30) in {(one.uid, one.message) for one in tick.decoded.strangers}
    assert decoder.is_short(SHORT_US + 1)
    assert not decoder.is_short(3 * SHORT_US)
    again = decoder.decode(topics[:1], [flood])
    assert [one.reason for one in again.decoded.rejected] == [Reason.NOT_JSON]


def test_a_flood_below_one_prefix_hides_no_fire_in_the_beginning_of_another_sources_message(
    index: SeriesIndex,
) -> None:
    decoder = Decoder(shipped_profiles(), index, max_payload_bytes=1 << 18)
    flood = [(f"zigbee2mqtt/n{n}", b'{"pad": "' + b"x" * HEAD) for n in range(2 * TICK_OCTETS // HEAD)]
    late = b'{"pad": "' + b"x" * (HEAD - 100) + b'", "smoke": true, \xff}'
    fires = [
        ("gw/v1/devices/me/telemetry", late),
        ("gengfu/7/readings", late.replace(b"smoke", b"smoke.alarm")),
    ]
    topics, payloads = zip(*flood, *fires, strict=True)
    tick = decoder.decode(topics, payloads)
    assert {one.uid for one in tick.decoded.strangers} == {"thingsboard:gw", "own:7"}
    assert decoder.unsearched > TICK_OCTETS // HEAD


OCTETS = """
name = "octets"
[[message]]
name = "up"
topics = ["up/{id}"]
device = ["{id}"]
object = "object"
codec = { name = "none", path = "data" }
values = { amps = "current" }
"""


def test_octets_of_a_registered_device_are_refused_where_a_person_looks_though_the_rest_stands(
    index: SeriesIndex,
) -> None:
    decoder = Decoder([described(OCTETS)], index, max_payload_bytes=4096)
    tick = decoder.decode(["up/d1", "up/d1"], [b'{"amps": 1}', b'{"amps": 2, "data": "AQID"}'])
    assert [(one.message, one.reason) for one in tick.decoded.rejected] == [(1, Reason.NO_CODEC)]
    assert tick.decoded.message.tolist() == [0, 1]
    assert {one.text for one in tick.asides.said if one.key == "unread"} == {"octets that no codec reads"}


def test_octets_that_nobody_reads_are_refused_where_a_person_looks_and_their_device_is_sighted(
    index: SeriesIndex,
) -> None:
    decoder = Decoder(shipped_profiles(), index, max_payload_bytes=4096)
    up = {"rxInfo": [{"gatewayId": "aa", "rssi": -80}], "fPort": 2, "data": "AQID"}
    topics = ["application/a/device/0a/event/up", "/sys/pk/dn/thing/model/up_raw"]
    tick = decoder.decode(topics, [json.dumps(up).encode(), b"\x01\x02"])
    assert {one.uid for one in tick.sightings} == {"lorawan:0a", "aliyun:pk/dn"}
    assert Reason.NO_CODEC in {one.reason for one in tick.decoded.rejected if one.message == 1}
    unread = {one.uid for one in tick.asides.said if one.key == "unread"}
    assert unread == {"lorawan:0a", "aliyun:pk/dn"}
