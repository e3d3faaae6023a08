"""X1: smoke and an electrical alarm that meet in one dwelling."""

from __future__ import annotations

import dataclasses

import pytest

from devices.model import Severity
from rules.transition import Mark, To, Transition, Why
from tests.rules.story import (
    CURRENT,
    HALL_SMOKE,
    HOME,
    KITCHEN_SMOKE,
    SMOKE,
    UPSTAIRS,
    UPSTAIRS_SMOKE,
    Story,
    us,
)


def rules_of(transitions: list[Transition]) -> list[str]:
    return [transition.rule for transition in transitions]


def overload(story: Story, end_s: int) -> list[Transition]:
    """An overload whose alarm is raised at `end_s`."""
    return story.series(CURRENT, end_s - 60, end_s, 10, 40)


def low(story: Story, start_s: int) -> list[Transition]:
    """Five quiet minutes, at whose end the overload clears."""
    return story.series(CURRENT, start_s, start_s + 300, 10, 5)


def met() -> Story:
    story = Story()
    overload(story, 60)
    assert rules_of(story.read(SMOKE, 100, 1)) == ["S1", "X1"]
    return story


def test_smoke_during_an_overload_raises_p0_plus_after_its_trigger() -> None:
    story = Story()
    overload(story, 60)
    smoke, both = story.read(SMOKE, 100, 1, late_s=1)
    assert (smoke.rule, both.rule) == ("S1", "X1")
    assert (both.to, both.severity, both.marks) == (To.RAISED, Severity.P0_PLUS, (Mark.ELECTRICAL_FIRST,))
    assert (both.place, both.dwelling, both.slot, both.device) == (HOME, HOME, SMOKE, 1)
    assert (both.at_us, both.received_us, both.age_s) == (us(100), us(101), 1.0)
    assert both.why == Why(
        en="smoke and overload in one dwelling within 10 min: current 40.0 A ≥ 36.2 A (1.45 × 25 A) for 60 s",
        zh_cn="同一户 10 分钟内先后出现烟雾报警和过载：电流 40.0 A ≥ 36.2 A (1.45 × 25 A)，持续 60 秒",
    )


def test_an_overload_during_smoke_raises_it_too() -> None:
    story = Story()
    story.read(SMOKE, 0, 1)
    overload_alarm, both = overload(story, 7200)
    assert (overload_alarm.rule, both.rule, both.slot) == ("O3", "X1", CURRENT)


def test_an_overload_that_lasts_for_hours_meets_smoke_at_its_end() -> None:
    story = Story()
    overload(story, 60)
    story.series(CURRENT, 70, 7200, 10, 40)
    assert rules_of(story.read(SMOKE, 7205, 1)) == ["S1", "X1"]


@pytest.mark.parametrize(("after_s", "expected"), [(600, ["S1", "X1"]), (601, ["S1"])])
def test_an_overload_counts_for_ten_minutes_after_it_cleared(after_s: int, expected: list[str]) -> None:
    story = Story()
    overload(story, 60)
    assert rules_of(low(story, 70)) == ["O3"]
    assert rules_of(story.read(SMOKE, 370 + after_s, 1)) == expected


@pytest.mark.parametrize(("at_s", "expected"), [(600, ["O3", "X1"]), (601, ["O3"])])
def test_smoke_that_was_reset_counts_for_ten_minutes_after_it_was_raised(
    at_s: int, expected: list[str]
) -> None:
    story = Story()
    story.read(SMOKE, 0, 1)
    story.reset("S1", 30, SMOKE)
    assert rules_of(overload(story, at_s)) == expected


def test_the_newest_smoke_counts_and_not_the_last_to_arrive() -> None:
    story = Story()
    story.read(SMOKE, 1000, 1)
    story.read(KITCHEN_SMOKE, 700, 1, late_s=310)
    story.reset("S1", 1020, SMOKE)
    story.reset("S1", 1020, KITCHEN_SMOKE)
    assert rules_of(overload(story, 1500)) == ["O3", "X1"]


def test_another_dwelling_does_not_meet() -> None:
    story = Story()
    overload(story, 60)
    assert rules_of(story.read(UPSTAIRS_SMOKE, 61, 1)) == ["S1"]


def test_places_outside_dwellings_never_meet() -> None:
    story = Story()
    story.engine.adopt(dataclasses.replace(story.table, dwelling=story.table.dwelling * 0))
    overload(story, 60)
    assert rules_of(story.read(HALL_SMOKE, 61, 1)) == ["S1"]


def test_it_is_raised_once() -> None:
    story = met()
    assert rules_of(story.read(KITCHEN_SMOKE, 110, 1)) == ["S1"]
    story.read(SMOKE, 120, 0)
    assert rules_of(story.read(SMOKE, 200, 1)) == ["S1"]


def test_a_visit_meets_nothing() -> None:
    story = Story()
    overload(story, 60)
    (visit,) = story.read(SMOKE, 61, 1, late_s=3600)
    assert visit.severity is Severity.P2


def test_late_smoke_meets_and_the_mark_goes_along() -> None:
    story = Story()
    overload(story, 60)
    _, both = story.read(SMOKE, 61, 1, late_s=300)
    assert both.marks == (Mark.ELECTRICAL_FIRST, Mark.LATE)


@pytest.mark.parametrize("act", ["reset", "close"])
def test_a_person_clears_it_and_it_can_be_raised_again(act: str) -> None:
    story = met()
    acts = {"reset": story.reset, "close": story.close}
    (cleared,) = acts[act]("X1", 300, place=HOME)
    assert (cleared.rule, cleared.to, cleared.severity) == ("X1", To.CLEARED, Severity.P0_PLUS)
    assert (cleared.place, cleared.dwelling, cleared.slot, cleared.at_us) == (HOME, HOME, SMOKE, us(300))
    assert acts[act]("X1", 301, place=HOME) == []
    assert rules_of(story.read(KITCHEN_SMOKE, 310, 1)) == ["S1", "X1"]


def test_what_led_to_an_ended_meeting_counts_no_more() -> None:
    story = met()
    story.reset("S1", 300, SMOKE)
    story.reset("O3", 300, CURRENT)
    story.reset("X1", 300, place=HOME)
    assert rules_of(story.read(SMOKE, 310, 1)) == ["S1"]


def test_a_device_that_moved_meets_in_its_new_dwelling() -> None:
    story = Story()
    overload(story, 60)
    dwelling = story.table.dwelling.copy()
    dwelling[CURRENT] = story.table.dwelling[UPSTAIRS_SMOKE]
    story.engine.adopt(dataclasses.replace(story.table, generation=2, dwelling=dwelling))
    *_, both = story.read(UPSTAIRS_SMOKE, 1000, 1)
    assert (both.rule, both.dwelling) == ("X1", UPSTAIRS)
    assert both.why.en.endswith(" for 60 s; its device is registered here now")


def test_a_device_that_is_gone_meets_nothing_later() -> None:
    story = Story()
    overload(story, 60)
    device = story.table.device.copy()
    device[CURRENT] = 0
    story.engine.adopt(dataclasses.replace(story.table, generation=2, device=device))
    assert [one.rule for one in story.read(SMOKE, 1000, 1) if one.to is To.RAISED] == ["S1"]
