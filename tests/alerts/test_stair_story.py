"""Fire in the common parts of a stair: whose incident it is, who is told what, and what confirms it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import delete, insert, update

from alerts import schema
from alerts.board_view import open_incidents
from alerts.case import Act
from devices import schema as registry
from devices.database import reading, writing
from devices.model import Role, Severity
from rules.transition import Mark, Subject, To
from tests.alerts.block import BUILT_US, add_contact
from tests.alerts.seen import flat
from tests.alerts.story import Story, a_story

LIVE_THERE = ["family", "family-2", "family-3", "neighbour"]
"""All who are bound to dwellings of the first stair."""
AT_ONCE = sorted([*LIVE_THERE, "building_secretary", "duty_desk", "grid_worker", "micro_station"])


@pytest.fixture
def story(database: str) -> Iterator[Story]:
    with a_story(database) as opened:
        with writing(opened.engine) as connection:
            over_there = add_contact(connection, "other_stair")
            opened.block.contacts["other_stair"] = over_there
            connection.execute(
                insert(registry.binding).values(
                    contact_id=over_there, role=str(Role.NEIGHBOUR), place_kind="dwelling", rank=1,
                    place_id=opened.block.dwellings["other"], bound_us=BUILT_US,
                )
            )  # fmt: skip
        yield opened


def places(story: Story) -> list[tuple[str, str, str]]:
    return [(i.place, i.hazard, i.severity) for i in story.incidents()]


def landing(story: Story, at_s: float, uid: str = "landing-1", *marks: Mark) -> Story:
    return story.at(at_s).transition("S1", uid, Severity.P0, marks)


def both(story: Story, rule: str, uid: str, severity: Severity, *, to: To = To.RAISED) -> None:
    """An alarm that two devices of the building's common parts raise together, set off by this one."""
    mark = Mark.ELECTRICAL_FIRST if rule == "X1C" else Mark.ISOLATE
    story.store(story.row(rule, uid, severity, (mark,), to=to, place=1, about=Subject.BUILDING))
    story.turn()


def test_smoke_on_a_landing_is_a_matter_of_the_stair_and_all_who_live_there_are_told(story: Story) -> None:
    landing(story, 0)
    assert places(story) == [("stair:1", "fire", "P0")]
    assert (story.incident().dwelling_id, story.incident().building_id) == (0, 1)
    assert story.between(0, 1).codes() == AT_ONCE
    story.between(0, 1).told("grid_worker", saying="3号楼, 1单元, common parts (landing-1)").once()


def test_nobody_is_sent_into_the_smoke(story: Story) -> None:
    landing(story, 0)
    for who in LIVE_THERE:
        story.between(0, 1).told(who, saying="if the stairs are full of smoke stay in").once()
    story.at(5).answers("operator", Act.CONFIRM)
    story.between(5, 6).told("neighbour", saying="go down only if they are clear")


def test_neighbours_of_a_flat_that_burns_are_told_to_leave_and_not_into_smoke(story: Story) -> None:
    story.at(0).smoke("501")
    story.answers("operator", Act.CONFIRM)
    told = story.between(0, 1).told("neighbour", saying="Leave now by the stairs").messages[0].text
    assert "if they are full of smoke stay in" in told


def test_who_lives_on_the_stair_can_confirm_and_cannot_end_it_alone(story: Story) -> None:
    landing(story, 0)
    story.at(2).answers("family", Act.FALSE_ALARM, role="neighbour")
    assert story.incident().false_alarm_us is None, "the stair is nobody's own dwelling"
    assert story.at(3).answers("family", Act.CONFIRM, role="neighbour").outcome == "done"
    assert story.incident().severity == "P0+"
    story.between(3, 4).told("fire_brigade", saying="FIRE CONFIRMED").once()


def test_a_lesser_matter_of_the_stair_wakes_no_resident(story: Story) -> None:
    story.at(0).transition("S8", "landing-1", Severity.P1, ())
    assert places(story) == [("stair:1", "fire", "P1")]
    story.between(0, 1).told("grid_worker")
    story.between(0, 1).not_told(*LIVE_THERE)
    landing(story, 60)
    assert story.between(60, 61).codes() == AT_ONCE


def test_a_resident_has_nothing_to_say_of_a_lesser_matter_and_is_told_of_a_fire_in_the_same_turn(
    story: Story,
) -> None:
    story.at(0).transition("O3", "riser-1", Severity.P1, ())
    assert story.at(5).answers("neighbour", Act.ACKNOWLEDGE).outcome == "refused"
    story.at(10).hand_in("neighbour", Act.ACKNOWLEDGE)
    landing(story, 10)
    assert story.between(10, 11).codes() == AT_ONCE


@pytest.mark.parametrize(("first", "then"), [("landing-1", "smoke-401"), ("smoke-401", "landing-1")])
def test_a_landing_and_a_flat_of_its_stair_confirm_the_fire_in_both(
    story: Story, first: str, then: str
) -> None:
    story.at(0).transition("S1", first, Severity.P0, ())
    story.between(0, 290).not_told("fire_brigade")
    story.at(300).transition("S1", then, Severity.P0, ())
    assert sorted(places(story)) == [(flat(story, "401"), "fire", "P0+"), ("stair:1", "fire", "P0+")]
    told = story.between(300, 303)
    assert {m.incident_id for m in told.told("fire_brigade", saying="FIRE CONFIRMED").messages} == {1, 2}
    told.told("family", saying="1单元, common parts")


