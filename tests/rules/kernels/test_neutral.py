"""V1: the supply has lost its neutral, one phase far too high and another far too low."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest

from devices.model import HARD_QUALITY, Quality, ReadingBatch, Severity
from rules.catalogue import CatalogueError, parse_catalogue
from rules.transition import Mark, To, Transition
from tests.rules.kernels.cabinet import BOX_V, CABINET, V1, V2, V3, cabinet, only, told, with_phase
from tests.rules.kernels.one_series import assert_cutting_does_not_matter
from tests.rules.story import Story, us

UNSEEN = [*HARD_QUALITY, Quality.LATE, Quality.RETAINED, Quality.REPLAYED, Quality.BACKFILL]
UNSEEN += [Quality.DUPLICATE, Quality.STALE]
TORN, SOUND = (259.0, 181.0, 220.0), (222.0, 221.0, 220.0)


def v1() -> Story:
    return told("V1")


def say(story: Story, at: float, volts: tuple[float, ...]) -> list[Transition]:
    """One message: the voltages of `l1` and so on; NaN is left out."""
    found: list[Transition] = []
    for slot, value in zip((V1, V2, V3), volts, strict=False):
        if not math.isnan(value):
            found += story.read(slot, at, value)
    return found


def lost() -> Story:
    story = v1()
    say(story, 0, TORN)
    assert [one.slot for one in say(story, 2, TORN) + say(story, 4, TORN)] == [V1]
    return story


def test_a_phase_above_and_another_below_for_two_seconds_raise_and_say_the_numbers() -> None:
    story = v1()
    assert say(story, 0, TORN) + say(story, 1.999999, TORN) == []
    (found,) = say(story, 5, TORN)
    assert (found.rule, found.to, found.severity, found.marks) == (
        "V1", To.RAISED, Severity.P1, (Mark.ISOLATE,),
    )  # fmt: skip
    assert (found.slot, found.device, found.at_us) == (V1, CABINET, us(5))
    assert found.why.en == (
        "voltages l1 259 V, l2 181 V, l3 220 V: one above 253 V, another below 187 V for 5 s"
    )
    assert found.why.zh_cn == "电压 l1 259 V, l2 181 V, l3 220 V：一相高于 253 V，另一相低于 187 V，持续 5 秒"


def test_the_moment_at_which_both_are_known_is_the_first_that_counts() -> None:
    story = v1()
    story.read(V1, 0, 259.0)
    assert story.read(V2, 0, 181.0) == []
    assert story.read(V1, 1.999999, 259.0) == []
    assert [one.at_us for one in say(story, 2, (259.0, 181.0))] == [us(2)]


def test_it_is_one_alarm_of_the_device_whichever_phase_tells_it() -> None:
    story = v1()
    say(story, 0, (220.0, 259.0, 181.0))
    assert [one.slot for one in say(story, 5, (220.0, 259.0, 181.0))] == [V1]
    assert story.reset("V1", 6, V2) == []
    assert [one.slot for one in story.reset("V1", 6, V1)] == [V1]


def test_a_first_phase_that_says_nothing_hides_nothing() -> None:
    story = v1()
    story.read(V2, 0, 259.0)
    story.read(V3, 0, 181.0)
    assert story.read(V1, 1, math.nan) + story.read(V1, 1, math.nan, Quality.FAULT) == []
    assert story.read(V2, 2, 259.0) == [], "the third phase has said nothing new"
    (found,) = story.read(V3, 2, 181.0)
    assert (found.slot, found.why.en.startswith("voltages l2 259 V, l3 181 V: ")) == (V1, True)
    story.read(V2, 1000, 220.0)
    story.read(V3, 1000, 220.0)
    assert [(one.slot, one.to) for one in story.read(V3, 1060, 220.0)] == [(V1, To.CLEARED)]


def test_without_a_first_phase_it_stands_on_the_second() -> None:
    story = told("V1", table=with_phase(cabinet(), V1, 0))
    say(story, 0, (220.0, 259.0, 181.0))
    assert [one.slot for one in say(story, 2, (220.0, 259.0, 181.0))] == [V2]


def test_how_a_message_is_cut_into_batches_changes_nothing() -> None:
    volts = [(slot, at, value) for at in (0, 1, 2, 3) for slot, value in zip((V1, V2, V3), TORN, strict=True)]
    volts += [(slot, 5 + n, 220.0) for n in range(70) for slot in (V3, V2, V2, V1)]
    for seed in range(5):
        found = assert_cutting_does_not_matter(only("V1"), cabinet(), volts, seed)
        assert [(one.slot, one.to) for one in found] == [(V1, To.RAISED), (V1, To.CLEARED)]


@pytest.mark.parametrize(
    "volts", [(253.0, 186.0, 220.0), (254.0, 187.0, 220.0), (259.0, 250.0, 220.0), (150.0, 150.0, 220.0)]
)
def test_just_below_either_level_is_none(volts: tuple[float, ...]) -> None:
    assert [one for at in range(0, 600, 10) for one in say(v1(), at, volts)] == []
    story = v1()
    assert [one for at in range(0, 600, 10) for one in say(story, at, volts)] == []


def test_just_beyond_both_levels_raises() -> None:
    story = v1()
    volts = (float(np.nextafter(253, 300)), float(np.nextafter(187, 0)))
    say(story, 0, volts)
    assert len(say(story, 10, volts) + say(story, 20, volts)) == 1


def test_two_phases_are_enough_and_one_is_not() -> None:
    story = v1()
    say(story, 0, (259.0, math.nan, 181.0))
    assert len(say(story, 5, (259.0, math.nan, 181.0)) + say(story, 10, (259.0, math.nan, 181.0))) == 1
    story = v1()
    for at in range(0, 100, 10):
        assert say(story, at, (259.0,)) == []


@pytest.mark.parametrize("volts", [(235.0, 200.0, 220.0), (220.0, 220.0, math.nan)])
def test_a_minute_of_normal_voltages_clears_and_says_the_numbers(volts: tuple[float, ...]) -> None:
    story = lost()
    after = [one for at in range(950 + 60, 1130, 60) for one in say(story, at, volts)]
    assert {one.to for one in after} == {To.CLEARED}
    assert {one.rule for one in after} == {"V1"}
    assert f"voltages l1 {volts[0]:.0f} V, l2 {volts[1]:.0f} V" in after[-1].why.en
    assert after[-1].why.en.endswith(": all from 200 V to 235 V for 60 s")
    assert after[-1].why.zh_cn.endswith("：均在 200 V 至 235 V 之间，持续 60 秒")


@pytest.mark.parametrize("volts", [(235.1, 220.0, 220.0), (220.0, 199.9, 220.0), (259.0, 220.0, 220.0)])
def test_voltages_that_are_neither_torn_nor_normal_do_not_clear(volts: tuple[float, ...]) -> None:
    story = lost()
    assert [one for at in range(10, 3600, 10) for one in say(story, at, volts)] == []


def test_a_moment_that_is_not_normal_starts_the_clear_hold_again() -> None:
    story = lost()
    for at in range(10, 65, 5):
        say(story, at, SOUND)
    say(story, 65, (236.0, 221.0, 220.0))
    assert [one for at in range(70, 125, 5) for one in say(story, at, SOUND)] == []
    assert len(say(story, 135, SOUND)) == 1


def test_voltages_that_were_not_observed_within_a_minute_are_not_compared() -> None:
    story = v1()
    story.read(V2, 0, 181.0)
    assert story.read(V1, 60, 259.0) == []
    assert len(story.read(V2, 62, 181.0)) == 1
    story = v1()
    story.read(V2, 0, 181.0)
    assert story.read(V1, 61, 259.0) + story.read(V1, 62, 259.0) + story.read(V2, 63, 181.0) == []


def test_a_short_rise_and_a_dip_a_quarter_of_an_hour_later_are_no_lost_neutral() -> None:
    story = v1()
    say(story, 0, (254.0, 230.0, 230.0))
    assert story.read(V2, 840, 186.0) + story.read(V2, 843, 186.0) == []


@pytest.mark.parametrize(("volts", "raised"), [(49.9, 0), (50.0, 1)])
def test_a_phase_that_is_not_connected_does_not_count(volts: float, raised: int) -> None:
    story = v1()
    found = [one for at in range(0, 600, 10) for one in say(story, at, (253.5, 0.0, volts))]
    assert len(found) == raised


def test_a_phase_that_is_not_connected_is_not_told_and_hides_nothing() -> None:
    story = v1()
    say(story, 0, (259.0, 181.0, 0.0))
    (found,) = say(story, 5, (259.0, 181.0, 0.0))
    assert found.why.en.startswith("voltages l1 259 V, l2 181 V: ")
    say(story, 10, (220.0, 221.0, 0.0))
    cleared = say(story, 70, (220.0, 221.0, 0.0)) + say(story, 80, (220.0, 221.0, 0.0))
    assert [one.to for one in cleared] == [To.CLEARED]


@pytest.mark.parametrize(
    ("volts", "en"),
    [
        ((30.0, 351.0, 340.0), "l1 30.0 V, l2 351 V, l3 340 V: one above 253 V, another below 187 V"),
        ((0.0, 381.0, 381.0), "l1 0.00 V, l2 381 V, l3 381 V: one above 253 V, another below 187 V"),
        ((0.0, 264.1, math.nan), "l1 0.00 V, l2 264 V: one above 253 V, another below 187 V"),
        ((math.nan, 300.0, 310.0), "l2 300 V, l3 310 V: two above 264 V"),
        ((270.0, 270.0, 190.0), "l1 270 V, l2 270 V, l3 190 V: two above 264 V"),
    ],
)
def test_a_phase_far_too_high_shows_that_the_one_without_a_voltage_is_pulled_down(
    volts: tuple[float, ...], en: str
) -> None:
    story = v1()
    say(story, 0, volts)
    (found,) = say(story, 5, volts)
    assert found.why.en == f"voltages {en} for 5 s"
    assert found.why.zh_cn.endswith("，持续 5 秒")


def test_two_far_too_high_are_said_in_chinese_as_well() -> None:
    story = v1()
    say(story, 0, (math.nan, 300.0, 310.0))
    (found,) = say(story, 5, (math.nan, 300.0, 310.0))
    assert found.why.zh_cn == "电压 l2 300 V, l3 310 V：两相高于 264 V，持续 5 秒"


@pytest.mark.parametrize(
    "volts",
    [
        (0.0, 230.0, 231.0),  # a dead phase
        (0.0, 252.0, 264.0),  # a dead phase of a supply that is high
        (30.0, 264.0, 264.0),
        (math.nan, 264.0, 264.0),
        (265.0, 264.0, 200.0),
        (270.0, 271.0, 269.0),  # the whole supply is too high: a lost neutral cannot raise all three
        (270.0, 271.0, 253.5),
        (300.0, math.nan, math.nan),  # one alone says nothing of a neutral
        (0.0, 0.0, 220.0),
    ],
)
def test_a_dead_phase_and_a_supply_that_is_high_are_no_lost_neutral(volts: tuple[float, ...]) -> None:
    story = v1()
    assert [one for at in range(0, 600, 10) for one in say(story, at, volts)] == []


def test_what_a_shift_raised_stays_while_the_power_is_off_and_clears_when_it_is_back() -> None:
    story, shifted = v1(), (30.0, 351.0, 340.0)
    say(story, 0, shifted)
    assert [one.to for one in say(story, 5, shifted)] == [To.RAISED]
    assert [one for at in range(10, 600, 10) for one in say(story, at, (0.0, 0.0, 0.0))] == []
    cleared = [one.to for at in range(600, 700, 10) for one in say(story, at, SOUND)]
    assert cleared == [To.CLEARED]


def test_an_alarm_stays_where_it_was_raised_when_a_first_phase_comes_and_clears_by_its_numbers() -> None:
    story = told("V1", table=with_phase(cabinet(), V1, 0))
    say(story, 0, (math.nan, 259.0, 181.0))
    assert [one.slot for one in say(story, 2, (math.nan, 259.0, 181.0))] == [V2]
    story.engine.adopt(cabinet(), np.array([V1], np.int32))
    assert say(story, 10, SOUND) == []
    assert [(one.slot, one.to) for one in say(story, 71, SOUND)] == [(V2, To.CLEARED)]
    say(story, 80, TORN)
    assert [(one.slot, one.to) for one in say(story, 85, TORN)] == [(V1, To.RAISED)], (
        "the next is the first's"
    )


def test_a_person_ends_what_stood_elsewhere_and_the_next_stands_on_the_first_phase() -> None:
    story = told("V1", table=with_phase(cabinet(), V1, 0))
    say(story, 0, (math.nan, 259.0, 181.0))
    say(story, 2, (math.nan, 259.0, 181.0))
    story.engine.adopt(cabinet())
    assert story.reset("V1", 6, V1) == []
    assert [one.slot for one in story.reset("V1", 6, V2)] == [V2]
    say(story, 10, TORN)
    assert [one.slot for one in say(story, 15, TORN)] == [V1]


def earlier(*slots: int) -> Story:
    """As an earlier release left it: alarms are active on phases that are not the first."""
    story = v1()
    state = story.engine.snapshot()
    state["neutral.status"][np.isin(state["neutral.slot"], slots)] = 1
    story.engine.restore(state)
    return story


def test_alarms_of_a_snapshot_that_stand_on_other_phases_clear_one_after_another() -> None:
    story = earlier(V2, V3)
    found = [(at, one.slot, one.to) for at in range(0, 301, 10) for one in say(story, at, SOUND)]
    assert [(slot, to) for _, slot, to in found] == [(V2, To.CLEARED), (V3, To.CLEARED)]
    assert list(story.engine.standing()) == []


def test_what_moves_with_a_clearing_does_not_depend_on_how_a_message_is_cut() -> None:
    said = [
        (slot, at, volts) for at in range(0, 70, 7) for slot, volts in zip((V1, V2, V3), SOUND, strict=True)
    ]
    said += [
        (slot, 70 + at, volts) for at in range(5) for slot, volts in zip((V1, V2, V3), TORN, strict=True)
    ]
    state = earlier(V2).engine.snapshot()
    whole, single = v1().engine, v1().engine
    whole.restore(state)
    single.restore(state)
    slots, times, values = (np.array(one) for one in zip(*said, strict=True))
    batch = ReadingBatch(
        us(100), slots.astype(np.int32), times * 1_000_000 + us(0), np.zeros(len(said), np.uint16),
        values.astype(np.float64), np.zeros(len(said), np.uint32),
    )  # fmt: skip
    at_once = [(one.slot, one.to, one.at_us) for one in whole.evaluate(batch, [], us(100))]
    one_by_one = [
        (found.slot, found.to, found.at_us)
        for n in range(len(batch))
        for found in single.evaluate(one_of(batch, n), [], us(100))
    ]
    assert [(slot, to) for slot, to, _ in at_once] == [(V2, To.CLEARED), (V1, To.RAISED)]
    assert at_once == one_by_one


def one_of(batch: ReadingBatch, n: int) -> ReadingBatch:
    """Its n-th reading alone."""
    here = slice(n, n + 1)
    return ReadingBatch(
        batch.received_us, batch.slot[here], batch.observed_us[here], batch.nudge_ns[here],
        batch.value[here], batch.quality[here],
    )  # fmt: skip


@pytest.mark.parametrize("flag", UNSEEN)
def test_readings_that_do_not_count_are_none(flag: Quality) -> None:
    story = v1()
    say(story, 0, TORN)
    assert story.read(V2, 1, 220.0, flag) + story.read(V2, 1.5, math.nan) == []
    assert story.read(V2, 500, 181.0, flag) == []
    assert [one.slot for one in say(story, 3, TORN)] == [V1]
    story = v1()
    for at in range(0, 100, 10):
        assert story.read(V1, at, 259.0, flag) + story.read(V2, at, 181.0, flag) == []


def test_a_queued_reading_starts_the_hold_again() -> None:
    story = v1()
    say(story, 0, TORN)
    assert story.read(V3, 1, 220.0, Quality.QUEUED) == []
    assert say(story, 5, TORN) == []
    assert [one.slot for one in say(story, 10, TORN)] == [V1]


def test_a_voltage_of_no_phase_is_compared_with_none() -> None:
    story = v1()
    story.read(V1, 0, 259.0)
    assert [story.read(BOX_V, at, 181.0) for at in range(10)] == [[]] * 10
    assert story.read(V1, 11, 259.0) == []


def test_phases_of_another_device_are_others() -> None:
    of = cabinet()
    of.device[V2] = 9
    story = told("V1", table=of)
    for at in range(0, 100, 10):
        assert say(story, at, (259.0, 181.0)) == []
    story.engine.adopt(cabinet(), np.array([V2], np.int32))
    say(story, 100, (259.0, 181.0))
    assert len(say(story, 110, (259.0, 181.0))) + len(say(story, 120, (259.0, 181.0))) == 1


def test_it_goes_on_after_a_restart_and_a_person_ends_it() -> None:
    story, other = v1(), v1()
    say(story, 0, TORN)
    other.engine.restore(story.engine.snapshot())
    assert [one.slot for one in say(other, 2, TORN)] == [V1]
    (cleared,) = other.reset("V1", 3, V1)
    assert (cleared.to, cleared.slot) == (To.CLEARED, V1)


RULE = """
version = 1
[[rule]]
name = "V1"
kernel = "neutral"
metric = "voltage"
severity = "P1"
high = "253 V"
low = "187 V"
normal_low = "200 V"
normal_high = "235 V"
extreme = "264 V"
least = "50 V"
together = "60 s"
hold = "2 s"
clear_hold = "60 s"
max_gap = "15 min"
title = { en = "Neutral", zh-CN = "零" }

