"""Every clearing finds its alarm: after a move, a restart, a close, twice, or where there is none."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from alerts import schema
from alerts.case import Act
from devices import schema as registry
from devices.database import writing
from devices.model import Severity
from rules.transition import Subject, To
from tests.alerts.story import Story


def alarms(story: Story) -> list[tuple[int, str, bool]]:
    """Incident, rule, and whether it stands."""
    rows = story.table(schema.incident_alarm)
    return [(row.incident_id, row.rule, row.cleared_us is None) for row in rows]


def moved(story: Story, uid: str, flat: str) -> None:
    """The device is registered elsewhere from here on, in the registry and for the engine."""
    with writing(story.engine) as connection:
        device = registry.device.c
        connection.execute(
            update(registry.device).where(device.uid == uid).values(dwelling_id=story.block.dwellings[flat])
        )


def cleared(story: Story, rule: str, uid: str, flat: str, **facts: Any) -> None:
    """The clearing as ingest tells it of a device that is in `flat` now."""
    row = story.row(rule, uid, Severity.P1, to=To.CLEARED, **facts)
    transition = row.transition
    object.__setattr__(transition, "dwelling", story.block.dwellings[flat])
    story.store(row)
    story.turn()


def timeline(story: Story, incident: int) -> list[str]:
    rows = story.table(schema.incident_change)
    return [row.kind for row in rows if row.incident_id == incident]


def test_an_alarm_clears_where_it_was_raised_though_its_device_is_elsewhere_by_now(story: Story) -> None:
    story.at(0).overload("501")
    moved(story, "monitor-501", "401")
    cleared(story, "O3", "monitor-501", "401")
    assert alarms(story) == [(1, "O3", False)]
    assert timeline(story, 1)[-1] == "cleared"
    assert [incident.state for incident in story.incidents()] == ["dispatched"]


def test_an_alarm_that_was_raised_in_two_places_clears_in_both(story: Story) -> None:
    story.at(0).overload("501")
    row = story.row("O3", "monitor-501", Severity.P1)
    object.__setattr__(row.transition, "dwelling", story.block.dwellings["401"])
    story.store(row)
    story.turn()
    assert alarms(story) == [(1, "O3", True), (2, "O3", True)]
    cleared(story, "O3", "monitor-501", "401")
    assert alarms(story) == [(1, "O3", False), (2, "O3", False)]


def test_the_alarm_of_a_stair_that_a_person_reset_clears(story: Story) -> None:
    raised = story.row("S2S", "smoke-501", Severity.P0_PLUS, place=1, about=Subject.STAIR)
    story.at(0).store(raised)
    story.turn()
    ended = story.row("S2S", "smoke-501", Severity.P0_PLUS, to=To.CLEARED, place=1, about=Subject.STAIR)
    object.__setattr__(ended.transition, "dwelling", 0)  # as `rules.found.cleared_by_input` says it
    story.at(60).store(ended)
    story.turn()
    assert alarms(story) == [(1, "S2S", False)]


def test_another_alarm_of_the_same_rule_stays_up(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(5).smoke("501", device="smoke-501-b")
    story.at(9).clears("S1", "smoke-501")
    rows = story.table(schema.incident_alarm)
    assert {row.uid: row.cleared_us is None for row in rows} == {"smoke-501": False, "smoke-501-b": True}


def test_an_alarm_that_a_close_ended_is_no_longer_active_in_the_closed_incident(story: Story) -> None:
    story.at(0).overload("501")
    for at, who, act, note in (
        (1, "grid_worker", Act.ARRIVED, ""),
        (2, "grid_worker", Act.HANDLED, ""),
        (3, "grid_worker", Act.FEEDBACK, "kettle"),
        (4, "operator", Act.VERIFY, ""),
        (5, "operator", Act.CLOSE, "real"),
    ):
        story.at(at).answers(who, act, note)
    assert alarms(story) == [(1, "O3", True)], "until the engine says so"
    story.at(6).clears("O3", "monitor-501")
    assert alarms(story) == [(1, "O3", False)]
    assert story.incident().state == "closed"


def test_smoke_of_long_ago_is_over_with_its_incident(story: Story) -> None:
    story.at(0).smoke("501", age_s=7200)
    assert alarms(story) == [(1, "S1", True)]
    story.at(60).answers("operator", Act.CANCEL, "looked: nothing")
    assert alarms(story) == [(1, "S1", False)]


def test_smoke_that_burns_stays_active_in_an_incident_that_is_closed(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(1).answers("operator", Act.FALSE_ALARM)
    story.at(2).answers("grid_worker", Act.FEEDBACK, "toast")
    story.at(3).answers("operator-2", Act.VERIFY)
    story.at(4).answers("operator", Act.CLOSE, "nuisance")
    assert alarms(story) == [(1, "S1", True)]


def test_a_clearing_that_comes_after_a_restart_of_alerts_finds_its_alarm(story: Story) -> None:
    story.at(0).overload("501")
    story.engine.dispose()
    row = story.row("O3", "monitor-501", Severity.P1, to=To.CLEARED)
    story.store(row)
    story.engine.dispose()  # the process that decides is another one than the one that was told
    story.turn()
    assert alarms(story) == [(1, "O3", False)]


def test_raise_and_clear_that_waited_for_one_turn_leave_the_alarm_cleared(story: Story) -> None:
    raised = story.row("O3", "monitor-501", Severity.P1)
    ended = story.row("O3", "monitor-501", Severity.P1, to=To.CLEARED)
    story.store(raised, ended)
    story.at(0).turn()
    assert alarms(story) == [(1, "O3", False)]


def test_the_same_rows_again_change_nothing(story: Story) -> None:
    raised = story.row("O3", "monitor-501", Severity.P1)
    ended = story.row("O3", "monitor-501", Severity.P1, to=To.CLEARED)
    for rows in ([raised], [raised, ended], [raised, ended]):
        story.store(*rows)
        story.turn()
    assert alarms(story) == [(1, "O3", False)]
    assert timeline(story, 1).count("cleared") == 1


def test_a_second_clearing_says_nothing_new(story: Story) -> None:
    story.at(0).overload("501")
    story.at(5).clears("O3", "monitor-501")
    [first] = story.table(schema.incident_alarm)
    story.at(9).clears("O3", "monitor-501")
    assert story.table(schema.incident_alarm) == [first]
    assert timeline(story, 1).count("cleared") == 1


def test_two_clearings_that_waited_for_one_turn_are_told_once(story: Story) -> None:
    story.at(0).overload("501")
    ended = [story.row("O3", "monitor-501", Severity.P1, to=To.CLEARED) for _ in range(2)]
    story.store(*ended)
    story.at(5).turn()
    assert timeline(story, 1).count("cleared") == 1


def test_a_clearing_of_what_nobody_knows_is_nothing_and_stops_nothing(story: Story) -> None:
    story.store(
        story.row("K9", "nobody", Severity.P0, to=To.CLEARED),
        story.row("O3", "monitor-501", Severity.P1, to=To.CLEARED),
        story.row("O3", "monitor-501", Severity.P1),
    )
    story.at(0).turn()
    assert alarms(story) == [(1, "O3", True)]
    assert story.table(schema.system_fault) == []
    story.between(0, 1).told("grid_worker")


def test_an_alarm_that_comes_again_after_it_cleared_stands_again(story: Story) -> None:
    story.at(0).overload("501")
    story.at(5).clears("O3", "monitor-501")
    story.at(9).overload("501")
    assert alarms(story) == [(1, "O3", True)]
