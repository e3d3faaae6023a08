"""What an operator splits off: who is told again, and where its history is."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from alerts import schema
from alerts.case import Act, State
from alerts.sayings import render
from devices.model import Severity
from rules.transition import Mark
from tests.alerts.story import Story
from tests.alerts.test_merging_story import board, detail, merges, two_fires


def splits(story: Story, what: str, incident: int = 1) -> None:
    answer = story.answers("operator", Act.SPLIT, what, incident=incident)
    assert answer.outcome == "done", answer.reason


def lines(story: Story, incident: int) -> list[str]:
    changes = story.table(schema.incident_change)
    return [render(one.text, "en") for one in changes if one.incident_id == incident]


def two_on_a_stair(story: Story) -> None:
    """One incident of two detectors on the landings of one stair, taken in hand."""
    story.at(0).smoke("", device="landing-1")
    story.at(400).smoke("", device="landing-1-b")
    story.at(410).answers("operator", Act.ACKNOWLEDGE)
    story.answers("grid_worker", Act.ARRIVED)


def test_a_fire_that_leaves_is_told_from_step_0_under_its_own_number(story: Story) -> None:
    two_fires(story)
    merges(story, 2, 1)
    for who in ("operator", "grid_worker", "building_secretary", "micro_station"):
        story.at(story.now_s + 1).answers(who, Act.ARRIVED if who == "micro_station" else Act.ACKNOWLEDGE)
    story.at(50)
    splits(story, "#2")
    assert [(i.merged_into, i.state, i.epoch) for i in story.incidents()] == [
        (None, "arrived", 0), (None, "dispatched", 1),
    ]  # fmt: skip
    now = story.between(50, 51)
    for who in ("grid_worker", "building_secretary", "micro_station", "duty_desk"):
        now.told(who, saying="401").once()
    assert {m.incident_id for m in now.messages} == {2}
    assert "incident #2 was split off" in lines(story, 1)
    assert "split off from incident #1" in lines(story, 2)
    assert [one[:2] for one in sorted(board(story))] == [(1, ()), (2, ())]
    assert "whole" not in story.incident(1).tags
    later = story.between(52, 200)  # its chain is its own again, and so are the answers
    assert {m.incident_id for m in later.told("grid_worker", by="voice").messages} == {2}


def test_what_is_less_than_a_fire_leaves_in_silence(story: Story) -> None:
    story.at(0).overload("501")
    story.transition("O3", "riser", Severity.P1, ())
    merges(story, 2, 1)
    story.at(10).answers("grid_worker", Act.ACKNOWLEDGE)
    splits(story, "#2")
    story.between(10, 20).nobody()
    assert [i.state for i in story.incidents()] == ["acknowledged", "acknowledged"]


def test_devices_leave_into_a_new_number_with_their_alarms(story: Story) -> None:
    two_on_a_stair(story)
    story.at(500)
    splits(story, "landing-1-b")
    assert [(i.place, i.hazard, i.severity, i.state) for i in story.incidents()] == [
        ("stair:1", "fire", "P0", "arrived"), ("stair:1", "fire", "P0", "dispatched"),
    ]  # fmt: skip
    assert [(a.incident_id, a.uid) for a in story.table(schema.incident_alarm)] == [
        (1, "landing-1"), (2, "landing-1-b"),
    ]  # fmt: skip
    now = story.between(500, 501)
    for who in ("grid_worker", "micro_station", "duty_desk", "family"):
        now.told(who, by="push", saying="landing-1-b").once()
    assert {m.incident_id for m in now.messages} == {2}
    assert "incident #2 was split off" in lines(story, 1)
    assert lines(story, 2)[:2] == ["split off from incident #1", "opened: S1 of landing-1-b"]


def test_each_device_goes_on_in_its_own_incident(story: Story) -> None:
    two_on_a_stair(story)
    splits(story, "landing-1-b")
    story.at(600).smoke("", Mark.SECOND_FIRE, device="landing-1")
    story.at(610).clears("S1", "landing-1-b")
    assert [i.epoch for i in story.incidents()] == [2, 0]  # two second fires, and none
    assert [(a.uid, a.cleared_us is None) for a in story.table(schema.incident_alarm)] == [
        ("landing-1", True), ("landing-1-b", False),
    ]  # fmt: skip
    merges(story, 2, 1)  # undone
    assert sorted(a.uid for a in detail(story, 1).alarms) == ["landing-1", "landing-1-b"]


def test_all_devices_of_a_part_are_the_part(story: Story) -> None:
    two_fires(story)
    merges(story, 2, 1)
    splits(story, "smoke-401")
    assert [i.merged_into for i in story.incidents()] == [None, None]


def test_a_kill_between_act_and_effect_merges_and_splits_once(story: Story, database: str) -> None:
    two_on_a_stair(story)
    story.at(420).smoke("501", Mark.AGE_UNKNOWN)
    acts = [
        story.hand_in("operator", Act.SPLIT, "landing-1-b"),
        story.hand_in("operator", Act.MERGE, "1", incident=2),
    ]
    killed = [sys.executable, "-m", "tests.alerts.killed_turn", database, str(story.now_us)]
    assert subprocess.run(killed, check=False, capture_output=True).returncode == -signal.SIGKILL
    assert len(story.incidents()) == 2 and story.incident(2).merged_into is None
    story.turn()
    story.turn()
    fresh = max(one.id for one in story.incidents())  # of a number that was given in vain none is left
    assert [(one.id, one.merged_into) for one in story.incidents()] == [(1, None), (2, 1), (fresh, None)]
    assert [(a.incident_id, a.uid) for a in story.table(schema.incident_alarm)] == [
        (1, "landing-1"), (2, "smoke-501"), (fresh, "landing-1-b"),
    ]  # fmt: skip
    assert [one.outcome for one in story.table(schema.act) if one.id in acts] == ["done", "done"]
    story.between(420, 421).told("duty_desk", saying="landing-1-b").once()


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("", "choose parts, or devices of one of them"),
        ("#77", "choose parts, or devices of one of them"),
        ("#1", "choose parts, or devices of one of them"),
        ("#2\nlanding-1", "choose parts, or devices of one of them"),
        ("nobody", "choose parts, or devices of one of them"),
        ("landing-1\nsmoke-501", "choose parts, or devices of one of them"),
        ("landing-1\nlanding-1-b", "a device must stay behind"),
    ],
)
def test_what_cannot_leave_says_why(story: Story, what: str, reason: str) -> None:
    two_on_a_stair(story)
    story.at(420).smoke("501", Mark.AGE_UNKNOWN)
    answer = story.answers("operator", Act.MERGE, "1", incident=2)
    assert answer.outcome == "done", answer.reason
    answer = story.answers("operator", Act.SPLIT, what)
    assert (answer.outcome, answer.reason) == ("refused", reason)


def test_what_was_dealt_with_and_stands_no_more_leaves_in_silence(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(400).smoke("501", device="smoke-501-b")
    story.at(410).answers("grid_worker", Act.ARRIVED)
    story.at(420).clears("S1", "smoke-501").clears("S1", "smoke-501-b")
    story.at(450).answers("grid_worker", Act.HANDLED)
    story.at(500)
    assert story.answers("operator", Act.SPLIT, "smoke-501-b").outcome == "done"
    assert [one.state for one in story.incidents()] == [State.HANDLED, State.HANDLED]
    assert story.between(500, 700).messages == []
