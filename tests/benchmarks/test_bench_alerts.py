"""A short storm, whole: every alarm becomes an incident, every message is handed over, fires first."""

from __future__ import annotations

from benchmarks.alarmed import CONTACTS
from benchmarks.bench_alerts import STORM_P0_PER_S, Course, messages_lost, run_bench


def test_a_short_storm_balances() -> None:
    course = Course(seconds=1.0, alarms_per_s=50, burst=10, apprise_burst=10)
    figures = run_bench(course)
    assert (figures.alarms, figures.incidents, figures.lost, figures.untold) == (50, 50, 0, 0)
    fires = STORM_P0_PER_S
    assert figures.messages >= 50 * CONTACTS + fires  # and the duty desk is told of each fire
    assert figures.native_per_s > 0 and figures.apprise_per_s > 0
    assert 0 < figures.p0_p50_ms <= figures.p0_p99_ms <= figures.p0_worst_ms


def test_a_message_that_nobody_got_is_counted_as_lost() -> None:
    """Ten fires of nine messages, forty lesser alarms of eight; more than that are those of later steps."""
    course = Course(seconds=1.0, alarms_per_s=50)
    assert messages_lost(course, told=90, kept=320, given_up=0) == 0
    assert messages_lost(course, told=89, kept=400, given_up=0) == 1
    assert messages_lost(course, told=95, kept=317, given_up=2) == 5
