"""Backoff, heartbeat and backlog as functions of time."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.pace import BACKOFF_CAP_S, BACKOFF_FIRST_S, QUEUED_CAP_S, Backlog, Backoff, Heartbeat


@settings(deadline=None)
@given(st.lists(st.floats(0, 0.999), min_size=1, max_size=40))
def test_delays_lie_below_a_bound_that_doubles_up_to_the_cap(jitters: list[float]) -> None:
    drawn = iter(jitters)
    backoff = Backoff(lambda: next(drawn))
    for tries, jitter in enumerate(jitters):
        bound = min(BACKOFF_CAP_S, BACKOFF_FIRST_S * 2**tries)
        assert backoff.next_delay_s() == jitter * bound


def test_a_connection_that_held_starts_the_backoff_anew() -> None:
    backoff = Backoff(lambda: 1.0)
    assert [backoff.next_delay_s() for _ in range(3)] == [0.1, 0.2, 0.4]
    backoff.steady()
    assert backoff.next_delay_s() == 0.1
    assert backoff.next_delay_s(at_least_s=30.0) == 30.2


def test_one_ping_is_on_its_way_at_a_time() -> None:
    beat = Heartbeat(30.0, now=0.0)
    assert not beat.due(14.9, unconfirmed=False, urgent=False)
    assert beat.due(15.0, unconfirmed=False, urgent=False)
    beat.asked(15.0, mark=7)
    assert not beat.due(100.0, unconfirmed=True, urgent=True)
    assert beat.answered() == 7
    assert beat.answered() is None


def test_unconfirmed_acknowledgements_ask_after_a_second_and_a_backlog_at_once() -> None:
    beat = Heartbeat(30.0, now=0.0)
    assert not beat.due(0.9, unconfirmed=True, urgent=False)
    assert beat.due(1.0, unconfirmed=True, urgent=False)
    assert beat.due(0.0, unconfirmed=False, urgent=True)


def test_silence_counts_from_the_last_byte() -> None:
    beat = Heartbeat(30.0, now=0.0)
    assert not beat.dead(45.0)
    assert beat.dead(45.1)
    beat.heard(45.1)
    assert not beat.dead(90.0)


def test_a_round_with_less_than_a_window_ends_the_backlog() -> None:
    backlog = Backlog(100, session_present=True, now=0.0)
    backlog.round_started()
    backlog.arrived(100)
    backlog.round_ended()
    assert backlog.queued(1.0)
    backlog.round_started()
    backlog.arrived(99)
    backlog.round_ended()
    assert not backlog.queued(1.0)


def test_a_pingresp_that_ends_no_round_proves_nothing() -> None:
    backlog = Backlog(100, session_present=True, now=0.0)
    backlog.round_ended()
    assert backlog.queued(1.0)


def test_nothing_is_queued_in_a_new_session_or_beyond_the_cap() -> None:
    assert not Backlog(100, session_present=False, now=0.0).queued(0.0)
    backlog = Backlog(100, session_present=True, now=0.0)
    assert backlog.queued(QUEUED_CAP_S - 0.1)
    assert not backlog.queued(QUEUED_CAP_S)


def test_after_a_pause_only_a_round_that_began_behind_it_ends_the_backlog() -> None:
    backlog = Backlog(100, session_present=False, now=0.0)
    backlog.round_started()
    backlog.away(500.0)
    backlog.round_ended()
    assert backlog.queued(500.0)
    assert not backlog.queued(500.0 + QUEUED_CAP_S)
    backlog.round_started()
    backlog.round_ended()
    assert not backlog.queued(501.0)


def test_answers_belong_to_the_pings_in_their_order() -> None:
    beat = Heartbeat(30.0, now=0.0)
    beat.asked(15.0, mark=3)
    assert not beat.due_unread(29.9)
    assert beat.due_unread(30.0)
    beat.asked(30.0, mark=4)
    assert [beat.answered(), beat.answered(), beat.answered()] == [3, 4, None]