@pytest.mark.parametrize("then", ["smoke-401", "landing-1-b"])
def test_what_comes_later_than_five_minutes_confirms_nothing(story: Story, then: str) -> None:
    landing(story, 0)
    story.at(300.1).transition("S1", then, Severity.P0, ())
    assert {severity for _, _, severity in places(story)} == {"P0"}


def test_two_detectors_of_one_stair_confirm_its_fire(story: Story) -> None:
    landing(story, 0)
    landing(story, 100, "landing-1-b")
    assert places(story) == [("stair:1", "fire", "P0+")]
    story.between(100, 103).told("fire_brigade", saying="smoke at two detectors").once()


@pytest.mark.parametrize("uid", ["smoke-other", "landing-2", "smoke-hall"])
def test_another_stair_confirms_nothing(story: Story, uid: str) -> None:
    landing(story, 0)
    story.at(10).transition("S1", uid, Severity.P0, ())
    assert [severity for _, _, severity in places(story)] == ["P0", "P0"]
    story.between(0, 20).not_told("fire_brigade")


def test_the_meeting_that_the_rules_found_belongs_where_it_was_set_off(story: Story) -> None:
    landing(story, 0)
    story.at(1).smoke("401")
    story.store(story.row("S2S", "landing-1", Severity.P0_PLUS, place=1, about=Subject.STAIR))
    story.at(2).turn()
    assert len(story.incidents()) == 2
    alarms = {(a.incident_id, a.rule) for a in story.table(schema.incident_alarm)}
    assert alarms == {(1, "S1"), (2, "S1"), (1, "S2S"), (2, "S2S")}, "and of both it confirms"


def test_a_fire_on_the_stair_that_clears_and_comes_again_is_one_incident(story: Story) -> None:
    landing(story, 0)
    story.at(60).clears("S1", "landing-1")
    landing(story, 200, "landing-1", Mark.SECOND_FIRE)
    assert places(story) == [("stair:1", "fire", "P0")]
    story.between(200, 201).told("neighbour", saying="FIRE ALARM again").once()


def test_smoke_on_a_landing_with_arcs_in_its_riser_is_its_own_fire(story: Story) -> None:
    landing(story, 0)
    both(story, "X1C", "landing-1", Severity.P0_PLUS)
    assert places(story) == [("stair:1", "fire", "P0+")]
    story.between(0, 1).told("fire_brigade", saying="Isolate the electricity first")


@pytest.mark.parametrize("uid", ["riser", "landing-2"])
def test_an_electrical_alarm_elsewhere_in_the_building_makes_the_fire_of_the_stair_worse(
    story: Story, uid: str
) -> None:
    landing(story, 0)
    story.at(5).transition("O3", uid, Severity.P1, ())
    both(story, "X1C", uid, Severity.P0_PLUS)
    fires = [(place, severity) for place, hazard, severity in places(story) if hazard == "fire"]
    assert fires == [("stair:1", "P0+")]
    assert story.between(5, 6).told("neighbour", saying="FIRE CONFIRMED")


def test_a_fire_in_another_building_is_made_no_worse(story: Story) -> None:
    with writing(story.engine) as connection:
        values = {"area_id": 1, "code": "b4", "name": "4号楼", "floors": 6}
        there = connection.execute(insert(registry.building).values(values).returning(registry.building.c.id))
        moved = registry.device.c.uid == "smoke-hall"
        connection.execute(
            update(registry.device).where(moved).values(building_id=there.scalar_one(), stair_id=None)
        )
    story.store(
        story.row("S1", "smoke-hall", Severity.P0),
        story.row("X1C", "riser-1", Severity.P0_PLUS, place=1, about=Subject.BUILDING),
    )
    story.at(0).turn()
    assert sorted(places(story)) == [("building:2", "fire", "P0"), ("stair:1", "fire", "P0+")]


def test_a_meeting_without_any_fire_that_stands_is_told_where_it_was_set_off(story: Story) -> None:
    story.at(0)
    both(story, "X1C", "riser-1", Severity.P0_PLUS)
    assert places(story) == [("stair:1", "fire", "P0+")]


def test_a_hot_cable_with_arcs_in_the_riser_is_one_matter_of_the_stair(story: Story) -> None:
    story.at(0).transition("T3", "riser-1", Severity.P1, ())
    both(story, "T3XC", "riser-1", Severity.P0)
    assert places(story) == [("stair:1", "electrical", "P0")]


def test_a_dark_block_stays_a_matter_of_the_building_whoever_fell_silent_first(story: Story) -> None:
    story.store(story.row("C3", "landing-1", Severity.P1, place=1, about=Subject.BUILDING))
    story.at(0).turn()
    assert places(story) == [("building:1", "fault", "P1")]


def test_the_board_names_the_stair(story: Story) -> None:
    landing(story, 0)
    with reading(story.engine) as connection:
        [english], [chinese] = (open_incidents(connection, language, 5) for language in ("en", "zh-CN"))
    assert english.place.endswith("3号楼, 1单元, common parts")
    assert chinese.place.endswith("3号楼 1单元 公共部位")


def test_a_stair_that_the_registry_forgot_is_told_to_the_building(story: Story) -> None:
    landing(story, 0)
    with writing(story.engine) as connection:
        on_stair = registry.dwelling.c.stair_id == 1
        connection.execute(update(registry.dwelling).where(on_stair).values(stair_id=2))
        connection.execute(update(registry.device).values(stair_id=None))
        connection.execute(delete(registry.stair).where(registry.stair.c.id == 1))
    story.at(30).answers("operator", Act.CONFIRM)
    story.between(30, 31).told("grid_worker", saying="stair #1")
    story.between(30, 31).told("micro_station")
