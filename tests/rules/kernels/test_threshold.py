"""O3: when an overload is held long enough to raise, and low enough long enough to clear."""

from __future__ import annotations

import dataclasses
import math

import msgspec
import numpy as np
import pytest

from alerts.inbox import TransitionRow
from devices.model import HARD_QUALITY, DeviceKind, Metric, Quality, Severity
from rules import why
from rules.catalogue import Catalogue, parse_catalogue
from rules.kinds import Rule
from rules.quantity import Level
from rules.transition import To
from tests.rules.homes import Facts, table_of
from tests.rules.kernels.one_series import alone, every, series, told
from tests.rules.story import CURRENT, HOME, REFERENCE_A, SMOKE, UNRATED, WARMTH, Story, shipped, us

RAISE_A, CLEAR_A = 1.45 * REFERENCE_A, 1.13 * REFERENCE_A
UNSEEN = [*HARD_QUALITY, Quality.LATE, Quality.RETAINED, Quality.REPLAYED, Quality.BACKFILL]
UNSEEN += [Quality.DUPLICATE, Quality.STALE]


def steady() -> Story:
    """Of devices that must be heard every ten minutes."""
    return Story(table=dataclasses.replace(Story().table, silence_s=np.full(9, 600.0, np.float32)))


def overloaded(story: Story | None = None) -> Story:
    story = story or Story()
    assert len(story.series(CURRENT, 0, 60, 10, 40)) == 1
    return story


def test_an_overload_held_for_a_minute_raises_and_says_the_numbers() -> None:
    story = Story()
    assert story.series(CURRENT, 0, 56, 8, 38.4) == []
    (raised,) = story.read(CURRENT, 64, 38.4)
    assert (raised.rule, raised.to, raised.severity) == ("O3", To.RAISED, Severity.P1)
    assert (raised.slot, raised.dwelling, raised.place, raised.at_us) == (CURRENT, HOME, 0, us(64))
    assert raised.why.en == "current 38.4 A ≥ 36.2 A (1.45 × 25 A) for 64 s"


def test_exactly_the_level_for_exactly_the_hold_raises() -> None:
    assert len(Story().series(CURRENT, 0, 60, 60, RAISE_A)) == 1


def test_just_below_the_level_never_raises() -> None:
    assert Story().series(CURRENT, 0, 7200, 60, np.nextafter(RAISE_A, 0)) == []


def test_a_second_short_of_the_hold_does_not_raise() -> None:
    story = Story()
    assert story.read(CURRENT, 0, 40) + story.read(CURRENT, 59.999999, 40) == []


def test_one_reading_below_the_level_starts_the_hold_again() -> None:
    story = Story()
    story.series(CURRENT, 0, 50, 10, 40)
    story.read(CURRENT, 55, RAISE_A - 0.1)
    assert story.series(CURRENT, 60, 119, 10, 40) == []
    assert len(story.read(CURRENT, 120, 40)) == 1


def test_time_alone_raises_nothing() -> None:
    story = Story()
    story.read(CURRENT, 0, 40)
    assert story.read(WARMTH, 100, 20) == []


def test_an_overload_that_lasts_raises_once() -> None:
    assert overloaded().series(CURRENT, 70, 7200, 10, 40) == []


def test_a_gap_longer_than_the_longest_allowed_starts_the_hold_again() -> None:
    story = steady()
    story.read(CURRENT, 0, 40)
    assert story.read(CURRENT, 901, 40) == []
    assert len(story.read(CURRENT, 961, 40)) == 1


def test_a_gap_as_long_as_allowed_does_not() -> None:
    story = steady()
    story.read(CURRENT, 0, 40)
    assert len(story.read(CURRENT, 900, 40)) == 1


def test_five_minutes_below_the_clear_level_clear_and_say_the_numbers() -> None:
    story = overloaded()
    assert story.series(CURRENT, 70, 360, 10, 20) == []
    (cleared,) = story.read(CURRENT, 370, 20)
    assert (cleared.rule, cleared.to, cleared.severity) == ("O3", To.CLEARED, Severity.P1)
    assert cleared.why.en == "current 20.0 A < 28.2 A (1.13 × 25 A) for 5 min"


