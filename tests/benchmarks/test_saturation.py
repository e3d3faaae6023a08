"""What lies between two looks, and when there is nothing between them."""

from __future__ import annotations

import pytest

from benchmarks.errors import CannotMeasure
from benchmarks.saturation import Bounds, Look, await_stop, between
from simulators.load import LoadReport

START = Look(0.0, 0, {}, 0.0)


def report(sent: int = 100, acknowledged: int = 100, points: int = 400) -> LoadReport:
    return LoadReport(
        intended=sent, sent=sent, acknowledged=acknowledged, refused=0, resent=0, reconnects=0, seconds=1.0,
        rate_per_s=100.0, acknowledged_per_s=100.0, behind_p50_ms=0.0, behind_p99_ms=0.0, behind_max_ms=0.0,
        cpu_us_per_message=1.0, message_bytes=223, points_per_message=4.0, points=points, kinds={},
        unfinished=acknowledged < sent,
    )  # fmt: skip


def test_rate_and_cost_are_of_the_interval_alone() -> None:
    first = Look(10.0, 5000, {"ingest": 3.0, "broker": 1.0}, 100.0, stolen_s=1.0, behind=3)
    last = Look(12.0, 45_000, {"ingest": 3.2, "broker": 1.4}, 101.0, stolen_s=1.1, behind=70)
    run = between(START, first, last, 3.0, report(), report())
    assert run.rate_per_s == pytest.approx(20_000)
    assert run.cpu_us == pytest.approx({"ingest": 5.0, "broker": 10.0})
    assert run.other_percent == pytest.approx(20.0)
    assert run.stolen_percent == pytest.approx(5.0)
    assert run.busy_before_percent == 3.0
    assert list(run.behind) == [3, 70]
    assert run.start == START


def test_a_process_looked_at_only_once_has_no_cost() -> None:
    first = Look(0.0, 0, {"ingest": 1.0, "generator": 1.0}, 0.0)
    last = Look(1.0, 10, {"ingest": 2.0}, 5.0)
    assert set(between(START, first, last, 0.0, report(), report()).cpu_us) == {"ingest"}


@pytest.mark.parametrize("last", [Look(1.0, 7, {}, 0.0), Look(0.0, 9, {}, 0.0)])
def test_an_interval_without_messages_or_time_measures_nothing(last: Look) -> None:
    with pytest.raises(CannotMeasure, match="nothing was acknowledged"):
        between(START, Look(0.0, 7, {}, 0.0), last, 0.0, report(), report())


def test_a_shorter_interval_changes_nothing_else() -> None:
    assert Bounds(10, 60, 5, "own").for_at_most(20) == Bounds(10, 20, 5, "own")
    assert Bounds(10, 3).for_at_most(20) == Bounds(10, 3)


def test_waiting_for_a_stop_waits_for_the_last_change() -> None:
    totals = iter([0, 1, 2, 2, 3])
    seen: list[int] = []

    def total() -> int:
        seen.append(next(totals, 3))
        return seen[-1]

    await_stop(total, quiet_s=0.2)
    assert seen[-1] == 3
    assert len(seen) > 5
