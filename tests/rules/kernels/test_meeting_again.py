"""A meeting whose devices are registered elsewhere, and one that stands while other devices meet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from devices.model import Quality, SeriesTable
from rules.engine import Engine
from rules.transition import Transition, transition_key
from tests.rules.kernels.test_meeting import (
    ABOVE,
    ARC,
    FAR,
    HALL,
    HALL_TWO,
    HEAT,
    HOME,
    METRIC,
    ONE,
    ONE_HEAT,
    OTHER_STAIR,
    STAIR,
    TWO,
    UPSTAIRS,
    house,
    rules_of,
    story,
)
from tests.rules.kernels.test_meeting_common import CELLAR_HOT, CELLAR_SMOKE, cupboard
from tests.rules.story import Story, reading, shipped, us
from tests.rules.test_standing import nothing


def moved(told: Story, *slots: int, **columns: int) -> list[Transition]:
    """The registry says something else of these series, and the next record is looked at."""
    table: SeriesTable = told.engine._parts.table
    for name, value in columns.items():
        column = getattr(table, name).copy()
        column[list(slots)] = value
        table = replace(table, **{name: column})
    told.engine.adopt(table, np.array(slots, np.int32))
    return nothing(told.engine, 100)


@pytest.mark.parametrize(
    ("slots", "dwelling"), [([ONE, ONE_HEAT], ABOVE), ([ONE, ONE_HEAT], 0), ([HALL], ABOVE), ([HALL], HOME)]
)
def test_a_device_that_moves_within_its_stair_does_not_confirm_its_own_fire(
    slots: list[int], dwelling: int
) -> None:
    told = story()
    assert rules_of(told.read(slots[0], 0, 1)) == ["S1"]
    assert "S2S" not in rules_of(moved(told, *slots, dwelling=dwelling))
    told.read(slots[0], 110, 0)
    assert rules_of(told.read(slots[0], 170, 1)) == ["S1"], "nor by a second fire"
    assert rules_of(told.read(FAR, 175, 1)) == ["S1"]
    assert rules_of(told.read(HALL_TWO, 180, 1)) == ["S1", "S2S"], "another does"


def test_a_device_that_is_registered_anew_is_still_the_same() -> None:
    told = story()
    told.read(ONE, 0, 1)
    assert moved(told, ONE, ONE_HEAT, device=77) == []
    assert rules_of(told.read(ONE_HEAT, 110, 1)) == ["H1"]
    assert rules_of(told.read(TWO, 120, 1)) == ["S1", "S2"]


def test_a_snapshot_knows_whose_alarms_it_remembers() -> None:
    told = story()
    told.read(ONE, 0, 1)
    told.engine.restore(told.engine.snapshot())
    assert "S2S" not in rules_of(moved(told, ONE, ONE_HEAT, dwelling=ABOVE))


def test_a_registry_read_as_a_whole_says_the_same() -> None:
    told = story()
    told.read(ONE, 0, 1)
    table = house()
    table.dwelling[[ONE, ONE_HEAT]] = ABOVE
    told.engine.adopt(table)
    assert "S2S" not in rules_of(nothing(told.engine, 100))
    assert rules_of(told.read(TWO, 110, 1)) == ["S1", "S2S"]


def test_a_snapshot_over_a_registry_that_says_another_place() -> None:
    told = story()
    told.read(ONE, 0, 1)
    table = house()
    table.dwelling[[ONE, ONE_HEAT]] = ABOVE
    engine = Engine(told.engine._parts.catalogue, table)
    engine.restore(told.engine.snapshot())
    nothing(engine, 100)
    found = engine.evaluate(reading(TWO, 110, 1), [], us(110))
    assert rules_of(found) == ["S1", "S2S"], "they are two flats of a stair now"


@pytest.mark.parametrize("second", [TWO, HEAT])
def test_a_device_that_has_left_confirms_nothing_in_the_flat_where_it_never_hung(second: int) -> None:
    told = story()
    told.read(ONE, 0, 1)
    moved(told, ONE, ONE_HEAT, dwelling=74, stair=OTHER_STAIR)
    assert len(told.read(second, 200, 1)) == 1
    assert rules_of(told.read(FAR, 210, 1)) == ["S1", "S2S"], "but where it hangs"


@pytest.mark.parametrize(("then_s", "expected"), [(300, ["S1", "S2S"]), (301, ["S1"])])
def test_of_two_that_smoked_in_a_flat_the_one_that_stays_counts_by_its_own_time(
    then_s: int, expected: list[str]
) -> None:
    told = story()
    told.read(TWO, 0, 1)
    told.read(ONE, 90, 1)
    moved(told, ONE, ONE_HEAT, dwelling=74, stair=OTHER_STAIR)
    assert rules_of(told.read(HALL, then_s, 1)) == expected


def test_smoke_that_has_left_is_no_fire_of_an_arc_there() -> None:
    told = Story(shipped(), house())
    told.read(ONE, 0, 1)
    moved(told, ONE, ONE_HEAT, dwelling=74, stair=OTHER_STAIR)
    assert "X1" not in rules_of(told.read(ARC, 110, 1))


def test_a_device_that_hangs_nowhere_has_not_left() -> None:
    told = story()
    told.read(ONE, 0, 1)
    moved(told, ONE, ONE_HEAT, dwelling=0, stair=0, device=0)
    assert rules_of(told.read(TWO, 200, 1)) == ["S1", "S2"]


def test_a_slot_that_is_anothers_now_says_nothing_of_the_one_before() -> None:
    told = story()
    told.read(ONE, 0, 1)
    told.reset("S1", 1, ONE)
    told.engine.forget(np.array([ONE], np.int32))
    told.engine.adopt(house(), np.array([ONE], np.int32))
    assert rules_of(told.read(TWO, 10, 1)) == ["S1"]


def test_another_pair_in_a_stair_is_told_though_nobody_has_ended_the_first() -> None:
    told = story()
    told.read(ONE, 0, 1)
    assert rules_of(told.read(UPSTAIRS, 10, 1)) == ["S1", "S2S"]
    assert rules_of(told.read(HALL, 36_000, 1)) == ["S1"]
    [_, again] = told.read(HALL_TWO, 36_060, 1)
    assert (again.rule, again.place, again.slot, again.dwelling) == ("S2S", STAIR, HALL_TWO, 0)
    [cleared] = told.close("S2S", 36_100, place=STAIR)
    assert cleared.slot == HALL_TWO


def test_the_same_pair_is_told_once() -> None:
    told = story()
    told.read(ONE, 0, 1)
    told.read(UPSTAIRS, 10, 1)
    told.read(ONE, 100, 0)
    assert rules_of(told.read(ONE, 200, 1)) == ["S1"]
    assert rules_of(told.read(ONE_HEAT, 210, 1)) == ["H1"]


def test_a_third_device_of_the_stair_is_told_too_and_one_of_the_dwelling_is_not() -> None:
    told = story()
    told.read(ONE, 0, 1)
    assert rules_of(told.read(TWO, 1, 1)) == ["S1", "S2"]
    assert rules_of(told.read(HEAT, 2, 1)) == ["H1"]
    assert rules_of(told.read(UPSTAIRS, 3, 1)) == ["S1", "S2S"]
    assert rules_of(told.read(HALL, 4, 1)) == ["S1", "S2S"]


def test_each_time_it_is_an_alarm_of_its_own() -> None:
    told = story()
    told.read(ONE, 0, 1)
    told.read(TWO, 0, 1)
    found = [one for slot in (UPSTAIRS, HALL, HALL_TWO) for one in told.read(slot, 10, 1)]
    keys = [
        transition_key(one.rule, f"{one.subject}:{one.place}", one.to, one.at_us, one.nudge_ns)
        for one in found
        if one.rule == "S2S"
    ]
    assert len({*keys}) == len(keys) == 3


def test_smoke_elsewhere_in_the_building_with_the_riser_of_before_is_told_again() -> None:
    told = cupboard()
    told = Story(told.engine._parts.catalogue, _with_another(told.engine._parts.table))
    told.read(CELLAR_SMOKE, 0, 1)
    assert rules_of(told.series(CELLAR_HOT, 10, 20, 10, 90)) == ["T3", "X1C"]
    told.reset("T3", 30, CELLAR_HOT)
    assert rules_of(told.read(ANOTHER, 7200, 1)) == ["S1"]
    assert rules_of(told.series(CELLAR_HOT, 7210, 7220, 10, 90)) == ["T3", "X1C"]


ANOTHER = 5


def _with_another(table: SeriesTable) -> SeriesTable:
    """The arc detector of the other building is a detector of smoke on a stair of this one."""
    metric, building = table.metric.copy(), table.building.copy()
    metric[ANOTHER], building[ANOTHER] = METRIC[ONE], building[CELLAR_SMOKE]
    return replace(table, metric=metric, building=building)


def test_who_had_a_part_outlives_a_restart() -> None:
    told = story()
    told.read(ONE, 0, 1)
    told.read(UPSTAIRS, 10, 1)
    told.engine.restore(told.engine.snapshot())
    told.read(ONE, 100, 0)
    assert rules_of(told.read(ONE, 200, 1)) == ["S1"]
    assert rules_of(told.read(HALL, 210, 1)) == ["S1", "S2S"]


NEW_COLUMNS = ("member_of", "member_slot", "member_device", "anchor_slot", "anchor_device", "partner_slot",
               "partner_device")  # fmt: skip


def test_a_snapshot_of_an_earlier_release_is_told_once_more_at_most() -> None:
    told = story()
    told.read(ONE, 0, 1)
    told.read(UPSTAIRS, 10, 1)
    state = told.engine.snapshot()
    new = {f"place.{name}" for name in NEW_COLUMNS}
    assert new <= state.keys()
    told.engine.restore({name: column for name, column in state.items() if name not in new})
    assert rules_of(told.read(ONE, 20, 0)) == []
    assert rules_of(told.read(HALL, 30, 1, Quality(0))) == ["S1", "S2S"]


def confirmed_twice() -> Story:
    """Smoke in two flats of a stair, and on its landing."""
    told = story()
    told.read(ONE, 0, 1)
    told.read(UPSTAIRS, 10, 1)
    assert rules_of(told.read(HALL, 20, 1)) == ["S1", "S2S"]
    return told


def test_whoever_ends_the_part_of_one_flat_ends_it_for_no_other() -> None:
    told = confirmed_twice()
    assert told.close("S2S", 60, ONE, STAIR) == []
    assert ("S2S", STAIR) in {(one.rule, one.about) for one in told.engine.standing()}
    told.engine.restore(told.engine.snapshot())
    assert rules_of(told.read(HALL_TWO, 305, 1)) == ["S1", "S2S"], "by what was said upstairs"
    [cleared] = told.close("S2S", 400, place=STAIR)
    assert cleared.rule == "S2S"


def test_a_fire_of_a_device_whose_part_was_ended_is_told_again() -> None:
    told = confirmed_twice()
    told.close("S2S", 60, ONE, STAIR)
    told.read(ONE, 100, 0)
    assert rules_of(told.read(ONE, 200, 1)) == ["S1", "S2S"]


def test_what_was_said_in_an_ended_part_confirms_nothing_any_more() -> None:
    told = story()
    told.read(ONE, 0, 1)
    told.read(UPSTAIRS, 250, 1)
    for slot in (UPSTAIRS, 99):
        assert told.close("S2S", 260, slot, STAIR) == []
    assert rules_of(told.read(HALL, 310, 1)) == ["S1"]
