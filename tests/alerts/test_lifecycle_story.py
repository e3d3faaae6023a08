"""The life cycle from alarm to close, and what close and reset tell the engine."""

from __future__ import annotations

import pytest

from alerts.case import Act
from alerts.inputs import inputs_after
from devices.database import reading
from devices.model import InputKind
from tests.alerts.story import DAY_S, Story


def finish(story: Story) -> None:
    """From wherever a handled or false incident stands to closed."""
    assert story.answers("grid_worker", Act.FEEDBACK, "burnt pan").outcome == "done"
    assert story.answers("operator", Act.VERIFY).outcome == "done"
    assert story.answers("operator", Act.CLOSE, "nuisance: burnt pan").outcome == "done"


def test_the_whole_way_from_alarm_to_close(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(20).answers("grid_worker", Act.ACKNOWLEDGE)
    assert story.incident().state == "acknowledged"
    story.at(60).answers("grid_worker", Act.ARRIVED)
    assert story.incident().state == "arrived"
    story.at(120).answers("grid_worker", Act.HANDLED)
    assert story.incident().state == "handled"
    story.at(200)
    finish(story)
    incident = story.incident()
    assert (incident.state, incident.cause, incident.disposition) == ("closed", "burnt pan", "nuisance")
    assert incident.closed_us == story.now_us
    story.between(201, DAY_S).nobody()


def test_whoever_fed_back_cannot_verify(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(5).answers("family", Act.FALSE_ALARM)
    story.answers("grid_worker", Act.FEEDBACK, "burnt pan")
    answer = story.answers("grid_worker", Act.VERIFY)
    assert (answer.outcome, answer.reason) == ("refused", "somebody else than who fed back must verify")
    assert story.answers("grid_worker-2", Act.VERIFY).outcome == "done"


@pytest.mark.parametrize(
    ("act", "note", "reason"),
    [
        (Act.HANDLED, "", "nobody has arrived yet"),
        (Act.FEEDBACK, "cause", "it has not been handled yet"),
        (Act.VERIFY, "", "nobody has fed back yet"),
        (Act.CLOSE, "real", "a second person has not verified it yet"),
        (Act.CANCEL, "why", "a fire alarm must go through feedback and verification"),
        (Act.REOPEN, "", "the incident has not ended"),
    ],
)
def test_no_state_can_be_skipped(story: Story, act: Act, note: str, reason: str) -> None:
    story.at(0).smoke("501")
    answer = story.answers("operator", act, note)
    assert (answer.outcome, answer.reason) == ("refused", reason)


def test_feedback_needs_a_cause_and_close_a_disposition(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(5).answers("operator", Act.FALSE_ALARM)
    assert story.answers("grid_worker", Act.FEEDBACK, " ").reason == "say what the cause was"
    story.answers("grid_worker", Act.FEEDBACK, "steam")
    story.answers("operator", Act.VERIFY)
    assert story.answers("operator", Act.CLOSE, "because").outcome == "refused"
    assert story.answers("operator", Act.CLOSE, "nuisance").outcome == "done"


@pytest.mark.parametrize("who", ["grid_worker", "duty_desk", "admin"])
def test_only_operator_and_supervisor_close(story: Story, who: str) -> None:
    story.at(0).smoke("501")
    story.at(5).answers("operator", Act.FALSE_ALARM)
    story.answers("grid_worker", Act.FEEDBACK, "steam")
    story.answers("operator", Act.VERIFY)
    assert story.answers(who, Act.CLOSE, "nuisance").outcome == "refused"
    assert story.incident().state == "verified"


def test_closing_tells_the_engine_of_every_alarm(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(1).electrical_fire("501")
    story.at(5).answers("grid_worker", Act.ARRIVED)
    story.answers("grid_worker", Act.HANDLED)
    finish(story)
    with reading(story.engine) as connection:
        inputs = inputs_after(connection, 0)
        assert inputs_after(connection, inputs[0].id) == inputs[1:]
    closed = [one for one in inputs if one.kind is InputKind.CLOSE]
    assert {(i.kind, i.rule, i.slot, i.place) for i in closed} == {
        (InputKind.CLOSE, "S1", 7, 0),
        (InputKind.CLOSE, "X1", 0, story.block.dwellings["501"]),
    }


def test_reset_is_the_operators_and_an_engine_input(story: Story) -> None:
    story.at(0).smoke("501")
    assert story.answers("grid_worker", Act.RESET).outcome == "refused"
    assert story.answers("operator", Act.RESET).outcome == "done"
    with reading(story.engine) as connection:
        assert [i.kind for i in inputs_after(connection, 0)] == [InputKind.RESET]


def test_after_close_everybody_who_was_told_but_the_stations_gets_the_all_clear(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(5).answers("operator", Act.FALSE_ALARM)
    story.at(50)
    finish(story)
    now = story.between(50, 51)
    for who in ("family", "neighbour", "grid_worker", "building_secretary", "duty_desk"):
        now.told(who, by="push", saying="ALL CLEAR").once()
    now.not_told("micro_station", "family-2")


def test_smoke_after_close_is_a_new_incident(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(5).answers("operator", Act.FALSE_ALARM)
    finish(story)
    story.at(100).smoke("501")
    assert [i.state for i in story.incidents()] == ["closed", "dispatched"]
    story.between(100, 101).told("family")


def test_nothing_but_notes_reset_and_reopening_is_taken_after_close(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(5).answers("operator", Act.FALSE_ALARM)
    finish(story)
    story.at(100)
    answer = story.answers("family", Act.CONFIRM)
    assert (answer.outcome, answer.reason) == ("refused", "the incident has ended")
    assert story.answers("family", Act.NOTE, "thank you").outcome == "done"
    assert story.answers("operator", Act.REOPEN).outcome == "done"
    assert (story.incident().state, story.incident().closed_us) == ("reopened", None)
    story.between(100, 200).nobody()
    assert story.answers("grid_worker", Act.ARRIVED).outcome == "done"
    story.answers("grid_worker", Act.HANDLED)
    finish(story)
    story.between(200, 201).told("family", saying="ALL CLEAR")


def test_an_incident_is_not_reopened_beside_a_newer_one_of_its_place(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(5).answers("operator", Act.FALSE_ALARM)
    finish(story)
    story.at(100).smoke("501")
    assert story.answers("operator", Act.REOPEN).reason == "incident #2 is open at the same place"


def test_a_lesser_incident_can_be_cancelled_with_a_reason(story: Story) -> None:
    story.at(0).overload("501")
    assert story.answers("operator", Act.CANCEL).reason == "say why"
    assert story.answers("operator", Act.CANCEL, "load test").outcome == "done"
    assert story.incident().state == "cancelled"
    story.between(1, 2000).nobody()


def test_what_was_pressed_before_an_alarm_came_in_does_not_end_the_incident_that_holds_it(
    story: Story,
) -> None:
    story.at(0).overload("101").at(60).clears("O3", "monitor-101").at(100)
    pressed_us = story.now_us
    story.now_us += 2_000_000
    story.overload("101")
    story.now_us, taken_us = pressed_us, story.now_us
    story.hand_in("operator", Act.CANCEL, "looked: nothing")
    story.now_us = taken_us + 300_000
    story.turn()
    assert story.incident().state == "dispatched"
    assert story.answers("operator", Act.CANCEL, "looked: nothing").outcome == "done"
