"""N1: an hour of the night with more power than the most that is usual at night."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
import pytest

from devices.model import HARD_QUALITY, Quality, Severity
from rules.calendar import Calendar
from rules.catalogue import CatalogueError, parse_catalogue
from rules.transition import To, Transition
from tests.rules.kernels.months import POWER, Months, at
from tests.rules.story import GOOD, START_US

UNSEEN = [*HARD_QUALITY, Quality.LATE, Quality.RETAINED, Quality.REPLAYED, Quality.BACKFILL]
UNSEEN += [Quality.DUPLICATE, Quality.STALE, Quality.QUEUED]
FRIDGE_W = 150.0


def quiet(_: float) -> float:
    return FRIDGE_W


def days(
    story: Months, which: Iterable[int], value: Callable[[float], float] = quiet, quality: Quality = GOOD
) -> list[Transition]:
    """Days read every half-hour."""
    return [change for day in which for change in story.day(day, value, quality=quality)]


def after(number: int, value: Callable[[float], float] = quiet) -> Months:
    """A meter that has been read for so many days, from noon to noon."""
    story = Months("N1", POWER)
    assert days(story, range(number), value) == []
    return story


def heater(hour: float) -> float:
    return 1200 if 1 <= hour < 3 else FRIDGE_W


def test_an_hour_far_above_the_most_of_all_nights_raises_and_says_the_numbers() -> None:
    story = after(8)
    assert [one for hour in (0, 0.5, 1, 1.5) for one in story.say(8, hour, heater(hour))] == []
    (raised,) = story.say(8, 2, heater(2))
    assert (raised.rule, raised.to, raised.severity) == ("N1", To.RAISED, Severity.P3)
    assert raised.at_us == START_US + round(at(8, 2) * 1e6)
    assert raised.why.en == (
        "active power 1200 W over an hour of the night, usually 150 W at most: 1050 W above (≥ 1000 W)"
    )
    assert raised.why.zh_cn == "夜间一小时平均有功功率 1200 W，通常最高 150 W：高出 1050 W（≥ 1000 W）"


def test_an_hour_below_half_of_that_clears_and_says_the_numbers() -> None:
    story = after(8)
    (_, cleared) = days(story, [8], heater)
    assert (cleared.to, cleared.at_us) == (To.CLEARED, START_US + round(at(8, 4) * 1e6))
    assert cleared.why.en == (
        "active power 150 W over an hour of the night, usually 150 W at most: 0.00 W above (< 500 W)"
    )


def test_exactly_the_level_raises_and_just_below_does_not() -> None:
    assert len(days(after(8), [8], lambda hour: 1150 if 1 <= hour < 2 else FRIDGE_W)) == 2
    assert days(after(8), [8], lambda hour: 1149 if 1 <= hour < 2 else FRIDGE_W) == []


def test_between_the_levels_it_stays_until_the_night_is_over() -> None:
    story = after(8)
    changed = days(story, [8], lambda hour: 1200 if hour < 1 else 700)
    assert [one.to for one in changed] == [To.RAISED, To.CLEARED]
    assert changed[1].at_us == START_US + round(at(8, 8.5) * 1e6)
    assert (changed[1].why.en, changed[1].why.zh_cn) == ("the night is over", "夜间时段已结束")


def test_the_last_hour_of_the_night_is_told_at_the_first_reading_after_it() -> None:
    raised, cleared = days(after(8), [8], lambda hour: 3000 if 7 <= hour < 8 else FRIDGE_W)
    assert (raised.to, raised.at_us) == (To.RAISED, START_US + round(at(8, 8) * 1e6))
    assert (cleared.to, cleared.at_us) == (To.CLEARED, START_US + round(at(8, 8.5) * 1e6))


def test_what_is_used_by_day_is_nothing() -> None:
    assert days(after(8), [8], lambda hour: 5000 if 8 <= hour < 22 else FRIDGE_W) == []


def test_a_short_load_is_none_for_the_hour() -> None:
    story = after(8)
    assert days(story, [8], lambda hour: 2000 if hour == 1 else FRIDGE_W) == []


def test_seven_nights_are_enough_and_six_are_not() -> None:
    assert days(after(6), [6], heater) == []  # the night into day 0 is the first of six
    assert len(days(after(7), [7], heater)) == 2


def test_what_is_usual_is_no_excess() -> None:
    assert days(after(8, heater), [8], heater) == []


def test_the_highest_of_twenty_eight_nights_but_one_is_usual() -> None:
    story = after(27)
    assert len(days(story, [27], lambda hour: 2000 if 1 <= hour < 3 else FRIDGE_W)) == 2
    assert len(days(story, [28], heater)) == 2  # one night of 2000 W is not what is usual
    assert days(story, [29], heater) == []  # two of 28 are


def test_nights_of_more_than_four_weeks_ago_are_forgotten() -> None:
    story = after(8, heater)
    assert days(story, range(8, 36)) == []
    assert len(days(story, [36], heater)) == 2


def test_nights_without_a_reading_are_not_known() -> None:
    assert days(after(8), [34], heater) == []
    story = after(8)
    assert days(story, range(34, 41)) == []
    assert len(days(story, [41], heater)) == 2


@pytest.mark.parametrize("flag", UNSEEN)
def test_unusable_and_queued_readings_are_neither_judged_nor_learnt_from(flag: Quality) -> None:
    story = after(8)
    assert days(story, [8], lambda _: 5000, flag) == []
    assert len(days(story, [9], heater)) == 2


def test_nan_is_neither_judged_nor_learnt_from() -> None:
    story = after(8)
    assert days(story, [8], lambda _: math.nan) == []
    assert len(days(story, [9], heater)) == 2


def test_an_alarm_that_a_person_ended_comes_back_with_the_next_hour() -> None:
    story = after(8)
    assert [one.to for hour in (0, 1, 1.5, 2) for one in story.say(8, hour, heater(hour))] == [To.RAISED]
    assert len(story.reset("N1", at(8, 2.1), POWER)) == 1
    assert [one.to for hour in (2.5, 3) for one in story.say(8, hour, heater(hour))] == [To.RAISED]


def test_where_the_clock_goes_back_readings_count_for_the_newest_hour() -> None:
    story = Months("N1", POWER)
    for hour, value in ((23, 100), (22.5, 300), (21.5, 500), (24, 200), (32, 0), (31.5, 9000), (33, 0)):
        assert story.say(0, hour, value) == []
    assert story.engine.snapshot()["excess.nights"][0, -1] == 300  # (100 + 300 + 500) / 3, and 200


def test_summer_time_makes_no_excess_and_no_exception() -> None:
    first = START_US + round(at(4, 3) * 1e6)
    turns = np.array([0, first, first + 7 * 86_400_000_000], np.int64)
    calendar = Calendar(turns, np.array([8, 7, 8], np.int64) * 3_600_000_000)
    story = Months("N1", POWER, calendar)
    assert days(story, range(20)) == []
    kept = story.engine.snapshot()["excess.nights"][0]
    assert kept[-20:].tolist() == [150] * 20


FILE = """
    version = 1
    [[rule]]
    name = "N1"
    kernel = "excess"
    metric = "power.active"
    severity = "P3"
    raise = "1000 W"
    hold = "0 s"
    clear = "500 W"
    clear_hold = "0 s"
    max_gap = "2 h"
    from_hour = 22
    until_hour = 8
    least = 7
    title = { en = "At night", zh-CN = "夜间" }
    [rule.source]
    raise = "s"
    hold = "s"
    clear = "s"
    clear_hold = "s"
    max_gap = "s"
    from_hour = "s"
    until_hour = "s"
    least = "s"
"""


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("least = 7", "least = 29", "key `least`: 29 nights; 1 to 28 are allowed"),
        ("least = 7", "least = 0", "key `least`: 0 nights; 1 to 28 are allowed"),
        ("from_hour = 22", "from_hour = 24", "key `from_hour`: 24 is no such hour; 1 to 23 are allowed"),
        ("until_hour = 8", "until_hour = 22", "key `until_hour`: 22; an hour of the next morning, 0 to 21"),
        ('"1000 W"', '"1000 A"', "unit `A` does not fit metric `power.active`; allowed: `W`, `kW`"),
        ('"1000 W"', '"400 W"', "key `raise`: is below `clear`"),
        ('"500 W"', '"1000 W"\n    below = true', "key `below`: an excess is raised above its level"),
        ('least = "s"', "", "key `source`: nothing said about least"),
    ],
)
def test_a_wrong_entry_is_refused(right: str, wrong: str, said: str) -> None:
    assert right in FILE
    with pytest.raises(CatalogueError) as refused:
        parse_catalogue(FILE.replace(right, wrong, 1), "own.toml")
    assert said in str(refused.value)
