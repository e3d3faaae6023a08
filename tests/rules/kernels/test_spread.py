"""T5W and T5: a joint that is warmer than those of other phases under a like load."""

from __future__ import annotations

import math

import numpy as np
import pytest

from devices.model import HARD_QUALITY, Quality, Severity
from rules.catalogue import CatalogueError, parse_catalogue
from rules.transition import To, Transition
from tests.rules.kernels.cabinet import A1, A2, A3, BOX_T, CABINET, CH_T, T1, T2, T3, cabinet, told
from tests.rules.story import Story, us

UNSEEN = [*HARD_QUALITY, Quality.LATE, Quality.RETAINED, Quality.REPLAYED, Quality.BACKFILL]
UNSEEN += [Quality.DUPLICATE, Quality.STALE]
LEAST_A = 12.0
"""0.3 × 40 A."""


def say(
    story: Story, at: float, warmth: tuple[float, ...], load: tuple[float, ...] = (20.0, 20.0, 20.0)
) -> list[Transition]:
    """One message: the currents of as many phases, then their temperatures, `l1` last."""
    for slot, amperes in zip((A1, A2, A3), load, strict=False):
        story.read(slot, at, amperes)
    found: list[Transition] = []
    for slot, degrees in reversed(list(zip((T1, T2, T3), warmth, strict=False))):
        found += story.read(slot, at, degrees)
    return found


def minutes(
    story: Story, start_s: int, end_s: int, warmth: tuple[float, ...], load: tuple[float, ...] = (20.0,) * 3
) -> list[Transition]:
    return [one for at in range(start_s, end_s + 1, 60) for one in say(story, at, warmth, load)]


def test_a_phase_that_is_far_warmer_for_ten_minutes_raises_and_says_the_numbers() -> None:
    story = told("T5")
    assert minutes(story, 0, 540, (58.0, 43.5, 42.0)) == []
    (found,) = say(story, 600, (58.0, 43.5, 42.0))
    assert (found.rule, found.to, found.severity) == ("T5", To.RAISED, Severity.P1)
    assert (found.slot, found.device, found.at_us) == (T1, CABINET, us(600))
    assert found.why.en == (
        "temperature 58.0 °C, another phase with a like load 42.0 °C: 16.0 K above (≥ 15.0 K) for 10 min"
    )
    assert found.why.zh_cn == (
        "温度 58.0 °C，负荷相近的另一相 42.0 °C：高出 16.0 K（≥ 15.0 K），持续 10 分钟"
    )


def test_a_phase_that_is_somewhat_warmer_for_half_an_hour_is_maintenance() -> None:
    story = told("T5W")
    assert minutes(story, 0, 1740, (48.0, 43.5, 43.0)) == []
    (found,) = say(story, 1800, (48.0, 43.5, 43.0))
    assert (found.rule, found.severity, found.slot) == ("T5W", Severity.P3, T1)


@pytest.mark.parametrize(("name", "level"), [("T5W", 4.0), ("T5", 15.0)])
def test_exactly_the_level_raises_and_just_below_does_not(name: str, level: float) -> None:
    assert len(minutes(told(name), 0, 3600, (level, 0.0))) == 1
    assert minutes(told(name), 0, 7200, (float(np.nextafter(level, 0)), 0.0)) == []


@pytest.mark.parametrize(("name", "hold_s", "clear"), [("T5W", 1800, 3.0), ("T5", 600, 12.0)])
def test_it_clears_when_phases_are_level_for_the_clear_hold(name: str, hold_s: int, clear: float) -> None:
    story = told(name)
    assert len(minutes(story, 0, hold_s, (20.0, 0.0))) == 1
    assert minutes(story, 2000, 9200, (clear, 0.0)) == []
    below = float(np.nextafter(clear, 0))
    assert minutes(story, 9260, 9260 + hold_s - 60, (below, 0.0)) == []
    (cleared,) = say(story, 9260 + hold_s, (below, 0.0))
    assert (cleared.rule, cleared.to) == (name, To.CLEARED)
    assert f"(< {why_k(clear)}) for {hold_s // 60} min" in cleared.why.en


def why_k(level: float) -> str:
    return f"{level:.1f} K" if level >= 10 else f"{level:.2f} K"


def test_all_phases_warm_alike_are_none() -> None:
    assert minutes(told("T5W", "T5"), 0, 7200, (68.0, 67.0, 66.0)) == []


@pytest.mark.parametrize(
    ("load", "raises"),
    [
        ((20.0, 16.0), True),  # exactly a fifth of the larger
        ((16.0, 20.0), True),
        ((20.0, 15.99), False),
        ((15.99, 20.0), False),
        ((LEAST_A, LEAST_A), True),
        ((LEAST_A, float(np.nextafter(LEAST_A, 0))), False),
        ((float(np.nextafter(LEAST_A, 0)), LEAST_A), False),
    ],
)
def test_only_like_loads_are_compared(load: tuple[float, float], raises: bool) -> None:
    assert len(minutes(told("T5"), 0, 600, (58.0, 42.0), load)) == raises


def test_the_coolest_counts_only_if_its_load_is_alike() -> None:
    story = told("T5")
    assert minutes(story, 0, 1800, (58.0, 44.0, 30.0), (20.0, 20.0, 10.0)) == []
    assert len(minutes(story, 1860, 2460, (58.0, 44.0, 30.0), (20.0, 20.0, 17.0))) == 1


def test_two_phases_can_be_warm_by_the_third() -> None:
    found = minutes(told("T5"), 0, 600, (58.0, 57.0, 40.0))
    assert sorted(one.slot for one in found) == [T1, T2]


