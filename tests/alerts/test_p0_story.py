"""Smoke and P0: life_safety, "Smoke" 1, 2 and 4, "Who is told" P0, "Who may end it"."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert

from alerts import schema
from alerts.case import Act
from alerts.handover import read_parts
from devices import schema as registry
from devices.database import writing
from devices.model import Severity
from rules.transition import Mark
from tests.alerts.story import Story, a_story

AT_ONCE = ["building_secretary", "duty_desk", "family", "grid_worker", "micro_station", "neighbour"]


def test_smoke_tells_the_table_at_once_by_push_and_nobody_else(story: Story) -> None:
    story.at(0).smoke("501")
    assert story.between(0, 1).codes() == AT_ONCE
    for who in AT_ONCE:
        story.between(0, 1).told(who, by="push", saying="FIRE ALARM").once()
    assert (story.incident().severity, story.incident().state) == ("P0", "dispatched")


def test_the_message_says_what_where_since_when_and_what_to_do(story: Story) -> None:
    story.at(0).smoke("501")
    (message,) = story.between(0, 1).told("neighbour").messages
    assert "flat 501" in message.text and "smoke alarm since 06:13" in message.text
    assert "be ready to leave" in message.text
    assert message.link.startswith("http://answers.example/a/1-")


def test_after_60_s_the_silent_are_called_and_the_next_in_the_chain_is_told(story: Story) -> None:
    story.at(0).smoke("501")
    story.between(1, 59).nobody()
    later = story.between(60, 61)
    for who in AT_ONCE:
        later.told(who, by="voice")
    later.told("family-2", by="push").once()
    later.told("grid_worker-2", by="push").once()
    later.not_told("family-3", "fire_brigade", "supervisor")


def test_the_chain_ends_when_everybody_in_it_was_called(story: Story) -> None:
    story.at(0).smoke("501")
    story.between(120, 121).told("family-3", by="push")
    story.between(180, 181).told("family-3", by="voice")
    story.between(181, 3600).nobody()


def test_an_acknowledgement_stops_the_steps_of_its_own_role_only(story: Story) -> None:
    story.at(0).smoke("501")
    assert story.at(20).answers("family", Act.ACKNOWLEDGE).outcome == "done"
    later = story.between(21, 600)
    later.not_told("family", "family-2", "family-3")
    later.told("grid_worker", by="voice")
    later.told("neighbour", by="voice")


def test_at_90_s_nobody_has_confirmed_and_desk_station_and_supervisor_learn_it(story: Story) -> None:
    story.at(0).smoke("501")
    later = story.between(89, 91)
    for who in ("duty_desk", "micro_station", "supervisor"):
        later.told(who, saying="Unconfirmed, no answer")
    later.not_told("fire_brigade", "family")


def test_an_acknowledgement_does_not_stop_the_unanswered_step(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(5).answers("duty_desk", Act.ACKNOWLEDGE)
    story.between(89, 91).told("duty_desk", saying="only received by: duty desk")


@pytest.mark.parametrize("act", [Act.ARRIVED, Act.CONFIRM, Act.FALSE_ALARM])
def test_arrived_confirm_and_false_alarm_stop_the_unanswered_step(story: Story, act: Act) -> None:
    story.at(0).smoke("501")
    assert story.at(30).answers("grid_worker", act).outcome == "done"
    unanswered = [m for m in story.between(31, 400).messages if m.step == "unanswered"]
    assert unanswered == []


def test_only_a_brigade_that_agreed_is_told_of_an_unconfirmed_alarm(database: str) -> None:
    with a_story(database, agreed=True) as story:
        story.at(0).smoke("501")
        story.between(0, 89).not_told("fire_brigade")
        story.between(90, 91).told("fire_brigade", saying="Unconfirmed").once()


def test_a_second_fire_restarts_from_step_zero_whatever_was_answered(story: Story) -> None:
    story.at(0).smoke("501")
    for who in ("family", "grid_worker", "duty_desk"):
        story.at(10).answers(who, Act.ACKNOWLEDGE)
    story.answers("grid_worker", Act.ARRIVED)
    story.at(200).smoke("501", Mark.SECOND_FIRE)
    assert story.between(200, 201).codes() == AT_ONCE
    story.between(200, 201).told("family", by="push", saying="again")
    story.between(260, 261).told("family", by="voice")
    story.between(290, 291).told("supervisor", saying="Unconfirmed, no answer")
    assert len(story.incidents()) == 1
    assert (story.incident().severity, story.incident().epoch) == ("P0", 1)


def test_smoke_that_had_cleared_and_comes_back_is_a_second_fire(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(100).clears("S1", "smoke-501")
    story.at(400).smoke("501")
    assert story.between(400, 401).codes() == AT_ONCE


def test_the_same_alarm_heard_again_tells_nobody_again(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(10).smoke("501")
    story.between(1, 59).nobody()


def test_smoke_from_another_device_much_later_is_a_second_fire_but_no_confirmation(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(400).smoke("501", device="smoke-501-b")
    assert story.between(400, 401).codes() == AT_ONCE
    assert story.incident().severity == "P0"


@pytest.mark.parametrize("act", [Act.ACKNOWLEDGE, Act.FALSE_ALARM])
def test_an_answer_handed_in_before_a_second_fire_does_not_silence_it(story: Story, act: Act) -> None:
    story.at(0).smoke("501")
    story.at(30)
    story.hand_in("family", act)
    story.store(story.row("S1", "smoke-501", Severity.P0, (Mark.SECOND_FIRE,)))
    story.turn()
    story.between(90, 91).told("family", by="voice")


def test_an_arrival_before_a_second_fire_does_not_stop_its_unanswered_step(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(30)
    story.hand_in("grid_worker", Act.ARRIVED)
    story.store(story.row("S1", "smoke-501", Severity.P0, (Mark.SECOND_FIRE,)))
    story.turn()
    story.between(120, 121).told("supervisor", saying="Unconfirmed")


def test_a_false_alarm_that_a_second_fire_overtook_on_its_way_stops_nothing(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(30).smoke("501", Mark.SECOND_FIRE)
    story.now_us -= 1000  # tapped a moment before, decided in a later turn
    act_id = story.hand_in("family", Act.FALSE_ALARM)
    story.now_us += 2000
    story.turn()
    assert story.table(schema.act)[act_id - 1].outcome == "noted"
    story.between(90, 91).told("family", by="voice")


def test_smoke_of_an_unknown_device_goes_to_the_duty_desk_with_topic_and_publisher(story: Story) -> None:
    story.at(0).stranger_smoke("z2m:0xabc", "zigbee2mqtt/kitchen")
    assert story.between(0, 600).codes() == ["duty_desk"]
    story.between(0, 1).told(
        "duty_desk", by="push", saying="place unknown (device z2m:0xabc, zigbee2mqtt/kitchen)"
    )
    story.between(60, 61).told("duty_desk", by="voice")
    story.between(90, 91).told("duty_desk", saying="Unconfirmed")
    assert story.incident().place == "device:z2m:0xabc"


def test_late_smoke_up_to_30_min_alarms_marked_as_late(story: Story) -> None:
    story.at(0).smoke("501", Mark.LATE, age_s=1700)
    story.between(0, 1).told("family", saying="(reported late) since 05:45")
    assert story.incident().severity == "P0"


def test_smoke_of_unknown_age_says_so(story: Story) -> None:
    story.at(0).smoke("501", Mark.RETAINED, Mark.AGE_UNKNOWN)
    story.between(0, 1).told("family", saying="(time unknown)")


def test_a_detector_outside_dwellings_tells_the_people_of_the_building(story: Story) -> None:
    story.at(0).smoke("", device="smoke-hall")
    told = story.between(0, 1)
    told.told("grid_worker")
    told.told("micro_station")
    assert story.incident().place == "building:1"


def test_a_contact_told_in_two_roles_is_told_once(story: Story) -> None:
    with writing(story.engine) as connection:
        connection.execute(
            insert(registry.binding).values(
                contact_id=story.block.contacts["grid_worker"],
                role="family",
                place_kind="dwelling",
                place_id=story.block.dwellings["501"],
                rank=1,
                bound_us=0,
            )
        )
    story.at(0).smoke("501")
    told = story.between(0, 1).told("grid_worker")
    told.once()
    assert told.messages[0].role == "family", "the first role of the table stands"
    story.between(60, 61).told("grid_worker").once()
    story.at(70).answers("grid_worker", Act.ACKNOWLEDGE)
    story.between(71, 600).not_told("grid_worker", "grid_worker-2", "family", "family-2", "family-3")


def test_who_has_no_way_is_passed_over_for_the_next_in_the_chain(story: Story) -> None:
    with writing(story.engine) as connection:
        ways = registry.contact_channel.c
        family = ways.contact_id == story.block.contacts["family"]
        connection.execute(delete(registry.contact_channel).where(family))
        station = ways.contact_id == story.block.contacts["micro_station"]
        connection.execute(delete(registry.contact_channel).where(station, ways.medium != "voice"))
    story.at(0).smoke("501")
    story.between(0, 1).told("family-2", by="push")
    story.between(0, 1).told("micro_station", by="voice")


def test_with_nobody_bound_every_duty_desk_is_told(database: str) -> None:
    with a_story(database) as story:
        for code in story.block.contacts:
            if code != "duty_desk":
                story.ends_the_binding_of(code)
        story.at(0).smoke("501")
        assert story.between(0, 1).codes() == ["duty_desk"]


def test_the_clock_ratio_divides_every_delay(database: str) -> None:
    with a_story(database, ratio=6.0) as story:
        story.at(0).smoke("501")
        story.between(0.1, 9.9).nobody()
        story.between(10, 10.1).told("family", by="voice")
        story.between(15, 15.1).told("supervisor", saying="Unconfirmed")


def test_steps_missed_while_we_were_away_are_done_once_and_the_rest_starts_from_our_return(
    story: Story,
) -> None:
    story.at(0).smoke("501")
    story.now_us += 600_000_000
    story.turn()
    story.between(600, 601).told("family", by="voice").once()
    story.between(600, 601).told("supervisor", saying="Unconfirmed").once()
    story.between(601, 659).nobody()
    story.between(660, 661).told("family-3", by="push")


def test_a_message_is_kept_with_its_pieces_for_providers_templates(story: Story) -> None:
    story.at(0).smoke("501")
    row = next(row for row in story.table(schema.notification) if row.role == "family")
    parts = read_parts(row.parts)
    assert row.language == "en"
    assert parts["what"] and parts["what"] in row.text and parts["where"] in row.text
