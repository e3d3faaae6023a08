"""T6: a joint that warms more than usual by the same load, day by day."""

from __future__ import annotations

import math
from statistics import median

import numpy as np
import pytest

from devices.model import HARD_QUALITY, Quality, ReadingBatch, Severity
from rules.catalogue import CatalogueError, parse_catalogue
from rules.transition import To, Transition
from tests.rules.kernels.cabinet import (
    A1,
    AIR,
    ALONE_T,
    CABINET,
    CH_A,
    CH_AIR,
    CH_T,
    T1,
    cabinet,
    told,
)
from tests.rules.story import GOOD, START_US, Story

UNSEEN = [*HARD_QUALITY, Quality.LATE, Quality.RETAINED, Quality.REPLAYED, Quality.BACKFILL]
UNSEEN += [Quality.DUPLICATE, Quality.STALE]
DAY_S = 86_400
MIDNIGHT_S = -((START_US // 1_000_000 + 8 * 3600) % DAY_S)
"""Local midnight before the story's start, in story time."""
Message = tuple[int, float, float]
"""Slot, story time, value."""


def readings(
    n: int, warmth: float, load: float = 20.0, start_s: float = 3600, times: int = 20, air: float = 25.0
) -> list[Message]:
    """Day `n`: at so many minutes the air, the load, and the joint that is so much warmer."""
    found: list[Message] = []
    for minute in range(times):
        at = MIDNIGHT_S + n * DAY_S + start_s + 60 * minute
        found += [(AIR, at, air), (A1, at, load), (T1, at, air + warmth)]
    return found


def hear(story: Story, messages: list[Message], quality: Quality = GOOD) -> list[Transition]:
    """All of them as one batch."""
    n = len(messages)
    at = np.array([START_US + round(at * 1e6) for _, at, _ in messages], np.int64)
    batch = ReadingBatch(
        int(at.max(initial=START_US)),
        np.array([slot for slot, *_ in messages], np.int32),
        at,
        np.zeros(n, np.uint16),
        np.array([value for *_, value in messages], np.float64),
        np.full(n, int(quality), np.uint32),
    )
    return story.engine.evaluate(batch, [], batch.received_us)


def days(story: Story, start: int, end: int, warmth: float, load: float = 20.0) -> list[Transition]:
    """From day `start` to before `end`."""
    return [one for n in range(start, end) for one in hear(story, readings(n, warmth, load))]


def t6(known: int = 10, warmth: float = 8.0) -> Story:
    """A joint whose usual is known: 8 K at 20 A, 20 mK/A²."""
    story = told("T6")
    assert days(story, 0, known, warmth) == []
    return story


def test_three_days_of_half_as_much_again_raise_and_say_the_numbers() -> None:
    story = t6()
    assert days(story, 10, 13, 12.4) == []  # the third day is judged when it is over
    (found,) = days(story, 13, 14, 12.4)
    assert (found.rule, found.to, found.severity) == ("T6", To.RAISED, Severity.P2)
    assert (found.slot, found.device) == (T1, CABINET)
    assert found.at_us == START_US + (MIDNIGHT_S + 13 * DAY_S + 3600) * 1_000_000
    assert found.why.en == "joint warms by 31.0 mK/A², 1.55 times its usual 20.0 mK/A² (≥ 1.5), 3 of 3 days"
    assert found.why.zh_cn == (
        "接头单位负荷温升 31.0 mK/A²，为平时 20.0 mK/A² 的 1.55 倍（≥ 1.5），3 天中有 3 天"
    )


def test_exactly_the_level_raises_and_just_below_does_not() -> None:
    assert len(days(t6(), 10, 14, 12.0)) == 1
    assert days(t6(), 10, 20, 11.999) == []


def test_one_day_as_usual_among_three_is_none() -> None:
    story = t6()
    found = days(story, 10, 12, 12.4) + days(story, 12, 13, 8.0) + days(story, 13, 15, 12.4)
    assert found + days(story, 15, 16, 8.0) == []


def test_the_same_quotient_under_another_load_is_as_usual() -> None:
    assert days(t6(), 10, 20, 18.0, load=30.0) == []
    assert len(days(t6(), 10, 14, 18.0 * 1.6, load=30.0)) == 1


def test_three_days_below_the_clear_level_clear() -> None:
    story = t6(20)
    assert len(days(story, 20, 24, 16.0)) == 1
    assert days(story, 24, 30, 9.6) == []  # 1.2 times is not below it
    found = days(story, 30, 34, 9.0)
    assert [(one.rule, one.to) for one in found] == [("T6", To.CLEARED)]
    assert found[0].why.en.endswith("times its usual 20.0 mK/A² (< 1.2), 3 of 3 days")


def test_a_joint_that_no_longer_warms_clears_and_says_so() -> None:
    story = t6(20)
    assert len(days(story, 20, 24, 16.0)) == 1
    (found,) = days(story, 24, 28, -1.0)
    assert found.why.en == "joint warms by 0.00 mK/A², 0.00 times its usual (< 1.2), 3 of 3 days"
    assert found.why.zh_cn == "接头单位负荷温升 0.00 mK/A²，为平时的 0.00 倍（< 1.2），3 天中有 3 天"


def test_before_ten_days_are_known_there_is_no_usual() -> None:
    story = told("T6")
    assert days(story, 0, 9, 8.0) + days(story, 9, 10, 30.0) == []
    assert days(story, 10, 13, 30.0) == []  # judged from day 10 on: its end is seen on day 11
    assert len(days(story, 13, 14, 30.0)) == 1


def test_days_with_fewer_than_twenty_readings_under_load_are_not_known() -> None:
    story = t6()
    for n in range(10, 20):
        assert hear(story, readings(n, 30.0, times=19)) == []
    assert len([one for n in range(20, 24) for one in hear(story, readings(n, 30.0, times=20))]) == 1


def test_readings_below_the_least_load_do_not_count() -> None:
    story = t6()
    assert days(story, 10, 20, 30.0, load=float(np.nextafter(12.0, 0))) == []
    assert len(days(story, 20, 24, 30.0, load=12.0)) == 1


def test_the_usual_is_of_thirty_days_and_older_ones_are_forgotten() -> None:
    story = t6(30, 8.0)
    assert days(story, 40, 41, 30.0) == []  # nine days were skipped: 20 known, days 10 to 29
    assert hear(story, readings(62, 30.0)) == []  # day 40 alone is known of days 32 to 61
    assert days(story, 63, 70, 60.0) == []


def test_days_that_were_skipped_are_not_taken_for_older_ones() -> None:
    story = t6(30, 8.0)
    found = days(story, 45, 49, 12.4)  # of days 15 to 44, 15 are known
    assert len(found) == 1


@pytest.mark.parametrize("skipped", [28, 29, 30, 31, 45])
def test_a_usual_that_is_too_long_ago_is_none(skipped: int) -> None:
    story = t6(12, 8.0)
    start = 12 + skipped
    known = len([day for day in range(12) if start - 30 <= day])
    assert len(days(story, start, start + 1, 30.0) + days(story, start + 1, start + 4, 30.0)) == (known >= 10)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_measured_is_what_a_plain_calculation_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rules = RULE.replace('samples = "3 of 3"\n', "").replace('samples = "s"\n', "")
    story = Story(parse_catalogue(rules.replace('clear = "1.2"', 'clear = "1.5"'), "own.toml"), cabinet())
    kept: dict[int, float] = {}
    day, active, found, expected = 0, False, [], []
    for _ in range(120):
        warmth, load = float(rng.uniform(5, 15)), float(rng.uniform(16, 24))
        found += [one.to for one in hear(story, readings(day, warmth, load))]
        milli_k = 20 * round(((25.0 + warmth) - 25.0) * 1000)
        value = milli_k * 1000 / (20 * round(load * load * 1000))
        window = [kept[one] for one in range(day - 30, day) if one in kept]
        kept[day] = float(np.float16(value))
        day += int(rng.choice([1, 1, 1, 1, 2, 5]))
        if len(window) >= 10 and (value / median(window) >= 1.5) is not active:
            active = not active
            expected.append(To.RAISED if active else To.CLEARED)
    found += [one.to for one in hear(story, readings(day, 8.0))]
    assert found == expected
    assert len(expected) > 10


@pytest.mark.parametrize("flag", UNSEEN)
def test_readings_that_do_not_count_are_in_no_sum(flag: Quality) -> None:
    story = t6()
    for n in range(10, 20):
        assert hear(story, readings(n, 8.0)) == []
        joint = [one for one in readings(n, 90.0, start_s=7200) if one[0] == T1]
        assert hear(story, joint, flag) == []
    assert hear(story, [(T1, MIDNIGHT_S + 20 * DAY_S, math.nan)]) == []
    assert hear(story, [(T1, MIDNIGHT_S + 21 * DAY_S, 90.0)], flag) == []
    assert len(days(story, 20, 24, 12.4)) == 1


def test_queued_readings_count_for_nothing_and_end_no_day() -> None:
    story = t6()
    assert days(story, 10, 13, 12.4) == []
    assert hear(story, readings(13, 90.0, start_s=60), Quality.QUEUED) == []
    (found,) = hear(story, readings(13, 12.4))
    assert "31.0 mK/A²" in found.why.en


def test_readings_without_air_or_load_nearby_do_not_count() -> None:
    story = t6()
    for left_out in (AIR, A1):
        for n in range(10, 14) if left_out == AIR else range(14, 18):
            some = readings(n, 30.0)
            heard = [one for one in some if one[0] != left_out]
            assert hear(story, heard) == []
            at = MIDNIGHT_S + n * DAY_S + 7200
            value = 25.0 if left_out == AIR else 20.0
            hear(story, [(left_out, at, value)])
            late: list[Message] = [(T1, at + 900 + second, 60.0) for second in range(1, 30)]
            assert hear(story, late) == []
    assert days(story, 18, 21, 12.4) == []
    assert len(days(story, 21, 22, 12.4)) == 1


def test_a_channel_has_current_and_air_of_its_own_and_one_without_number_has_none() -> None:
    story = told("T6")
    found = []
    for n in range(14):
        swap = {T1: CH_T, A1: CH_A, AIR: CH_AIR}
        some = [(swap[slot], at, value) for slot, at, value in readings(n, 8.0 if n < 10 else 12.4)]
        found += hear(story, some)
        assert hear(story, [(ALONE_T, some[-1][1], 90.0)]) == []
    assert [one.slot for one in found] == [CH_T]


def test_without_a_breaker_nothing_is_known() -> None:
    story = told("T6", table=cabinet(math.nan))
    assert days(story, 0, 10, 8.0) + days(story, 10, 16, 30.0) == []


def test_values_beyond_all_measure_are_cut() -> None:
    story = told("T6", table=cabinet(0.001))
    assert days(story, 0, 10, 0.1, load=0.1) == []
    assert days(story, 10, 13, 1e300, load=0.1) == []
    (found,) = days(story, 13, 14, 1e300, load=0.1)
    assert "joint warms by 65504 mK/A²" in found.why.en
    assert days(story, 14, 16, 1e300, load=1e200) == []


def test_a_day_is_local_and_one_reading_after_midnight_ends_it() -> None:
    story = t6()
    days(story, 10, 13, 12.4)
    midnight = MIDNIGHT_S + 13 * DAY_S
    assert hear(story, [(T1, midnight - 0.000001, 30.0)]) == []
    assert len(hear(story, [(T1, midnight, 30.0)])) == 1
    assert hear(story, [(T1, midnight + 1, 30.0)]) == []


def test_it_goes_on_after_a_restart_and_a_person_ends_it() -> None:
    story, other = t6(), told("T6")
    assert days(story, 10, 13, 12.4) == []
    other.engine.restore(story.engine.snapshot())
    (found,) = days(other, 13, 14, 12.4)
    assert found.to is To.RAISED
    (cleared,) = other.reset("T6", MIDNIGHT_S + 13 * DAY_S + 8000, T1)
    assert cleared.to is To.CLEARED
    assert days(other, 14, 16, 12.4) == []
    assert len(days(other, 16, 17, 12.4)) == 1


RULE = """
version = 1
[[rule]]
name = "T6"
kernel = "joint"
metric = "temperature"
severity = "P2"
raise = "1.5"
hold = "0 s"
samples = "3 of 3"
clear = "1.2"
clear_hold = "0 s"
max_gap = "8 d"
least_load = "0.3 I_n"
fresh = "15 min"
least = 10
title = { en = "Joint", zh-CN = "接头" }

[rule.source]
raise = "s"
hold = "s"
samples = "s"
clear = "s"
clear_hold = "s"
max_gap = "s"
least_load = "s"
fresh = "s"
least = "s"
"""


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ('metric = "temperature"', 'metric = "current"', "line 6: key `metric`: only `temperature`"),
        ('raise = "1.5"', 'raise = "1.5 K"', "line 8: key `raise`: unit `K` does not fit"),
        ('raise = "1.5"', 'raise = "1.1"', "key `raise`: is below `clear`"),
        ('least_load = "0.3 I_n"', 'least_load = "-0.3 I_n"', "line 14: key `least_load`: is negative"),
        ("least = 10", "least = 31", "key `least`"),
        ("least = 10", "least = 0", "key `least`"),
        ('fresh = "15 min"', 'fresh = "15"', "is not a time"),
        ('fresh = "s"\n', "", "nothing said about fresh"),
    ],
)
def test_a_file_that_is_wrong_says_where(was: str, now: str, said: str) -> None:
    assert len(parse_catalogue(RULE, "own.toml").rule) == 1
    with pytest.raises(CatalogueError) as error:
        parse_catalogue(RULE.replace(was, now, 1), "own.toml")
    assert said in str(error.value)
    assert "own.toml, line" in str(error.value)
