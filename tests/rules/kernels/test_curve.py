"""O4: a breaker that should have tripped by now."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import Metric, Quality, Severity
from rules.kernels.curve import longest_s
from rules.transition import Mark, To
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
from tests.rules.story import Story, us

RATED_A = 25.0
TABLE = series(Metric.CURRENT, RATED_A)
TWICE_S = 3600 * (2 / 1.45) ** -7.253
"""The longest time at twice the rating of a small breaker: 349 s."""


def story() -> Story:
    return Story(alone("O4"), TABLE)


def tripped() -> Story:
    one = story()
    assert len(told(one, every(0, 350, 10, 50))) == 1
    return one


def at_s(story: Story, amperes: float, step_s: int = 10, until_s: int = 3700) -> float:
    """After how long it is raised at this current."""
    (raised,) = told(story, every(0, until_s, step_s, amperes))
    return (raised.at_us - us(0)) / 1e6


def test_twice_the_rating_for_longer_than_a_breaker_may_take_raises_and_says_the_numbers() -> None:
    one = story()
    assert told(one, every(0, 340, 10, 50)) == []
    (raised,) = one.read(ONE, 350, 50)
    assert (raised.rule, raised.to, raised.severity, raised.slot) == ("O4", To.RAISED, Severity.P1, ONE)
    assert raised.marks == (Mark.ISOLATE,)
    assert raised.why.en == (
        "current 50.0 A, 2.00 × the breaker's 25 A, at 1.45 × or more for 5 min 50 s: "
        "it should have tripped by now"
    )
    assert raised.why.zh_cn == (
        "电流 50.0 A，为断路器额定 25 A 的 2.00 倍，达到 1.45 倍以上已 5 分钟 50 秒：断路器应已脱扣"
    )


def test_the_conventional_time_at_the_conventional_current_raises_and_less_never_does() -> None:
    assert at_s(story(), 1.45 * RATED_A) == 3610  # the dose is rounded down at each reading
    assert told(story(), every(0, 14_400, 60, math.nextafter(1.45 * RATED_A, 0))) == []


@pytest.mark.parametrize(
    ("rated_a", "times", "longest"),
    [(32, 1.45, 3600), (32, 2.55, 60), (40, 1.45, 3600), (63, 2.55, 120), (80, 1.45, 7200), (80, 2.55, 240)],
)
def test_the_points_of_the_standard_lie_on_the_curve(rated_a: float, times: float, longest: float) -> None:
    assert longest_s(np.array([times]), np.array([rated_a]))[0] == pytest.approx(longest, rel=2e-3)


@pytest.mark.parametrize(("rated_a", "longest"), [(25, 349), (32, 349), (33, 519), (63, 519), (64, 1039)])
def test_each_size_of_breaker_has_its_own_curve(rated_a: float, longest: float) -> None:
    raised_s = at_s(Story(alone("O4"), series(Metric.CURRENT, rated_a)), 2 * rated_a, 5, 1200)
    assert raised_s == pytest.approx(longest, abs=6)


def test_between_two_readings_the_smaller_of_them_flowed() -> None:
    one = story()
    assert told(one, [(0, 50), (800, 20), (850, 50), (1100, 50)]) == []
    assert len(told(one, [(1199, 50)])) == 0
    assert len(told(one, [(1210, 50)])) == 1


def test_what_is_neither_hot_nor_cool_keeps_the_dose() -> None:
    one = story()
    told(one, every(0, 300, 10, 50))
    assert told(one, every(310, 7200, 300, 30)) == []
    told(one, [(7300, 50)])
    assert len(told(one, [(7350, 50)])) == 1


def test_a_cool_hour_takes_a_whole_dose_back() -> None:
    one = story()
    told(one, every(0, 300, 10, 50))
    assert told(one, every(310, 3910, 300, 20)) == []
    assert told(one, every(4000, 4340, 10, 50)) == []
    assert len(told(one, [(4350, 50)])) == 1


def test_half_an_hour_takes_half_of_it() -> None:
    one = story()
    told(one, every(0, 340, 10, 50))
    told(one, every(350, 2150, 300, 20))
    told(one, [(2160, 50)])
    half = [(at, 50.0) for at in range(2170, 2700, 10)]
    (raised,) = told(one, half)
    assert (raised.at_us - us(2160)) / 1e6 == pytest.approx(TWICE_S / 2, abs=20)


def test_a_gap_longer_than_the_longest_allowed_forgets_the_dose() -> None:
    one = story()
    told(one, every(0, 340, 10, 50))
    assert told(one, [(340 + 901, 50), (340 + 901 + 340, 50)]) == []


def test_a_gap_as_long_as_allowed_counts_whole() -> None:
    assert len(told(story(), [(0, 50), (900, 50)])) == 1


def test_a_queued_reading_forgets_the_dose() -> None:
    one = story()
    told(one, every(0, 340, 10, 50))
    assert one.read(ONE, 345, 50, Quality.QUEUED) == []
    assert told(one, every(355, 685, 10, 50)) == []
    assert len(told(one, [(695, 50)])) == 1


def test_a_step_back_in_time_adds_nothing() -> None:
    one = story()
    told(one, every(0, 340, 10, 50))
    assert told(one, [(100, 50), (100, 50), (105, 50)]) == []
    assert len(told(one, [(110, 50)])) == 1


@pytest.mark.parametrize("flag", UNSEEN)
def test_readings_that_do_not_count_neither_heat_nor_cool(flag: Quality) -> None:
    one = story()
    for at in range(0, 350, 10):
        assert one.read(ONE, at, 50) + one.read(ONE, at + 5, 0, flag) + one.read(ONE, at + 6, 900, flag) == []
    assert len(one.read(ONE, 350, 50)) == 1


def test_nan_neither_heats_nor_cools() -> None:
    one = story()
    assert told(one, every(0, 345, 5, lambda at: math.nan if at % 10 else 50)) == []
    assert len(one.read(ONE, 350, 50)) == 1


def test_a_current_that_cannot_be_raises_no_error_and_the_dose_stays_a_number() -> None:
    one = story()
    (raised,) = told(one, [(0, math.inf), (1, 1e300), (2, math.inf), (3, -math.inf)])
    assert raised.to is To.RAISED
    one.reset("O4", 4, ONE)
    assert told(one, [(5, 20), *every(10, 7200, 10, 20)]) == []
    assert len(told(one, every(7210, 7600, 10, 50))) == 1


def test_an_unknown_breaker_turns_the_rule_off() -> None:
    assert told(Story(alone("O4"), series(Metric.CURRENT)), every(0, 7200, 60, 4000)) == []


def test_what_was_read_before_the_breaker_was_known_counts_for_nothing() -> None:
    one = Story(alone("O4"), series(Metric.CURRENT))
    told(one, every(0, 600, 10, 50))
    one.engine.adopt(dataclasses.replace(TABLE, generation=2))
    assert told(one, every(610, 950, 10, 50)) == []
    assert len(told(one, [(960, 50)])) == 1


def test_only_a_person_ends_it_and_the_dose_with_it() -> None:
    one = tripped()
    assert told(one, every(360, 14_400, 60, 0)) == []
    one = tripped()
    (cleared,) = one.reset("O4", 355, ONE)
    assert cleared.to is To.CLEARED
    assert told(one, every(360, 690, 10, 50)) == []
    assert len(told(one, [(700, 50)])) == 1


def test_one_that_need_not_be_latched_says_how_far_it_cooled() -> None:
    own = changed(
        "O4",
        ("latched = true", 'clear = "0.5"\nclear_hold = "5 min"'),
        ('hold = "c', 'clear = "s"\nclear_hold = "s"\nhold = "c'),
    )
    one = Story(own, TABLE)
    told(one, every(0, 350, 10, 50))
    (cleared,) = told(one, every(360, 3600, 60, 20))
    assert cleared.why.en == (
        "current 20.0 A, 0.80 × the breaker's 25 A, cooled to 40 % of what trips it for 5 min"
    )
    assert cleared.why.zh_cn.endswith("已回落至脱扣热量的 40 %，持续 5 分钟")


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('raise = "1"', 'raise = "0"', "key `raise`: a number above 0 and up to 100 is allowed"),
        ('raise = "1"', 'raise = "101"', "key `raise`: a number above 0 and up to 100 is allowed"),
        ('raise = "1"', 'raise = "1 I_n"', "unit `I_n` does not fit metric `current`; allowed: no unit"),
        ('raise = "1"', 'raise = "1"\nbelow = true', "key `below`: "),
        ('metric = "current"', 'metric = "power.active"', "key `metric`: only `current` is allowed"),
    ],
)
def test_a_wrong_rule_is_refused(right: str, wrong: str, said: str) -> None:
    assert said in refused("O4", right, wrong)


STEPS = st.lists(
    st.tuples(
        st.sampled_from([1, 2]),
        st.sampled_from([0, 1, 10, 60, 120, 300, 900, 901, -5]),
        st.sampled_from([20.0, 28.25, 30.0, 36.25, 40.0, 50.0, 63.75, math.nan, 1e9]),
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=60)
@given(STEPS, st.integers(0, 1000))
def test_it_is_the_same_however_the_readings_come(steps: list[tuple[int, float, float]], seed: int) -> None:
    at, points = 0.0, []
    for slot, step, value in steps:
        at += step
        points.append((slot, at, value))
    assert_cutting_does_not_matter(alone("O4"), series(Metric.CURRENT, RATED_A, 2), points, seed)


@settings(deadline=None, max_examples=50)
@given(st.floats(1.46, 5), st.sampled_from([16.0, 32.0, 40.0, 63.0, 80.0]))
def test_no_steady_current_is_told_sooner_than_a_breaker_may_take(times: float, rated_a: float) -> None:
    amperes, table = times * rated_a, series(Metric.CURRENT, rated_a)
    longest = float(longest_s(np.array([times]), np.array([rated_a]))[0])
    almost = [(n * longest * 0.099, amperes) for n in range(11)]
    assert told(Story(alone("O4"), table), almost) == []
    past = [(n * longest * 0.101, amperes) for n in range(11)]
    assert len(told(Story(alone("O4"), table), past)) == 1
