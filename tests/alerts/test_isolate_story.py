"""An alarm that asks for the power to be cut joins what people are dealing with: they must hear of it."""

from __future__ import annotations

from alerts.case import Act
from devices.model import Severity
from rules.transition import Mark
from tests.alerts.story import Story


def isolate(story: Story, at_s: float, uid: str = "monitor-501", rule: str = "L3") -> None:
    story.at(at_s).transition(rule, uid, Severity.P1, (Mark.ISOLATE,))


def test_who_deals_with_a_serious_matter_is_told_to_cut_the_power_though_it_was_acknowledged(
    story: Story,
) -> None:
    story.at(0).overload("501")
    story.at(20).answers("grid_worker", Act.ACKNOWLEDGE)
    isolate(story, 60)
    messages = story.between(60, 61)
    messages.told("grid_worker", by="push", saying="Isolate the electricity first, no water.").once()
    messages.told("building_secretary", saying="New: live wiring is involved.").once()
    messages.not_told("family", "neighbour", "micro_station", "fire_brigade", "supervisor")
    assert (story.incident().epoch, story.incident().state) == (0, "acknowledged")


def test_the_chain_is_not_started_again_by_it(story: Story) -> None:
    story.at(0).overload("501")
    isolate(story, 60)
    story.between(62, 299).nobody()
    story.between(300, 301).told("building_secretary", by="voice").once()


def test_a_second_alarm_of_that_kind_tells_nobody_again(story: Story) -> None:
    story.at(0).overload("501")
    isolate(story, 60)
    isolate(story, 90, rule="T3")
    story.between(90, 95).nobody()


def test_one_that_opens_the_incident_says_it_with_the_first_word_and_no_second_time(story: Story) -> None:
    isolate(story, 0)
    story.between(0, 1).told("grid_worker", saying="Isolate the electricity first").once()
    story.between(0, 1).told("building_secretary").once()


def test_one_that_makes_it_worse_restarts_the_chain_and_no_second_time(story: Story) -> None:
    story.at(0).transition("O1", "monitor-501", Severity.P2, ())
    isolate(story, 60)
    story.between(60, 61).told("grid_worker", saying="Isolate the electricity first").once()
    assert story.incident().epoch == 1


def test_in_a_confirmed_fire_the_stations_are_told_to_cut_the_power_first(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(10).answers("grid_worker", Act.CONFIRM)
    story.at(20).electrical_fire("501")
    messages = story.between(20, 21)
    for who in ("fire_brigade", "micro_station", "grid_worker", "building_secretary", "duty_desk"):
        messages.told(who, saying="Isolate the electricity first, no water.").once()
    messages.not_told("family", "neighbour")


def test_who_came_later_in_the_chain_and_is_on_the_way_is_told_as_well(story: Story) -> None:
    story.at(0).smoke("501")
    story.between(0, 130).told("grid_worker-2")
    isolate(story, 131)
    story.between(131, 132).told("grid_worker-2", saying="Isolate the electricity first").once()


def test_the_brigade_hears_of_it_through_the_confirm_gate_alone(story: Story) -> None:
    story.at(0).smoke("501")
    isolate(story, 30)
    messages = story.between(30, 31)
    messages.told("micro_station", saying="Isolate the electricity first").once()
    messages.not_told("fire_brigade")
