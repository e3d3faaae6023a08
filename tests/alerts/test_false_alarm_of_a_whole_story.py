"""A false alarm said of several incidents that were made one: where a part still smokes it stops nothing."""

from __future__ import annotations

import pytest

from alerts.case import Act
from alerts.cases import load_cases
from alerts.sayings import pack, render
from alerts.whole import possible_on_whole
from alerts.whole_kept import with_wholes
from devices.database import reading
from tests.alerts.seen import timeline
from tests.alerts.story import Story
from tests.alerts.test_merging_story import APART, merges, two_fires

SECOND = "a second device is in alarm, so nothing stops"
SMOKES = "incident #{} is still in alarm, so nothing stops; where that is a false alarm too, open the page of"


def buttons(story: Story, number: int) -> tuple[Act, ...]:
    """Those of the operator on the page of an incident."""
    with reading(story.engine) as connection:
        cases = with_wholes(connection, load_cases(connection, ids=(number,)))
    return possible_on_whole(cases, number, "user:operator", frozenset({"user:operator"}))


@pytest.mark.parametrize("who", ["operator", "grid_worker"])
@pytest.mark.parametrize("head_clears", [True, False])
def test_the_part_that_still_smokes_is_called_on(story: Story, who: str, head_clears: bool) -> None:
    two_fires(story)
    merges(story, 2, 1)
    if head_clears:
        story.at(20).clears("S1", "smoke-501")
    answer = story.at(30).answers(who, Act.FALSE_ALARM, "a pan in 501")
    why = SMOKES.format(2) if head_clears else SECOND
    assert answer.outcome == "noted" and answer.reason.startswith(why)
    assert not any(one.false_alarm_us for one in story.incidents())
    assert any(why in line for line in timeline(story, 1))
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


def test_the_desk_can_say_it_on_the_page_of_the_one_part_that_still_smokes(story: Story) -> None:
    two_fires(story)
    merges(story, 2, 1)
    assert buttons(story, 2) == ()
    story.at(20).clears("S1", "smoke-501")  # and the detector of 401 is stuck
    assert story.at(30).answers("operator", Act.FALSE_ALARM).reason.startswith(SMOKES.format(2))
    assert buttons(story, 2) == (Act.FALSE_ALARM,)
    assert story.at(40).answers("operator", Act.FALSE_ALARM, "stuck", incident=2).outcome == "done"
    assert all(one.false_alarm_us for one in story.incidents())
    assert buttons(story, 2) == ()
    story.between(41, 300).nobody()


def test_what_the_page_of_a_part_is_told_while_the_whole_smokes_stops_nothing(story: Story) -> None:
    two_fires(story)
    merges(story, 2, 1)
    assert story.at(20).answers("operator", Act.FALSE_ALARM, incident=2).reason == SECOND
    story.at(30).clears("S1", "smoke-401")
    answer = story.at(40).answers("operator", Act.FALSE_ALARM, incident=2)
    assert answer.outcome == "noted" and answer.reason.startswith(SMOKES.format(1))
    assert not any(one.false_alarm_us for one in story.incidents())


def test_a_part_with_two_devices_in_alarm_is_no_false_alarm_on_its_page(story: Story) -> None:
    two_fires(story)
    merges(story, 1, 2)
    story.at(15).smoke("501", device="smoke-501-b")
    story.at(20).clears("S1", "smoke-401")
    assert len(story.incidents()) == 2
    assert buttons(story, 1) == ()
    for number in (1, 2):
        assert story.at(30).answers("operator", Act.FALSE_ALARM, incident=number).reason == SECOND


def test_with_two_parts_in_alarm_none_can_be_called_false(story: Story) -> None:
    two_fires(story)
    story.at(11).smoke("101", APART)
    merges(story, 2, 1)
    merges(story, 3, 1)
    story.at(20).clears("S1", "smoke-501")
    assert buttons(story, 2) == buttons(story, 3) == ()
    for number in (1, 2, 3):
        assert story.at(30).answers("operator", Act.FALSE_ALARM, incident=number).reason == SECOND


def test_the_words_name_the_part_in_chinese_too() -> None:
    said = render(pack("part_smokes", other="2"), "zh-CN")
    assert said == "警情 #2 仍在报警，不停止通知；如其亦为误报，请打开警情 #2 的页面，在那里点误报"


def test_new_smoke_in_a_part_after_the_desks_word_is_told_from_the_start(story: Story) -> None:
    two_fires(story)
    merges(story, 2, 1)
    story.at(20).clears("S1", "smoke-401")
    story.at(30).answers("operator", Act.FALSE_ALARM)
    story.at(120).smoke("401")
    story.between(120, 121).told("grid_worker", saying="401")
    assert story.at(130).answers("operator", Act.FALSE_ALARM).outcome == "noted"
