"""L6: leakage that rises from night to night."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import HARD_QUALITY, Quality, Severity, UInt16
from rules.calendar import Calendar
from rules.catalogue import CatalogueError, parse_catalogue
from rules.theil_sen import median_slope
from rules.transition import To, Transition
from tests.rules.kernels.months import LEAK, Months, at
from tests.rules.story import GOOD, START_US

UNSEEN = [*HARD_QUALITY, Quality.LATE, Quality.RETAINED, Quality.REPLAYED, Quality.BACKFILL]
UNSEEN += [Quality.DUPLICATE, Quality.STALE]
HOURS = (0, 1.9, *np.arange(2, 5, 0.25).tolist(), 5, 12, 20)


def night(story: Months, day: int, value: float, quality: Quality = GOOD) -> list[Transition]:
    """A day read every quarter of an hour from 2 to 5, where it says `value`, and now and then else, where
    it says ten times that."""
    changes = [story.say(day, hour, value * (1 if 2 <= hour < 5 else 10), quality) for hour in HOURS]
    return [one for change in changes for one in change]


def nights(story: Months, days: Iterable[int], value: Callable[[int], float]) -> dict[int, Transition]:
    """Many nights; what they changed by day."""
    return {day: one for day in days for one in night(story, day, value(day))}


def rising(start: float = 0.1, by: float = 0.006) -> Callable[[int], float]:
    return lambda day: start + by * day


def test_five_milliamperes_a_day_on_a_high_level_raise_in_the_third_night_known() -> None:
    changed = nights(Months("L6", LEAK), range(20), rising())
    assert list(changed) == [9]  # eight nights are known on day 7, and three such nights on day 9
    raised = changed[9]
    assert (raised.rule, raised.to, raised.severity) == ("L6", To.RAISED, Severity.P2)
    assert raised.at_us == START_US + round(at(9, 5) * 1e6)
    assert raised.why.en == "residual current at night 148 mA: change of 6.00 mA/d (≥ 5 mA/d)"
    assert raised.why.zh_cn == "夜间剩余电流 148 mA：每日变化 6.00 mA/d（≥ 5 mA/d）"


def test_exactly_the_level_and_slope_raise_and_just_below_either_does_not() -> None:
    assert list(nights(Months("L6", LEAK), range(12), rising(0.066, 0.005))) == [10]
    assert not nights(Months("L6", LEAK), range(24), rising(0.110, 0.0045))
    assert not nights(Months("L6", LEAK), range(14), rising(0.03, 0.005))


def test_a_low_level_that_rises_is_not_told_until_it_is_high() -> None:
    (day,) = nights(Months("L6", LEAK), range(27), rising(0.0, 0.006))
    assert day == 20  # 102 mA stand on day 18 (the middle of three), and three nights count on day 20


def test_a_level_that_has_doubled_in_a_month_raises_however_slowly_it_rose() -> None:
    story = Months("L6", LEAK)
    changed = nights(story, range(45), lambda day: 0.030 + 0.0012 * max(0, day - 12))
    assert list(changed) == [40]
    assert changed[40].why.en == (
        "residual current at night 62.0 mA, 30 days before 30.0 mA: at least doubled, now 1.20 mA/d"
    )
    assert changed[40].why.zh_cn == "夜间剩余电流 62.0 mA，30 天前 30.0 mA：至少翻倍，目前每日变化 1.20 mA/d"


def test_a_level_that_doubled_but_is_low_is_nothing() -> None:
    assert not nights(Months("L6", LEAK), range(45), lambda day: 0.010 + 0.0008 * day)


def test_three_nights_of_a_flat_trend_clear_and_say_the_numbers() -> None:
    story = Months("L6", LEAK)
    changed = nights(story, range(30), lambda day: 0.1 + 0.006 * min(day, 12))
    assert [one.to for one in changed.values()] == [To.RAISED, To.CLEARED]
    day = max(changed)
    assert changed[day].why.en.endswith("mA/d (< 2 mA/d)")
    assert day == 22  # of the slopes over fourteen nights the middle one is below 2 for the third time


def test_wild_nights_do_not_move_it() -> None:
    def value(day: int) -> float:
        return 0.5 if day in (6, 11) else 0.12

    assert not nights(Months("L6", LEAK), range(20), value)


def test_it_needs_eight_nights_of_fourteen() -> None:
    changed = nights(Months("L6", LEAK), [0, 2, 4, 6, 8, 10, 12], rising())
    assert not changed
    story = Months("L6", LEAK)
    assert list(nights(story, [0, 2, 4, 5, 6, 8, 10, 11, 12, 13], rising())) == [13]


def test_a_gap_of_more_than_four_days_starts_the_count_of_nights_again() -> None:
    story = Months("L6", LEAK)
    assert not nights(story, range(9), rising())
    assert not nights(story, [13], rising())
    assert list(nights(story, [14, 15, 16], rising())) == [16]


def test_a_night_with_fewer_than_three_half_hours_is_not_known() -> None:
    story = Months("L6", LEAK)
    for day in range(20):
        for hour in (2, 2.25, 2.5, 2.75, 5):
            assert story.say(day, hour, rising()(day)) == []


@pytest.mark.parametrize("flag", [*UNSEEN, Quality.QUEUED])
def test_unusable_and_queued_readings_tell_no_nights(flag: Quality) -> None:
    story = Months("L6", LEAK)
    assert not nights(story, range(9), rising())
    for hour in HOURS:
        assert story.say(9, hour, 9.0, flag) == []
    assert list(nights(story, [10], rising())) == [10]


def test_a_queued_reading_after_a_night_leaves_it_to_the_next_one() -> None:
    story = Months("L6", LEAK)
    assert not nights(story, range(9), rising())
    for hour in HOURS[:-3]:
        assert story.say(9, hour, rising()(9)) == []
    assert story.say(9, 5, 1.0, Quality.QUEUED) == []
    assert len(story.say(9, 6, 1.0)) == 1


def test_a_night_without_a_reading_counts_for_nothing() -> None:
    story = Months("L6", LEAK)
    assert not nights(story, range(9), rising())
    assert story.say(9, 12, 0.15) == []
    assert list(nights(story, [10], rising())) == [10]


def test_where_the_clock_goes_back_readings_count_for_the_newest_half_hour() -> None:
    story = Months("L6", LEAK)
    for hour, value in ((2, 0.01), (3, 0.02), (2.5, 0.04), (1.5, 0.06), (4, 0.05), (5, 0), (4.5, 9), (6, 0)):
        story.say(0, hour, value)
    assert story.engine.snapshot()["nights.nights"][0, -1] == 40  # 10, (20 + 40 + 60) / 3 and 50


def test_nan_tells_no_nights() -> None:
    story = Months("L6", LEAK)
    assert not nights(story, range(9), rising())
    assert night(story, 9, math.nan) == []
    assert list(nights(story, [10], rising())) == [10]


def test_an_alarm_that_a_person_ended_comes_back_after_three_nights() -> None:
    story = Months("L6", LEAK)
    assert nights(story, range(10), rising())
    assert len(story.close("L6", at(9, 21), LEAK)) == 1
    assert list(nights(story, range(10, 16), rising())) == [12]


def test_summer_time_makes_no_trend_and_no_exception() -> None:
    first = START_US + round(at(4, 3) * 1e6)
    turns = np.array([0, first, first + 7 * 86_400_000_000], np.int64)
    calendar = Calendar(turns, np.array([8, 7, 8], np.int64) * 3_600_000_000)
    story = Months("L6", LEAK, calendar)
    for quarter in range(4 * 24 * 20):
        assert story.say(0, quarter / 4, 0.12) == []
    kept = story.engine.snapshot()["nights.nights"][0]
    assert kept[-20:].tolist() == [120] * 20  # of 2 to 5 on day 11, four half-hours are there


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.one_of(st.just(65_535), st.integers(0, 65_534)), min_size=14, max_size=14),
        min_size=1, max_size=5,
    )
)  # fmt: skip
def test_the_slope_is_the_middle_of_all_slopes(rows: list[list[int]]) -> None:
    rows = [row for row in rows if sum(value != 65_535 for value in row) >= 2]
    days: UInt16 = np.array(rows, np.uint16).reshape(len(rows), 14)
    for row, twice in zip(rows, median_slope(days).tolist(), strict=True):
        known = [(day, value) for day, value in enumerate(row) if value != 65_535]
        slopes = sorted(
            round(1000 * (late[1] - early[1]) / (late[0] - early[0]))
            for n, early in enumerate(known)
            for late in known[n + 1 :]
        )
        assert twice == slopes[(len(slopes) - 1) // 2] + slopes[len(slopes) // 2]


FILE = """
    version = 1
    [[rule]]
    name = "L6"
    kernel = "nights"
    metric = "current.residual"
    severity = "P2"
    raise = "5 mA/d"
    hold = "0 s"
    clear = "2 mA/d"
    clear_hold = "0 s"
    max_gap = "4 d"
    level = "100 mA"
    from_hour = 2
    until_hour = 5
    least = 8
    title = { en = "Rises", zh-CN = "上升" }
    [rule.source]
    raise = "s"
    hold = "s"
    clear = "s"
    clear_hold = "s"
    max_gap = "s"
    level = "s"
    from_hour = "s"
    until_hour = "s"
    least = "s"
