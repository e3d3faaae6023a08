"""What a replay comes to: time observed, rates and their bounds, and how early the rules were."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest

from gengfu.replay.circuits import Circuits, Facts
from gengfu.replay.events import read_events
from gengfu.replay.reading import RecordingError
from gengfu.replay.recorded import Book, Recording
from gengfu.replay.summary import Summary, rates, significant, upper_bound
from gengfu.replay.virtual import VirtualTime
from gengfu.shipped import shipped_catalogue
from tests.gengfu.replay.files import clock, current, overload, written


def summed(folder: Path, lines: list[str], events: str = "", gap_us: int = 3_600_000_000) -> Summary:
    book = Book(Circuits({("own:m", ""): Facts(breaker_a=25.0)}))
    (folder / "events.csv").write_text(f"device,at\n{events}")
    told = read_events(folder / "events.csv", UTC) if events else None
    summary = Summary(shipped_catalogue(), book, told, gap_us)
    recording = Recording(written(folder / "r.csv", lines), book, UTC)
    virtual = VirtualTime(shipped_catalogue(), book)
    for part in recording:
        summary.read(part)
        for transition in virtual.run([part]):
            summary.told(transition)
    return summary


@pytest.mark.parametrize(("count", "bound"), [(0, 2.9957), (1, 4.7439), (10, 16.9622), (100, 118.0792)])
def test_the_bound_is_that_of_the_poisson_tables(count: int, bound: float) -> None:
    assert upper_bound(count) == pytest.approx(bound, abs=1e-3)


def test_the_bound_of_many_goes_on_where_that_of_few_ends() -> None:
    assert upper_bound(400) < upper_bound(401) < upper_bound(402)
    assert upper_bound(401) - upper_bound(400) == pytest.approx(1, abs=0.1)


def test_time_observed_is_that_between_readings_that_are_not_too_far_apart(tmp_path: Path) -> None:
    lines = current([0, 3600, 3600 + 3601, 3600 + 3601 + 1800], 1)
    assert summed(tmp_path, lines).figures()["device_days"] == pytest.approx(5400 / 86_400, abs=1e-3)
    assert summed(tmp_path, lines, gap_us=4_000_000_000).figures()["device_days"] == pytest.approx(
        9001 / 86_400, abs=1e-3
    )


def test_two_series_of_one_device_are_one_devices_time(tmp_path: Path) -> None:
    lines = [
        f"own:m,{channel},current,{clock(at)},1" for at in range(0, 86_400, 600) for channel in ("l1", "l2")
    ]
    figures = summed(tmp_path, lines).figures()
    assert (figures["devices"], figures["series"]) == (1, 2)
    assert figures["device_days"] == pytest.approx(1 - 600 / 86_400, abs=1e-3)


def test_alarms_are_counted_by_rule_with_rate_and_bound(tmp_path: Path) -> None:
    figures = summed(tmp_path, overload()).figures()
    of = figures["by_rule"]["O3"]
    assert (of["severity"], of["raised"], of["cleared"]) == ("P1", 1, 1)
    months = 590 / 86_400 / 30
    assert of["per_device_month"] == pytest.approx(1 / months, rel=0.01)
    assert of["per_device_month_at_most"] == pytest.approx(4.7439 / months, rel=0.01)


def test_nothing_observed_has_no_rate(tmp_path: Path) -> None:
    figures = summed(tmp_path, []).figures()
    assert (figures["readings"], figures["per_device_month"], figures["from"]) == (0, None, None)


@pytest.mark.parametrize(
    ("value", "shown"), [(0, 0), (0.00123456, 0.00123), (1.23456, 1.23), (99.96, 100), (123_456.7, 123_000)]
)
def test_figures_have_three_significant_digits(value: float, shown: float) -> None:
    assert significant(value) == shown
    rate = rates(1, 1 / value, "day")["per_day"] if value else 0
    assert rate == shown


def test_an_event_is_told_how_early_each_rule_was(tmp_path: Path) -> None:
    events = f"own:m,{clock(100)}\nown:other,{clock(100)}\nown:m,2026-05-01T00:00:00Z\n"
    first, other, far = summed(tmp_path, overload(), events).figures()["events"]
    assert (first["first"], first["lead_s"], first["by_rule"]["O3"]) == ("O3", 40.0, 40.0)
    assert other["first"] is far["first"] is None and far["by_rule"] == {}


def test_of_several_alarms_near_an_event_the_first_counts(tmp_path: Path) -> None:
    again = current(range(1000, 1200, 10), 40)
    [event] = summed(tmp_path, [*overload(), *again], f"own:m,{clock(1100)}\n").figures()["events"]
    assert (event["first"], event["lead_s"]) == ("O3", 1040.0)


def test_a_wrong_time_of_an_event_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"events.csv, line 2, column `at`: `noon` is no time"):
        summed(tmp_path, [], "own:m,noon\n")
