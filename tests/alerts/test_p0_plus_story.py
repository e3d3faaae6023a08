"""Confirmed fire: life_safety, "Smoke" 6, "Who is told" P0+, and the confirm gate."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from alerts import schema
from alerts.case import Act
from devices.database import writing
from devices.model import Severity
from rules.transition import Mark
from tests.alerts.story import Story, a_story

EVERYBODY = [
    "building_secretary",
    "duty_desk",
    "family",
    "fire_brigade",
    "grid_worker",
    "micro_station",
    "neighbour",
]


@pytest.mark.parametrize(
    "who", ["family", "neighbour", "grid_worker", "micro_station", "operator", "duty_desk"]
)
def test_a_persons_confirmation_tells_the_brigade_at_once(story: Story, who: str) -> None:
    story.at(0).smoke("501")
    assert story.at(20).answers(who, Act.CONFIRM).outcome == "done"
    story.between(20, 20.1).told("fire_brigade", saying="FIRE CONFIRMED").once()
    assert story.between(20, 20.1).codes() == EVERYBODY
    assert story.incident().severity == "P0+"


@pytest.mark.parametrize("who", ["building_secretary", "supervisor", "fire_brigade"])
def test_who_is_not_in_the_table_cannot_confirm(story: Story, who: str) -> None:
    story.at(0).smoke("501")
    answer = story.answers(who, Act.CONFIRM, role=who)
    assert answer.outcome == "refused" and "others" in answer.reason
    story.between(0, 1000).not_told("fire_brigade")


def test_smoke_and_electrical_alarm_is_confirmed_and_says_isolate_first(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(5).electrical_fire("501")
    assert story.between(5, 5.1).codes() == EVERYBODY
    story.between(5, 5.1).told("fire_brigade", saying="Isolate the electricity first")
    story.between(5, 5.1).told("neighbour", saying="Leave now")
    assert len(story.incidents()) == 1
    assert "electrical_first" in story.incident().tags


def test_smoke_and_correlation_in_one_turn_tell_everybody_once(story: Story) -> None:
    x1 = story.row(
        "X1", "smoke-501", Severity.P0_PLUS, (Mark.ELECTRICAL_FIRST,), place=story.block.dwellings["501"]
    )
    story.store(story.row("S1", "smoke-501", Severity.P0), x1)
    story.turn()
    for who in EVERYBODY:
        story.between(0, 1).told(who, saying="FIRE CONFIRMED").once()


def test_two_detectors_of_one_dwelling_within_300_s_confirm(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(299).smoke("501", device="smoke-501-b")
    story.between(299, 299.1).told("fire_brigade", saying="smoke at two detectors")
    assert len(story.incidents()) == 1


def test_two_detectors_of_one_stair_within_300_s_confirm_both(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(100).smoke("101")
    assert [i.severity for i in story.incidents()] == ["P0+", "P0+"]
    told = story.between(100, 100.1).told("fire_brigade").messages
    assert {m.incident_id for m in told} == {1, 2}


def test_smoke_in_another_stair_or_later_confirms_nothing(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(10).smoke("other")
    story.at(301).smoke("101")
    assert [i.severity for i in story.incidents()] == ["P0", "P0", "P0"]
    story.between(0, 400).not_told("fire_brigade")


def test_a_reading_of_unknown_age_confirms_nothing(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(10).smoke("501", Mark.AGE_UNKNOWN, device="smoke-501-b")
    assert story.incident().severity == "P0"
    story.between(10, 10.1).told("family")


def test_residents_are_called_every_2_min_until_somebody_has_arrived(story: Story) -> None:
    story.at(0).smoke("501")
    story.answers("operator", Act.CONFIRM)
    for minute in (2, 4, 6):
        story.between(minute * 60, minute * 60 + 1).told("neighbour", by="voice", saying="not arrived").once()
    assert story.at(370).answers("micro_station", Act.ARRIVED).outcome == "done"
    story.between(371, 2000).not_told("neighbour", "family", "family-2", "family-3")


def test_a_resident_is_not_called_twice_at_the_same_moment(story: Story) -> None:
    story.at(0).smoke("501")
    story.answers("operator", Act.CONFIRM)
    story.between(120, 120.1).told("family", by="voice").once()


def test_a_resident_who_answered_is_not_called_again_but_the_others_are(story: Story) -> None:
    story.at(0).smoke("501")
    story.answers("operator", Act.CONFIRM)
    story.at(10).answers("family", Act.ACKNOWLEDGE)
    later = story.between(11, 900)
    later.not_told("family")
    later.told("neighbour", by="voice")


def test_a_correlation_after_arrival_tells_everybody_but_calls_no_resident(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(30).answers("micro_station", Act.ARRIVED)
    story.at(40).electrical_fire("501")
    assert story.between(40, 40.1).codes() == EVERYBODY
    story.between(41, 900).not_told("family", "neighbour", "family-2")
    assert story.incident().state == "arrived"


def test_confirming_twice_tells_nobody_twice(story: Story) -> None:
    story.at(0).smoke("501")
    story.answers("grid_worker", Act.CONFIRM)
    story.at(5).answers("micro_station", Act.CONFIRM)
    story.between(1, 30).nobody()


def test_a_confirmation_ends_the_unanswered_step_also_when_two_detectors_confirmed_before(
    story: Story,
) -> None:
    story.at(0).smoke("501")
    story.at(1).smoke("501", device="smoke-501-b")
    story.at(20).answers("grid_worker", Act.CONFIRM)
    assert [m for m in story.between(21, 300).messages if m.step == "unanswered"] == []


def test_a_second_fire_in_a_confirmed_fire_tells_the_brigade_again(story: Story) -> None:
    story.at(0).smoke("501")
    story.answers("operator", Act.CONFIRM)
    story.at(200).smoke("501", Mark.SECOND_FIRE)
    story.between(200, 201).told("fire_brigade", saying="again").once()
    assert story.incident().severity == "P0+"


@pytest.mark.parametrize("tag", ["drill", "test", "commissioning"])
def test_no_exercise_reaches_a_station_whatever_happens(database: str, tag: str) -> None:
    with a_story(database, agreed=True) as story:
        story.at(0).smoke("101")  # another incident gives the exercise its row
        with writing(story.engine) as connection:
            connection.execute(update(schema.incident).values(tags=tag))
        story.at(1).answers("operator", Act.CONFIRM)
        story.answers("grid_worker", Act.NEED_HELP)
        later = story.between(1, 900)
        later.not_told("micro_station", "fire_brigade")
        later.told("grid_worker")
