"""T7: a cable that warms fast."""

from __future__ import annotations

import math
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import Metric, Quality, Severity
from rules.catalogue import Catalogue, CatalogueError
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
from tests.rules.story import Story, us

TABLE = series(Metric.TEMPERATURE)
SHIPPED = alone("T7")
OVER = 120


SAID = "chosen: one reading is none: a single wrong one would be a rise of many kelvins a minute"
EACH = (('samples = "2 of 3"\n', ""), (f'samples = "{SAID}"\n', ""))


@cache
def each_reading() -> Catalogue:
    """T7 with one reading enough: what is measured is told at once."""
    return changed("T7", *EACH)


def cold(until_s: int = 600) -> Story:
    """A reading every 30 s, always 20 °C."""
    story = Story(each_reading(), TABLE)
    assert told(story, every(0, until_s, 30, 20)) == []
    return story


def warming() -> Story:
    story = cold()
    assert len(told(story, [(630, 35)])) == 1
    return story


def test_one_wrong_reading_raises_nothing_and_two_readings_that_rise_do() -> None:
    story = Story(SHIPPED, TABLE)
    assert told(story, [*every(0, 600, 30, 20), (630, 120), *every(660, 1200, 30, 20)]) == []
    assert told(story, [(1230, 35)]) == []
    assert len(told(story, [(1260, 36)])) == 1


def test_ten_kelvin_in_two_minutes_raise_and_say_the_numbers() -> None:
    story = cold()
    (raised,) = story.read(ONE, 630, 31.2)
    assert (raised.rule, raised.to, raised.severity, raised.slot) == ("T7", To.RAISED, Severity.P1, ONE)
    assert raised.why.en == "temperature 31.2 °C, up 11.2 K in 2 min: 5.60 K/min (≥ 5 K/min)"
    assert raised.why.zh_cn == "温度 31.2 °C，2 分钟内上升 11.2 K：5.60 K/min（≥ 5 K/min）"


def test_exactly_the_rate_raises_and_just_below_it_does_not() -> None:
    assert len(cold().read(ONE, 630, 30)) == 1
    assert cold().read(ONE, 630, math.nextafter(30, 0)) == []


def test_less_than_two_minutes_are_not_enough_to_know_a_rate() -> None:
    story = Story(each_reading(), TABLE)
    assert told(story, [(0, 20), (60, 60), (119, 90)]) == []
    assert len(story.read(ONE, 120, 90)) == 1


def test_the_newest_reading_that_is_old_enough_is_the_one_compared_with() -> None:
    story = Story(each_reading(), TABLE)
    assert told(story, [(0, 20), (60, 20), (120, 21), (150, 26), (180, 28)]) == []
    (raised,) = told(story, [(185, 31)])
    assert raised.why.en.startswith("temperature 31.0 °C, up 11.0 K in 2 min 5 s: 5.28 K/min")


def test_readings_closer_than_a_quarter_of_the_time_are_not_kept() -> None:
    story = Story(each_reading(), TABLE)
    assert told(story, [(0, 20), (29, 5), (149, 25)]) == []


def test_a_device_that_reports_every_second_is_looked_back_on_for_two_minutes() -> None:
    story = Story(each_reading(), TABLE)
    assert told(story, every(0, 3600, 1, lambda at: 20 + at * 4.9 / 60)) == []
    assert len(told(story, every(3601, 3800, 1, lambda at: 314 + (at - 3600) * 6 / 60))) == 1


def test_a_device_that_reports_every_five_minutes_is_judged_between_two_readings() -> None:
    story = Story(each_reading(), TABLE)
    assert told(story, [(0, 20), (300, 44.9)]) == []
    assert len(story.read(ONE, 600, 69.9)) == 1


def test_five_minutes_of_a_slow_rise_clear_and_say_the_numbers() -> None:
    story = warming()
    assert told(story, every(660, 1020, 30, 35)) == []  # up to 720 it is compared with what was cold
    (cleared,) = story.read(ONE, 1050, 35)
    assert (cleared.to, cleared.at_us) == (To.CLEARED, us(1050))
    assert cleared.why.en == "temperature 35.0 °C, up 0.00 K in 2 min: 0.00 K/min (< 2 K/min) for 5 min"
    assert cleared.why.zh_cn.endswith("上升 0.00 K：0.00 K/min（< 2 K/min），持续 5 分钟")


def test_a_fall_is_told_as_one() -> None:
    story = warming()
    (cleared,) = told(story, every(660, 1200, 30, lambda at: 35 - (at - 630) / 60))
    assert ", down " in cleared.why.en and "下降" in cleared.why.zh_cn
    assert ": -1.00 K/min (< 2 K/min)" in cleared.why.en


def test_exactly_the_clear_rate_does_not_clear() -> None:
    assert told(warming(), every(750, 7200, 30, lambda at: 35 + (at - 630) / 30)) == []


def test_a_gap_longer_than_the_longest_allowed_forgets_what_was_kept() -> None:
    story = cold()
    assert story.read(ONE, 600 + 901, 400) == []
    assert story.read(ONE, 600 + 901 + 119, 500) == []
    assert len(story.read(ONE, 600 + 901 + 120, 500)) == 1


def test_a_gap_as_long_as_allowed_does_not() -> None:
    assert len(cold().read(ONE, 600 + 900, 400)) == 1


