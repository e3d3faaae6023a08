"""V1: the supply has lost its neutral, one phase far too high and another far too low."""

from __future__ import annotations

import math

import numpy as np
import pytest

from devices.model import HARD_QUALITY, Quality, Severity
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


@pytest.mark.parametrize("nothing", [65535.0, 6553.5, 655.35, 600.1])
@pytest.mark.parametrize("others", [(220.0, math.inf, math.inf), (181.0, math.inf, 220.0)])
def test_what_no_meter_can_measure_counts_for_nothing(nothing: float, others: tuple[float, ...]) -> None:
    story = v1()
    volts = tuple(min(one, nothing) for one in others)
    assert [one for at in range(0, 60, 2) for one in say(story, at, volts)] == []
    found = [one for at in range(60, 64) for one in say(story, at, (259.0, 181.0, nothing))]
    assert [one.why.en.partition(":")[0] for one in found] == ["voltages l1 259 V, l2 181 V"]