"""


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("least = 8", "least = 15", "key `least`: 15 nights; 2 to 14 are allowed"),
        ("least = 8", "least = 1", "key `least`: 1 nights; 2 to 14 are allowed"),
        ("from_hour = 2", "from_hour = 23", "key `from_hour`: 23 is no such hour; 0 to 22 are allowed"),
        ("until_hour = 5", "until_hour = 3", "key `until_hour`: 3; 4 to 8 are allowed"),
        ("until_hour = 5", "until_hour = 9", "key `until_hour`: 9; 4 to 8 are allowed"),
        ('"5 mA/d"', '"5 mA"', "unit `mA` does not fit metric `current.residual`; allowed: `A/d`, `mA/d`"),
        ('"5 mA/d"', '"1 mA/d"', "key `raise`: is below `clear`"),
        ('"100 mA"', '"100 W"', "key `level`: unit `W` does not fit metric `current.residual`"),
        ('"2 mA/d"', '"5 mA/d"\n    below = true', "key `below`: a trend is raised above its level"),
        ('level = "s"', "", "key `source`: nothing said about level"),
    ],
)
def test_a_wrong_entry_is_refused(right: str, wrong: str, said: str) -> None:
    assert right in FILE
    with pytest.raises(CatalogueError) as refused:
        parse_catalogue(FILE.replace(right, wrong, 1), "own.toml")
    assert said in str(refused.value)


def test_a_level_that_is_a_multiple_of_a_rating_is_refused() -> None:
    text = FILE.replace("current.residual", "current").replace('level = "100 mA"', 'level = "1 I_n"')
    with pytest.raises(CatalogueError, match="key `level`: a multiple of a rating is not allowed"):
        parse_catalogue(text, "own.toml")
