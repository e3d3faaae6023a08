import math
from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from console.chart import MARKS, Mark, chart_of, marks_of
from console.chart_limits import Limit
from console.chart_span import HOURS, PIECES, Span, span_of
from devices.model import Metric
from ingest.store.histories import Sketch
from ingest.store.history import Outline, Series
from rules.transition import Why

S = 1_000_000_000
HOUR_US = 3600 * 1_000_000
NOW_US = 1_790_000_000_000_000
SPAN = Span(0, 3600 * S, 12 * S)
CURRENT = Series(1, "own:m", "l1", Metric.CURRENT)


@dataclass(frozen=True)
class Raised:
    rule: str
    uid: str
    raised_us: int
    subject: str = ""
    severity: str = "P1"
    cleared_us: int | None = None


def outline(*pieces: tuple[int, float, float, float], doubtful: int = 0, step_ns: int = 12 * S) -> Outline:
    """Pieces by their number: least, mean, most."""
    n = len(pieces)
    number, least, mean, most = np.array(pieces, float).reshape(n, 4).T
    return Outline(
        step_ns,
        number.astype(np.int64) * step_ns,
        np.array([0 if math.isnan(one) else 2 for one in mean], np.int64),
        np.array([doubtful, *[0] * (n - 1)][:n], np.int64),
        least,
        mean,
        most,
    )


def chart(found: Outline, series: Series = CURRENT, **more: object) -> dict[str, object]:
    given_ = {"marks": [], "limits": [], "raised": (), "language": "en"} | more
    return chart_of(series, Sketch(found), SPAN, **given_)  # type: ignore[arg-type]


def test_around_the_event_is_from_two_hours_before_to_now_or_an_hour_after_the_end() -> None:
    opened = NOW_US - HOUR_US
    running, over = span_of(opened, None, NOW_US), span_of(opened, opened + 60_000_000, NOW_US + 9 * HOUR_US)
    assert running.to_ns == NOW_US * 1000
    assert 0 <= opened * 1000 - 2 * 3600 * S - running.from_ns < running.step_ns
    assert over.to_ns == (opened + 60_000_000 + HOUR_US) * 1000


def test_the_end_of_an_incident_just_closed_is_not_in_the_future() -> None:
    assert span_of(NOW_US - HOUR_US, NOW_US - 1, NOW_US).to_ns == NOW_US * 1000


@given(
    st.integers(0, 400 * 24 * HOUR_US),
    st.none() | st.integers(0, 400 * 24 * HOUR_US),
    st.none() | st.sampled_from(HOURS),
)
def test_a_span_has_about_so_many_pieces_of_whole_seconds_and_the_event_of_a_short_incident(
    age_us: int, lasted_us: int | None, hours: int | None
) -> None:
    opened = NOW_US - age_us
    closed = None if lasted_us is None else min(opened + lasted_us, NOW_US)
    span = span_of(opened, closed, NOW_US, hours)
    assert span.step_ns % S == 0 and span.step_ns >= S
    assert span.from_ns % span.step_ns == 0
    assert span.from_ns < span.to_ns <= max(NOW_US * 1000, span.from_ns + span.step_ns + S)
    assert (span.to_ns - span.from_ns) / span.step_ns <= PIECES + 1
    if hours is None or (closed is not None and closed - opened < 40 * 60_000_000):
        assert span.from_ns <= opened * 1000 <= span.to_ns


def test_values_are_in_the_unit_that_is_shown_and_none_is_where_there_is_none() -> None:
    found = outline((0, 0.010, 0.011, 0.012), (1, math.nan, math.nan, math.nan), (2, 0.02, 0.02, 0.02))
    told = chart(found, Series(1, "own:m", "", Metric.CURRENT_RESIDUAL))
    assert told["times"] == [6.0, 18.0, 30.0]
    assert told["least"] == [10.0, None, 20.0]
    assert told["mean"] == [11.0, None, 20.0]
    assert told["count"] == [2, 0, 2]
    assert (told["unit"], told["line"]) == ("mA", "mean")
    assert told["words"] == "residual current: least 10 mA, most 20 mA"