def test_exactly_the_clear_level_does_not_clear() -> None:
    assert overloaded().series(CURRENT, 70, 3600, 60, CLEAR_A) == []


def test_one_reading_at_the_clear_level_starts_the_clear_hold_again() -> None:
    story = overloaded()
    story.series(CURRENT, 70, 360, 10, 20)
    story.read(CURRENT, 365, CLEAR_A)
    assert story.series(CURRENT, 370, 660, 10, 20) == []
    assert len(story.read(CURRENT, 670, 20)) == 1


def test_a_gap_starts_the_clear_hold_again() -> None:
    story = overloaded(steady())
    story.read(CURRENT, 70, 20)
    assert story.read(CURRENT, 980, 20) == []


def test_after_clearing_it_can_raise_again() -> None:
    story = overloaded()
    story.series(CURRENT, 70, 370, 10, 20)
    assert len(story.series(CURRENT, 380, 440, 10, 40)) == 1


@pytest.mark.parametrize("flag", UNSEEN)
def test_readings_that_do_not_count_neither_hold_nor_break_nor_clear(flag: Quality) -> None:
    story = Story()
    assert story.series(CURRENT, 0, 30, 10, 40) == []
    assert story.read(CURRENT, 40, 0, flag) == []
    assert story.read(CURRENT, 1e6, 40, flag) == []
    assert len(story.read(CURRENT, 60, 40)) == 1
    story.read(CURRENT, 70, 20)
    assert story.read(CURRENT, 370, 20, flag) == []
    assert len(story.read(CURRENT, 371, 20)) == 1


def test_nan_neither_raises_nor_breaks_a_hold() -> None:
    story = Story()
    story.read(CURRENT, 0, 40)
    assert story.read(CURRENT, 30, math.nan) == []
    assert len(story.read(CURRENT, 60, 40)) == 1


def test_a_queued_reading_starts_the_hold_again_with_the_next_live_one() -> None:
    story = Story()
    story.read(CURRENT, 0, 40)
    assert story.read(CURRENT, 60, 40, Quality.QUEUED) == []
    assert story.read(CURRENT, 70, 40) + story.read(CURRENT, 129, 40) == []
    assert len(story.read(CURRENT, 130, 40)) == 1


def test_an_unknown_rating_turns_the_rule_off() -> None:
    assert Story().series(UNRATED, 0, 7200, 60, 400) == []


def test_a_rating_that_becomes_known_turns_it_on() -> None:
    story = Story()
    reference = story.table.reference_a.copy()
    reference[UNRATED] = 10
    story.engine.adopt(dataclasses.replace(story.table, generation=2, reference_a=reference))
    assert len(story.series(UNRATED, 0, 60, 10, 15)) == 1


def test_a_metric_without_a_rule_is_nothing() -> None:
    assert Story().series(WARMTH, 0, 3600, 60, 400) == []


@pytest.mark.parametrize("act", ["reset", "close"])
def test_a_person_clears_it_at_once_and_an_overload_that_lasts_comes_back(act: str) -> None:
    story = overloaded()
    acts = {"reset": story.reset, "close": story.close}
    (cleared,) = acts[act]("O3", 65, CURRENT)
    assert cleared.to is To.CLEARED
    assert acts[act]("O3", 66, CURRENT) == []
    assert story.series(CURRENT, 70, 120, 10, 40) == []
    assert len(story.read(CURRENT, 130, 40)) == 1


def test_a_level_in_the_metrics_own_unit_needs_no_rating() -> None:
    text = """
        version = 1
        [[rule]]
        name = "T1"
        kernel = "threshold"
        metric = "temperature"
        severity = "P2"
        raise = "60 degC"
        hold = "5 min"
        clear = "55 degC"
        clear_hold = "0 s"
        max_gap = "15 min"
        title = { en = "Cable warm", zh-CN = "电缆温度高" }
        source = { raise = "s", hold = "s", clear = "s", clear_hold = "s", max_gap = "s" }
    """
    story = Story(parse_catalogue(text, "t1.toml"))
    (raised,) = story.series(WARMTH, 0, 300, 60, 64)
    assert raised.why.en == "temperature 64.0 °C ≥ 60.0 °C for 5 min"
    assert len(story.read(WARMTH, 310, 54)) == 1


