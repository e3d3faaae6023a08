"""What silences, drills and commissioning do to alarms: every line of life_safety on windows, and what users
of others ask for (maintenance that mutes escalations too, and whose end releases what still stands)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from alerts import schema
from alerts.case import Act
from alerts.gate import EXERCISE_TAGS
from alerts.sayings import render
from alerts.window_schema import bounded_window
from alerts.windows import WindowKind
from devices.database import writing
from devices.model import Severity
from rules.transition import Mark, Subject
from tests.alerts.story import SECOND, START_US, Story, a_story
from tests.alerts.windows import checks, commission, drill, ends, opens, silence

STATIONS = ("micro_station", "fire_brigade")
EVERYBODY = ("family", "neighbour", "grid_worker", "building_secretary", "duty_desk")


@pytest.fixture
def story(database: str) -> Iterator[Story]:
    with a_story(database, agreed=True) as opened:
        yield opened


def lines(story: Story, incident: int = 1) -> list[str]:
    rows = story.table(schema.incident_change)
    return [render(row.text, "en") for row in rows if row.incident_id == incident]


def tags(story: Story, incident: int = 1) -> set[str]:
    return set(story.incident(incident).tags.split(","))


# silence


def test_a_silence_puts_lesser_alarms_off_to_its_end_and_says_so_once(story: Story) -> None:
    silence(story, "building", "b3", minutes=30)
    story.at(0).overload("501")
    story.between(0, 1799).nobody()
    said = [line for line in lines(story) if "silenced until" in line]
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
    assert "the silence is over: handled or cleared meanwhile, nobody is told" in lines(story)


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


# commissioning


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
    assert any("X1 rests on an alarm of this exercise" in line for line in lines(story, 2))
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


# drill


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
    assert not [line for line in lines(story, real.id) if "related" in line or "raised" in line]
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


# clocks and faults


def test_a_clock_put_back_before_its_making_ends_a_window_for_good(story: Story) -> None:
    story.at(4000)
    commission(story, "smoke-501")
    story.at(4010).smoke("501")
    story.now_us -= 3600 * SECOND
    checks(story)
    story.between(story.now_s, story.now_s + 1).told("family")
    story.now_us = START_US + 4020 * SECOND
    story.smoke("501", device="smoke-501-b")
    assert [i.severity for i in story.incidents()] == ["P0", "P0+"]


def test_a_window_whose_time_was_over_once_never_holds_again(story: Story) -> None:
    story.at(1000)
    commission(story, "smoke-501", minutes=5)
    story.at(1400)
    checks(story)
    story.now_us = START_US + 1100 * SECOND
    story.smoke("501")
    story.between(1100, 1101).told("family")


def test_a_clock_put_forward_releases_early(story: Story) -> None:
    commission(story, "smoke-501")
    story.at(10).smoke("501")
    story.at(7200)
    assert story.incident(2).severity == "P0"


@pytest.mark.parametrize("table", ["bounded_window", "bounded_window_end"])
def test_where_windows_cannot_be_read_people_are_told_and_the_fault_is_reported(
    story: Story, table: str
) -> None:
    drill(story, "building", "b3")
    silence(story, "building", "b3")
    with writing(story.engine) as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO elsewhere"))
    story.at(0).smoke("501").transition("O3", "smoke-other", Severity.P1, ())
    story.between(0, 1).told("micro_station")
    story.between(0, 1).told("grid_worker", saying="SERIOUS")
    assert [row.code for row in story.table(schema.system_fault)] == ["decision_failed"]
    with writing(story.engine) as connection:
        connection.execute(text(f"ALTER TABLE elsewhere RENAME TO {table}"))


def test_a_window_of_a_later_release_costs_itself_only(story: Story) -> None:
    drill(story, "dwelling", "b3-501")
    odd = drill(story, "dwelling", "b3-401")
    with writing(story.engine) as connection:
        connection.execute(
            bounded_window.update().where(bounded_window.c.id == odd.id).values(scope="street")
        )
    story.at(0).smoke("501").smoke("401")
    assert ["drill" in i.tags for i in story.incidents()] == [True, False]
    assert [row.code for row in story.table(schema.system_fault)] == ["decision_failed"]