def test_without_a_breaker_nothing_is_known_and_it_can_become_known() -> None:
    story = told("T5", table=cabinet(math.nan))
    assert minutes(story, 0, 1800, (58.0, 42.0)) == []
    story.engine.adopt(cabinet(), np.array([T1], np.int32))
    assert len(minutes(story, 1900, 2500, (58.0, 42.0))) == 1


def test_values_too_old_are_not_compared() -> None:
    story = told("T5")
    say(story, 0, (58.0, 42.0))
    assert len(story.series(T1, 60, 900, 60, 58.0)) == 1
    story = told("T5")
    say(story, 0, (42.0, 42.0))
    assert story.series(T1, 901, 5000, 60, 58.0) == []
    for missing in (A1, A2, T2):  # one of them a while before the others
        story = told("T5")
        say(story, 0, (42.0, 42.0))
        for at in range(600, 1800, 60):
            for slot, value in ((A1, 20.0), (A2, 20.0), (T2, 42.0)):
                if slot != missing:
                    story.read(slot, at, value)
            found = story.read(T1, at, 58.0)
            assert found == []


@pytest.mark.parametrize("missing", [A1, A2, T2])
def test_what_is_not_measured_is_not_compared(missing: int) -> None:
    story = told("T5")
    for at in range(0, 1800, 60):
        for slot, value in ((A1, 20.0), (A2, 20.0), (T2, 42.0)):
            story.read(slot, at, value, Quality.FAULT if slot == missing else Quality(0))
        assert story.read(T1, at, 58.0) == []


@pytest.mark.parametrize("flag", UNSEEN)
def test_readings_that_do_not_count_neither_hold_nor_break_nor_clear(flag: Quality) -> None:
    story = told("T5")
    assert minutes(story, 0, 540, (58.0, 42.0)) == []
    assert story.read(T1, 550, 20.0, flag) + story.read(T1, 551, math.nan) == []
    assert story.read(T1, 900, 58.0, flag) == []
    assert len(say(story, 600, (58.0, 42.0))) == 1


def test_a_queued_reading_starts_the_hold_again() -> None:
    story = told("T5")
    minutes(story, 0, 540, (58.0, 42.0))
    assert story.read(T1, 550, 58.0, Quality.QUEUED) == []
    assert minutes(story, 600, 1140, (58.0, 42.0)) == []
    assert len(say(story, 1200, (58.0, 42.0))) == 1


def test_series_of_no_phase_are_compared_with_none() -> None:
    story = told("T5W", "T5")
    minutes(story, 0, 60, (20.0, 20.0, 20.0))
    assert story.series(BOX_T, 60, 700, 60, 90.0) + story.series(CH_T, 60, 700, 60, 90.0) == []


def test_a_phase_that_comes_later_and_one_that_goes_are_seen() -> None:
    of = cabinet()
    of.device[[T2, A2]] = 0
    story = told("T5", table=of)
    assert minutes(story, 0, 1800, (58.0, 42.0)) == []
    story.engine.adopt(cabinet(), np.array([T2, A2], np.int32))
    assert len(minutes(story, 1860, 2460, (58.0, 42.0))) == 1
    story.engine.adopt(of, np.array([T2, A2], np.int32))
    assert minutes(story, 2520, 7200, (42.0, 42.0)) == []


def test_it_goes_on_after_a_restart_and_a_person_ends_it() -> None:
    story, other = told("T5"), told("T5")
    minutes(story, 0, 540, (58.0, 42.0))
    other.engine.restore(story.engine.snapshot())
    assert len(other.read(T1, 600, 58.0)) == 1
    (cleared,) = other.reset("T5", 660, T1)
    assert cleared.to is To.CLEARED


RULE = """
version = 1
[[rule]]
name = "T5"
kernel = "spread"
metric = "temperature"
severity = "P1"
raise = "15 K"
hold = "10 min"
clear = "12 K"
clear_hold = "10 min"
max_gap = "15 min"
like = "20 %"
least_load = "0.3 I_n"
title = { en = "Loose", zh-CN = "松" }

[rule.source]
raise = "s"
hold = "s"
clear = "s"
clear_hold = "s"
max_gap = "s"
like = "s"
least_load = "s"
"""


@pytest.mark.parametrize("load", ["10 A", "10000 mA", "0.25 I_n", "0.5 I_ref"])
def test_the_least_load_is_a_current_or_relative(load: str) -> None:
    of = cabinet()
    of.reference_a[:] = 20.0
    rules = parse_catalogue(RULE.replace("0.3 I_n", load), "own.toml")
    assert len(minutes(Story(rules, of), 0, 600, (58.0, 42.0), (10.0, 10.0))) == 1
    assert minutes(Story(rules, of), 0, 600, (58.0, 42.0), (9.99, 10.0)) == []


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ('metric = "temperature"', 'metric = "voltage"', "line 6: key `metric`: only `temperature`"),
        ('like = "20 %"', 'like = "0.2"', "line 13: key `like`: `0.2` is not a share"),
        (
            'like = "20 %"',
            'like = "101 %"',
            "key `like`: `101 %` is not a share; '0 %' to '100 %' is allowed",
        ),
        ('least_load = "0.3 I_n"', 'least_load = "3 K"', "line 14: key `least_load`: unit `K` does not fit"),
        ('least_load = "0.3 I_n"', 'least_load = "-1 A"', "key `least_load`: is negative"),
        ('raise = "15 K"', 'raise = "11 K"', "key `raise`: is below `clear`"),
        ('like = "s"\n', "", "nothing said about like"),
        ('like = "20 %"\n', "", "key `like` is missing"),
    ],
)
def test_a_file_that_is_wrong_says_where(was: str, now: str, said: str) -> None:
    with pytest.raises(CatalogueError) as error:
        parse_catalogue(RULE.replace(was, now, 1), "own.toml")
    assert said in str(error.value)
    assert "own.toml, line" in str(error.value)
