"""Stamps: time, late, duplicates and nudges, by example and against a plain reference."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sqlalchemy import create_engine, insert

from devices.database import reading, writing
from devices.model import Metric, Quality
from devices.profiles.profile import Decoded
from devices.schema import device, metadata
from ingest.record import Record
from ingest.series import SeriesIndex
from ingest.stamps import CROWD, Arrivals, Stamped, Stamps
from ingest.windows import MEMORY_US, RESEND_MS, WIDTH

NOW = 1_790_000_000_000_000
SECOND = 1_000_000
DAY = 86_400 * SECOND


@dataclass(frozen=True)
class Sent:
    """One message of one reading: device number, value, device time (0: none), sequence (-1: none)."""

    device: int = 1
    value: float = 1.0
    at: int = 0
    seq: int = -1
    metric: int = Metric.CURRENT
    retained: bool = False
    again: int = 0
    """Part of the payload: tells apart messages that are otherwise equal."""

    @property
    def checksum(self) -> int:
        return hash((self.device, self.value, self.at, self.seq, self.metric, self.again)) & 0xFFFFFFFF


def new_index(devices: int = 3) -> SeriesIndex:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with writing(engine) as connection:
        for n in range(1, devices + 1):
            row = {"uid": f"d{n}", "kind": "smoke", "profile": "p", "registered_us": 1, "registered_by": "t"}
            connection.execute(insert(device).values(**row))
    with reading(engine) as connection:
        index = SeriesIndex(connection)
    engine.dispose()
    return index


def stamp(
    stamps: Stamps, index: SeriesIndex, sent: list[Sent], now: int = NOW, queued: bool = False
) -> Stamped:
    n = len(sent)
    decoded = Decoded(
        np.array([index.row(f"d{s.device}", "") for s in sent], np.int32),
        np.array([s.metric for s in sent], np.int16),
        np.array([s.at for s in sent], np.int64),
        np.array([s.value for s in sent], np.float64),
        np.zeros(n, np.uint32),
        np.arange(n, dtype=np.int32),
        np.array([s.seq for s in sent], np.int64),
        [],
        [],
    )
    checksum = np.array([s.checksum for s in sent], np.uint32)
    retained = np.array([s.retained for s in sent], np.bool_)
    return stamps.stamp(decoded, Arrivals(now, np.zeros(n, np.uint16), checksum, retained, queued))


def fresh() -> tuple[Stamps, SeriesIndex]:
    index = new_index()
    return Stamps(index), index


def one(sent: Sent, now: int = NOW) -> tuple[int, Quality]:
    batch = stamp(*fresh(), [sent], now).batch
    return int(batch.observed_us[0]), Quality(int(batch.quality[0]))


def test_a_payload_without_a_time_is_observed_when_received() -> None:
    assert one(Sent(at=0)) == (NOW, Quality(0))


def test_a_sane_device_time_is_kept_up_to_both_ends_of_the_window() -> None:
    for at in (NOW - 7 * DAY, NOW - 1, NOW + 300 * SECOND):
        assert one(Sent(at=at)) == (at, Quality(0))


def test_a_time_outside_the_window_is_replaced_and_flagged() -> None:
    for at in (NOW - 7 * DAY - 1, NOW + 300 * SECOND + 1, 4_070_908_800 * SECOND):
        assert one(Sent(at=at)) == (NOW, Quality.CLOCK_SKEW)


def test_a_clock_that_was_never_set_is_replaced_and_flagged() -> None:
    for at in (1, 1_577_836_799 * SECOND, -5):
        assert one(Sent(at=at)) == (NOW, Quality.CLOCK_INVALID)


def test_a_clock_that_is_always_behind_is_put_right_and_flagged_as_wrong() -> None:
    """A detector forty minutes slow: its smoke is of now, not of forty minutes ago."""
    stamps, index = fresh()
    slow = 2400 * SECOND
    for n in range(3):
        now = NOW + n * 60 * SECOND
        stamped = stamp(stamps, index, [Sent(at=now - slow)], now)
        assert stamped.batch.observed_us.tolist() == [now - slow]
    assert [one.value for one in stamped.notes] == [str(slow)]
    now = NOW + DAY
    fire = Sent(at=now - slow, metric=Metric.SMOKE_ALARM)
    stamped = stamp(stamps, index, [fire, Sent(device=2, at=now - slow), Sent(at=0)], now)
    assert stamped.batch.observed_us.tolist() == [now, now - slow, now]
    assert [Quality(q) for q in stamped.batch.quality.tolist()] == [
        Quality.CLOCK_SKEW,
        Quality(0),
        Quality(0),
    ]


def test_what_waited_for_us_is_put_right_as_well_and_keeps_its_age() -> None:
    stamps, index = fresh()
    slow = 2400 * SECOND
    for n in range(3):
        stamp(stamps, index, [Sent(at=NOW + n * 60 * SECOND - slow)], NOW + n * 60 * SECOND)
    now = NOW + DAY
    kept = stamp(stamps, index, [Sent(at=now - slow - 600 * SECOND)], now, queued=True).batch
    assert kept.observed_us.tolist() == [now - 600 * SECOND]
    assert Quality(int(kept.quality[0])) == Quality.CLOCK_SKEW | Quality.QUEUED


def test_of_a_crowd_of_readings_of_one_series_only_the_last_are_live() -> None:
    stamps, index = fresh()
    crowd = [Sent(value=float(n), at=NOW - 3000 + n) for n in range(CROWD + 200)]
    batch = stamp(stamps, index, [*crowd[:150], Sent(device=2), *crowd[150:]]).batch
    history = (batch.quality & Quality.BACKFILL) > 0
    assert history[:150].all()
    assert history[151:201].all()
    assert not history[201:].any()
    assert not history[150], "another device's reading is no part of it"
    usual = [Sent(value=float(n), at=NOW + n) for n in range(CROWD)]
    assert not (stamp(stamps, index, usual, NOW + 1).batch.quality & Quality.BACKFILL).any()


def test_retained_and_queued_are_marked() -> None:
    stamps, index = fresh()
    batch = stamp(stamps, index, [Sent(retained=True), Sent(device=2)], queued=True).batch
    assert [Quality(q) for q in batch.quality.tolist()] == [Quality.RETAINED | Quality.QUEUED, Quality.QUEUED]


def test_late_is_what_was_observed_before_something_that_arrived_earlier() -> None:
    stamps, index = fresh()
    sent = [
        Sent(at=NOW - 5),
        Sent(at=NOW - 7),
        Sent(at=NOW - 6),
        Sent(at=NOW - 4),
        Sent(device=2, at=NOW - 9),
    ]
    quality = stamp(stamps, index, sent).batch.quality
    assert ((quality & Quality.LATE) > 0).tolist() == [False, True, True, False, False]
    quality = stamp(stamps, index, [Sent(at=NOW - 5), Sent(device=2, at=NOW - 8)], NOW + 1).batch.quality
    assert ((quality & Quality.LATE) > 0).tolist() == [True, False]


def test_when_our_clock_is_put_back_readings_are_not_late_for_ever() -> None:
    stamps, index = fresh()
    stamp(stamps, index, [Sent()], NOW + 1000 * DAY)
    assert stamp(stamps, index, [Sent()], NOW).batch.quality.tolist() == [0]
    assert stamp(stamps, index, [Sent(at=NOW - 1)], NOW).batch.quality.tolist() == [Quality.LATE]


def test_readings_of_one_series_and_time_are_told_apart_by_a_nanosecond_each() -> None:
    stamps, index = fresh()
    sent = [Sent(value=1.0), Sent(device=2), Sent(value=2.0), Sent(value=3.0)]
    assert stamp(stamps, index, sent).batch.nudge_ns.tolist() == [0, 0, 1, 2]
    assert stamp(stamps, index, [Sent(value=4.0)]).batch.nudge_ns.tolist() == [3]
    assert stamp(stamps, index, [Sent(value=4.0)], NOW + 1).batch.nudge_ns.tolist() == [0]


def test_the_same_value_at_the_same_device_time_is_stored_once() -> None:
    stamps, index = fresh()
    stamped = stamp(stamps, index, [Sent(at=NOW - 9), Sent(at=NOW - 9), Sent(at=NOW - 9, value=2.0)])
    assert stamped.batch.value.tolist() == [1.0, 2.0]
    assert stamped.duplicates == 1
    assert stamp(stamps, index, [Sent(at=NOW - 9, value=2.0)], NOW + 5).duplicates == 1
    nan = float("nan")
    stamped = stamp(stamps, index, [Sent(at=NOW - 3, value=nan), Sent(at=NOW - 3, value=nan)])
    assert stamped.duplicates == 1


def test_a_steady_value_without_device_time_is_no_duplicate() -> None:
    stamps, index = fresh()
    assert stamp(stamps, index, [Sent(), Sent()]).duplicates == 0
    assert stamp(stamps, index, [Sent(at=5), Sent(at=5)]).duplicates == 0  # a stuck clock is no time


def test_a_number_seen_before_is_a_duplicate_also_out_of_order() -> None:
    stamps, index = fresh()
    sent = [Sent(seq=n, value=float(n)) for n in (5, 7, 6, 7, 5, 8)]
    stamped = stamp(stamps, index, sent)
    assert stamped.batch.value.tolist() == [5.0, 7.0, 6.0, 8.0]
    assert stamp(stamps, index, [Sent(seq=6, value=6.0), Sent(seq=9, value=9.0)]).duplicates == 1


def test_a_device_that_starts_again_is_heard_even_where_its_numbers_were_used() -> None:
    stamps, index = fresh()
    stamp(stamps, index, [Sent(seq=n, value=float(n)) for n in range(20)])
    stamped = stamp(stamps, index, [Sent(seq=0, again=1), Sent(seq=1, again=1), Sent(seq=1, again=1)])
    assert (len(stamped.batch), stamped.duplicates) == (2, 1)


def test_a_jump_back_beyond_the_window_is_a_restart() -> None:
    stamps, index = fresh()
    stamp(stamps, index, [Sent(seq=1000)])
    assert stamp(stamps, index, [Sent(seq=1000 - WIDTH), Sent(seq=1000 - WIDTH + 1)]).duplicates == 0
    assert stamp(stamps, index, [Sent(seq=1000 - WIDTH)]).duplicates == 1


def test_a_number_that_falls_out_of_the_window_leaves_no_trace_in_it() -> None:
    stamps, index = fresh()
    for seq in (0, WIDTH, 1):
        assert stamp(stamps, index, [Sent(seq=seq)]).duplicates == 0
    assert stamp(stamps, index, [Sent(seq=WIDTH)]).duplicates == 1


def test_a_window_without_messages_for_an_hour_is_forgotten() -> None:
    stamps, index = fresh()
    sent = [Sent(seq=3, at=NOW)]
    stamp(stamps, index, sent)
    assert stamp(stamps, index, sent, NOW + MEMORY_US).duplicates == 1
    assert stamp(stamps, index, sent, NOW + 2 * MEMORY_US + 1).duplicates == 0


def smoke(seq: int, value: float, at: int = 0) -> Sent:
    return Sent(value=value, seq=seq, at=at, metric=Metric.SMOKE_ALARM)


def test_a_detector_that_starts_again_is_heard_when_it_says_the_same_as_before() -> None:
    stamps, index = fresh()
    for second, seq, value in ((0, 0, 0.0), (1, 1, 1.0), (2, 2, 0.0)):
        assert stamp(stamps, index, [smoke(seq, value)], NOW + second * SECOND).duplicates == 0
    again = NOW + 64 * SECOND
    assert stamp(stamps, index, [smoke(0, 0.0)], again).batch.value.tolist() == [0.0]
    assert stamp(stamps, index, [smoke(1, 1.0)], again + SECOND).batch.value.tolist() == [1.0]


def test_a_message_without_time_is_a_resend_within_seconds_and_a_restart_after_them() -> None:
    for after_us, duplicates in ((RESEND_MS * 1000, 1), (RESEND_MS * 1000 + 1000, 0)):
        stamps, index = fresh()
        stamp(stamps, index, [Sent(seq=3), Sent(seq=4)])
        for second in range(1, 10):  # what is heard meanwhile does not make the first one younger
            stamp(stamps, index, [Sent(seq=4 + second)], NOW + second * SECOND)
        assert stamp(stamps, index, [Sent(seq=3)], NOW + after_us).duplicates == duplicates


def test_a_fire_without_time_is_never_taken_for_a_resend_and_leaves_the_window_as_it_is() -> None:
    stamps, index = fresh()
    stamp(stamps, index, [Sent(seq=3), smoke(4, 1.0)])
    assert stamp(stamps, index, [smoke(4, 1.0), smoke(4, 1.0)]).duplicates == 0
    assert stamp(stamps, index, [Sent(seq=3)]).duplicates == 1
    assert stamp(stamps, index, [smoke(5, 0.0), smoke(5, 0.0)]).duplicates == 1


def test_a_fire_with_its_own_time_is_the_same_fire_for_an_hour() -> None:
    stamps, index = fresh()
    stamp(stamps, index, [smoke(4, 1.0, at=NOW)])
    assert stamp(stamps, index, [smoke(4, 1.0, at=NOW)], NOW + MEMORY_US).duplicates == 1


def test_a_clock_nobody_believes_is_no_time_of_its_own() -> None:
    stamps, index = fresh()
    stamp(stamps, index, [smoke(4, 1.0, at=7)])
    assert stamp(stamps, index, [smoke(4, 1.0, at=7)], NOW + 60 * SECOND).duplicates == 0


def burst(index: SeriesIndex, device: int, at: int, value: NDArray[np.float64]) -> tuple[Decoded, Arrivals]:
    n = len(value)
    row, metric = np.full(n, index.row(f"d{device}", ""), np.int32), np.full(n, Metric.SMOKE_ALARM, np.int16)
    decoded = Decoded(
        row, metric, np.full(n, at), value, np.zeros(n, np.uint32), np.arange(n, dtype=np.int32),
        np.full(n, -1, np.int64), [], [],
    )  # fmt: skip
    return decoded, Arrivals(
        NOW, np.zeros(n, np.uint16), np.zeros(n, np.uint32), np.zeros(n, np.bool_), False
    )


def test_thirty_thousand_readings_with_one_time_have_thirty_thousand_stamps() -> None:
    stamps, index = fresh()
    flags = (np.arange(10_000) % 2).astype(np.float64)
    batches = [stamps.stamp(*burst(index, 1, 0, flags)).batch for _ in range(3)]
    stamp_ns = np.concatenate([batch.observed_ns for batch in batches])
    assert stamp_ns.tolist() == list(range(NOW * 1000, NOW * 1000 + 30_000))
    assert max(int(batch.nudge_ns.max()) for batch in batches) == 999
    assert not any((batch.quality & Quality.LATE).any() for batch in batches)
    assert stamp(stamps, index, [smoke(-1, 1.0)], NOW + 3).batch.observed_ns[0] == NOW * 1000 + 30_000
    assert stamp(stamps, index, [smoke(-1, 1.0)], NOW + 31).batch.observed_ns[0] == NOW * 1000 + 31_000


BURSTS = st.lists(st.tuples(st.integers(1, 2), st.integers(0, 3), st.integers(1, 2200)), max_size=6)


@given(BURSTS)
@settings(max_examples=60, deadline=None)
def test_however_many_come_with_one_time_no_stamp_of_a_run_is_given_twice(
    bursts: list[tuple[int, int, int]],
) -> None:
    stamps, index = fresh()
    run = {1: (0, 0), 2: (0, 0)}
    for number, (who, ahead, count) in enumerate(bursts):
        value = np.arange(count, dtype=np.float64) + number * 10_000
        given_ns = stamps.stamp(*burst(index, who, NOW + ahead, value)).batch.observed_ns.tolist()
        run_us, last_ns = run[who]
        for stamp_ns in given_ns:
            in_run = run_us <= NOW + ahead <= last_ns // 1000
            expected = last_ns + 1 if in_run else (NOW + ahead) * 1000
            assert stamp_ns == expected
            run_us, last_ns = (run_us if expected == last_ns + 1 else NOW + ahead), expected
        run[who] = (run_us, last_ns)


@dataclass
class Series:
    newest: int = 0
    last: int = 0
    value: float = 0.0
    nudge: int = 0


@dataclass
class Window:
    """Every number with its checksum and the millisecond it was first heard in, since the last restart."""

    seen: dict[int, tuple[int, int]] = field(default_factory=dict)
    last: int = 0
    heard: int = 0


def timed(message: Sent, now: int) -> bool:
    return message.at >= 1_577_836_800 * SECOND and now - 7 * DAY <= message.at <= now + 300 * SECOND


class Reference:
    """One reading at a time, in the plainest words."""

    def __init__(self) -> None:
        self.series: dict[tuple[int, int], Series] = {}
        self.windows: dict[int, Window] = {}

    def tick(self, sent: list[Sent], now: int) -> list[tuple[int, float, int, int]]:
        kept = []
        doubles = [s.seq >= 0 and self.seen(s, now) for s in sent]
        for message in (s for s, double in zip(sent, doubles, strict=True) if not double):
            state = self.series.setdefault((message.device, message.metric), Series())
            believed = timed(message, now)
            at, quality = (message.at, 0) if believed else (now, 0)
            if message.at and not believed:
                sane = message.at >= 1_577_836_800 * SECOND
                quality = Quality.CLOCK_SKEW if sane else Quality.CLOCK_INVALID
            if believed and message.seq < 0 and (state.last, state.value) == (at, message.value):
                continue
            newest = state.newest if state.newest <= now + 300 * SECOND else 0
            quality |= Quality.LATE if at < newest else 0
            nudge = state.nudge + 1 if state.last == at else 0
            self.series[message.device, message.metric] = Series(max(newest, at), at, message.value, nudge)
            kept.append((at, message.value, int(quality), nudge))
        return kept

    def seen(self, message: Sent, now: int) -> bool:
        window = self.windows.setdefault(message.device, Window())
        if now - window.heard > MEMORY_US or message.seq <= window.last - WIDTH:
            window.seen.clear()
        elif window.seen.get(message.seq, (-1, 0))[0] == message.checksum:
            age_ms = now // 1000 - window.seen[message.seq][1]
            window.heard = now
            if timed(message, now):
                return True
            if 0 <= age_ms <= RESEND_MS:
                return not (message.metric == Metric.SMOKE_ALARM and message.value > 0)
            window.seen.clear()
        elif message.seq in window.seen:
            window.seen.clear()
        window.last = max(message.seq, window.last) if window.seen else message.seq
        window.seen[message.seq] = (message.checksum, now // 1000)
        window.seen = {seq: known for seq, known in window.seen.items() if seq > window.last - WIDTH}
        window.heard = now
        return False


TIMES = st.sampled_from(
    [0, 0, 5, NOW - 8 * DAY, NOW - 7, NOW - 6, NOW - 5, NOW - 4, NOW + 3, NOW + 900 * SECOND]
)
SEQS = st.one_of(st.just(-1), st.integers(0, 12), st.integers(60, 200))
SENT = st.builds(
    Sent,
    st.integers(1, 3),
    st.sampled_from([0.0, 1.0, 2.0]),
    TIMES,
    SEQS,
    st.sampled_from([Metric.CURRENT, Metric.SMOKE_ALARM]),
    again=st.integers(0, 1),
)
TICKS = st.lists(
    st.tuples(
        st.lists(SENT, max_size=12),
        st.sampled_from([0, 1, SECOND, 10 * SECOND, 10_001_000, MEMORY_US, MEMORY_US + 1, -DAY]),
    ),
    max_size=8,
)


@given(TICKS)
@settings(max_examples=150, deadline=None)
def test_arrays_say_what_one_reading_at_a_time_says(ticks: list[tuple[list[Sent], int]]) -> None:
    stamps, index = fresh()
    reference, now = Reference(), NOW
    for sent, passed in ticks:
        now += passed
        batch = stamp(stamps, index, sent, now).batch
        columns = (batch.observed_us, batch.value, batch.quality, batch.nudge_ns)
        assert list(zip(*(c.tolist() for c in columns), strict=True)) == reference.tick(sent, now)


@given(TICKS, st.integers(0, 8))
@settings(max_examples=60, deadline=None)
def test_replay_after_a_snapshot_gives_the_same_memory(ticks: list[tuple[list[Sent], int]], cut: int) -> None:
    index = new_index()
    live, now, snapshot = Stamps(index), NOW, None
    records: list[Record] = []
    for number, (sent, passed) in enumerate(ticks):
        if number == cut:
            snapshot = live.snapshot()
            records.clear()
        now += passed
        stamped = stamp(live, index, sent, now)
        records.append(Record(number + 1, stamped.batch, stamped.messages, [], [], [], {}, 0, 0))
    again = Stamps(index)
    if snapshot is not None:
        again.restore(snapshot)
    for record in records:
        again.replay(record)
    expected = live.snapshot()
    for name, array in again.snapshot().items():
        assert array.tobytes() == expected[name].tobytes(), name
