"""A false alarm said of several incidents that were made one: where a part still smokes it stops nothing."""

from __future__ import annotations

import pytest

from alerts.case import Act
from tests.alerts.seen import timeline
from tests.alerts.story import Story
from tests.alerts.test_merging_story import merges, two_fires

SECOND = "a second device is in alarm, so nothing stops"


@pytest.mark.parametrize("who", ["operator", "grid_worker"])
@pytest.mark.parametrize("head_clears", [True, False])
def test_the_part_that_still_smokes_is_called_on(story: Story, who: str, head_clears: bool) -> None:
    two_fires(story)
    merges(story, 2, 1)
    if head_clears:
        story.at(20).clears("S1", "smoke-501")
    answer = story.at(30).answers(who, Act.FALSE_ALARM, "a pan in 501")
    assert (answer.outcome, answer.reason) == ("noted", SECOND)
    assert not any(one.false_alarm_us for one in story.incidents())
    assert any(SECOND in line for line in timeline(story, 1))
    story.between(31, 75).told("building_secretary", by="voice", saying="401")
    unanswered = story.between(76, 101)
    unanswered.told("duty_desk", saying="401")
    unanswered.told("supervisor", saying="401")


def test_once_no_other_part_smokes_the_desks_word_holds_for_all(story: Story) -> None:
    two_fires(story)
    merges(story, 2, 1)
    story.at(20).clears("S1", "smoke-401")
    assert story.at(30).answers("operator", Act.FALSE_ALARM).outcome == "done"
    assert all(one.false_alarm_us for one in story.incidents())
    story.between(31, 200).nobody()


def test_somebody_there_can_say_it_of_the_part_that_smokes(story: Story) -> None:
    two_fires(story)
    merges(story, 2, 1)
    story.at(20).clears("S1", "smoke-501")
    assert story.at(30).answers("grid_worker", Act.FALSE_ALARM, incident=2).outcome == "done"
    assert story.incident(2).false_alarm_us


def test_new_smoke_in_a_part_after_the_desks_word_is_told_from_the_start(story: Story) -> None:
    two_fires(story)
    merges(story, 2, 1)
    story.at(20).clears("S1", "smoke-401")
    story.at(30).answers("operator", Act.FALSE_ALARM)
    story.at(120).smoke("401")
    story.between(120, 121).told("grid_worker", saying="401")
    assert story.at(130).answers("operator", Act.FALSE_ALARM).outcome == "noted"
