"""Acts that reach the engine later than they were made: what came in between is no matter of theirs."""

from __future__ import annotations

import numpy as np
import pytest

from devices.model import EngineInput, InputKind, Quality, ReadingBatch
from rules.transition import To, Transition
from tests.rules.kernels.test_meeting import (
    ARC,
    FAR,
    HALL,
    HALL_TWO,
    HOME,
    HOT,
    ONE,
    STAIR,
    TWO,
    UPSTAIRS,
    house,
    rules_of,
    story,
)
from tests.rules.kernels.test_meeting_again import confirmed_twice
from tests.rules.story import Story, shipped, us

CLOCK_BACK_S = -500


def act(
    told: Story, rule: str, made_s: float, given_s: float, slot: int = 0, place: int = 0
) -> list[Transition]:
    """A close that was made then, and reaches the engine then."""
    given = EngineInput(1, us(made_s), InputKind.CLOSE, rule, slot, place)
    return told.engine.evaluate(ReadingBatch.empty(us(given_s)), [given], us(given_s))


def restarted(told: Story, *without: str) -> None:
    state = told.engine.snapshot()
    assert set(without) <= state.keys()
    told.engine.restore({name: column for name, column in state.items() if name not in without})


def arc_and_smoke() -> Story:
    """Smoke with an arc of the same home: X1."""
    told = Story(shipped(), house())
    told.read(ARC, 0, 1)
    assert "X1" in rules_of(told.read(ONE, 10, 1))
    return told


@pytest.mark.parametrize("restarts", [False, True])
def test_an_electrical_alarm_after_the_press_still_confirms_the_next_smoke(restarts: bool) -> None:
    told = arc_and_smoke()
    told.close("A1", 90, ARC)
    told.read(ARC, 91, 0)
    told.read(ARC, 105, 1)
    assert [one.to for one in act(told, "X1", 100, 110, place=HOME)] == [To.CLEARED]
    if restarts:
        restarted(told)
    assert "X1" in rules_of(told.read(TWO, 120, 1))


def test_what_came_before_the_press_is_forgotten() -> None:
    told = arc_and_smoke()
    assert [one.to for one in act(told, "X1", 100, 110, place=HOME)] == [To.CLEARED]
    assert rules_of(told.read(TWO, 120, 1)) == ["S1", "S2"]


def test_what_came_just_when_it_was_pressed_came_before() -> None:
    told = story()
    told.read(ONE, 0, 1)
    told.read(TWO, 100, 1)
    act(told, "S2", 100, 110, place=HOME)
    assert rules_of(told.read(ONE, 160, 0)) == []
    assert rules_of(told.read(ONE, 220, 1)) == ["S1"]


def test_a_meeting_that_was_raised_after_the_press_stands() -> None:
    told = story()
    told.read(ONE, 0, 1)
    told.read(TWO, 105, 1)
    assert act(told, "S2", 100, 110, place=HOME) == []
    assert ("S2", HOME) in {(one.rule, one.about) for one in told.engine.standing()}
    assert rules_of(act(told, "S2", 105, 120, place=HOME)) == ["S2"]


def test_what_was_observed_before_the_press_and_came_after_it_counts_as_after() -> None:
    told = story()
    told.read(ONE, 0, 1)
    told.read(TWO, 90, 1, late_s=15)
    assert act(told, "S2", 100, 110, place=HOME) == []


@pytest.mark.parametrize(("observed_s", "expected"), [(99, ["S1"]), (101, ["S1", "S2"])])
def test_of_what_waited_for_us_it_counts_when_it_was_observed(observed_s: float, expected: list[str]) -> None:
    told = story()
    told.read(ONE, 0, 1)
    told.read(TWO, 10, 1)
    told.read(ONE, 20, 0)
    told.read(ONE, observed_s, 1, Quality.QUEUED, late_s=105 - observed_s)
    assert rules_of(act(told, "S2", 100, 110, place=HOME)) == ["S2"]
    told.read(TWO, 115, 0)
    assert rules_of(told.read(TWO, 180, 1)) == expected


def test_after_our_clock_was_put_back_an_act_ends_what_stands() -> None:
    told = story()
    told.read(ONE, 0, 1)
    told.read(TWO, 10, 1)
    assert rules_of(act(told, "S2", CLOCK_BACK_S, CLOCK_BACK_S + 5, place=HOME)) == ["S2"]


@pytest.mark.parametrize("restarts", [False, True])
def test_when_it_was_told_outlives_a_restart(restarts: bool) -> None:
    told = story()
    told.read(ONE, 0, 1)
    told.read(TWO, 105, 1)
    if restarts:
        restarted(told)
    assert act(told, "S2", 100, 110, place=HOME) == []


def test_an_alarm_of_an_earlier_release_is_ended_by_any_act() -> None:
    told = story()
    told.read(ONE, 0, 1)
    told.read(TWO, 105, 1)
    restarted(told, "place.told_us", "place.member_told_us")
    assert rules_of(act(told, "S2", 100, 110, place=HOME)) == ["S2"]