def test_a_line_breaks_at_a_silence_and_not_between_the_reports_of_a_slow_device() -> None:
    every = [(n, 1.0, 1.0, 1.0) for n in (0, 1, 2, 3, 10, 11, 12)]
    assert chart(outline(*every))["mean"] == [1.0, 1.0, 1.0, 1.0, None, 1.0, 1.0, 1.0]
    slow = [(n, 1.0, 1.0, 1.0) for n in range(0, 100, 25)]
    assert None not in chart(outline(*slow))["mean"]  # type: ignore[operator]
    silent = [(n, 1.0, 1.0, 1.0) for n in (0, 25, 50, 75, 160, 185)]
    assert chart(outline(*silent))["mean"] == [1.0, 1.0, 1.0, 1.0, None, 1.0, 1.0]


@given(st.lists(st.integers(0, 299), unique=True, max_size=60).map(sorted))
def test_times_rise_and_every_piece_is_there_once(numbers: list[int]) -> None:
    told = chart(outline(*((n, float(n), float(n), float(n)) for n in numbers)))
    times, means = told["times"], told["mean"]
    assert isinstance(times, list) and isinstance(means, list)
    assert times == sorted(times)
    assert [one for one in means if one is not None] == [float(n) for n in numbers]


def test_a_flag_follows_what_asks_for_a_look_so_that_no_short_alarm_is_averaged_away() -> None:
    smoke = chart(outline((0, 0.0, 0.1, 1.0)), Series(1, "own:s", "", Metric.SMOKE_ALARM))
    online = chart(outline((0, 0.0, 0.9, 1.0)), Series(1, "own:s", "", Metric.DEVICE_ONLINE))
    assert (smoke["line"], smoke["most"], smoke["states"]) == ("most", [1.0], ["normal", "alarm"])
    assert (online["line"], online["least"]) == ("least", [0.0])


def test_limits_are_in_the_unit_of_the_chart_lowest_first_and_none_are_drawn_for_flags() -> None:
    limits = [
        Limit("L2", 0.3, Why("Leakage", "漏电")),
        Limit("L4", 0.03, Why("Leakage at home", "户内漏电")),
        Limit("U", 0.01, Why("Too little", "过低"), below=True),
    ]
    told = chart(outline(), Series(1, "own:m", "", Metric.CURRENT_RESIDUAL), limits=limits, raised={"L4"})
    assert told["limits"] == [
        {"value": 10.0, "short": "U ≤ 10 mA", "words": "U ≤ 10 mA Too little", "raised": False},
        {"value": 30.0, "short": "L4 ≥ 30 mA", "words": "L4 ≥ 30 mA Leakage at home", "raised": True},
        {"value": 300.0, "short": "L2 ≥ 300 mA", "words": "L2 ≥ 300 mA Leakage", "raised": False},
    ]
    flag = Series(1, "own:m", "", Metric.BATTERY_LOW)
    assert chart(outline(), flag, limits=[Limit("S5", 1.0, Why("Low", "低"))])["limits"] == []


def test_what_is_missing_begins_where_it_is_said_to_and_only_then() -> None:
    assert chart(outline())["whole_from"] is None

    def whole_from(ns: int) -> object:
        told = chart_of(CURRENT, Sketch(outline(), ns, "no answer"), SPAN, [], [], (), "en")
        assert told["lacks"] == "no answer"
        return told["whole_from"]

    assert whole_from(600 * S) == 600.0
    assert (whole_from(-5 * S), whole_from(9999 * S)) == (0.0, 3600.0)


def test_marks_are_the_opening_the_alarms_of_this_device_and_the_end() -> None:
    alarms = [Raised("O3", "own:m", 20), Raised("S1", "own:s", 10), Raised("O3", "own:m", 20)]
    assert marks_of(alarms, "own:m", 5, 99) == [
        Mark(5, "opened"),
        Mark(20, "raised", "O3"),
        Mark(99, "closed"),
    ]
    many = [Raised("O3", "own:m", at) for at in range(100)]
    assert len(marks_of(many, "own:m", 0, 200)) == MARKS
    words = chart(outline(), marks=marks_of(alarms, "own:m", 5, 99))["marks"]
    assert [one["words"] for one in words] == ["opened", "O3 raised", "closed"]  # type: ignore[attr-defined]


def test_readings_in_doubt_are_counted() -> None:
    assert chart(outline((0, 1.0, 1.0, 1.0), doubtful=3))["doubtful"] == 3
