"""What a silence puts off and what goes through it. As maintenance is wanted elsewhere: it mutes escalations
too, and its end releases what still stands."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alerts.case import Act
from devices.model import Severity
from tests.alerts.seen import timeline
from tests.alerts.story import Story, a_story
from tests.alerts.windows import EVERYBODY, ends, silence


@pytest.fixture
def story(database: str) -> Iterator[Story]:
    with a_story(database, agreed=True) as opened:
        yield opened


def test_a_silence_puts_lesser_alarms_off_to_its_end_and_says_so_once(story: Story) -> None:
    silence(story, "building", "b3", minutes=30)
    story.at(0).overload("501")
    story.between(0, 1799).nobody()
    said = [line for line in timeline(story) if "silenced until" in line]
    assert said == ["silenced until 06:43 by chen: roof work; told then if it still stands"]
    story.between(1800, 1801).told("grid_worker")
    story.between(1800, 1801).told("family")


def test_a_silence_begun_after_the_first_word_mutes_the_escalation_too(story: Story) -> None:
    story.at(0).overload("501")
    story.between(0, 1).told("grid_worker")
    silence(story, "area", "grid", minutes=10)
    story.between(2, 599).nobody()
    story.between(600, 602).told("building_secretary", by="voice")
    story.between(850, 901).told("supervisor")


def test_when_a_silence_ends_the_escalation_that_had_not_begun_begins_with_its_delays(story: Story) -> None:
    silence(story, "dwelling", "b3-501", minutes=20)
    story.at(0).overload("501")
    story.between(1200, 1201).not_told("supervisor")
    story.between(1202, 1499).nobody()
    story.between(1500, 1501).told("building_secretary", by="voice")
    story.between(2099, 2101).told("supervisor")


def test_a_silence_that_is_ended_early_releases_what_it_held_at_once(story: Story) -> None:
    window = silence(story, "stair", "b3-1", minutes=300)
    story.at(0).overload("501")
    story.at(40)
    ends(story, window)
    story.between(40, 41).told("grid_worker")


def test_what_cleared_during_a_silence_is_told_to_nobody(story: Story) -> None:
    silence(story, "device", "monitor-501", minutes=30)
    story.at(0).overload("501")
    story.at(60).clears("O3", "monitor-501")
    story.between(0, 3600).nobody()
    assert "the silence is over: handled or cleared meanwhile, nobody is told" in timeline(story)


def test_what_was_handled_during_a_silence_is_told_to_nobody(story: Story) -> None:
    silence(story, "building", "b3", minutes=30)
    story.at(0).overload("501")
    story.answers("operator", Act.ARRIVED)
    story.answers("operator", Act.HANDLED)
    story.between(0, 3600).nobody()


def test_what_was_closed_during_a_silence_is_told_to_nobody(story: Story) -> None:
    silence(story, "building", "b3", minutes=30)
    story.at(0).overload("501")
    assert story.answers("operator", Act.CANCEL, "roof work").outcome == "done"
    story.between(0, 3600).nobody()


def test_a_fire_is_told_at_once_whatever_is_silenced(story: Story) -> None:
    silence(story, "area", "grid")
    silence(story, "building", "b3")
    silence(story, "dwelling", "b3-501")
    silence(story, "device", "smoke-501")
    story.at(0).smoke("501")
    told = story.between(0, 1)
    for who in (*EVERYBODY, "micro_station"):
        told.told(who)
    story.between(60, 61).told("family", by="voice")


def test_what_becomes_a_fire_during_a_silence_is_told_at_once(story: Story) -> None:
    silence(story, "building", "b3")
    story.at(0).transition("S8", "smoke-501", Severity.P1, ())
    story.between(0, 29).nobody()
    story.at(30).smoke("501")
    story.between(30, 31).told("family")


def test_a_cry_for_help_goes_through_a_silence(story: Story) -> None:
    story.at(0).overload("501")
    silence(story, "building", "b3")
    story.at(10).answers("grid_worker", Act.NEED_HELP)
    story.between(10, 11).told("duty_desk")


def test_a_silence_elsewhere_mutes_nothing_here(story: Story) -> None:
    silence(story, "stair", "b3-2")
    silence(story, "dwelling", "b3-401")
    silence(story, "device", "smoke-501")
    story.at(0).overload("501")
    story.between(0, 1).told("grid_worker")


def test_a_silence_of_a_device_mutes_no_incident_in_which_another_is_in_alarm(story: Story) -> None:
    silence(story, "device", "monitor-501")
    story.at(0).overload("501")
    story.between(0, 49).nobody()
    story.at(50).transition("A1", "smoke-501-b", Severity.P1, ())
    story.between(50, 51).told("grid_worker")
    story.between(350, 351).told("building_secretary", by="voice")
