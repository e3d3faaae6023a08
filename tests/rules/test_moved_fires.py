"""A fire goes on when the registry learns where its detector is: it is told there, and is evidence."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from devices.model import EngineInput, InputKind, Metric, Quality, ReadingBatch, SeriesTable
from rules.engine import Engine
from rules.transition import Mark, Subject, To, Transition, transition_key
from tests.rules.story import (
    GOOD,
    HALL_SMOKE,
    HOME,
    KITCHEN_SMOKE,
    SMOKE,
    UPSTAIRS,
    Story,
    block,
    shipped,
    us,
)
from tests.rules.test_standing import nothing

STRANGER = HALL_SMOKE
ALL = shipped()
NEW = 9
"""The id that the registry gives the stranger."""


def registered(
    slot: int = STRANGER, device: int = NEW, dwelling: int = HOME, stair: int = 0, building: int = 0
) -> SeriesTable:
    """The block, with one series registered otherwise."""
    table = block()
    for name, value in (("device", device), ("dwelling", dwelling), ("stair", stair), ("building", building)):
        column = getattr(table, name).copy()
        column[slot] = value
        table = dataclasses.replace(table, **{name: column})
    return table


def moves(story: Story, table: SeriesTable, slot: int = STRANGER) -> None:
    story.engine.adopt(table, np.array([slot], np.int32))


def burning_stranger(*, since_s: float = 0, late_s: float = 0, quality: Quality = GOOD) -> Story:
    story = Story(ALL)
    assert [one.rule for one in story.read(STRANGER, since_s, 1, quality, late_s)] == ["S1"]
    return story


def with_registry(table: SeriesTable, slot: int, device: int, dwelling: int) -> SeriesTable:
    devices, dwellings = table.device.copy(), table.dwelling.copy()
    devices[slot], dwellings[slot] = device, dwelling
    return dataclasses.replace(table, device=devices, dwelling=dwellings)


def told(found: list[Transition]) -> list[tuple[str, str, int, int]]:
    return [(one.rule, str(one.to), one.dwelling, one.place) for one in found]


FIRE_HERE = [("S1", "cleared", 0, 0), ("S1", "raised", HOME, 0)]


def test_the_fire_of_a_stranger_is_told_where_it_is_registered_without_another_message() -> None:
    story = burning_stranger()
    moves(story, registered())
    assert story.engine.due_us == 0
    cleared, raised = nothing(story.engine, 100)
    assert told([cleared, raised]) == FIRE_HERE
    assert (raised.severity, raised.device, raised.slot, raised.marks) == ("P0", NEW, STRANGER, ())
    assert (raised.at_us, raised.received_us, raised.age_s) == (us(0), us(100), 100.0)
    assert raised.why.en == "smoke flag set 100 s ago; its device is registered here now"
    assert raised.why.zh_cn == "烟雾报警信号触发（100 秒前）；设备现登记在此处"
    assert cleared.at_us == cleared.received_us == us(100)
    assert cleared.marks == (Mark.ELSEWHERE,)
    assert cleared.why.en == "its device is registered elsewhere now: the alarm goes on there"
    assert cleared.why.zh_cn == "设备现登记在别处，报警在该处继续"
    assert nothing(story.engine, 101) == story.read(STRANGER, 110, 1) == []
    story.engine.advance(us(111))
    assert story.engine.due_us > us(111)


def test_time_alone_tells_it_too() -> None:
    story = burning_stranger()
    moves(story, registered())
    assert told(story.engine.advance(us(100))) == FIRE_HERE


def test_it_is_another_alarm_than_the_one_told_before() -> None:
    story = burning_stranger()
    keys = [("S1", To.RAISED, us(0), 0)]
    for at_s, dwelling in ((100, HOME), (110, UPSTAIRS), (120, HOME)):
        moves(story, registered(dwelling=dwelling))
        keys += [(one.rule, one.to, one.at_us, one.nudge_ns) for one in nothing(story.engine, at_s)]
    assert len({transition_key(rule, "d/", to, at, nudge) for rule, to, at, nudge in keys}) == 7


def test_the_same_is_told_again_after_a_crash() -> None:
    story = burning_stranger()
    state = story.engine.snapshot()
    again = Engine(ALL, block())
    again.restore(state)
    for engine in (story.engine, again):
        engine.adopt(registered(), np.array([STRANGER], np.int32))
    first, second = nothing(story.engine, 100), nothing(again, 100)
    assert first == second != []


@pytest.mark.parametrize(("apart_s", "rules"), [(300, ["S1", "S2"]), (301, ["S1"])])
def test_it_confirms_a_fire_by_its_own_time_and_not_by_the_time_of_its_registration(
    apart_s: int, rules: list[str]
) -> None:
    story = burning_stranger()
    moves(story, registered())
    nothing(story.engine, 200)
    assert [one.rule for one in story.read(SMOKE, apart_s, 1)] == rules


@pytest.mark.parametrize(("apart_s", "confirmed"), [(300, True), (301, False)])
def test_it_is_confirmed_at_once_by_what_the_dwelling_said_before(apart_s: int, confirmed: bool) -> None:
    story = Story(ALL)
    story.read(SMOKE, 0, 1)
    story.read(STRANGER, apart_s, 1)
    moves(story, registered())
    *both, last = nothing(story.engine, 1000)
    if confirmed:
        assert (last.rule, last.severity, last.subject, last.place) == ("S2", "P0+", Subject.DWELLING, HOME)
        assert told(both) == FIRE_HERE
        assert (last.device, last.received_us) == (NEW, us(1000))
    else:
        assert told([*both, last]) == FIRE_HERE


def test_of_a_slow_clock_the_time_of_its_message_counts() -> None:
    story = burning_stranger(since_s=-900, late_s=900)
    moves(story, registered())
    nothing(story.engine, 100)
    assert [one.rule for one in story.read(SMOKE, 290, 1)] == ["S1", "S2"]


def test_two_flats_of_a_stair_confirm_it_too() -> None:
    story = Story(ALL)
    table = block()
    stair = np.where(table.dwelling > 0, 5, 0).astype(np.int32)
    story.engine.adopt(dataclasses.replace(table, stair=stair))
    story.read(SMOKE, 0, 1)
    story.read(STRANGER, 100, 1)
    stair[STRANGER] = 5
    moves(story, dataclasses.replace(registered(dwelling=UPSTAIRS), stair=stair))
    assert [one.rule for one in nothing(story.engine, 120)] == ["S1", "S1", "S2S"]


def test_after_that_a_second_fire_is_one() -> None:
    story = burning_stranger()
    moves(story, registered())
    nothing(story.engine, 100)
    story.read(STRANGER, 110, 0)
    [again] = story.read(STRANGER, 170, 1)
    assert (again.dwelling, again.marks) == (HOME, (Mark.SECOND_FIRE,))


@pytest.mark.parametrize(
    ("over_s", "severity", "marks"),
    [(60, "P0", ()), (61, "P0", (Mark.LATE,)), (1800, "P0", (Mark.LATE,)), (1801, "P2", (Mark.LATE,))],
)
def test_smoke_that_is_over_is_told_as_a_message_as_old_would_be(
    over_s: int, severity: str, marks: tuple[Mark, ...]
) -> None:
    story = burning_stranger()
    story.read(STRANGER, 100, 0)
    moves(story, registered())
    cleared, raised = nothing(story.engine, 100 + over_s)
    assert (cleared.severity, raised.severity, raised.marks) == ("P0", severity, marks)
    assert "0 for" in raised.why.en


def test_smoke_that_became_a_visit_is_no_alarm_and_the_next_smoke_raises_anew() -> None:
    story = burning_stranger()
    story.read(STRANGER, 100, 0)
    moves(story, registered())
    nothing(story.engine, 5000)
    assert not any(one.slot == STRANGER for one in story.engine.standing())
    assert [one.rule for one in story.read(SMOKE, 5010, 1)] == ["S1"], "and it confirms nothing"
    raised, confirmed = story.read(STRANGER, 5020, 1)
    assert (raised.severity, raised.marks, confirmed.rule) == ("P0", (), "S2")


@pytest.mark.parametrize(("over_s", "meets"), [(1800, True), (1801, False)])
def test_where_alarms_count_as_long_as_they_stand_a_visit_does_not(over_s: int, meets: bool) -> None:
    metric = np.array([0, Metric.ARC_ALARM, Metric.TEMPERATURE], np.int16)
    device, dwelling = np.array([0, 1, 2], np.int32), np.array([0, UPSTAIRS, HOME], np.int32)
    table = SeriesTable.plain(1, metric, device, dwelling, np.full(3, np.nan))
    story = Story(ALL, table)
    story.read(1, 0, 1)
    story.read(1, 1, 0)
    story.engine.adopt(with_registry(table, 1, 1, HOME), np.array([1], np.int32))
    assert [one.rule for one in nothing(story.engine, 1 + over_s)] == ["A1", "A1"]
    hot = story.series(2, 1810, 1850, 10, 90)
    assert ("T3X" in {one.rule for one in hot}) is meets


def test_smoke_whose_end_nobody_has_heard_of_is_smoke_however_old() -> None:
    story = burning_stranger()
    moves(story, registered())
    assert [one.severity for one in nothing(story.engine, 86_400)] == ["P0", "P0"]


def test_late_smoke_of_which_nothing_newer_is_known_is_as_old_as_it_is() -> None:
    story = burning_stranger(since_s=0, late_s=1000, quality=Quality.LATE)
    moves(story, registered())
    [_, visit] = nothing(story.engine, 1801)
    assert visit.severity == "P2"


def test_smoke_of_unknown_age_stays_so_and_says_how_it_came() -> None:
    story = burning_stranger(quality=Quality.RETAINED | Quality.QUEUED)
    moves(story, registered())
    [_, raised] = nothing(story.engine, 50)
    assert raised.marks == (Mark.LATE, Mark.RETAINED, Mark.AGE_UNKNOWN, Mark.QUEUED)
    assert math.isnan(raised.age_s)
    assert "of unknown age" in raised.why.en


def test_a_fire_that_people_have_ended_is_told_to_nobody_else() -> None:
    story = burning_stranger()
    story.close("S1", 10, STRANGER)
    moves(story, registered())
    assert nothing(story.engine, 100) == []
    [raised] = story.read(STRANGER, 110, 1)
    assert (raised.dwelling, raised.marks) == (HOME, ())


def test_what_people_did_before_they_could_know_of_it_ends_nothing() -> None:
    story = burning_stranger()
    moves(story, registered())
    nothing(story.engine, 100)
    before = EngineInput(1, us(99), InputKind.RESET, "S1", STRANGER, 0)
    assert story.engine.evaluate(ReadingBatch.empty(us(105)), [before], us(105)) == []
    [cleared] = story.reset("S1", 106, STRANGER)
    assert (cleared.dwelling, cleared.why.en) == (HOME, "reset by a person")


def test_a_device_without_a_place_is_still_the_same_fire_and_is_told_when_it_has_one() -> None:
    story = burning_stranger()
    moves(story, registered(dwelling=0))
    assert nothing(story.engine, 100) == []
    assert [(one.rule, one.slot) for one in story.engine.standing()] == [("S1", STRANGER)]
    moves(story, registered())
    assert told(nothing(story.engine, 110)) == FIRE_HERE


@pytest.mark.parametrize("place", [{"building": 4}, {"stair": 4}])
def test_common_parts_are_a_place_too(place: dict[str, int]) -> None:
    story = burning_stranger()
    moves(story, registered(dwelling=0, **place))
    assert told(nothing(story.engine, 100)) == [("S1", "cleared", 0, 0), ("S1", "raised", 0, 0)]
    moves(story, registered(dwelling=0, **place))
    assert nothing(story.engine, 110) == []


def test_a_detector_that_is_registered_in_another_dwelling_during_its_fire_is_told_there() -> None:
    story = Story(ALL)
    story.read(SMOKE, 0, 1)
    moves(story, registered(SMOKE, device=1, dwelling=UPSTAIRS), SMOKE)
    cleared, raised = nothing(story.engine, 30)
    assert told([cleared, raised]) == [("S1", "cleared", HOME, 0), ("S1", "raised", UPSTAIRS, 0)]
    assert [one.rule for one in story.read(KITCHEN_SMOKE, 40, 1)][:1] == ["S1"]
    moves(story, registered(SMOKE, device=1, dwelling=HOME), SMOKE)
    assert told(nothing(story.engine, 50))[:2] == [("S1", "cleared", UPSTAIRS, 0), ("S1", "raised", HOME, 0)]


def test_a_detector_that_is_retired_during_its_fire_is_no_end_of_it() -> None:
    story = Story(ALL)
    story.read(SMOKE, 0, 1)
    moves(story, registered(SMOKE, device=0, dwelling=0), SMOKE)
    assert nothing(story.engine, 10) == []
    story.read(SMOKE, 20, 0)
    [again] = story.read(SMOKE, 90, 1)
    assert (again.device, again.marks) == (0, (Mark.SECOND_FIRE,))


def test_one_that_is_retired_after_people_ended_its_fire_leaves_nothing_behind() -> None:
    story = Story(ALL)
    story.read(SMOKE, 0, 1)
    story.close("S1", 10, SMOKE)
    moves(story, registered(SMOKE, device=0, dwelling=0), SMOKE)
    [gone] = nothing(story.engine, 20)
    assert (gone.to, gone.why.en[:28]) == (To.CLEARED, "its device is registered oth")
    assert list(story.engine.standing()) == []
