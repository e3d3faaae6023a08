"""What two devices raised together reaches the incident that holds it, and every fire it confirms."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerts.case import Act
from devices.model import Severity
from rules.transition import Mark, Subject, To
from tests.alerts.seen import fires, flat
from tests.alerts.story import Story


def says(story: Story, at_s: float, uid: str, age_s: float = 0.0, *marks: Mark) -> Story:
    severity = Severity.P2 if age_s > 1800 else Severity.P0
    return story.at(at_s).transition("S1", uid, severity, marks, age_s=age_s)


def met(story: Story, rule: str, uid: str, about: Subject, *marks: Mark, age_s: float = 0.0) -> None:
    story.store(story.row(rule, uid, Severity.P0_PLUS, marks, place=1, about=about, age_s=age_s))
    story.turn()


def test_a_device_that_is_registered_elsewhere_confirms_no_fire_where_it_was(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(60)
    cleared = story.row("S1", "smoke-501", Severity.P0, to=To.CLEARED)
    raised = story.row("S1", "smoke-501", Severity.P0, age_s=60)
    other = story.block.dwellings["other"]
    story.store(
        replace(cleared, transition=replace(cleared.transition, marks=(Mark.ELSEWHERE,))),
        replace(raised, transition=replace(raised.transition, dwelling=other)),
    )
    story.turn()
    assert "moved" in story.incident(1).tags, "whatever the words of its clearing"
    story.at(200).smoke("501", device="smoke-501-b")
    assert fires(story) == {flat(story, "501"): "P0", flat(story, "other"): "P0"}
    story.between(0, 210).not_told("fire_brigade")


@pytest.mark.parametrize(("slow", "then"), [("501", "401"), ("401", "501")])
def test_a_pair_that_the_rules_found_by_either_time_confirms_both_fires(
    story: Story, slow: str, then: str
) -> None:
    ages = {slow: 360.0, then: 0.0}
    says(story, 0, f"smoke-{slow}", ages[slow])
    says(story, 60, f"smoke-{then}", ages[then])
    assert {*fires(story).values()} == {"P0"}
    met(story, "S2S", f"smoke-{then}", Subject.STAIR, age_s=ages[then])
    assert fires(story) == {flat(story, "401"): "P0+", flat(story, "501"): "P0+"}
    told = story.between(60, 63).told("fire_brigade", saying="FIRE CONFIRMED")
    assert {one.incident_id for one in told.messages} == {1, 2}


@pytest.mark.parametrize(
    ("first", "apart_s", "rule"), [("501", 301, "S2S"), ("other", 60, "S2S"), ("501", 301, "S2")]
)
def test_it_confirms_no_fire_of_long_before_and_none_of_another_stair(
    story: Story, first: str, apart_s: float, rule: str
) -> None:
    says(story, 0, f"smoke-{first}", 360)
    says(story, apart_s, "smoke-401")
    met(story, rule, "smoke-401", Subject.STAIR)
    assert fires(story) == {flat(story, first): "P0", flat(story, "401"): "P0+"}


@pytest.mark.parametrize("mark", [Mark.QUEUED, Mark.AGE_UNKNOWN])
def test_when_it_came_says_nothing_of_what_waited_for_us_or_is_of_unknown_age(
    story: Story, mark: Mark
) -> None:
    says(story, 0, "smoke-501", 360, mark)
    says(story, 60, "smoke-401")
    met(story, "S2S", "smoke-401", Subject.STAIR)
    assert fires(story) == {flat(story, "501"): "P0", flat(story, "401"): "P0+"}


def test_smoke_with_an_electrical_alarm_in_one_flat_confirms_no_other_fire(story: Story) -> None:
    says(story, 0, "smoke-501", 360)
    says(story, 60, "smoke-401")
    story.electrical_fire("401")
    assert fires(story) == {flat(story, "501"): "P0", flat(story, "401"): "P0+"}


@pytest.mark.parametrize("uid", ["riser", "riser-1"])
def test_smoke_and_the_riser_are_a_matter_of_the_stair_that_smokes_and_not_of_a_visit_beside_it(
    story: Story, uid: str
) -> None:
    says(story, 0, "landing-1")
    says(story, 100, "landing-2", 2000)
    story.at(150)
    met(story, "X1C", uid, Subject.BUILDING, Mark.ELECTRICAL_FIRST)
    assert fires(story) == {"stair:1": "P0+", "stair:2": "P2"}
    told = story.between(150, 153).told("fire_brigade", saying="1单元, common parts (landing-1)")
    assert {one.incident_id for one in told.messages} == {1}


def test_nor_of_one_that_was_a_false_alarm_of_yesterday(story: Story) -> None:
    for n, uid in enumerate(("landing-1", "landing-2")):
        says(story, 86_400 * n, uid)
        story.at(86_400 * n + 60).answers("operator", Act.FALSE_ALARM, incident=n + 1)
        story.answers("operator", Act.FEEDBACK, "steam", incident=n + 1)
    says(story, 172_800, "landing-1", 0.0, Mark.SECOND_FIRE)
    story.at(172_816)
    met(story, "X1C", "riser", Subject.BUILDING, Mark.ELECTRICAL_FIRST)
    assert fires(story) == {"stair:1": "P0+", "stair:2": "P0"}


def test_of_two_fires_it_is_that_of_the_device_which_set_it_off(story: Story) -> None:
    says(story, 0, "landing-1")
    says(story, 60, "landing-2")
    met(story, "X1C", "landing-1", Subject.BUILDING, Mark.ELECTRICAL_FIRST)
    assert fires(story) == {"stair:1": "P0+", "stair:2": "P0"}


def test_of_two_fires_beside_the_riser_it_is_that_which_stands_and_smoked_within_the_time(
    story: Story,
) -> None:
    says(story, 0, "landing-1")
    says(story, 10, "landing-2")
    story.at(20).clears("S1", "landing-2")
    story.at(30)
    met(story, "X1C", "riser", Subject.BUILDING, Mark.ELECTRICAL_FIRST)
    assert fires(story) == {"stair:1": "P0+", "stair:2": "P0"}


def test_where_only_one_called_false_can_have_met_its_people_hear_of_it(story: Story) -> None:
    says(story, 0, "landing-1")
    story.at(10).answers("operator", Act.FALSE_ALARM)
    story.at(30)
    met(story, "X1C", "riser", Subject.BUILDING, Mark.ELECTRICAL_FIRST)
    assert fires(story) == {"stair:1": "P0+"}
    story.between(30, 31).told("neighbour", saying="FIRE CONFIRMED")


def test_where_none_can_have_met_it_is_told_where_it_was_set_off(story: Story) -> None:
    says(story, 0, "landing-1")
    story.at(10).answers("operator", Act.FALSE_ALARM)
    story.at(700)
    met(story, "X1C", "riser", Subject.BUILDING, Mark.ELECTRICAL_FIRST)
    assert fires(story) == {"stair:1": "P0", "building:1": "P0+"}
