"""L5: leakage above what is usual at this hour of the day."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import HARD_QUALITY, Quality, Severity
from rules.calendar import Calendar
from rules.catalogue import CatalogueError, parse_catalogue
from rules.kernels.usual import UsualKernel, UsualRule
from rules.transition import To
from tests.rules.kernels.months import LEAK, Months, at, ground, meters, one_look, only
from tests.rules.story import START_US

UNSEEN = [*HARD_QUALITY, Quality.LATE, Quality.RETAINED, Quality.REPLAYED, Quality.BACKFILL]
UNSEEN += [Quality.DUPLICATE, Quality.STALE]
USUAL_A = 0.038


def always(value: float) -> Callable[[float], float]:
    return lambda _: value


STEADY = always(USUAL_A)


def after(days: int, value: Callable[[float], float] = STEADY) -> Months:
    """A meter that has been read for so many days."""
    story = Months("L5", LEAK)
    assert [change for day in range(days) for change in story.day(day, value)] == []
    return story


def leaks(story: Months, day: float, value: float, hour: float = 10, minutes: int = 10) -> list[To]:
    """What a steady value makes from an hour on, read every 5 min."""
    changes = [story.say(day, hour + minute / 60, value) for minute in range(0, minutes + 1, 5)]
    return [transition.to for change in changes for transition in change]


def test_a_step_above_the_usual_raises_and_says_the_numbers() -> None:
    story = after(7)
    assert leaks(story, 7, 0.412, minutes=5) == []
    (raised,) = story.say(7, 10 + 10 / 60, 0.412)
    assert (raised.rule, raised.to, raised.severity) == ("L5", To.RAISED, Severity.P2)
    assert raised.why.en == (
        "residual current 412 mA, usual at this hour 38.0 mA: 374 mA above (≥ 100 mA) for 10 min"
    )
    assert raised.why.zh_cn == ("剩余电流 412 mA，该时段通常 38.0 mA：高出 374 mA（≥ 100 mA），持续 10 分钟")


def test_ten_minutes_near_the_usual_clear_and_say_the_numbers() -> None:
    story = after(7)
    assert leaks(story, 7, 0.2) == [To.RAISED]
    assert leaks(story, 7, 0.0975, hour=10.25, minutes=5) == []
    (cleared,) = story.say(7, 10.25 + 10 / 60, 0.0975)
    assert cleared.why.en == (
        "residual current 97.5 mA, usual at this hour 38.0 mA: 59.5 mA above (< 60 mA) for 10 min"
    )


def test_between_the_levels_it_stays() -> None:
    story = after(7)
    assert leaks(story, 7, 0.2) == [To.RAISED]
    assert leaks(story, 7, 0.0985, hour=10.25, minutes=40) == []


def test_just_below_the_level_never_raises() -> None:
    assert leaks(after(7), 7, USUAL_A + 0.0999, minutes=55) == []


def test_a_value_below_the_usual_is_told_as_that() -> None:
    story = after(7)
    leaks(story, 7, 0.2)
    leaks(story, 7, 0.03, hour=10.25, minutes=5)
    (cleared,) = story.say(7, 10.25 + 10 / 60, 0.03)
    assert "8.00 mA below (< 60 mA)" in cleared.why.en
    assert "低于 8.00 mA" in cleared.why.zh_cn


def test_what_is_high_at_this_hour_every_day_is_usual_then_and_not_at_others() -> None:
    def bath(hour: float) -> float:
        return 0.2 if 20 <= hour < 21 else USUAL_A

    assert leaks(after(7, bath), 7, 0.2, hour=20) == []
    assert leaks(after(7, bath), 7, 0.2, hour=10) == [To.RAISED]


def test_three_days_are_enough_and_two_are_not() -> None:
    assert leaks(after(2), 2, 0.4) == []
    assert leaks(after(3), 3, 0.4) == [To.RAISED]


def test_wild_days_do_not_move_it() -> None:
    story = after(4)
    for day in (4, 5, 6):
        story.day(day, lambda hour: 0.5 if 10 <= hour < 11 else USUAL_A)
    assert leaks(story, 7, 0.2, hour=10.5, minutes=10) == [To.RAISED]


def test_of_an_even_number_of_days_the_mean_of_the_middle_two_is_usual() -> None:
    story = Months("L5", LEAK)
    for day, milliamperes in enumerate((10, 90, 20, 30)):
        story.day(day, always(milliamperes / 1000))
    assert leaks(story, 4, 0.125, minutes=5) == []
    (raised,) = story.say(4, 10 + 10 / 60, 0.125)
    assert "usual at this hour 25.0 mA: 100 mA above" in raised.why.en


def test_what_was_before_seven_days_is_forgotten() -> None:
    story = after(3)
    story.say(9, 9, USUAL_A)
    assert leaks(story, 9, 0.4) == []  # of the seven days before, the first is the last that was read


def test_a_device_that_comes_back_is_judged_by_the_days_that_still_count() -> None:
    assert leaks(after(4), 8, 0.4) == [To.RAISED]
    assert leaks(after(4), 9, 0.4) == []


@pytest.mark.parametrize("flag", UNSEEN)
def test_unusable_readings_are_neither_judged_nor_learnt_from(flag: Quality) -> None:
    story = after(3)
    story.day(3, always(5.0), quality=flag)
    story.day(4, always(5.0), quality=flag)
    assert story.say(5, 10, 0.4, flag) + story.say(5, 10 + 1 / 6, 0.4, flag) == []
    assert leaks(story, 5, 0.4, hour=11) == [To.RAISED]


def test_nan_is_neither_judged_nor_learnt_from() -> None:
    story = after(3)
    story.say(3, 10, 0.4)
    assert story.say(3, 10 + 5 / 60, math.nan) == []
    story.say(3, 10 + 6 / 60, 0.4)
    assert len(story.say(3, 10 + 10 / 60, 0.4)) == 1


def test_a_queued_reading_is_not_learnt_from_and_ends_a_hold() -> None:
    story = after(3)
    for day in (3, 4, 5):
        assert story.day(day, always(5.0), quality=Quality.QUEUED) == []
    leaks(story, 6, 0.4, minutes=5)
    assert story.say(6, 10 + 9 / 60, 0.4, Quality.QUEUED) == []
    assert leaks(story, 6, 0.4, hour=10 + 10 / 60, minutes=5) == []
    assert len(story.say(6, 10 + 20 / 60, 0.4)) == 1


def test_an_alarm_that_a_person_ended_comes_back_by_a_new_hold() -> None:
    story = after(7)
    assert leaks(story, 7, 0.4) == [To.RAISED]
    assert len(story.reset("L5", at(7, 10.2), LEAK)) == 1
    assert leaks(story, 7, 0.4, hour=10.25) == [To.RAISED]


@pytest.mark.parametrize("value", [math.inf, -math.inf, 1e300, -1e300])
def test_values_beyond_all_measure_are_cut_and_hurt_nobody(value: float) -> None:
    story = after(3)
    for minute in range(30):
        story.say(3, 9 + minute / 60, value)
    story.reset("L5", at(3, 9.5), LEAK)
    story.day(4, always(USUAL_A))
    assert leaks(story, 5, 0.4) == [To.RAISED]


def test_an_hour_that_comes_twice_is_one_and_one_that_does_not_come_has_no_readings() -> None:
    back = START_US + round(at(2, 3) * 1e6)  # at 03:00 it is 02:00 again
    ahead = back + 24 * 3_600_000_000
    offsets = np.array([8, 7, 8], np.int64) * 3_600_000_000
    calendar = Calendar(np.array([0, back, ahead], np.int64), offsets)
    kernel = kernel_of(calendar)
    for hour in range(24 * 5):
        measured(kernel, at(0, hour), 0.01 * (1 + hour % 2), calendar)
    kept = kernel.pairs.state["hours"][0]
    day = int(calendar.days(np.array([back]))[0])
    assert kept[2, day % 7] == round((10 + 20) / 2)  # 02:00 and 02:00 again
    assert kept[2, (day + 1) % 7] == 65_535  # from 01:59 to 03:00


FILE = """
    version = 1
    [[rule]]
    name = "L5"
    kernel = "usual"
    metric = "current.residual"
    severity = "P2"
    raise = "100 mA"
    hold = "10 min"
    clear = "60 mA"
    clear_hold = "10 min"
    max_gap = "15 min"
    least = 3
    title = { en = "Above usual", zh-CN = "突增" }
    source = { raise = "s", hold = "s", clear = "s", clear_hold = "s", max_gap = "s", least = "s" }
