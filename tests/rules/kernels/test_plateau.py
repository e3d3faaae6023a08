"""N2: power that steps up, stays level for hours and falls, as when an e-bike is charged."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import resources

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import HARD_QUALITY, Quality, Severity
from rules.catalogue import CatalogueError, parse_catalogue
from rules.transition import To, Transition
from tests.rules.kernels.months import POWER, Months, at, only
from tests.rules.kernels.one_plateau import OnePlateau
from tests.rules.story import START_US

UNSEEN = [*HARD_QUALITY, Quality.LATE, Quality.RETAINED, Quality.REPLAYED, Quality.BACKFILL]
UNSEEN += [Quality.DUPLICATE, Quality.STALE, Quality.QUEUED]
BASE_W = 80.0
SHIPPED = resources.files("rules").joinpath("shipped", "current.toml")


def charger(
    start: float, full: float, end: float, watts: float = 121, last: float = 0
) -> Callable[[float], float]:
    """Power by the hour: a charge that falls to `last` at `full` and ends at `end`."""
    return lambda hour: BASE_W + (watts if start <= hour < full else last if full <= hour < end else 0)


def evening(
    value: Callable[[float], float],
    start: float = 18,
    until: float = 32,
    step_h: float = 1 / 60,
    noise_w: float = 3,
) -> list[Transition]:
    """What an evening and a night make, read once a minute with a little noise."""
    story, noise = Months("N2", POWER), np.random.default_rng(0)
    hours = np.arange(start, until, step_h)
    noisy = zip(hours.tolist(), noise.normal(0, noise_w, len(hours)).tolist(), strict=True)
    return [one for hour, more in noisy for one in story.say(0, hour, value(hour) + more)]


def hour_of(transition: Transition) -> float:
    return (transition.at_us - START_US) / 3.6e9 - at(0, 0) / 3600


def test_a_charge_raises_when_the_fall_has_lasted_half_an_hour_and_clears_when_it_is_over() -> None:
    raised, cleared = evening(charger(19, 23, 23), noise_w=0)
    assert (raised.rule, raised.to, raised.severity) == ("N2", To.RAISED, Severity.P3)
    assert hour_of(raised) == pytest.approx(23.5, abs=0.02)
    assert cleared.to is To.CLEARED
    assert hour_of(cleared) == pytest.approx(hour_of(raised) + 1 / 6, abs=0.02)
    assert raised.why.en == (
        "active power stepped from 80.0 W by 121 W, stayed level and fell after 4 h: as when a battery is "
        "charged; to be checked by a person"
    )
    assert raised.why.zh_cn == (
        "有功功率由 80.0 W 上升 121 W，保持平稳，4 小时后下降：与蓄电池充电相似，须人工核实"
    )
    assert cleared.why.en == "the charge is over, or too long ago to be told from other loads"


def test_the_title_asks_for_a_person() -> None:
    (rule,) = only("N2").rule
    assert "to be checked by a person" in rule.title.en
    assert "须人工核实" in rule.title.zh_cn


def test_a_charge_with_a_second_stage_stays_until_that_is_over() -> None:
    raised, cleared = evening(charger(19, 23, 26, last=60))
    assert hour_of(raised) == pytest.approx(23.5, abs=0.02)
    assert hour_of(cleared) == pytest.approx(26.25, abs=0.1)


def test_a_second_stage_that_never_ends_clears_twelve_hours_after_the_step() -> None:
    _, cleared = evening(charger(19, 23, 99, last=60))
    assert hour_of(cleared) == pytest.approx(31.2, abs=0.1)


def test_a_charge_that_tapers_is_seen() -> None:
    def taper(hour: float) -> float:
        return BASE_W + 150 * (1 if 19 <= hour < 22 else max(0, 1 - (hour - 22) / 2) if hour >= 22 else 0)

    assert [one.to for one in evening(taper)] == [To.RAISED, To.CLEARED]


@pytest.mark.parametrize("watts", [45, 330])
def test_a_step_that_is_too_small_or_too_large_is_nothing(watts: float) -> None:
    assert evening(charger(19, 23, 23, watts=watts)) == []


@pytest.mark.parametrize("watts", [70, 290])
def test_steps_within_the_limits_are_seen(watts: float) -> None:
    assert len(evening(charger(19, 23, 23, watts=watts))) == 2


@pytest.mark.parametrize("hours", [1.8, 10.4])
def test_what_lasts_too_short_or_too_long_is_nothing(hours: float) -> None:
    assert evening(charger(19, 19 + hours, 0), until=34) == []


@pytest.mark.parametrize("hours", [2.2, 9.8])
def test_what_lasts_within_the_limits_is_seen(hours: float) -> None:
    assert len(evening(charger(19, 19 + hours, 0), until=34)) == 2


def test_a_load_that_swings_is_no_plateau() -> None:
    def swinging(hour: float) -> float:
        return BASE_W + (120 + 30 * math.sin(hour * 12) if 19 <= hour < 23 else 0)

    assert evening(swinging) == []


def test_a_fall_of_a_quarter_is_none() -> None:
    assert evening(charger(19, 23, 40, watts=120, last=92)) == []


def test_a_fall_of_twenty_minutes_is_none() -> None:
    value = charger(19, 33, 33)
    assert evening(lambda hour: BASE_W if 23 <= hour < 23.33 else value(hour), until=28) == []


def test_a_kettle_before_and_on_top_of_it_changes_nothing() -> None:
    def kettle(hour: float) -> float:
        boils = any(at <= hour < at + 0.07 for at in (18.7, 19.5, 21.3, 23.2))
        return charger(19, 23, 23)(hour) + (1800 if boils else 0)

    assert [one.to for one in evening(kettle)] == [To.RAISED, To.CLEARED]


def test_a_fridge_is_no_charger() -> None:
    assert evening(lambda hour: BASE_W + (100 if hour % 1 < 0.4 else 0)) == []


def test_a_load_that_was_on_from_the_first_reading_is_no_step() -> None:
    assert evening(charger(0, 23, 23)) == []


def test_a_meter_that_reports_every_five_minutes_is_enough() -> None:
    assert len(evening(charger(19, 23, 23), step_h=1 / 12)) == 2


def test_a_gap_in_the_plateau_ends_it() -> None:
    story, value = Months("N2", POWER), charger(19, 23, 23)
    hours = [hour for hour in np.arange(18, 26, 1 / 60).tolist() if not 21 <= hour < 21.5]
    assert [one for hour in hours for one in story.say(0, hour, value(hour))] == []


def test_a_gap_does_not_clear_an_alarm_nor_keep_it_for_good() -> None:
    story, value = Months("N2", POWER), charger(19, 23, 40, last=60)
    hours = np.arange(18, 24, 1 / 60).tolist()
    assert len([one for hour in hours for one in story.say(0, hour, value(hour))]) == 1
    hours = np.arange(27, 28, 1 / 60).tolist()
    assert [one for hour in hours for one in story.say(0, hour, value(hour))] == []
    hours = np.arange(32, 32.2, 1 / 60).tolist()
    assert len([one for hour in hours for one in story.say(0, hour, value(hour))]) == 1


@pytest.mark.parametrize("flag", UNSEEN)
def test_unusable_and_queued_readings_neither_make_nor_break_a_plateau(flag: Quality) -> None:
    story, value = Months("N2", POWER), charger(19, 23, 23)
    changed = []
    for hour in np.arange(18, 25, 1 / 60).tolist():
        changed += story.say(0, hour, value(hour))
        assert story.say(0, hour + 1 / 120, 500 * (round(hour * 60) // 5 % 2), flag) == []
    assert [one.to for one in changed] == [To.RAISED, To.CLEARED]


def test_nan_and_values_beyond_all_measure_hurt_nobody() -> None:
    story, value = Months("N2", POWER), charger(19, 23, 23)
    for wild in (math.inf, -math.inf, 1e300, -1e300, math.nan):
        assert story.say(0, 12, wild) + story.say(0, 13, wild) == []
    changed = []
    for hour in np.arange(18, 25, 1 / 60).tolist():
        changed += story.say(0, hour, value(hour))
        assert story.say(0, hour + 1 / 120, math.nan) == []
    assert len(changed) == 2


def test_a_charge_that_a_person_ended_is_not_told_again_and_the_next_one_is() -> None:
    story, value = Months("N2", POWER), charger(19, 23, 40, last=60)
    hours = np.arange(18, 24, 1 / 60).tolist()
    assert len([one for hour in hours for one in story.say(0, hour, value(hour))]) == 1
    assert len(story.reset("N2", at(0, 24), POWER)) == 1
    hours = np.arange(24, 40, 1 / 60).tolist()
    assert [one for hour in hours for one in story.say(0, hour, value(hour))] == []
    hours = np.arange(40, 50, 1 / 60).tolist()
    again = charger(42, 46, 46)
    assert len([one for hour in hours for one in story.say(0, hour, again(hour))]) == 2


STRETCHES = st.lists(
    st.tuples(
        st.integers(1, 40),
        st.sampled_from([0, 20, 60, 84, 100, 120, 150, 300, 2000]),
        st.sampled_from([0, 0, 0, 1, 5, 12]),
        st.sampled_from([5, 5, 5, 5, 10, 21, 26]),
    ),
    min_size=3, max_size=14,
)  # fmt: skip
"""Of each stretch: readings, watts, noise in per cent, and minutes between readings."""


@settings(max_examples=60, deadline=None)
@given(STRETCHES, st.integers(0, 2**32 - 1))
def test_it_does_what_its_description_says(stretches: list[tuple[int, int, int, int]], seed: int) -> None:
    story, plain = Months("N2", POWER), OnePlateau()
    noise, minute = np.random.default_rng(seed), 0
    for number, watts, share, apart in [(8, 20, 0, 5), *stretches]:
        for _ in range(number):
            value = float(watts * (1 + share / 100 * noise.standard_normal()))
            minute += apart
            changed = story.say(0, minute / 60, value)
            at_us = START_US + round(at(0, minute / 60) * 1e6)
            assert [one.to is To.RAISED for one in changed] == plain.read(at_us, value)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('part = "5 min"', 'part = "30 s"', "key `part`: 1 min or more is allowed"),
        ('before = "30 min"', 'before = "35 min"', "key `before`: 2 to 6 times `part` is allowed"),
        ('before = "30 min"', 'before = "7 min"', "key `before`: 2 to 6 times `part` is allowed"),
        ('"60 W"', '"0 W"', "key `step_to`: `step_from` to 10000 W is allowed, both above 0"),
        ('"300 W"', '"30 W"', "key `step_to`: `step_from` to 10000 W is allowed"),
        ('"300 W"', '"30 A"', "key `step_to`: unit `A` does not fit metric `power.active`"),
        ('"10 %"', '"10.5 %"', "key `variation`: a whole number of per cent, 1 % to 100 %, is allowed"),
        ('"10 %"', '"10 W"', "key `variation`: a whole number of per cent"),
        ('fall = "30 %"', 'fall = "100 %"', "key `fall`: a whole number of per cent, 1 % to 99 %"),
        ('near = "20 %"', 'near = "71 %"', "key `near`: a whole number of per cent, 1 % to 70 %"),
        ('"60 min"', '"600 min"', "key `level_for`: 1 to 100 times `part` is allowed"),
        ('"10 h"', '"1 h"', "key `longest`: `shortest` to `forget_after` is allowed"),
        ('max_gap = "20 min"', 'max_gap = "4 min"', "key `max_gap`: must not be shorter than `part`"),
        ('"power.active"', '"current"', "key `metric`: `current` is no power in watts"),
        ('near = "chosen', 'nearly = "chosen', "key `nearly`: unknown under `source`"),
        ('shortest = "2 h"\n', "", "key `shortest` is missing"),
    ],
)
def test_a_wrong_entry_is_refused(right: str, wrong: str, said: str) -> None:
    text = file_of()
    assert right in text
    with pytest.raises(CatalogueError) as refused:
        parse_catalogue(text.replace(right, wrong, 1), "own.toml")
    assert said in str(refused.value)


def file_of() -> str:
    """The shipped file of current and power, N2 alone."""
    text = SHIPPED.read_text(encoding="utf-8")
    (rule,) = (part for part in text.split("[[rule]]") if 'name = "N2"' in part)
    return f"version = 1\n[[rule]]{rule}"
