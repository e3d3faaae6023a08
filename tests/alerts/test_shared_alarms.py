"""What is told to the engine when one of several incidents that hold an alarm of their stair is ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerts.case import Alarm, Case, Hazard, Incident, Input, State
from alerts.shared_alarms import Beside, beside, end_here
from devices.model import InputKind, Severity
from rules.transition import Why

STAIR = 7
NOW_US = 1_000
WHY = Why("smoke", "烟雾")
INCIDENT = Incident(
    1, "dwelling:1", 1, 1, Hazard.FIRE, Severity.P0_PLUS, State.REPORTED, epoch=1, started_us=0, opened_us=0
)
CONFIRMED = Alarm(
    "S2S", "stair:7", "", 3, STAIR, Severity.P0_PLUS, 0, None, WHY, hazard=Hazard.FIRE, taken_us=0
)


def alarm(uid: str, slot: int, rule: str = "S1", *, cleared: bool = False) -> Alarm:
    when = 500 if cleared else None
    return Alarm(rule, f"{uid}/", uid, slot, 0, Severity.P0, 0, when, WHY, hazard=Hazard.FIRE, taken_us=0)


def case(*alarms: Alarm) -> Case:
    reset = Input(NOW_US, InputKind.RESET, "S2S", 0, STAIR)
    return Case(INCIDENT, alarms=(*alarms, CONFIRMED), inputs=(reset,))


def parts(ended: Case) -> list[int]:
    """The series whose part in the stair's alarm the engine is told to be over; 0 is the whole alarm."""
    return [one.slot for one in ended.inputs if (one.rule, one.place) == ("S2S", STAIR)]


def ended(of: Case, *elsewhere: Alarm) -> list[int]:
    """The same, where these alarms stand in another open incident."""
    standing = {one.identity for one in elsewhere}
    return parts(end_here(of, beside(of, lambda one: one.identity in standing), NOW_US))


def test_it_ends_the_parts_of_its_own_devices() -> None:
    assert ended(case(alarm("one", 1), alarm("two", 2)), CONFIRMED) == [1, 2]


def test_what_no_other_incident_holds_it_ends_whole() -> None:
    assert ended(case(alarm("one", 1))) == [0]


def test_a_device_that_burns_in_another_incident_keeps_its_part() -> None:
    moved = alarm("one", 1, cleared=True)
    assert ended(case(moved, alarm("two", 2)), CONFIRMED, moved) == [2]
    assert ended(case(moved), CONFIRMED, moved) == []


def test_so_does_each_series_of_that_device() -> None:
    moved, over = alarm("one", 1, cleared=True), alarm("one", 4, "H1", cleared=True)
    assert ended(case(moved, over), CONFIRMED, moved) == []


@pytest.mark.parametrize("cleared", [False, True])
def test_a_device_that_burns_nowhere_else_has_no_part_any_more(cleared: bool) -> None:
    assert ended(case(alarm("one", 1, cleared=cleared)), CONFIRMED) == [1]


def test_a_device_that_is_in_alarm_here_too_ends_its_part_here() -> None:
    assert ended(case(alarm("one", 1)), CONFIRMED, alarm("one", 1)) == [1]
    back, left = alarm("one", 4, "H1"), alarm("one", 1, cleared=True)
    assert ended(case(left, back), CONFIRMED, left) == [1, 4]


def test_here_the_alarm_is_over_though_nothing_is_told_of_it() -> None:
    moved = alarm("one", 1, cleared=True)
    over = end_here(case(moved), Beside(frozenset({CONFIRMED.identity}), frozenset({"one"})), NOW_US)
    assert over.active() == ()
    assert [one.kind for one in over.changes] == ["cleared"]
    assert over.alarms == (moved, replace(CONFIRMED, cleared_us=NOW_US))
