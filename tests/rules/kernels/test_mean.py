"""O1: a mean over half an hour that nears what the circuit may carry."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import Metric, Quality, Severity
from rules.kernels.mean import MOST
from rules.transition import To
from tests.rules.kernels.one_series import (
    ONE,
    UNSEEN,
    alone,
    assert_cutting_does_not_matter,
    changed,
    every,
    refused,
    series,
    told,
)
from tests.rules.story import START_US, Story

RATED_A = 25.0
RAISE_A, CLEAR_A = 0.9 * RATED_A, 0.8 * RATED_A
TABLE = series(Metric.CURRENT, RATED_A)
HALF_HOUR, PART = 1800, 300
FIRST = -(START_US // 1_000_000) % PART
"""When in story time a part of the clock begins."""


def quiet(amperes: float = 0.0) -> Story:
    """Half an hour of a reading a minute."""
    story = Story(alone("O1"), TABLE)
    assert told(story, every(FIRST, FIRST + HALF_HOUR, 60, amperes)) == []
    return story


def loaded() -> Story:
    story = Story(alone("O1"), TABLE)
    (raised,) = told(story, every(FIRST, FIRST + HALF_HOUR, 60, 24))
    assert raised.to is To.RAISED
    return story


def test_twenty_minutes_at_the_level_are_enough_to_know_the_mean_and_say_the_numbers() -> None:
    story = Story(alone("O1"), TABLE)
    assert told(story, every(FIRST, FIRST + 1140, 60, 23)) == []
    (raised,) = story.read(ONE, FIRST + 1200, 23)
    assert (raised.rule, raised.to, raised.severity, raised.slot) == ("O1", To.RAISED, Severity.P3, ONE)
    assert raised.why.en == "mean current 23.0 A over 30 min ≥ 22.5 A (0.9 × 25 A)"
    assert raised.why.zh_cn == "电流 30 分钟平均 23.0 A ≥ 22.5 A (0.9 × 25 A)"


def test_a_millisecond_less_than_twenty_minutes_is_not_enough() -> None:
    story = Story(alone("O1"), TABLE)
    assert told(story, [*every(FIRST, FIRST + 1140, 60, 23), (FIRST + 1199.999, 23)]) == []
    assert len(story.read(ONE, FIRST + 1200, 23)) == 1


def test_exactly_the_level_raises_and_a_thousandth_below_it_never_does() -> None:
    assert len(told(Story(alone("O1"), TABLE), every(0, 7200, 60, RAISE_A))) == 1
    assert told(Story(alone("O1"), TABLE), every(0, 7200, 60, RAISE_A - 0.001)) == []


def test_a_value_counts_from_its_reading_to_the_next_one() -> None:
    story = quiet(0.0)
    story.read(ONE, FIRST + HALF_HOUR + 1, 1000)
    (raised,) = story.read(ONE, FIRST + HALF_HOUR + 61, 0)
    gathered_s = 1861 - 240  # what a reading ends counts for the part of that reading
    assert raised.why.en.startswith(f"mean current {60 * 1000 / gathered_s:.1f} A over 30 min")


def test_a_peak_that_the_mean_does_not_feel_raises_nothing() -> None:
    story = quiet(10)
    assert told(story, [(FIRST + 1810, 60), (FIRST + 2110, 10), *every(FIRST + 2160, 7200, 60, 10)]) == []


def test_a_part_of_the_clock_leaves_the_window_as_a_whole() -> None:
    story = Story(alone("O1"), TABLE)
    first = told(story, [*every(FIRST, FIRST + 299, 1, 100), *every(FIRST + 300, FIRST + 1799, 10, 10)])
    assert [one.to for one in first] == [To.RAISED]
    (cleared,) = told(story, every(FIRST + 1800, FIRST + 2400, 10, 10))
    assert cleared.at_us == START_US + (FIRST + 2400) * 1_000_000


def test_ten_minutes_below_the_clear_level_clear_and_say_the_numbers() -> None:
    story = loaded()
    (cleared,) = told(story, every(FIRST + HALF_HOUR + 60, FIRST + 7200, 60, 0))
    assert (cleared.to, cleared.severity) == (To.CLEARED, Severity.P3)
    assert cleared.why.en.startswith("mean current ")
    assert cleared.why.en.endswith(" A over 30 min < 20.0 A (0.8 × 25 A) for 10 min")
    assert cleared.why.zh_cn.endswith(" A < 20.0 A (0.8 × 25 A)，持续 10 分钟")


def test_exactly_the_clear_level_does_not_clear() -> None:
    assert told(loaded(), every(FIRST + HALF_HOUR + 60, FIRST + 14_400, 60, CLEAR_A)) == []


def test_it_is_raised_once() -> None:
    assert told(loaded(), every(FIRST + HALF_HOUR + 60, FIRST + 14_400, 60, 24)) == []


def test_readings_every_quarter_of_an_hour_are_enough() -> None:
    assert len(told(Story(alone("O1"), TABLE), every(0, 7200, 900, 24))) == 1


@pytest.mark.parametrize("step", [901, -1])
def test_a_longer_gap_and_a_step_back_empty_the_window(step: int) -> None:
    story = Story(alone("O1"), TABLE)
    story.series(ONE, FIRST, FIRST + 1140, 60, 24)
    begin = FIRST + 1140 + step
    assert told(story, every(begin, begin + 1199, 60, 24)) == []
    assert len(story.read(ONE, begin + 1200, 24)) == 1


def test_a_queued_reading_empties_the_window_and_is_the_first_of_the_next() -> None:
    story = Story(alone("O1"), TABLE)
    story.series(ONE, FIRST, FIRST + 1140, 60, 24)
    assert story.read(ONE, FIRST + 1200, 24, Quality.QUEUED) == []
    assert told(story, every(FIRST + 1260, FIRST + 2340, 60, 24)) == []
    assert len(story.read(ONE, FIRST + 2400, 24)) == 1


@pytest.mark.parametrize("flag", UNSEEN)
def test_readings_that_do_not_count_are_no_part_of_the_mean(flag: Quality) -> None:
    story = Story(alone("O1"), TABLE)
    for n, (at, value) in enumerate(every(FIRST, FIRST + 3600, 60, 10)):
        assert story.read(ONE, at, value) + story.read(ONE, at + 30, 5000, flag) == [], n


def test_nan_is_no_part_of_the_mean() -> None:
    story = Story(alone("O1"), TABLE)
    assert told(story, every(FIRST, FIRST + 3600, 30, lambda at: math.nan if at % 60 else 10)) == []


def test_a_value_that_cannot_be_is_cut_and_does_not_break_what_follows() -> None:
    story = quiet(10)
    (raised,) = told(story, [(FIRST + 1860, math.inf), (FIRST + 1861, 1e308), (FIRST + 1862, 10)])
    assert raised.why.en.startswith(f"mean current {(MOST + 1620 * 10) / 1621:.0f} A")
    (cleared,) = told(story, every(FIRST + 1900, FIRST + 7200, 60, 10))
    assert cleared.to is To.CLEARED


def test_an_unknown_rating_turns_the_rule_off() -> None:
    story = Story(alone("O1"), series(Metric.CURRENT))
    assert told(story, every(0, 7200, 60, 4000)) == []


def test_a_person_clears_it_and_it_comes_back_by_a_new_window() -> None:
    story = loaded()
    (cleared,) = story.reset("O1", FIRST + HALF_HOUR + 30, ONE)
    assert cleared.to is To.CLEARED
    later = FIRST + HALF_HOUR + 60
    assert told(story, every(later, later + 1140, 60, 24)) == []
    assert len(story.read(ONE, later + 1200, 24)) == 1


def test_the_level_may_be_from_above() -> None:
    own = changed("O1", ('raise = "0.9 I_ref"', 'below = true\nraise = "2 A"'), ('"0.8 I_ref"', '"3 A"'))
    (raised,) = told(Story(own, TABLE), every(0, 3600, 60, 1))
    assert raised.why.en == "mean current 1.00 A over 30 min ≤ 2.00 A"


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('window = "30 min"', 'window = "3 s"', "key `window`: a time from 6 s to 24 h"),
        ('window = "30 min"', 'window = "25 h"', "key `window`: a time from 6 s to 24 h"),
        ('window = "30 min"', 'window = "20 s"', "that 6 s divide is allowed"),
        ('window = "30 min"\n', "", "key `window` is missing"),
        ('window = "30 min"', 'window = "12 min"', "key `max_gap`: is longer than `window`"),
        ('window = "chosen', 'over = "chosen', "key `over`: unknown under `source`"),
        ('raise = "0.9 I_ref"', 'raise = "0.9 K"', "unit `K` does not fit metric `current`"),
    ],
)
def test_a_wrong_rule_is_refused(right: str, wrong: str, said: str) -> None:
    assert said in refused("O1", right, wrong)


STEPS = st.lists(
    st.tuples(
        st.sampled_from([1, 2]),
        st.sampled_from([0, 0.5, 1, 59.9995, 60, 299, 300, 301, 900, 900.001, -1]),
        st.sampled_from([0.0, 10.0, 19.999, 20.0, 22.5, 23.0, 40.0, math.nan, 1e9]),
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=60)
@given(STEPS, st.integers(0, 1000))
def test_it_is_the_mean_of_the_readings_however_they_come(
    steps: list[tuple[int, float, float]], seed: int
) -> None:
    at, points = 0.0, []
    for slot, step, value in steps:
        at += step
        points.append((slot, at, value))
    assert_cutting_does_not_matter(alone("O1"), series(Metric.CURRENT, RATED_A, 2), points, seed)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 60_000)), min_size=100, max_size=130))
def test_after_long_enough_it_says_what_a_plain_sum_says(steps: list[tuple[int, int]]) -> None:
    own = changed("O1", ('"0.9 I_ref"', '"0 A"'), ('"0.8 I_ref"', '"0 A"'))
    story, at, before = Story(own, TABLE), 0, []
    for step, thousandths in steps:
        at += step
        before.append((at, thousandths))
        for raised in story.read(ONE, at, thousandths / 1000):
            first = (START_US // 1_000_000 + at) // PART * PART - 5 * PART - START_US // 1_000_000
            total = seconds = 0
            for (begin, value), (end, _) in pairwise(before):
                if end >= first:
                    total, seconds = total + value * (end - begin), seconds + end - begin
            mean = total / seconds / 1000
            digits = 0 if mean >= 100 else 1 if mean >= 10 else 2
            assert raised.why.en == f"mean current {mean:.{digits}f} A over 30 min ≥ 0.00 A"
            story.reset("O1", at, ONE)
            before = []
