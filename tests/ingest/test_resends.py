"""Stamps: what was said before is stored once, and what begins anew is heard."""

from __future__ import annotations

from ingest.windows import MEMORY_US, RESEND_MS, WIDTH
from tests.ingest.stamping import NOW, SECOND, Sent, fresh, smoke, stamp


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
