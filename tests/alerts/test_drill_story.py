"""What is told of a drill: everybody of the place hears that it is one, and no station hears of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alerts import schema
from alerts.case import Act
from alerts.windows import WindowKind
from devices.model import Severity
from tests.alerts.seen import timeline
from tests.alerts.story import Story, a_story
from tests.alerts.windows import EVERYBODY, STATIONS, drill, ends, opens, tags


@pytest.fixture
def story(database: str) -> Iterator[Story]:
    with a_story(database, agreed=True) as opened:
        yield opened


def test_a_drill_tells_the_people_of_the_place_that_it_is_one_and_no_station(story: Story) -> None:
    drill(story, "building", "b3")
    story.at(0).smoke("501").smoke("501", device="smoke-501-b")
    assert story.incident().severity == "P0+"
    assert "drill" in tags(story)
    assert story.incident().place == f"drill:dwelling:{story.block.dwellings['501']}"
    told = story.between(0, 900)
    for who in EVERYBODY:
        told.told(who)
    told.told("family", by="voice")
    assert all(message.text.startswith("DRILL. ") for message in told.messages)
    told.not_told(*STATIONS)


def test_a_drill_is_told_in_chinese_and_by_templates_too(story: Story) -> None:
    drill(story, "dwelling", "b3-501")
    story.at(0).smoke("501")
    row = story.table(schema.notification)[0]
    assert '"what":"DRILL. ' in row.parts
    assert '"drill":"DRILL. "' in row.parts
    assert row.rank == Severity.P1.rank  # nothing of a drill goes before a real fire
    assert row.severity == "P0"


def test_a_drill_on_a_stair_tells_those_of_the_stair(story: Story) -> None:
    drill(story, "stair", "b3-1")
    story.at(0).smoke("", device="landing-1")
    told = story.between(0, 100)
    told.told("neighbour", saying="DRILL")
    told.not_told(*STATIONS)


def test_a_drill_and_a_real_fire_beside_it_touch_each_other_in_nothing(story: Story) -> None:
    drill(story, "dwelling", "b3-501")
    story.at(0).smoke("501")
    story.at(10).smoke("401")
    exercise, real = story.incidents()
    assert (exercise.severity, real.severity) == ("P0", "P0")
    assert not [line for line in timeline(story, real.id) if "related" in line or "raised" in line]
    story.between(0, 900).told("micro_station")
    assert all(m.incident_id == real.id for m in story.messages() if m.code in STATIONS)


def test_a_fault_of_a_device_is_no_exercise(story: Story) -> None:
    drill(story, "building", "b3")
    story.at(0).transition("S6", "smoke-501", Severity.P2, ())
    assert story.incident().place.startswith("dwelling:")


def test_where_it_burns_there_is_no_drill(story: Story) -> None:
    opens(story, WindowKind.DRILL, "building", "b3", after_min=1)
    story.at(0).smoke("501")
    story.at(100).smoke("501", device="smoke-501-b")
    assert [i.severity for i in story.incidents()] == ["P0+"]
    story.between(100, 101).told("fire_brigade")


def test_what_still_stands_when_a_drill_ends_is_a_fire_from_step_0(story: Story) -> None:
    drill(story, "building", "b3", minutes=10)
    story.at(0).smoke("501").smoke("501", device="smoke-501-b")
    story.at(599)
    story.between(600, 601).told("family", saying="FIRE ALARM")
    story.between(600, 601).told("micro_station")
    real = story.incident(2)
    assert real.severity == "P0"  # two alarms nobody has reset confirm no fire
    assert len([a for a in story.table(schema.incident_alarm) if a.incident_id == real.id]) == 2
    assert not [m for m in story.messages() if m.at_s >= 600 and m.text.startswith("DRILL")]


def test_a_confirmation_within_a_drill_keeps_its_end_in_mind(story: Story) -> None:
    drill(story, "building", "b3", minutes=10)
    story.at(0).smoke("501")
    story.answers("grid_worker", Act.CONFIRM)
    story.between(0, 599).not_told(*STATIONS)
    story.between(600, 601).told("micro_station")


def test_a_drill_of_which_nothing_stands_ends_quietly_and_its_people_may_finish_it(story: Story) -> None:
    drill(story, "building", "b3", minutes=2)
    story.at(0).smoke("501")
    story.at(30).clears("S1", "smoke-501")
    story.at(120)
    story.between(121, 1000).nobody()
    assert story.answers("operator", Act.ARRIVED).outcome == "done"


def test_a_drill_that_another_covers_goes_on_without_a_false_fire(story: Story) -> None:
    drill(story, "building", "b3", minutes=2)
    drill(story, "stair", "b3-1", minutes=5)
    first = drill(story, "dwelling", "b3-501", minutes=8)
    story.at(0).smoke("501")
    story.at(60)
    ends(story, first)
    story.between(0, 299).not_told("micro_station")
    story.between(300, 301).told("micro_station")


def test_a_closed_drill_counts_nothing_against_the_detector(story: Story) -> None:
    drill(story, "building", "b3")
    story.at(0).smoke("501")
    for who, act in (("operator", Act.ARRIVED), ("operator", Act.HANDLED), ("operator", Act.FEEDBACK)):
        story.answers(who, act, "exercise")
    story.answers("operator-2", Act.VERIFY)
    assert story.answers("operator", Act.CLOSE, "nuisance: exercise").outcome == "done"
    assert {row.kind for row in story.table(schema.engine_input)} == {"close"}
    told = [m for m in story.messages() if m.step == "all_clear"]
    assert told and all(m.text.startswith("DRILL. ALL CLEAR") for m in told)
