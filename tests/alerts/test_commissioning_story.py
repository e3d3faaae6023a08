"""What is told of a device that is being commissioned: its own alarms go to the duty desk alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alerts import schema
from alerts.case import Act
from alerts.gate import EXERCISE_TAGS
from alerts.windows import WindowKind
from devices.model import Severity
from rules.transition import Mark, Subject
from tests.alerts.seen import timeline
from tests.alerts.story import Story, a_story
from tests.alerts.windows import EVERYBODY, commission, drill, ends, opens, tags


@pytest.fixture
def story(database: str) -> Iterator[Story]:
    with a_story(database, agreed=True) as opened:
        yield opened


def test_an_alarm_of_a_device_being_commissioned_is_told_to_the_duty_desk_alone(story: Story) -> None:
    commission(story, "smoke-501")
    story.at(0).smoke("501")
    told = story.between(0, 600)
    told.told("duty_desk", saying="COMMISSIONING TEST").once()
    assert told.codes() == ["duty_desk"]
    assert story.incident().place == "commissioning:smoke-501"
    assert "commissioning" in tags(story)


def test_cries_and_confirmations_in_commissioning_stay_on_the_duty_desk(story: Story) -> None:
    commission(story, "smoke-501")
    story.at(0).smoke("501")
    story.answers("family", Act.CONFIRM)
    story.answers("grid_worker", Act.NEED_HELP)
    assert story.between(0, 600).codes() == ["duty_desk"]


def test_only_its_own_device_is_diverted(story: Story) -> None:
    commission(story, "smoke-501")
    story.at(0).smoke("501").smoke("501", device="smoke-501-b")
    real = story.incident(2)
    assert (real.place.partition(":")[0], real.severity) == ("dwelling", "P0")
    story.between(0, 1).told("micro_station")
    story.between(0, 1).not_told("fire_brigade")


@pytest.mark.parametrize("order", [("smoke-501", "smoke-501-b"), ("smoke-501-b", "smoke-501")])
def test_a_tested_device_confirms_no_fire_in_its_flat(story: Story, order: tuple[str, str]) -> None:
    commission(story, "smoke-501")
    for uid in order:
        story.at(story.now_s + 5).smoke("501", device=uid)
    row = story.row("S2", order[1], Severity.P0_PLUS, place=story.block.dwellings["501"])
    story.store(row)
    story.turn()
    assert [i.severity for i in story.incidents()] == ["P0", "P0"]
    story.at(11).transition("M1", "monitor-501", Severity.P0, ())
    assert sorted(i.severity for i in story.incidents()) == ["P0", "P0+"]  # another real one does


@pytest.mark.parametrize("order", [("501", "401"), ("401", "501")])
def test_a_tested_device_confirms_no_fire_in_its_stair(story: Story, order: tuple[str, str]) -> None:
    commission(story, "smoke-501")
    for flat in order:
        story.at(story.now_s + 5).smoke(flat)
    row = story.row("S2S", f"smoke-{order[1]}", Severity.P0_PLUS, place=1, about=Subject.STAIR)
    story.store(row)
    story.turn()
    assert [i.severity for i in story.incidents()] == ["P0", "P0"]
    story.between(0, 90).not_told("fire_brigade")


def test_an_alarm_of_two_devices_is_set_aside_where_one_of_them_is_being_tested(story: Story) -> None:
    commission(story, "smoke-501")
    story.at(0).overload("501")
    story.at(5).smoke("501").electrical_fire("501")
    story.between(0, 600).not_told("micro_station", "fire_brigade", "neighbour")
    assert any("X1 rests on an alarm of this exercise" in line for line in timeline(story, 2))
    reset = [row for row in story.table(schema.engine_input) if row.kind == "reset"]
    assert [(row.rule, row.place) for row in reset] == [("X1", story.block.dwellings["501"])]


def test_an_alarm_of_two_devices_that_a_tested_one_raised_is_never_real(story: Story) -> None:
    commission(story, "smoke-501")
    row = story.row("X1", "smoke-501", Severity.P0_PLUS, place=story.block.dwellings["501"])
    story.store(row)  # in whatever order it comes before that of the device itself
    story.turn()
    assert story.between(0, 600).codes() == ["duty_desk"]


def test_an_alarm_of_two_devices_is_real_where_two_others_say_it(story: Story) -> None:
    commission(story, "smoke-501")
    story.at(0).smoke("501").overload("501").smoke("501", device="smoke-501-b")
    row = story.row("X1", "smoke-501-b", Severity.P0_PLUS, place=story.block.dwellings["501"])
    story.store(row)
    story.turn()
    story.between(0, 1).told("fire_brigade")


def test_what_still_stands_when_commissioning_ends_is_a_fire_from_step_0(story: Story) -> None:
    commission(story, "smoke-501", minutes=5)
    story.at(10).smoke("501")
    story.between(10, 299).not_told("family")
    told = story.between(300, 301)
    for who in (*EVERYBODY, "micro_station"):
        told.told(who)
    told.not_told("fire_brigade")
    story.between(360, 361).told("family", by="voice")
    assert story.incident(2).place == f"dwelling:{story.block.dwellings['501']}"
    assert story.incident(1).state == "cancelled"
    assert not story.between(301, 900).told("duty_desk").messages[0].text.startswith("COMM")


def test_commissioning_ended_early_releases_at_once(story: Story) -> None:
    window = commission(story, "smoke-501")
    story.at(10).smoke("501")
    story.at(20)
    ends(story, window)
    story.between(20, 21).told("family")


def test_what_was_reset_before_the_end_is_told_to_nobody(story: Story) -> None:
    commission(story, "smoke-501", minutes=5)
    story.at(10).smoke("501")
    story.at(60).clears("S1", "smoke-501")
    assert story.between(0, 1200).codes() == ["duty_desk"]
    assert story.incident().state == "cancelled"


def test_an_exercise_of_fire_can_be_cancelled_at_the_desk(story: Story) -> None:
    commission(story, "smoke-501", minutes=5)
    story.at(10).smoke("501")
    assert story.answers("operator", Act.CANCEL, "tested").outcome == "done"
    assert story.between(0, 1200).codes() == ["duty_desk"]


def test_an_alarm_of_a_stair_goes_on_in_that_stair(story: Story) -> None:
    commission(story, "landing-1", minutes=5)
    story.at(10).smoke("", device="landing-1")
    assert story.between(0, 299).codes() == ["duty_desk"]
    story.between(300, 301).told("neighbour")
    assert story.incident(2).place.startswith("stair:")


def test_a_real_fire_takes_up_what_stood_of_an_exercise(story: Story) -> None:
    commission(story, "smoke-501", minutes=5)
    story.at(10).smoke("501")
    story.at(20).smoke("501", device="smoke-501-b")
    story.answers("family", Act.ACKNOWLEDGE, incident=2)
    story.at(300)
    real = story.incident(2)
    assert (real.epoch, len(story.incidents())) == (1, 2)
    story.between(300, 301).told("family")


def test_a_fire_from_before_the_window_is_no_part_of_it(story: Story) -> None:
    story.at(100)
    commission(story, "smoke-501")
    story.smoke("501", Mark.LATE, age_s=90)
    story.between(100, 101).told("family")


def test_a_fire_that_waited_for_us_while_somebody_began_a_drill_is_real(story: Story) -> None:
    row = story.row("S1", "smoke-501", Severity.P0)
    story.at(30)
    drill(story, "building", "b3")
    story.store(row)
    story.turn()
    story.between(30, 31).told("micro_station")


def test_a_real_alarm_goes_on_in_its_incident_when_its_device_is_commissioned(story: Story) -> None:
    opens(story, WindowKind.COMMISSIONING, "device", "smoke-501", after_min=1)
    story.at(0).smoke("501")
    story.at(200).smoke("501", Mark.SECOND_FIRE)
    assert len(story.incidents()) == 1
    story.between(200, 201).told("family")


def test_a_vendors_test_bit_alone_diverts_nothing(story: Story) -> None:
    assert not EXERCISE_TAGS & {str(mark) for mark in Mark}
    story.at(0).smoke("501", *(mark for mark in Mark if mark is not Mark.AGE_UNKNOWN))
    story.between(0, 1).told("micro_station")
