"""A serious alarm that joins an incident which people deal with already, or dealt with long ago: it never
vanishes there."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import update

from alerts.case import Act
from devices import schema as registry
from devices.database import writing
from devices.model import Severity
from rules.transition import Mark, Subject
from tests.alerts.story import DAY_S, Messages, Story

HOUR_S = 3600.0


def raised(story: Story, at_s: float, rule: str, *marks: Mark, uid: str = "monitor-501") -> None:
    story.at(at_s).transition(rule, uid, Severity.P1, marks)


def answered_leakage(story: Story) -> None:
    raised(story, 0, "L3", Mark.ISOLATE)
    story.at(60).answers("grid_worker", Act.ACKNOWLEDGE)
    story.at(61).answers("building_secretary", Act.ACKNOWLEDGE)


# nothing stands any more


def test_each_new_alarm_in_an_old_incident_left_open_is_told_from_the_first_step(story: Story) -> None:
    answered_leakage(story)
    story.at(HOUR_S).clears("L3", "monitor-501")
    for day, rule in ((20, "T3"), (21, "A1"), (22, "V1")):
        raised(story, day * DAY_S, rule, Mark.ISOLATE)
        messages = story.between(day * DAY_S, day * DAY_S + 1)
        assert messages.codes() == ["building_secretary", "family", "grid_worker"]
        messages.told("grid_worker", by="push").once()
        story.between(day * DAY_S + 300, day * DAY_S + 301).told("building_secretary", by="voice")
        story.at(day * DAY_S + HOUR_S).clears(rule, "monitor-501")
    assert len(story.incidents()) == 1
    assert story.incident().epoch == 3


def test_the_same_alarm_come_back_is_told_from_the_first_step_too(story: Story) -> None:
    answered_leakage(story)
    story.at(HOUR_S).clears("L3", "monitor-501")
    raised(story, 20 * DAY_S, "L3", Mark.ISOLATE)
    story.between(20 * DAY_S, 20 * DAY_S + 1).told("grid_worker", saying="leakage current").once()


def test_an_alarm_that_flutters_never_keeps_the_supervisor_from_hearing(story: Story) -> None:
    raised(story, 0, "V1")
    for minute in range(1, 15):
        story.at(minute * 60 - 10).clears("V1", "monitor-501")
        raised(story, minute * 60, "V1")
    story.between(900, 901).told("supervisor").once()
    assert story.incident().epoch == 0


def test_smoke_that_rises_again_at_a_detector_seen_to_is_told_again(story: Story) -> None:
    raised(story, 0, "S8", uid="smoke-501")
    story.at(30).answers("grid_worker", Act.ACKNOWLEDGE)
    story.at(900).clears("S8", "smoke-501")
    raised(story, DAY_S, "S8", uid="smoke-501")
    story.between(DAY_S, DAY_S + 1).told("grid_worker", saying="smoke is rising").once()


def test_a_button_at_a_detector_whose_smoke_cleared_and_was_answered_tells_everybody(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(30).answers("grid_worker", Act.ACKNOWLEDGE)
    story.at(HOUR_S).clears("S1", "smoke-501")
    story.at(DAY_S).transition("M1", "smoke-501", Severity.P0, ())
    story.between(DAY_S, DAY_S + 1).told("micro_station", saying="FIRE ALARM").once()


def test_leakage_after_a_fire_that_cleared_and_was_answered_has_an_incident_of_its_own(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(30).answers("grid_worker", Act.ACKNOWLEDGE)
    story.at(HOUR_S).clears("S1", "smoke-501")
    raised(story, DAY_S, "L3", Mark.ISOLATE)
    assert [i.hazard for i in story.incidents()] == ["fire", "electrical"]
    messages = story.between(DAY_S, DAY_S + 1)
    assert messages.codes() == ["building_secretary", "family", "grid_worker"]


# something stands, and people have answered


def test_another_rule_in_an_answered_incident_is_told_to_those_who_deal_with_it(story: Story) -> None:
    answered_leakage(story)
    raised(story, 600, "A1")
    messages = story.between(600, 601)
    for who in ("grid_worker", "building_secretary", "family"):
        messages.told(who, by="push", saying="Another alarm here: arc on the circuit.").once()
    assert messages.codes() == ["building_secretary", "family", "grid_worker"]
    assert (story.incident().epoch, story.incident().state) == (0, "acknowledged")


def test_another_rule_that_asks_for_isolation_again_is_told_as_well(story: Story) -> None:
    answered_leakage(story)
    raised(story, 600, "T3", Mark.ISOLATE)
    said = "Another alarm here: cable too hot. Isolate the electricity first, no water."
    story.between(600, 601).told("grid_worker", saying=said).once()


def test_the_family_hears_of_what_the_others_were_told_to_isolate_five_minutes_later(story: Story) -> None:
    raised(story, 0, "L2")
    story.at(60).answers("grid_worker", Act.ACKNOWLEDGE)
    story.at(61).answers("building_secretary", Act.ACKNOWLEDGE)
    raised(story, 2000, "T3", Mark.ISOLATE)
    story.between(2000, 2001).told("grid_worker", saying="New: live wiring is involved.").once()
    story.between(2000, 2299).not_told("family")
    story.between(2300, 2301).told("family", saying="Another alarm here: cable too hot.").once()


def test_leakage_in_a_fire_arrived_at_two_weeks_ago_is_told_but_not_to_neighbours(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(40).answers("grid_worker", Act.ARRIVED)
    raised(story, 14 * DAY_S, "L2")
    messages = story.between(14 * DAY_S, 14 * DAY_S + 1)
    for who in ("grid_worker", "micro_station", "duty_desk", "family"):
        messages.told(who, saying="Another alarm here: leakage current.").once()
    messages.not_told("neighbour", "fire_brigade")


def test_a_grave_correlation_of_another_cupboard_is_told_though_the_first_was_answered(story: Story) -> None:
    story.at(0).transition("T3X", "monitor-501", Severity.P0, (Mark.ISOLATE,))
    story.at(60).answers("grid_worker", Act.ARRIVED)
    story.at(600).transition("T3X", "monitor-501-b", Severity.P0, (Mark.ISOLATE,), place=1)
    story.between(600, 601).told("grid_worker", saying="Another alarm here: cable critical").once()


def test_once_the_last_step_is_done_unanswered_another_alarm_is_told(story: Story) -> None:
    raised(story, 0, "L2")
    raised(story, 1000, "A1")
    story.between(1000, 1001).told("grid_worker", saying="Another alarm here: arc").once()


def test_while_it_is_still_escalated_those_told_already_hear_it_within_five_minutes(story: Story) -> None:
    raised(story, 0, "L2")
    raised(story, 100, "A1")
    story.between(1, 299).nobody()
    messages = story.between(300, 301)
    for who in ("grid_worker", "building_secretary", "family"):
        messages.told(who, by="push", saying="Another alarm here: arc on the circuit.").once()
    messages.told("building_secretary", by="voice", saying="No answer yet.").once()


def test_in_a_fire_that_nobody_answers_an_arc_is_told_within_a_minute_but_not_to_neighbours(
    story: Story,
) -> None:
    story.at(0).smoke("501")
    raised(story, 700, "L2")
    messages = story.between(700, 760)
    for who in ("grid_worker", "building_secretary", "micro_station", "duty_desk", "family"):
        messages.told(who, saying="Another alarm here: leakage current.").once()
    assert "neighbour" not in {m.code for m in messages.messages if m.step == "more"}


def test_an_arc_in_a_fire_an_instant_after_the_first_word_waits_for_a_minute_after_it(story: Story) -> None:
    story.at(0).smoke("501")
    raised(story, 10, "A1")
    told = [m.at_s for m in story.between(1, 200).messages if m.step == "more" and m.code == "duty_desk"]
    assert told == [60.0]


def test_the_same_rule_of_the_same_device_is_told_again_only_after_half_an_hour(story: Story) -> None:
    answered_leakage(story)
    raised(story, 600, "O3")
    story.between(600, 601).told("grid_worker").once()
    story.at(620).answers("grid_worker", Act.ACKNOWLEDGE)
    story.at(1000).clears("O3", "monitor-501")
    raised(story, 601 + 1700, "O3")
    story.between(602, 2398).not_told("grid_worker", "family", "building_secretary")
    story.at(2399).clears("O3", "monitor-501")
    raised(story, 2402, "O3")
    story.between(2402, 2403).told("grid_worker", saying="Another alarm here: circuit overloaded.").once()


def of_alarms(sent: Messages) -> Messages:
    """Without what is said of an incident in hand that nobody moves on."""
    return Messages([m for m in sent.messages if not m.step.startswith(("deadline:", "overdue:"))])


def test_an_alarm_that_stands_already_is_no_news_however_often_it_comes(story: Story) -> None:
    answered_leakage(story)
    raised(story, 5 * HOUR_S, "L3", Mark.ISOLATE)
    of_alarms(story.between(901, 6 * HOUR_S)).nobody()


def test_what_is_less_than_serious_joins_in_silence(story: Story) -> None:
    answered_leakage(story)
    story.at(5 * HOUR_S).transition("T1", "monitor-501", Severity.P2, ())
    of_alarms(story.between(901, 6 * HOUR_S)).nobody()


def test_smoke_correlations_of_a_fire_in_hand_tell_nobody_again(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(10).answers("grid_worker", Act.CONFIRM)
    place = story.block.dwellings["501"]
    story.at(20).transition("S2", "smoke-501", Severity.P0_PLUS, (), place=place)
    story.between(11, 60).nobody()


# never twice, never in a storm


def test_several_in_one_turn_are_one_word_and_name_each(story: Story) -> None:
    answered_leakage(story)
    story.at(600)
    rules = ("A1", "O3", "T2", "T7")
    story.store(*(story.row(rule, "monitor-501", Severity.P1) for rule in rules))
    story.turn()
    story.between(600, 600).told("grid_worker", saying="Another alarm here:").once()
    story.between(600, 600).told("family", saying="and 1 more.").once()
    story.between(601, 2000).not_told("family")


def test_an_alarm_older_than_the_last_word_by_its_devices_clock_is_named_too(story: Story) -> None:
    answered_leakage(story)
    story.at(600).transition("A1", "smoke-501-b", Severity.P1, (), age_s=700)
    story.between(600, 601).told("grid_worker", saying="Another alarm here: arc on the circuit.").once()


def test_news_to_isolate_and_another_alarm_in_one_turn_come_one_after_the_other(story: Story) -> None:
    raised(story, 0, "L2")
    story.at(60).answers("grid_worker", Act.ACKNOWLEDGE)
    story.at(600)
    story.store(
        story.row("A1", "monitor-501", Severity.P1),
        story.row("T3", "monitor-501", Severity.P1, (Mark.ISOLATE,)),
        story.row("O3", "monitor-501", Severity.P1),
    )
    story.turn()
    messages = story.between(600, 601)
    messages.told("grid_worker", saying="New: live wiring is involved.").once()
    messages.not_told("family")
    later = story.between(602, 900).told("grid_worker", saying="and 1 more.")
    assert [(m.step, m.at_s) for m in later.messages] == [("more", 900.0)]


def test_a_restart_and_another_alarm_in_one_turn_are_told_once(story: Story) -> None:
    answered_leakage(story)
    story.at(HOUR_S).clears("L3", "monitor-501")
    story.at(DAY_S)
    story.store(*(story.row(rule, "monitor-501", Severity.P1) for rule in ("T3", "A1", "V1")))
    story.turn()
    assert set(Counter(m.code for m in story.between(DAY_S, DAY_S + 250).messages).values()) == {1}


def test_a_storm_of_joining_alarms_is_a_word_every_five_minutes(story: Story) -> None:
    answered_leakage(story)
    for n in range(180):
        story.at(1000 + 10 * n).transition(f"O3-{n}", "monitor-501", Severity.P1, ())
    told = [m for m in story.between(1000, 2800).messages if m.code == "grid_worker"]
    assert [m.at_s for m in told] == [1000, 1300, 1600, 1900, 2200, 2500, 2800]


# common parts of a building


def test_in_the_common_parts_of_a_building_the_cupboard_is_named(story: Story) -> None:
    with writing(story.engine) as connection:
        hall = registry.device.c.uid == "smoke-hall"
        connection.execute(update(registry.device).where(hall).values(label="cupboard A, cellar"))
    raised(story, 0, "L3", Mark.ISOLATE, uid="smoke-hall")
    story.between(0, 1).told("grid_worker", saying="3号楼 (cupboard A, cellar), leakage current").once()
    story.at(60).answers("grid_worker", Act.ACKNOWLEDGE)
    add_cupboard(story, "cupboard-b")
    raised(story, 3 * DAY_S, "L3", Mark.ISOLATE, uid="cupboard-b")
    assert [i.place for i in story.incidents()] == ["building:1"]
    said = "(cupboard-b, cupboard A, cellar), leakage current"
    messages = story.between(3 * DAY_S, 3 * DAY_S + 1)
    messages.told("grid_worker", saying=said).once()
    messages.told("grid_worker", saying="Another alarm here: leakage current (cupboard-b).")


def test_a_flat_is_place_enough(story: Story) -> None:
    raised(story, 0, "L3")
    assert "monitor-501" not in story.between(0, 1).told("grid_worker").messages[0].text


def test_of_a_dark_building_no_single_device_is_named(story: Story) -> None:
    story.at(0)
    story.store(story.row("C3", "smoke-hall", Severity.P1, place=1, about=Subject.BUILDING))
    story.turn()
    assert "smoke-hall" not in story.between(0, 11).told("grid_worker").messages[0].text


def add_cupboard(story: Story, uid: str) -> None:
    with writing(story.engine) as connection:
        values = {"uid": uid, "kind": "electrical", "profile": "test", "building_id": 1}
        values |= {"registered_us": story.now_us, "registered_by": "test"}
        connection.execute(registry.device.insert().values(values))
        found = connection.execute(registry.device.select().where(registry.device.c.uid == uid)).one()
    story.block.devices[uid] = found.id


# what is new says our clock, not the device's


@pytest.mark.parametrize("slow_s", [0.0, 290.0])
def test_what_a_meter_with_a_slow_clock_says_is_named_and_chased(story: Story, slow_s: float) -> None:
    def says(at_s: float, rule: str, severity: Severity) -> None:
        story.at(at_s).transition(rule, "monitor-501", severity, (), age_s=slow_s)

    says(0, "O3", Severity.P1)
    story.at(30).answers("grid_worker", Act.ARRIVED)
    story.at(31).answers("building_secretary", Act.ACKNOWLEDGE)
    says(3600, "T2", Severity.P1)
    story.between(3600, 3601).told("grid_worker", saying="Another alarm here: cable too hot.").once()
    story.at(3630).answers("grid_worker", Act.ACKNOWLEDGE)
    says(3660, "A1C", Severity.P1)
    says(3710, "L4W", Severity.P3)
    word = story.between(3900, 3901).told("grid_worker", saying="leakage current, arc on the circuit.")
    word.once()
    assert "cable too hot." not in word.messages[0].text.partition("Another alarm here")[2]
    called = story.between(4200, 4201).told("building_secretary", by="voice")
    assert "arc on the circuit" in called.messages[0].text


def test_what_was_received_before_a_word_but_decided_after_it_is_news(story: Story) -> None:
    answered_leakage(story)
    raised(story, 600, "A1")
    story.at(800)
    late = story.row("T2", "monitor-501", Severity.P1)
    raised(story, 900, "O3")
    story.between(900, 901).told("grid_worker", saying="Another alarm here: circuit overloaded.").once()
    story.store(late)
    story.turn()
    story.between(1200, 1201).told("grid_worker", saying="Another alarm here: cable too hot.").once()
    story.between(1500, 1501).told(
        "supervisor", saying="Nobody has answered: cable too hot, circuit overloaded"
    )
