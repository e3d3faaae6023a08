"""Since when an incident goes on, and when the newest serious alarm in it was raised."""

from __future__ import annotations

from alerts.board_view import open_incidents
from alerts.case import Act, Alarm, Hazard
from alerts.times import AHEAD_US, Times, times_of
from devices.database import reading
from devices.model import Severity
from rules.transition import Why
from tests.alerts.story import DAY_S, START_US, Story

MINUTE_US = 60_000_000


def alarm(raised_min: float, severity: Severity = Severity.P1, cleared: bool = False) -> Alarm:
    at_us = round(raised_min * MINUTE_US)
    end_us = at_us + MINUTE_US if cleared else None
    return Alarm(
        "A1", f"a/{at_us}", "a", 1, 0, severity, at_us, end_us, Why("", ""), Hazard.ELECTRICAL, at_us
    )


def times(*alarms: Alarm, opened_min: float = 0) -> Times:
    return times_of(round(opened_min * MINUTE_US), alarms)


def test_of_one_alarm_there_is_one_time() -> None:
    assert times(alarm(0)) == (0, None)


def test_a_serious_one_that_joins_later_is_told_beside_the_beginning() -> None:
    assert times(alarm(0), alarm(90), alarm(60)) == (0, 90 * MINUTE_US)


def test_within_a_minute_they_are_one() -> None:
    assert times(alarm(0), alarm(0.99)) == (0, None)
    assert times(alarm(0), alarm(1)) == (0, MINUTE_US)


def test_what_is_less_than_serious_is_no_newest_and_counts_from_what_stands() -> None:
    assert times(alarm(0), alarm(90, Severity.P2)) == (0, None)
    assert times(alarm(0, Severity.P3, cleared=True), alarm(90, Severity.P2)) == (90 * MINUTE_US, None)


def test_where_nothing_of_the_beginning_stands_it_still_began_when_it_was_opened() -> None:
    assert times(alarm(0, cleared=True), alarm(90)) == (0, 90 * MINUTE_US)
    assert times(alarm(90)) == (0, 90 * MINUTE_US), "the same alarm come back"


def test_late_smoke_began_when_it_was_seen() -> None:
    assert times(alarm(-20, Severity.P0)) == (-20 * MINUTE_US, None)


def test_a_clock_that_is_ahead_makes_no_second_alarm_of_the_first() -> None:
    ahead_min = AHEAD_US / MINUTE_US
    assert times(alarm(ahead_min)) == (AHEAD_US, None)
    assert times(alarm(ahead_min + 1)) == (0, AHEAD_US + MINUTE_US)


def test_without_alarms_it_is_when_it_was_opened() -> None:
    assert times(opened_min=7) == (7 * MINUTE_US, None)


def test_messages_and_the_board_say_both(story: Story) -> None:
    story.at(0).overload("501")
    story.between(0, 1).told("grid_worker", saying="circuit overloaded since 06:13.")
    story.at(60).answers("grid_worker", Act.ACKNOWLEDGE)
    story.at(5400).transition("A1", "monitor-501", Severity.P1, ())
    said = "arc on the circuit (began 06:13, newest alarm 07:43)."
    story.between(5400, 5401).told("grid_worker", saying=said)
    with reading(story.engine) as connection:
        [line] = open_incidents(connection, "en", 10)
    assert (line.opened_us, line.newest_us) == (START_US, START_US + 5400 * 1_000_000)


def test_an_incident_that_begins_anew_after_days_says_when_it_began(story: Story) -> None:
    story.at(0).overload("501")
    story.at(60).answers("grid_worker", Act.ACKNOWLEDGE)
    story.at(3600).clears("O3", "monitor-501")
    story.at(2 * DAY_S).transition("T2", "monitor-501", Severity.P1, ())
    said = "cable too hot (began 11-15 06:13, newest alarm 06:13)."
    story.between(2 * DAY_S, 2 * DAY_S + 1).told("grid_worker", saying=said)
