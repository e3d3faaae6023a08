"""A fire whose detector is registered, or registered elsewhere, while it burns: the people there are told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sqlalchemy import update

from alerts import schema
from alerts.case import Act
from alerts.inbox import TransitionRow, store_transitions
from alerts.inputs import inputs_after
from devices import schema as registry
from devices.database import reading, writing
from devices.model import Metric, ReadingBatch, SeriesTable
from rules.engine import Engine
from rules.transition import Transition
from tests.alerts.block import DEVICES
from tests.alerts.story import Messages, Story
from tests.rules.story import shipped

NEW, KNOWN = 1, 2
UIDS = {NEW: "smoke-501-b", KNOWN: "smoke-501"}


class Detectors:
    """Two detectors through the real engine: one that nobody has registered yet, and one in flat 501."""

    def __init__(self, story: Story) -> None:
        self.story, self._handed_over = story, 0
        metric = np.array([0, Metric.SMOKE_ALARM, Metric.SMOKE_ALARM], np.int16)
        device, dwelling = np.zeros(3, np.int32), np.zeros(3, np.int32)
        self.table = SeriesTable.plain(1, metric, device, dwelling, np.full(3, np.nan))
        self.engine = Engine(shipped(), self.table)
        self.registers(KNOWN, "501", look=False)

    def says(self, slot: int, value: float) -> None:
        now_us = self.story.now_us
        batch = ReadingBatch(
            now_us, np.array([slot], np.int32), np.array([now_us]), np.zeros(1, np.uint16),
            np.array([value]), np.zeros(1, np.uint32),
        )  # fmt: skip
        self._tell(self.engine.evaluate(batch, [], now_us))

    def registers(self, slot: int, flat: str, *, look: bool = True) -> None:
        """And the record without readings that follows a change of the registry."""
        block = self.story.block
        device, dwelling = self.table.device.copy(), self.table.dwelling.copy()
        device[slot], dwelling[slot] = block.devices[UIDS[slot]], block.dwellings[flat]
        self.table = replace(self.table, device=device, dwelling=dwelling)
        with writing(self.story.engine) as connection:
            hangs = update(registry.device).where(registry.device.c.uid == UIDS[slot])
            connection.execute(hangs.values(dwelling_id=block.dwellings[flat]))
        self.engine.adopt(self.table, np.array([slot], np.int32))
        if look:
            self.looks()

    def looks(self) -> None:
        """The engine takes what people did."""
        with reading(self.story.engine) as connection:
            inputs = inputs_after(connection, self._handed_over)
        self._handed_over = max([self._handed_over, *(one.id for one in inputs)])
        now_us = self.story.now_us
        self._tell(self.engine.evaluate(ReadingBatch.empty(now_us), inputs, now_us))

    def _tell(self, transitions: list[Transition]) -> None:
        rows = [
            TransitionRow(one, UIDS[one.slot], "", "t/1" if not one.device else "") for one in transitions
        ]
        with writing(self.story.engine) as connection:
            store_transitions(connection, rows)
        self.story.turn()


def active(story: Story) -> list[tuple[str, str]]:
    incidents = {one.id: one.place for one in story.incidents()}
    alarms = story.table(schema.incident_alarm)
    return [(incidents[one.incident_id], one.rule) for one in alarms if one.cleared_us is None]


def lines(story: Story, incident: int) -> list[str]:
    return [one.kind for one in story.table(schema.incident_change) if one.incident_id == incident]


def test_a_strangers_fire_tells_the_duty_desk_and_then_the_dwelling_where_it_is_registered(
    story: Story,
) -> None:
    detectors = Detectors(story)
    story.at(0)
    detectors.says(NEW, 1)
    story.between(0, 0).told("duty_desk")
    story.between(0, 0).not_told("family", "neighbour", "grid_worker", "micro_station")
    story.at(30)
    detectors.registers(NEW, "501")
    here = f"dwelling:{story.block.dwellings['501']}"
    for who in ("family", "neighbour", "grid_worker", "building_secretary", "micro_station", "duty_desk"):
        story.between(30, 30).told(who, saying="smoke alarm")
    assert [(one.place, one.severity) for one in story.incidents()] == [
        (f"device:{UIDS[NEW]}", "P0"), (here, "P0"),
    ]  # fmt: skip
    assert active(story) == [(here, "S1")]
    assert "stranger" not in story.incident(2).tags
    assert "cleared" in lines(story, 1)
    assert "related" in lines(story, 1)
    assert "related" in lines(story, 2)


def test_a_second_detector_there_confirms_it_and_the_brigade_is_told(story: Story) -> None:
    detectors = Detectors(story)
    story.at(0)
    detectors.says(NEW, 1)
    story.at(30)
    detectors.registers(NEW, "501")
    story.at(60)
    detectors.says(KNOWN, 1)
    assert story.incident(2).severity == "P0+"
    story.between(60, 63).told("fire_brigade")


def test_where_the_second_detector_spoke_first_its_registration_confirms_the_fire(story: Story) -> None:
    detectors = Detectors(story)
    story.at(0)
    detectors.says(KNOWN, 1)
    story.at(20)
    detectors.says(NEW, 1)
    story.at(200)
    story.between(0, 200).not_told("fire_brigade")
    detectors.registers(NEW, "501")
    story.between(200, 203).told("fire_brigade")
    assert [one.severity for one in story.incidents()] == ["P0+", "P0"]


def test_whoever_closes_what_was_the_strangers_does_not_end_the_fire_of_the_dwelling(story: Story) -> None:
    detectors = Detectors(story)
    story.at(0)
    detectors.says(NEW, 1)
    story.at(30)
    detectors.registers(NEW, "501")
    story.at(40).answers("operator", Act.FALSE_ALARM)
    story.answers("operator", Act.FEEDBACK, "registered by now")
    story.answers("operator-2", Act.VERIFY)
    story.answers("operator", Act.CLOSE, "real")
    assert story.incident(1).state == "closed"
    story.at(50)
    detectors.looks()
    assert active(story) == [(f"dwelling:{story.block.dwellings['501']}", "S1")]
    assert [one.rule for one in detectors.engine.standing()] == ["S1"]
    detectors.says(NEW, 0)
    story.at(120)
    detectors.says(NEW, 1)
    assert "second_fire" in story.incident(2).tags


def test_a_reset_where_it_is_ends_it(story: Story) -> None:
    detectors = Detectors(story)
    story.at(0)
    detectors.says(NEW, 1)
    story.at(30)
    detectors.registers(NEW, "501")
    story.at(40).answers("operator", Act.RESET, incident=2)
    detectors.looks()
    assert active(story) == []


def test_a_detector_that_was_registered_in_the_wrong_flat_tells_the_right_one(story: Story) -> None:
    detectors = Detectors(story)
    detectors.registers(NEW, "101")
    story.at(0)
    detectors.says(NEW, 1)
    story.between(0, 0).not_told("family")
    story.at(30)
    detectors.registers(NEW, "501")
    story.between(30, 30).told("family", saying="smoke alarm")
    places = [f"dwelling:{story.block.dwellings[flat]}" for flat in ("101", "501")]
    assert [one.place for one in story.incidents()] == places
    assert active(story) == [(places[1], "S1")]
    story.at(60)
    detectors.registers(NEW, "101")
    assert active(story) == [(places[0], "S1")]


# who was sent to the wrong place


def moved_fire(story: Story, *, to: str = "other") -> Detectors:
    """The detector of 501 is corrected to a flat in the other stair 30 s into its fire."""
    detectors = Detectors(story)
    story.at(0)
    detectors.says(KNOWN, 1)
    story.at(30)
    detectors.registers(KNOWN, to)
    return detectors


def of_the_old(messages: Messages) -> Messages:
    return Messages([m for m in messages.messages if m.incident_id == 1])


def test_those_who_were_sent_to_the_wrong_flat_hear_at_once_where_it_is(story: Story) -> None:
    moved_fire(story)
    word = of_the_old(story.between(30, 31))
    assert {m.step for m in word.messages} == {"moved"}
    everybody = ["building_secretary", "duty_desk", "family", "grid_worker", "micro_station", "neighbour"]
    assert word.codes() == everybody
    for who in ("family", "neighbour"):
        text = word.told(who, saying="The alarm is where it is now.").messages[0].text
        assert text.index(" 501") < text.index("its detector is registered at") < text.index(" other")
    for who in ("micro_station", "grid_worker", "duty_desk"):
        text = word.told(who, saying="its detector was registered at").messages[0].text
        assert text.index(" other") < text.index(" 501")


def test_nobody_knows_that_the_correction_is_right_so_its_steps_go_on_and_name_both(story: Story) -> None:
    moved_fire(story)
    later = of_the_old(story.between(60, 400))
    assert {m.step for m in later.messages} == {"chase", "unanswered"}
    assert all(" other" in m.text and " 501" in m.text for m in later.messages)
    story.at(500).answers("operator", Act.CONFIRM)
    confirmed = of_the_old(story.between(500, 503)).told("fire_brigade")
    assert " other (its detector was registered at" in confirmed.messages[0].text


def test_after_an_answer_those_who_were_told_hear_of_the_other_place_all_the_same(story: Story) -> None:
    detectors = Detectors(story)
    story.at(0)
    detectors.says(KNOWN, 1)
    story.at(20).answers("grid_worker", Act.ARRIVED)
    story.at(25).answers("micro_station", Act.ACKNOWLEDGE)
    story.at(30)
    detectors.registers(KNOWN, "other")
    for who in ("grid_worker", "micro_station", "family"):
        of_the_old(story.between(30, 31)).told(who, saying=" other").once()


def test_what_people_have_called_a_false_alarm_sends_nobody_anywhere(story: Story) -> None:
    detectors = Detectors(story)
    story.at(0)
    detectors.says(KNOWN, 1)
    story.at(20).answers("operator", Act.FALSE_ALARM)
    story.at(30)
    detectors.registers(KNOWN, "other")
    of_the_old(story.between(30, 400)).nobody()


def test_where_another_detector_still_says_fire_nothing_is_said_of_the_one_that_left(story: Story) -> None:
    detectors = Detectors(story)
    detectors.registers(NEW, "501")
    story.at(0)
    detectors.says(KNOWN, 1)
    story.at(10)
    detectors.says(NEW, 1)
    story.at(30)
    detectors.registers(NEW, "other")
    assert not [m for m in story.between(30, 31).messages if m.step == "moved"]
    assert "moved" not in story.incident(1).tags
    story.at(60)
    detectors.registers(KNOWN, "other")
    of_the_old(story.between(60, 61)).told("fire_brigade", saying=" other").once()


def test_a_correction_taken_back_ends_it(story: Story) -> None:
    detectors = moved_fire(story)
    assert "moved" in story.incident(1).tags
    story.at(50)
    detectors.registers(KNOWN, "501")
    assert "moved" not in story.incident(1).tags
    told = story.between(50, 51).told("family").messages[0]
    assert told.text.startswith("FIRE ALARM again") and " other" not in told.text
    last = [m for m in story.messages() if m.step == "moved" and m.incident_id == 2]
    assert last and all(" 501" in m.text for m in last)


def test_a_detector_that_is_taken_off_the_registry_is_said_to_be_elsewhere(story: Story) -> None:
    detectors = moved_fire(story)
    with writing(story.engine) as connection:
        retired = update(registry.device).where(registry.device.c.uid == UIDS[KNOWN])
        connection.execute(retired.values(retired_us=story.now_us))
    later = of_the_old(story.between(60, 61)).messages
    assert later and all("its detector is registered at another place now" in m.text for m in later)
    assert detectors.engine.standing()


def test_the_detectors_here_are_those_of_the_block() -> None:
    assert {DEVICES[uid][1] for uid in UIDS.values()} == {"501"}
