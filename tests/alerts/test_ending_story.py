"""Who may end it: life_safety, "Who may end it", and the life cycle."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from alerts import schema
from alerts.acts import outcome_of, record_act
from alerts.case import Act
from alerts.permission import Leave, may
from devices.database import reading, writing
from devices.model import Role
from tests.alerts.story import DAY_S, Story


@pytest.mark.parametrize("who", ["family", "grid_worker", "operator", "duty_desk"])
def test_a_false_alarm_stops_the_chain_and_the_incident_stays_open(story: Story, who: str) -> None:
    story.at(0).smoke("501")
    assert story.at(10).answers(who, Act.FALSE_ALARM).outcome == "done"
    story.between(11, DAY_S).nobody()
    assert story.incident().closed_us is None
    assert story.answers("grid_worker", Act.FEEDBACK, "burnt pan").outcome == "done"


def test_a_neighbours_false_alarm_is_a_note_and_stops_nothing(story: Story) -> None:
    story.at(0).smoke("501")
    answer = story.at(10).answers("neighbour", Act.FALSE_ALARM)
    assert (answer.outcome, answer.reason) == ("noted", "a neighbour's false alarm stops nothing")
    story.between(60, 61).told("family", by="voice")
    story.between(90, 91).told("supervisor")


def test_a_false_alarm_stops_nothing_while_a_second_device_is_in_alarm(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(1).smoke("501", device="smoke-501-b")
    answer = story.at(10).answers("family", Act.FALSE_ALARM)
    assert (answer.outcome, answer.reason) == ("noted", "a second device is in alarm, so nothing stops")
    story.between(61, 62).told("family", by="voice")


def test_an_electrical_alarm_is_a_second_device_in_alarm(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(1).electrical_fire("501")
    assert story.at(10).answers("operator", Act.FALSE_ALARM).outcome == "noted"


def test_once_the_second_device_has_cleared_a_false_alarm_stops_the_chain(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(1).smoke("501", device="smoke-501-b")
    story.at(5).clears("S1", "smoke-501-b")
    assert story.at(10).answers("grid_worker", Act.FALSE_ALARM).outcome == "done"
    story.between(11, DAY_S).nobody()


def test_the_family_cannot_undo_a_persons_confirmation_but_the_grid_worker_can(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(5).answers("micro_station", Act.CONFIRM)
    assert story.at(10).answers("family", Act.FALSE_ALARM).outcome == "noted"
    assert story.at(20).answers("grid_worker", Act.FALSE_ALARM).outcome == "done"
    story.between(21, 900).nobody()


@pytest.mark.parametrize("who", ["building_secretary", "micro_station", "fire_brigade", "supervisor"])
def test_nobody_else_may_call_a_false_alarm(story: Story, who: str) -> None:
    story.at(0).smoke("501")
    answer = story.answers(who, Act.FALSE_ALARM, role=who)
    assert answer.outcome == "refused"
    assert answer.reason.startswith("this is for others to do: ")


@pytest.mark.parametrize("who", ["grid_worker", "micro_station", "fire_brigade", "operator"])
def test_arrived_stops_calls_to_residents_but_not_to_others(story: Story, who: str) -> None:
    story.at(0).smoke("501")
    assert story.at(10).answers(who, Act.ARRIVED).outcome == "done"
    later = story.between(11, 600)
    later.not_told("family", "family-2", "family-3", "neighbour", "supervisor")
    later.told("building_secretary", by="voice")


@pytest.mark.parametrize("who", ["family", "neighbour", "building_secretary"])
def test_who_is_no_helper_cannot_have_arrived(story: Story, who: str) -> None:
    story.at(0).smoke("501")
    assert story.answers(who, Act.ARRIVED).outcome == "refused"
    story.between(60, 61).told("family", by="voice")


def test_help_goes_to_the_next_in_the_own_role_and_the_next_role_now(story: Story) -> None:
    story.at(0).smoke("501")
    assert story.at(10).answers("grid_worker", Act.NEED_HELP).outcome == "done"
    now = story.between(10, 11)
    now.told("grid_worker-2", by="push", saying="The grid worker asks for help")
    now.told("building_secretary", by="voice")
    now.told("duty_desk", by="push")
    now.not_told("family", "fire_brigade")
    assert "help" in story.incident().tags
    story.at(20).answers("operator", Act.ACKNOWLEDGE)
    assert "help" not in story.incident().tags


def test_help_asked_for_twice_is_heard_twice(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(10).answers("grid_worker", Act.NEED_HELP)
    story.at(15).answers("grid_worker", Act.NEED_HELP)
    story.between(15, 16).told("duty_desk", by="push")


def test_who_is_not_bound_here_is_refused(story: Story) -> None:
    story.at(0).smoke("other")  # the family of 501 has nothing to do with it
    answer = story.answers("family", Act.CONFIRM)
    assert (answer.outcome, answer.reason) == ("refused", "you are not bound to this place")


def test_who_was_told_may_answer_although_the_binding_has_ended(story: Story) -> None:
    story.at(0).smoke("501")
    story.ends_the_binding_of("family")
    assert story.at(10).answers("family", Act.ACKNOWLEDGE).outcome == "done"


def test_a_claimed_role_gives_nothing(story: Story) -> None:
    story.at(0).smoke("501")
    assert story.answers("building_secretary", Act.CONFIRM, role="micro_station").outcome == "refused"


def test_an_act_on_no_incident_is_refused(story: Story) -> None:
    assert story.answers("operator", Act.ACKNOWLEDGE, incident=99).reason == "there is no such incident"


def test_a_repeated_tap_is_one_act(story: Story) -> None:
    story.at(0).smoke("501")
    with writing(story.engine) as connection:
        row = (1, "user:operator", "operator", Act.NEED_HELP, "", "test", story.now_us)
        first = record_act(connection, "same", *row)
        assert outcome_of(connection, first) is None
        assert record_act(connection, "same", *row) == first
    story.turn()
    assert len(story.table(schema.act)) == 1
    assert [s.n for s in story.table(schema.step) if s.name.startswith("help")] == [0]


def test_every_act_is_on_the_timeline_with_who_when_and_from_where(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(7).answers("family", Act.ACKNOWLEDGE)
    story.answers("family", Act.CLOSE)
    with reading(story.engine) as connection:
        rows = connection.execute(
            select(schema.incident_change).where(schema.incident_change.c.by == "contact:family")
        ).all()
    assert [(r.kind, r.at_us, r.via) for r in rows] == [
        ("acknowledge", story.now_us, "test"),
        ("close", story.now_us, "test"),
    ]


ANYONE = {str(role) for role in Role} | {"user:operator", "user:supervisor"}
TABLE = {
    Act.ACKNOWLEDGE: ANYONE,
    Act.NEED_HELP: ANYONE,
    Act.CONFIRM: {"family", "neighbour", "grid_worker", "micro_station", "duty_desk"},
    Act.FALSE_ALARM: {"family", "grid_worker", "duty_desk"},
    Act.ARRIVED: {"grid_worker", "micro_station", "fire_brigade", "duty_desk"},
    Act.CLOSE: set(),
    Act.RESET: set(),
}


@pytest.mark.parametrize("act", TABLE)
def test_the_table_of_permissions(act: Act) -> None:
    allowed = {who for who in ANYONE | {"user:admin"} if may(act, [who]) is Leave.DO}
    assert allowed == TABLE[act] | {"user:operator", "user:supervisor"}