"""


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("least = 3", "least = 8", "key `least`: 8 days; 1 to 7 are allowed"),
        ("least = 3", "least = 0", "key `least`: 0 days; 1 to 7 are allowed"),
        ("least = 3", "", "key `least` is missing"),
        (', least = "s"', "", "key `source`: nothing said about least"),
        ('"60 mA"', '"120 mA"', "key `raise`: is below `clear`"),
        ('"100 mA"', '"100 W"', "unit `W` does not fit metric `current.residual`; allowed: `A`, `mA`"),
    ],
)
def test_a_wrong_entry_is_refused(right: str, wrong: str, said: str) -> None:
    assert right in FILE
    with pytest.raises(CatalogueError) as refused:
        parse_catalogue(FILE.replace(right, wrong, 1), "own.toml")
    assert said in str(refused.value)


def test_a_multiple_of_a_rating_is_refused() -> None:
    text = FILE.replace("current.residual", "current").replace("100 mA", "1 I_n").replace("60 mA", "1 I_n")
    with pytest.raises(CatalogueError, match="unit `I_n` does not fit"):
        parse_catalogue(text, "own.toml")


def kernel_of(calendar: Calendar | None = None) -> UsualKernel:
    rule = only("L5").rule[0]
    assert isinstance(rule, UsualRule)
    table = meters()
    return UsualKernel([rule], {"L5": 0}, table, ground(table, calendar or Calendar.fixed(8)))


def measured(kernel: UsualKernel, at_s: float, value: float, calendar: Calendar | None = None) -> float:
    seen = one_look(LEAK, at_s, value, kernel.pairs.table, calendar or Calendar.fixed(8))
    zero = np.zeros(1, np.intp)
    return float(kernel.measure(seen, zero, zero)[0])


LATER = st.sampled_from([0.2, 1, 3, 20, 24, 24, 24, 24, 24, 160, 170])
"""Hours from one reading to the next."""


@settings(deadline=None)
@given(st.lists(st.tuples(LATER, st.integers(0, 70_000)), min_size=1, max_size=60))
def test_it_is_what_its_description_says(readings: list[tuple[float, int]]) -> None:
    kernel, hour, means = kernel_of(), at(0, 0) / 3600, dict[int, list[int]]()
    for later, milliamperes in readings:
        hour += later
        local = math.floor(hour + START_US / 3.6e9 + 8)
        before = [means[local - 24 * days] for days in range(1, 8) if local - 24 * days in means]
        usual = sorted(min(round(sum(some) / len(some)), 65_534) for some in before)
        middle = (usual[(len(usual) - 1) // 2] + usual[len(usual) // 2]) / 2 if usual else 0
        said = measured(kernel, hour * 3600, milliamperes / 1000)
        means.setdefault(local, []).append(milliamperes)
        if len(usual) < 3:
            assert math.isnan(said)
        else:
            assert said == milliamperes / 1000 - middle / 1000