def test_a_meter_that_may_be_silent_for_two_hours_holds_by_its_hourly_readings() -> None:
    slow = dataclasses.replace(Story().table, silence_s=np.full(9, 7200.0, np.float32))
    story, usual = Story(table=slow), steady()
    assert story.read(CURRENT, 0, 40) == [] == usual.read(CURRENT, 0, 40)
    assert [one.to for one in story.read(CURRENT, 3600, 40)] == [To.RAISED]
    assert usual.read(CURRENT, 3600, 40) == []
    assert Story(table=slow).series(CURRENT, 0, 20_000, 7201, 40) == []


def test_a_meter_of_which_nobody_says_how_often_it_reports_holds_by_the_half_hour() -> None:
    """Most profiles cannot know how a meter was set; one that never alarmed would look like a quiet one."""
    story, seldom = Story(), Story()
    assert story.read(CURRENT, 0, 40) == [] == seldom.read(CURRENT, 0, 40)
    assert [one.to for one in story.read(CURRENT, 2700, 40)] == [To.RAISED]
    assert seldom.read(CURRENT, 2701, 40) == []


def may_be_silent(hours: float) -> Story:
    silence_s = np.full(9, hours * 3600, np.float32)
    return Story(table=dataclasses.replace(Story().table, silence_s=silence_s))


@pytest.mark.parametrize("apart_s", [2701, 3600, 12 * 3600, 24 * 3600])
@pytest.mark.parametrize("hours", [25, math.nan])
def test_two_reports_far_apart_are_no_hold_but_three_in_a_row_are_and_say_so(
    hours: float, apart_s: int
) -> None:
    story = may_be_silent(hours)
    assert story.read(CURRENT, 0, 40) == []
    assert story.read(CURRENT, apart_s, 40) == []
    (raised,) = story.read(CURRENT, 2 * apart_s, 40)
    apart = why.duration(apart_s * 1_000_000)
    assert raised.why.en == f"current 40.0 A ≥ 36.2 A (1.45 × 25 A) for 60 s, by reports {apart} apart"
    assert raised.why.zh_cn.endswith(f"持续 60 秒，依据相隔 {why.duration_zh(apart_s * 1_000_000)}的上报")
    assert story.read(CURRENT, 3 * apart_s, 20) == [] == story.read(CURRENT, 4 * apart_s, 20)
    (cleared,) = story.read(CURRENT, 5 * apart_s, 20)
    assert cleared.to is To.CLEARED
    assert cleared.why.en.endswith(f"for 5 min, by reports {apart} apart")


def test_one_report_below_the_level_between_two_above_it_starts_the_count_again() -> None:
    story = may_be_silent(25)
    twice_a_day = [40, 20, 40, 40, 20, 40, 40]
    assert [
        one for n, value in enumerate(twice_a_day) for one in story.read(CURRENT, n * 43_200, value)
    ] == []


@pytest.mark.parametrize("apart_s", [2701, 12 * 3600, 24 * 3600])
def test_two_reports_above_with_a_normal_one_between_are_no_hold_where_two_of_three_are_asked_for(
    apart_s: int,
) -> None:
    def hot(*values: float) -> list[str]:
        table = dataclasses.replace(Story().table, silence_s=np.full(9, 25 * 3600, np.float32))
        kind = np.full(9, DeviceKind.ELECTRICAL, np.uint8)
        story = Story(Catalogue(1, tuple(_only("T2"))), dataclasses.replace(table, kind=kind))
        return [one.rule for n, value in enumerate(values) for one in story.read(WARMTH, n * apart_s, value)]

    assert hot(75, 21, 75) == hot(75, 21, 75, 21, 75, 21, 75) == []
    assert hot(75, 21, 75, 75) == []
    assert hot(75, 75, 75) == hot(75, 21, 75, 75, 75) == ["T2"]


def test_a_longer_gap_than_the_device_may_be_silent_for_starts_it_again() -> None:
    assert may_be_silent(25).series(CURRENT, 0, 900_000, 25 * 3600 + 1, 40) == []
    assert Story().series(CURRENT, 0, 900_000, 25 * 3600 + 1, 40) == []
    assert may_be_silent(3).series(CURRENT, 0, 900_000, 3 * 3600 + 1, 40) == []


