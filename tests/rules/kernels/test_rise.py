"""T4W and T4: how much warmer something is than the air around it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from devices.model import HARD_QUALITY, Quality, Severity
from rules.catalogue import CatalogueError, parse_catalogue
from rules.transition import To, Transition
from tests.rules.kernels.cabinet import (
    AIR,
    ALONE_AIR,
    ALONE_T,
    BOX_T,
    CABINET,
    CH_AIR,
    CH_T,
    CHANNEL,
    T1,
    T2,
    cabinet,
    told,
    with_phase,
)
from tests.rules.story import Story, us

UNSEEN = [*HARD_QUALITY, Quality.LATE, Quality.RETAINED, Quality.REPLAYED, Quality.BACKFILL]
UNSEEN += [Quality.DUPLICATE, Quality.STALE]
WARM_FOR_S, HOT_FOR_S = 600, 60


def warm(story: Story, start_s: int, end_s: int, above: float, air: float = 28.0) -> list[Transition]:
    """Every minute the air, then the joint, so much warmer."""
    found: list[Transition] = []
    for at in range(start_s, end_s + 1, 60):
        story.read(AIR, at, air)
        found += story.read(T1, at, air + above)
    return found


def raised(name: str = "T4W", above: float = 24.0, hold_s: int = WARM_FOR_S) -> Story:
    story = told(name)
    assert [one.rule for one in warm(story, 0, hold_s, above)] == [name]
    return story


def test_a_joint_that_is_warm_for_ten_minutes_raises_and_says_the_numbers() -> None:
    story = told("T4W")
    assert warm(story, 0, 540, 24.0) == []
    (told_of,) = warm(story, 600, 600, 24.0)
    assert (told_of.rule, told_of.to, told_of.severity) == ("T4W", To.RAISED, Severity.P2)
    assert (told_of.slot, told_of.device, told_of.at_us) == (T1, CABINET, us(600))
    assert told_of.why.en == "temperature 52.0 °C, ambient 28.0 °C: 24.0 K above (≥ 21.0 K) for 10 min"
    assert told_of.why.zh_cn == "温度 52.0 °C，环境温度 28.0 °C：高出 24.0 K（≥ 21.0 K），持续 10 分钟"


def test_a_joint_that_is_hot_for_a_minute_raises() -> None:
    (told_of,) = warm(told("T4"), 0, HOT_FOR_S, 41.0)
    assert (told_of.rule, told_of.severity) == ("T4", Severity.P1)


@pytest.mark.parametrize(("name", "level"), [("T4W", 21.0), ("T4", 40.0)])
def test_exactly_the_level_raises_and_just_below_does_not(name: str, level: float) -> None:
    assert len(warm(told(name), 0, 1200, level, air=0.0)) == 1
    assert warm(told(name), 0, 7200, float(np.nextafter(level, 0)), air=0.0) == []


@pytest.mark.parametrize(("name", "hold_s", "clear"), [("T4W", 600, 18.0), ("T4", 300, 37.0)])
def test_it_clears_when_it_has_cooled_for_the_clear_hold(name: str, hold_s: int, clear: float) -> None:
    story = raised(name, 45.0, WARM_FOR_S if name == "T4W" else HOT_FOR_S)
    assert warm(story, 700, 700 + 4 * hold_s, clear, air=0.0) == []
    below = float(np.nextafter(clear, 0))
    start = 700 + 4 * hold_s + 60
    assert warm(story, start, start + hold_s - 60, below, air=0.0) == []
    (cleared,) = warm(story, start + hold_s, start + hold_s, below, air=0.0)
    assert (cleared.rule, cleared.to) == (name, To.CLEARED)
    assert f"(< {clear:.1f} K) for {hold_s // 60} min" in cleared.why.en


def test_warm_air_is_no_hot_joint() -> None:
    assert warm(told("T4W", "T4"), 0, 7200, 20.0, air=45.0) == []


def test_without_an_ambient_temperature_nothing_is_known() -> None:
    assert told("T4W", "T4").series(T1, 0, 7200, 60, 90.0) == []


def test_the_air_counts_as_of_each_reading_and_not_what_it_says_later() -> None:
    story = told("T4W")
    story.read(AIR, 0, 28.0)
    for at in range(0, 600, 60):
        story.read(T1, at, 52.0)
        story.read(AIR, at, 28.0)
    story.read(AIR, 599, 40.0)  # from now on 12 K
    assert story.read(T1, 600, 52.0) == []
    assert len(warm(story, 660, 720, 24.0)) == 1  # two of three


def test_air_that_was_measured_too_long_before_or_after_says_nothing() -> None:
    story = told("T4W")
    story.read(AIR, 0, 28.0)
    assert len(story.series(T1, 0, 900, 60, 52.0)) == 1
    story = told("T4W")
    story.read(AIR, 0, 28.0)
    assert story.series(T1, 901, 7200, 60, 52.0) == []
    story = told("T4W")
    story.read(AIR, 2000, 28.0)
    assert story.series(T1, 0, 1099, 60, 52.0) == []
    assert len(story.series(T1, 1100, 1700, 60, 52.0)) == 1


def test_readings_without_known_air_neither_count_nor_break_a_hold() -> None:
    story = told("T4W")
    assert warm(story, 0, 300, 24.0) == []
    assert story.series(T1, 1201, 1201, 60, 52.0) == []  # air of 901 s ago
    story = told("T4W")
    warm(story, 0, 300, 24.0)
    story.read(AIR, 360, 28.0, Quality.SENTINEL)
    assert len(warm(story, 600, 600, 24.0)) == 1


@pytest.mark.parametrize("flag", UNSEEN)
def test_air_that_does_not_count_is_not_taken(flag: Quality) -> None:
    story = told("T4W")
    story.read(AIR, 0, 28.0)
    found = []
    for at in range(0, 660, 60):
        story.read(AIR, at, math.nan if flag in HARD_QUALITY else 50.0, flag)
        found += story.read(T1, at, 52.0)
    assert len(found) == 1


@pytest.mark.parametrize("flag", UNSEEN)
def test_readings_that_do_not_count_neither_hold_nor_break_nor_clear(flag: Quality) -> None:
    story = told("T4W")
    assert warm(story, 0, 300, 24.0) == []
    story.read(AIR, 360, 28.0)
    assert story.read(T1, 360, 30.0, flag) + story.read(T1, 361, math.nan) == []
    assert story.read(T1, 800, 52.0, flag) == []
    assert len(warm(story, 600, 600, 24.0)) == 1


def test_a_queued_reading_starts_the_hold_again() -> None:
    story = told("T4W")
    warm(story, 0, 540, 24.0)
    assert story.read(T1, 560, 52.0, Quality.QUEUED) == []
    assert warm(story, 600, 1140, 24.0) == []
    assert len(warm(story, 1200, 1200, 24.0)) == 1


def test_queued_air_is_taken() -> None:
    story = told("T4W")
    story.read(AIR, 0, 28.0, Quality.QUEUED)
    assert len(story.series(T1, 0, 600, 60, 52.0)) == 1


def test_a_channel_has_air_of_its_own_and_the_device_as_a_whole_goes_before_it() -> None:
    story = told("T4W")
    story.read(CH_AIR, 0, 28.0)
    assert len(story.series(CH_T, 0, 600, 60, 52.0)) == 1
    story = told("T4W", table=with_phase(cabinet(), CH_AIR, 0))
    story.read(CH_AIR, 0, 28.0)
    assert len(story.series(CH_T, 0, 600, 60, 52.0)) == 1
    both = cabinet()
    both.device[AIR], both.device[T2], both.phase[T2] = 2, 2, CHANNEL + 1
    story = told("T4W", table=both)  # the channel's air is 2 K cooler than the device's
    story.read(CH_AIR, 0, 27.0)
    story.read(AIR, 0, 29.0)
    assert story.series(CH_T, 0, 300, 60, 49.0) == []
    assert story.series(T2, 0, 600, 60, 49.0) == []
    story.read(CH_AIR, 905, 27.0)  # the device's is forgotten by now, the channel's is not
    assert len(story.series(CH_T, 905, 1505, 60, 49.0)) == 1
    story.read(CH_AIR, 1600, 27.0)
    assert story.series(T2, 1600, 2400, 60, 90.0) == []


def test_a_channel_without_a_number_has_the_air_of_its_device_and_no_other() -> None:
    story = told("T4W")
    story.read(ALONE_AIR, 0, 28.0)
    assert story.series(ALONE_T, 0, 600, 60, 52.0) == []
    story = told("T4W", table=with_phase(cabinet(), ALONE_AIR, 0))
    story.read(ALONE_AIR, 0, 28.0)
    assert len(story.series(ALONE_T, 0, 600, 60, 52.0)) == 1


def test_the_device_itself_is_compared_with_its_air() -> None:
    story = told("T4W")
    story.read(AIR, 0, 28.0)
    assert len(story.series(BOX_T, 0, 600, 60, 52.0)) == 1


def test_air_of_another_device_says_nothing_and_a_sensor_that_moves_is_found() -> None:
    moved = cabinet()
    moved.device[AIR] = 9
    story = told("T4W", table=moved)
    assert warm(story, 0, 1200, 24.0) == []
    back = cabinet()
    story.engine.adopt(back, np.array([AIR], np.int32))
    assert warm(story, 1300, 1800, 24.0) == []
    assert len(warm(story, 1900, 1960, 24.0)) == 1
    story.engine.adopt(moved, np.array([AIR], np.int32))
    assert warm(story, 2000, 4000, 0.0) == []


def test_a_device_that_nobody_registered_is_compared_with_nothing() -> None:
    nobody = cabinet()
    nobody.device[:] = 0
    assert warm(told("T4W", table=nobody), 0, 1200, 24.0) == []


def test_it_goes_on_after_a_restart_and_a_person_ends_it() -> None:
    story, other = told("T4W"), told("T4W")
    warm(story, 0, 540, 24.0)
    other.engine.restore(story.engine.snapshot())
    (told_of,) = other.read(T1, 600, 52.0)
    assert told_of.to is To.RAISED
    (cleared,) = other.reset("T4W", 660, T1)
    assert cleared.to is To.CLEARED
    assert other.read(T1, 700, 52.0) == []


RULE = """
version = 1
[[rule]]
name = "T4"
kernel = "rise"
metric = "temperature"
severity = "P1"
raise = "40 K"
hold = "60 s"
clear = "37 K"
clear_hold = "5 min"
max_gap = "15 min"
title = { en = "Hot", zh-CN = "热" }
source = { raise = "s", hold = "s", clear = "s", clear_hold = "s", max_gap = "s" }
"""


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ('metric = "temperature"', 'metric = "current"', "line 6: key `metric`: only `temperature`"),
        ('raise = "40 K"', 'raise = "40 degC"', "key `raise`: unit `degC` does not fit"),
        ('raise = "40 K"', 'raise = "36 K"', "key `raise`: is below `clear`"),
        ('hold = "60 s"', 'hold = "-60 s"', "negative"),
        ('max_gap = "15 min"', 'max_gap = "15 min"\nlike = "20 %"', "unknown key `like`"),
    ],
)
def test_a_file_that_is_wrong_says_where(was: str, now: str, said: str) -> None:
    assert len(parse_catalogue(RULE, "own.toml").rule) == 1
    with pytest.raises(CatalogueError) as error:
        parse_catalogue(RULE.replace(was, now, 1), "own.toml")
    assert said in str(error.value)
    assert "own.toml, line" in str(error.value)
