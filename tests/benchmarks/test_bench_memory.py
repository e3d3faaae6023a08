"""Memory under load: the slope is of what follows the warm-up, process by process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.bench_memory import Course, Sample, growth, sample
from benchmarks.errors import CannotMeasure


def test_growth_in_the_warm_up_is_no_growth() -> None:
    filling = [Sample(at, {"ingest": at, "store": 50.0}) for at in range(0, 100, 5)]
    steady = [Sample(at, {"ingest": 100.0 + (at % 2), "store": at / 60}) for at in range(100, 400, 5)]
    found = growth([*filling, *steady], warm_up_s=100.0)
    assert found["ingest"].slope_mb_per_min == pytest.approx(0.0, abs=0.01)
    assert found["store"].slope_mb_per_min == pytest.approx(1.0)
    assert (found["ingest"].first_mb, found["ingest"].max_mb) == (100.0, 101.0)


def test_too_few_samples_say_nothing() -> None:
    with pytest.raises(CannotMeasure, match="too short"):
        growth([Sample(0.0, {"ingest": 1.0}), Sample(9.0, {"ingest": 1.0})], warm_up_s=5.0)


def course(minutes: float) -> Course:
    return Course(minutes=minutes, load=0.7, rate=1.0, devices=10, every_s=0.1)


def test_the_warm_up_is_a_third_and_at_most_ten_minutes() -> None:
    assert course(3.0).warm_up_s == pytest.approx(60)
    assert course(60.0).warm_up_s == 600


def test_every_process_is_looked_at_until_the_time_is_over() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        found = sample(lambda: {"one": process.pid}, course(0.01))
        process.communicate(b"\n")
    assert 1 <= len(found) <= 7
    assert all(one.resident_mb["one"] > 0 for one in found)


def test_a_process_that_ends_meanwhile_spoils_the_measurement() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        with pytest.raises(CannotMeasure, match="ended"):
            sample(lambda: {"one": process.pid}, course(0.01))
