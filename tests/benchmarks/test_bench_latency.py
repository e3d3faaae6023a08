"""Latency: the first alarms warm up, and an alarm that reached nobody is no measurement."""

from __future__ import annotations

import pytest

from benchmarks.bench_latency import WARM_ALARMS, Course, Seen, spread_of
from benchmarks.errors import CannotMeasure
from benchmarks.numbers import ALARMS_FOR_P99
from tests.benchmarks.test_saturation import report

SECOND = 1_000_000


def alarms(count: int) -> dict[str, int]:
    """The intended time of each by uid."""
    return {f"zigbee:{n}": n * SECOND for n in range(count)}


def test_only_what_follows_the_warm_up_counts() -> None:
    intended = alarms(WARM_ALARMS + 10)
    late = list(intended)[:WARM_ALARMS]
    incidents = {
        uid: Seen(n, at + (9 * SECOND if uid in late else 20_000))
        for n, (uid, at) in enumerate(intended.items())
    }
    first = {incidents[uid].incident: at + 50_000 for uid, at in intended.items()}
    found = spread_of(intended, incidents, first, report())
    assert found.alarms == 10
    assert (found.incident_p50_ms, found.incident_p99_ms) == (20.0, 20.0)
    assert (found.handover_p50_ms, found.handover_p99_ms) == (50.0, 50.0)


def test_an_alarm_without_incident_or_hand_over_is_said() -> None:
    intended = alarms(WARM_ALARMS + 2)
    incidents = {uid: Seen(n, at + 1) for n, (uid, at) in enumerate(intended.items())}
    incidents.popitem()
    first = {one.incident: 1 for one in incidents.values()}
    first.popitem()
    with pytest.raises(CannotMeasure, match=f"2 alarms of {len(intended)}"):
        spread_of(intended, incidents, first, report())


def test_the_usual_course_has_enough_alarms_for_a_p99() -> None:
    course = Course(rate=0, seconds=60, alarms_per_s=4, devices=10)
    assert course.alarms - WARM_ALARMS >= ALARMS_FOR_P99