def test_a_queued_reading_forgets_what_was_kept_and_is_the_first_of_the_next() -> None:
    story = cold()
    assert story.read(ONE, 630, 80, Quality.QUEUED) == []
    assert told(story, every(660, 1200, 30, 80)) == []
    story = cold()
    story.read(ONE, 630, 80, Quality.QUEUED)
    assert len(story.read(ONE, 750, 90)) == 1


@pytest.mark.parametrize("flag", UNSEEN)
def test_readings_that_do_not_count_are_neither_kept_nor_compared(flag: Quality) -> None:
    story = Story(each_reading(), TABLE)
    for at, value in every(0, 1200, 60, 20):
        assert story.read(ONE, at, value) + story.read(ONE, at + 30, 0 if at < 600 else 90, flag) == []


def test_nan_is_neither_kept_nor_compared() -> None:
    story = Story(each_reading(), TABLE)
    assert told(story, every(0, 1200, 30, lambda at: math.nan if at % 60 else 20)) == []
    assert len(story.read(ONE, 1230, 35)) == 1


def test_values_that_cannot_be_raise_no_error() -> None:
    story = cold()
    told(story, [(630, math.inf), (750, math.inf), (780, -1e308), (900, 1e308), (1020, -math.inf)])
    told(story, every(1050, 2000, 30, 20))
    assert len(story.read(ONE, 2030, 40)) == 1


@pytest.mark.parametrize("act", ["reset", "close"])
def test_a_person_clears_it_and_it_comes_back_after_two_minutes_of_a_fast_rise(act: str) -> None:
    story = warming()
    acts = {"reset": story.reset, "close": story.close}
    (cleared,) = acts[act]("T7", 631, ONE)
    assert cleared.to is To.CLEARED
    assert told(story, every(660, 779, 30, lambda at: 35 + (at - 630) / 6)) == []
    assert len(story.read(ONE, 780, 60)) == 1


def test_a_rate_has_the_unit_of_its_metric_a_minute() -> None:
    table = series(Metric.CURRENT_RESIDUAL)
    text = (
        ('"temperature"', '"current.residual"'),
        ('"5 K/min"', '"100 mA/min"'),
        ('"2 K/min"', '"0.01 A/min"'),
    )
    story = Story(changed("T7", *EACH, *text), table)
    (raised,) = told(story, [(0, 0.01), (120, 0.25)])
    assert raised.why.en == "residual current 250 mA, up 240 mA in 2 min: 120 mA/min (≥ 100 mA/min)"


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('over = "2 min"', 'over = "0 s"', "key `over`: a time of 1 s or more is allowed"),
        ('over = "2 min"\n', "", "key `over` is missing"),
        ('"5 K/min"', '"5 K"', "key `raise`: unit `K` does not fit metric `temperature`; allowed: `K/min`"),
        ('"5 K/min"', '"1 K/min"', "key `raise`: is below `clear`"),
        ('metric = "temperature"', 'metric = "current"', "allowed: `A/min`, `mA/min`"),
        ('over = "chosen', 'window = "chosen', "key `window`: unknown under `source`"),
    ],
)
def test_a_wrong_rule_is_refused(right: str, wrong: str, said: str) -> None:
    assert said in refused("T7", right, wrong)


def test_a_flag_has_no_rate() -> None:
    text = ('metric = "temperature"', 'metric = "smoke.alarm"'), ('"2 K/min"', '"2 /min"')
    with pytest.raises(
        CatalogueError, match=r"key `metric`: `smoke\.alarm` is a flag; a metric that can rise"
    ):
        changed("T7", *EACH, ('"5 K/min"', '"5 /min"'), *text)


STEPS = st.lists(
    st.tuples(
        st.sampled_from([1, 2]),
        st.sampled_from([0, 1, 29.9, 30, 30.5, 60, 119, 120, 300, 900, 901, -40]),
        st.sampled_from([-3.0, 0.0, 1.0, 2.5, 5.0, 10.0, math.nan, math.inf]),
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=60)
@given(STEPS, st.integers(0, 1000))
def test_it_is_the_same_however_the_readings_come(steps: list[tuple[int, float, float]], seed: int) -> None:
    at, value, points = 0.0, [20.0, 20.0], []
    for slot, step, change in steps:
        at += step
        value[slot - 1] = min(value[slot - 1] + change, 150) if math.isfinite(change) else value[slot - 1]
        points.append((slot, at, value[slot - 1] if math.isfinite(change) else change))
    assert_cutting_does_not_matter(each_reading(), series(Metric.TEMPERATURE, number=2), points, seed)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(1, 200), st.integers(-30, 30)), max_size=80))
def test_it_is_what_a_list_of_the_last_eight_says(steps: list[tuple[int, int]]) -> None:
    own = changed("T7", *EACH, ('"5 K/min"', '"-1000 K/min"'), ('"2 K/min"', '"-1000 K/min"'))
    story, at = Story(own, TABLE), 0
    kept: list[tuple[int, int]] = []
    for step, value in steps:
        at += step
        old = [(time, then) for time, then in kept if at - time >= OVER]
        raised = story.read(ONE, at, value)
        if not kept or 4 * (at - kept[-1][0]) >= OVER:
            kept = [*kept, (at, value)][-8:]
        assert bool(raised) is bool(old)
        if raised:
            _, then = old[-1]
            change = "up" if value >= then else "down"
            said = f", {change} {abs(value - then):.{1 if abs(value - then) >= 10 else 2}f} K in "
            assert said in raised[0].why.en
            story.reset("T7", at, ONE)
            kept = []