def test_another_pair_of_a_stair_after_the_press_keeps_the_alarm_and_the_first_pair_is_told_again() -> None:
    told = story()
    told.read(ONE, 0, 1)
    assert rules_of(told.read(UPSTAIRS, 10, 1)) == ["S1", "S2S"]
    assert rules_of(told.read(HALL, 400, 1)) == ["S1"]
    assert rules_of(told.read(HALL_TWO, 405, 1)) == ["S1", "S2S"]
    assert act(told, "S2S", 400, 410, place=STAIR) == []
    told.read(ONE, 420, 0)
    assert "S2S" in rules_of(told.read(ONE, 481, 1))


def test_a_pair_told_again_after_the_press_is_one_told_since() -> None:
    told = story()
    told.read(ONE, 0, 1)
    told.read(UPSTAIRS, 10, 1)
    assert rules_of(told.read(HALL, 105, 1)) == ["S1", "S2S"], "with the one upstairs"
    assert act(told, "S2S", 100, 110, place=STAIR) == []
    told.read(UPSTAIRS, 120, 0)
    assert rules_of(told.read(UPSTAIRS, 181, 1)) == ["S1"], "both had a part in what was told since"


@pytest.mark.parametrize(("made_s", "expected"), [(15, ["S1"]), (20, ["S1", "S2S"])])
def test_a_device_whose_part_came_after_the_press_keeps_it(made_s: float, expected: list[str]) -> None:
    told = confirmed_twice()
    assert act(told, "S2S", made_s, 30, HALL, STAIR) == []
    told.read(HALL, 100, 0)
    assert rules_of(told.read(HALL, 200, 1)) == expected


def test_what_a_device_said_after_the_press_of_its_part_still_confirms() -> None:
    told = story()
    told.read(ONE, 0, 1)
    told.read(UPSTAIRS, 10, 1)
    told.read(ONE, 20, 0)
    told.read(UPSTAIRS, 20, 0)
    told.read(ONE, 105, 1)
    for slot in (ONE, UPSTAIRS):
        act(told, "S2S", 100, 110, slot, STAIR)
    assert rules_of(told.read(HALL, 320, 1)) == ["S1", "S2S"]


def test_a_part_of_an_earlier_release_ends_by_any_act() -> None:
    told = confirmed_twice()
    restarted(told, "place.told_us", "place.member_told_us")
    act(told, "S2S", 15, 30, HALL, STAIR)
    told.read(HALL, 100, 0)
    assert "S2S" in rules_of(told.read(HALL, 200, 1))


def test_what_a_person_ended_counts_from_the_press() -> None:
    told = Story(shipped(), house())
    told.read(ARC, 0, 1)
    told.series(HOT, 10, 20, 10, 90)
    inputs = [
        EngineInput(1, us(100), InputKind.RESET, rule, slot, place)
        for rule, slot, place in (("A1", ARC, 0), ("T3", HOT, 0), ("T3X", 0, HOME))
    ]
    ended = told.engine.evaluate(ReadingBatch.empty(us(110)), inputs, us(110))
    assert rules_of(ended) == ["A1", "T3", "T3X"]
    assert "T3X" not in rules_of(told.series(HOT, 120, 130, 10, 90)), "an arc that was reset is no partner"


def test_a_device_of_another_stair_has_no_part_that_could_end() -> None:
    told = confirmed_twice()
    told.engine.adopt(house(), np.array([FAR], np.int32))
    assert act(told, "S2S", 100, 110, FAR, STAIR) == []
    assert ("S2S", STAIR) in {(one.rule, one.about) for one in told.engine.standing()}


@pytest.mark.parametrize("restarts", [False, True])
def test_a_pair_that_came_while_the_act_was_on_its_way_keeps_the_alarm(restarts: bool) -> None:
    told = arc_and_smoke()
    for rule, slot in (("A1", ARC), ("S1", ONE)):
        told.close(rule, 90, slot)
        told.read(slot, 91, 0)
    told.read(TWO, 104, 1)
    told.read(ARC, 106, 1)
    assert act(told, "X1", 100, 110, place=HOME) == []
    if restarts:
        restarted(told)
    assert act(told, "X1", 105, 115, place=HOME) == [], "the arc came after that press"
    assert rules_of(act(told, "X1", 120, 121, place=HOME)) == ["X1"]


def test_two_devices_again_while_the_act_was_on_its_way_keep_a_confirmed_fire() -> None:
    told = story()
    told.read(ONE, 0, 1)
    told.read(TWO, 10, 1)
    for slot in (ONE, TWO):
        told.close("S1", 20, slot)
        told.read(slot, 30, 0)
    told.read(ONE, 104, 1)
    told.read(TWO, 106, 1)
    assert act(told, "S2", 100, 110, place=HOME) == []
    assert rules_of(act(told, "S2", 120, 121, place=HOME)) == ["S2"]


def test_one_alarm_alone_on_the_way_keeps_none() -> None:
    told = arc_and_smoke()
    told.read(TWO, 104, 1)
    assert rules_of(act(told, "X1", 100, 110, place=HOME)) == ["X1"]
