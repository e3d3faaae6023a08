"""Stamps: times that are kept, replaced or put right, what is late, and nudges."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from devices.model import Metric, Quality
from devices.profiles.profile import Decoded
from ingest.series import SeriesIndex
from ingest.stamps import CROWD, Arrivals
from tests.ingest.stamping import DAY, NOW, SECOND, Sent, fresh, one, smoke, stamp


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