def test_a_clock_that_jumps_by_an_hour_between_two_reports_makes_no_hold() -> None:
    for story in (may_be_silent(25), Story()):
        assert story.series(CURRENT, 0, 20, 10, 40) == []
        assert story.read(CURRENT, 3630, 40) == []
        assert story.read(CURRENT, 3640, 20) == []


def test_when_our_clock_was_put_back_a_hold_begins_anew_and_is_not_waited_for() -> None:
    story, ahead = Story(), 8 * 3600
    assert story.read(CURRENT, ahead, 40) == []
    assert story.read(CURRENT, 0, 40) == []
    assert [one.to for one in story.read(CURRENT, 60, 40)] == [To.RAISED]


@pytest.mark.parametrize(
    ("rule", "metric"),
    [("S6", Metric.DEVICE_TAMPER), ("S7", Metric.SMOKE_MUTED), ("F1", Metric.DEVICE_FAULT)],
)
def test_a_flag_that_comes_and_goes_each_second_is_one_alarm(rule: str, metric: Metric) -> None:
    kept = [one for one in shipped().rule if one.name == rule]
    story = Story(Catalogue(version=1, rule=tuple(kept)), table_of([Facts(metric, 1)]))
    found = [one.to for at in range(300) for one in story.read(1, at, 1 - at % 2)]
    assert found == [To.RAISED]
    assert [one.to for at in range(300, 601) for one in story.read(1, at, 0)] == [To.CLEARED]


def test_alarms_of_one_channel_by_two_metrics_are_told_apart() -> None:
    density = """
[[rule]]
name = "K1"
kernel = "threshold"
metric = ["smoke.density_pct", "smoke.density_ppm"]
severity = "P2"
raise = "5 %"
hold = "0 s"
clear = "5 %"
clear_hold = "0 s"
max_gap = "15 min"
title = { en = "Own rule", zh-CN = "自定规则" }
source = { raise = "a", hold = "a", clear = "a", clear_hold = "a", max_gap = "a" }
"""
    text = "version = 1" + density.replace("smoke.density_ppm", "humidity")
    table = dataclasses.replace(Story().table)
    table.metric[[SMOKE, WARMTH]] = Metric.SMOKE_DENSITY_PCT, Metric.HUMIDITY
    story = Story(parse_catalogue(text, "k1.toml"), table)
    [one], [other] = story.read(SMOKE, 0, 9), story.read(WARMTH, 0, 9)
    assert (one.metric, other.metric) == ("smoke.density_pct", "humidity")
    [ended] = story.reset("K1", 1, SMOKE)
    assert ended.metric == one.metric
    subjects = [TransitionRow(each, "own:d", "").subject for each in (one, other, ended)]
    assert subjects == ["own:d//smoke.density_pct", "own:d//humidity", "own:d//smoke.density_pct"]


def test_a_rule_that_raises_below_its_level_stands_beside_one_that_raises_above() -> None:
    (over,) = alone("O3").rule
    low = msgspec.structs.replace(
        over, name="LOW", below=True, raise_at=Level(-8, "A"), clear_below=Level(-6, "A"), insulation={}
    )
    story = Story(Catalogue(version=1, rule=(over, low)), series(Metric.CURRENT, 25.0))
    found = told(story, every(0, 90, 30, -8.0) + every(120, 600, 30, -5.9) + every(630, 720, 30, 40.0))
    assert [(one.rule, one.to) for one in found] == [
        ("LOW", To.RAISED),
        ("LOW", To.CLEARED),
        ("O3", To.RAISED),
    ]


def test_one_hot_reading_wakes_all_rules_of_its_series_and_no_other() -> None:
    story = Story(alone("O3"), series(Metric.CURRENT, 25.0, number=3))
    kernel = story.engine._parts.judged["threshold"]
    assert kernel.pairs.of_slot["lowest"].tolist() == [np.inf, *[RAISE_A] * 3]
    story.read(2, 0, 40)
    assert kernel.pairs.of_slot["lowest"].tolist() == [np.inf, RAISE_A, -np.inf, RAISE_A]
    story.read(2, 10, 20)
    assert kernel.pairs.of_slot["lowest"].tolist() == [np.inf, *[RAISE_A] * 3]


def _only(name: str) -> list[Rule]:
    return [rule for rule in shipped().rule if rule.name == name]
