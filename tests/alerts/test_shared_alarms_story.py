"""What several fires share: smoke with an electrical alarm beside it, and two flats of a stair. It is told to
all whom it confirms, and ends where somebody ends it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerts import schema
from alerts.case import Act
from devices.model import Severity
from rules.transition import Mark, Subject, To
from tests.alerts.seen import fires, flat
from tests.alerts.story import Story


def standing(story: Story, rule: str) -> list[int]:
    alarms = story.table(schema.incident_alarm)
    return [one.incident_id for one in alarms if one.rule == rule and one.cleared_us is None]


def says(story: Story, at_s: float, uid: str) -> None:
    story.at(at_s).transition("S1", uid, Severity.P0, ())


def met(story: Story, rule: str, uid: str, about: Subject, *marks: Mark, to: To = To.RAISED) -> None:
    story.store(story.row(rule, uid, Severity.P0_PLUS, marks, to=to, place=1, about=about))
    story.turn()


def isolate_first(story: Story, uid: str) -> None:
    met(story, "X1C", uid, Subject.BUILDING, Mark.ELECTRICAL_FIRST)


def test_an_electrical_alarm_is_that_of_every_smoke_in_the_common_parts_and_of_none_in_a_flat(
    story: Story,
) -> None:
    says(story, 0, "landing-1")
    says(story, 40, "landing-2")
    story.at(350).smoke("101")
    story.at(400)
    isolate_first(story, "riser-1")
    assert fires(story) == {"stair:1": "P0+", "stair:2": "P0+", flat(story, "101"): "P0"}
    assert standing(story, "X1C") == [1, 2]
    told = story.between(400, 403).told("fire_brigade", saying="Isolate the electricity first")
    assert {one.incident_id for one in told.messages} == {1, 2}
    assert [("electrical_first" in one.tags) for one in story.incidents()] == [True, True, False]


def test_in_whatever_order_they_came(story: Story) -> None:
    story.at(0).transition("O3", "riser", Severity.P1, ())
    for at_s, uid in ((10, "landing-1"), (50, "landing-2")):
        says(story, at_s, uid)
        isolate_first(story, uid)
    assert fires(story) == {"stair:1": "P0+", "stair:2": "P0+"}


def test_where_it_confirms_none_by_its_time_it_is_that_of_its_own_stair_and_not_of_the_newest(
    story: Story,
) -> None:
    says(story, 0, "landing-1")
    says(story, 60, "landing-2")
    story.at(700)
    isolate_first(story, "riser-1")
    assert fires(story) == {"stair:1": "P0+", "stair:2": "P0"}


def test_people_of_a_confirmed_fire_hear_of_the_electricity_once_more(story: Story) -> None:
    says(story, 0, "landing-1")
    says(story, 40, "landing-2")
    story.at(60).answers("operator", Act.CONFIRM, incident=1)
    story.answers("operator", Act.CONFIRM, incident=2)
    story.at(400)
    isolate_first(story, "riser")
    told = story.between(400, 401).told("grid_worker", saying="Isolate the electricity first")
    assert {one.incident_id for one in told.messages} == {1, 2}


def end(story: Story, incident: int) -> None:
    for who, act, note in (
        ("operator", Act.ARRIVED, ""),
        ("operator", Act.HANDLED, ""),
        ("operator", Act.FEEDBACK, "burnt food"),
        ("operator-2", Act.VERIFY, ""),
        ("operator", Act.CLOSE, "nuisance"),
    ):
        assert story.answers(who, act, note, incident=incident).outcome == "done"


def acts_on(story: Story, rule: str) -> list[tuple[int, str, bool]]:
    """Incident, kind, and whether it names a part alone."""
    inputs = [one for one in story.table(schema.engine_input) if one.rule == rule]
    return [(one.incident_id, one.kind, bool(one.slot)) for one in inputs if one.kind != "unfounded"]


def confirmed_by_stair(story: Story) -> None:
    says(story, 0, "smoke-401")
    says(story, 10, "smoke-501")
    met(story, "S2S", "smoke-501", Subject.STAIR)


def test_a_fire_confirmed_by_its_stair_ends_where_it_is_closed_and_not_in_the_other_flat(
    story: Story,
) -> None:
    confirmed_by_stair(story)
    assert standing(story, "S2S") == [1, 2]
    story.at(60)
    end(story, 2)
    assert standing(story, "S2S") == [1]
    assert acts_on(story, "S2S") == [(2, "close", True)]
    said = [one.text for one in story.table(schema.incident_change) if one.incident_id == 2]
    assert any("ended_here" in text for text in said)
    assert story.answers("operator", Act.FALSE_ALARM, incident=1).outcome == "noted", "a second one was there"
    assert fires(story)[flat(story, "401")] == "P0+"
    end(story, 1)
    assert acts_on(story, "S2S") == [(2, "close", True), (1, "close", False)]
    met(story, "S2S", "smoke-501", Subject.STAIR, to=To.CLEARED)
    assert standing(story, "S2S") == []


def test_so_it_does_with_a_reset_and_the_last_one_ends_it_for_all(story: Story) -> None:
    confirmed_by_stair(story)
    story.at(60).answers("operator", Act.RESET, incident=1)
    assert standing(story, "S2S") == [2]
    story.answers("operator", Act.RESET, incident=2)
    assert acts_on(story, "S2S") == [(1, "reset", True), (2, "reset", False)]


def test_two_that_are_ended_in_one_turn_leave_nothing_standing(story: Story) -> None:
    confirmed_by_stair(story)
    story.at(60)
    for incident in (1, 2):
        story.hand_in("operator", Act.RESET, incident=incident)
    story.turn()
    assert acts_on(story, "S2S") == [(1, "reset", True), (2, "reset", False)]


def moves(story: Story, uid: str, to_flat: str) -> None:
    """It is registered in another flat now, and its alarm goes on there."""
    gone = story.row("S1", uid, Severity.P0, (Mark.ELSEWHERE,), to=To.CLEARED)
    here = story.row("S1", uid, Severity.P0)
    raised = replace(here.transition, dwelling=story.block.dwellings[to_flat])
    story.store(gone, replace(here, transition=raised))
    story.turn()


@pytest.mark.parametrize("still", [True, False])
def test_a_fire_that_went_on_in_another_flat_keeps_its_part_there_as_long_as_it_stands(
    story: Story, still: bool
) -> None:
    confirmed_by_stair(story)
    moves(story.at(30), "smoke-401", "101")
    assert standing(story, "S1") == [2, 3]
    if not still:
        story.at(40).clears("S1", "smoke-401")
    story.at(60).answers("operator", Act.RESET, incident=1)
    assert standing(story, "S2S") == [2]
    assert acts_on(story, "S2S") == ([] if still else [(1, "reset", True)])