[rule.source]
high = "s"
low = "s"
normal_low = "s"
normal_high = "s"
extreme = "s"
least = "s"
together = "s"
hold = "s"
clear_hold = "s"
max_gap = "s"
"""


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ('metric = "voltage"', 'metric = "current"', "line 6: key `metric`: only `voltage`"),
        ('high = "253 V"', 'high = "253 A"', "line 8: key `high`: unit `A` does not fit"),
        ('low = "187 V"', 'low = "201 V"', "line 9: key `low`: is above `normal_low`"),
        ('normal_low = "200 V"', 'normal_low = "236 V"', "key `normal_low`: is above `normal_high`"),
        ('least = "50 V"', 'least = "188 V"', "line 13: key `least`: is above `low`"),
        ('together = "60 s"', 'together = "-60 s"', "line 14: key `together`: "),
        ('normal_high = "235 V"', 'normal_high = "254 V"', "key `normal_high`: is above `high`"),
        ('normal_low = "200 V"', 'normal_low = "200 V"\nraise = "1"', "unknown key `raise`"),
        ('extreme = "264 V"', 'extreme = "252 V"', "key `high`: is above `extreme`"),
        ('extreme = "264 V"\n', "", "`extreme`"),
        ('high = "s"\n', "", "nothing said about high"),
    ],
)
def test_a_file_that_is_wrong_says_where(was: str, now: str, said: str) -> None:
    assert len(parse_catalogue(RULE, "own.toml").rule) == 1
    with pytest.raises(CatalogueError) as error:
        parse_catalogue(RULE.replace(was, now, 1), "own.toml")
    assert said in str(error.value)
    assert "own.toml, line" in str(error.value)


@pytest.mark.parametrize("bad", [(259.0, 181.0, 222.0), (375.0, 0.0, 370.0)])
@pytest.mark.parametrize("usual", [(225.0, 221.0, 225.0), (254.0, 221.0, 225.0)])
def test_one_wrong_message_between_others_is_none_whatever_the_order_of_its_phases(
    bad: tuple[float, ...], usual: tuple[float, ...]
) -> None:
    forth, back = (0, 1, 2), (2, 1, 0)
    for volts in permutations(bad):
        for order, after in ((one, other) for one in (forth, back) for other in permutations(forth)):
            story = v1()
            found = []
            for at in range(0, 70, 10):
                for n in order if at == 20 else after:
                    value = (volts if at == 20 else usual)[n]
                    found += [] if math.isnan(value) else story.read((V1, V2, V3)[n], at, value)
            assert found == [], (volts, order, after)


def test_one_wrong_message_of_two_phases_is_none_by_what_the_third_says_after_it() -> None:
    story = v1()
    for at in range(0, 100, 10):
        low_high = (259.0, 181.0) if at == 20 else (225.0, 221.0)
        assert say(story, at, low_high) + story.read(V3, at + 5, 222.0) == []


@pytest.mark.parametrize("order", [*permutations((0, 1, 2))])
@pytest.mark.parametrize("volts", [TORN, (375.0, 0.0, 370.0), (222.0, 181.0, 259.0)])
def test_a_second_wrong_message_raises_whatever_the_order_of_its_phases(
    order: tuple[int, ...], volts: tuple[float, ...]
) -> None:
    story = v1()
    say(story, 0, SOUND)
    found = [story.read((V1, V2, V3)[n], at, volts[n]) for at in (10, 20) for n in order]
    assert [one.at_us for some in found for one in some] == [us(20)]


def test_phases_that_report_each_for_itself_raise_too() -> None:
    story = v1()
    found = [one for n in range(12) for one in story.read((V1, V2, V3)[n % 3], 5 * n, TORN[n % 3])]
    assert [one.at_us for one in found] == [us(15)]


def test_a_phase_that_reports_often_waits_for_the_second_report_of_the_other() -> None:
    story = v1()
    story.read(V2, 0, 181.0)
    assert story.series(V1, 1, 29, 1, 259.0) == []
    assert len(story.read(V2, 30, 181.0)) == 1
