"""P1 and P2, incidents that join or stand beside each other: life_safety, "Who is told", "Smoke" 3."""

from __future__ import annotations

from alerts import schema
from alerts.case import Act
from devices.model import Severity
from rules.transition import Mark, Subject
from tests.alerts.story import Story


def test_an_overload_tells_grid_worker_secretary_and_family(story: Story) -> None:
    story.at(0).overload("501")
    assert story.between(0, 1).codes() == ["building_secretary", "family", "grid_worker"]
    story.between(0, 1).told("grid_worker", by="push", saying="circuit overloaded")
    story.between(1, 299).nobody()


def test_after_5_min_the_secretary_and_after_15_the_supervisor(story: Story) -> None:
    story.at(0).overload("501")
    story.between(300, 301).told("building_secretary", by="voice").once()
    story.between(301, 899).nobody()
    story.between(900, 901).told("supervisor", by="push").once()
    story.between(901, 90_000).nobody()


def test_the_secretarys_answer_stops_the_secretarys_step_only(story: Story) -> None:
    story.at(0).overload("501")
    story.at(10).answers("building_secretary", Act.ACKNOWLEDGE)
    story.between(11, 899).nobody()
    story.between(900, 901).told("supervisor", saying="Only received by: building secretary")


def test_somebody_on_site_ends_the_later_steps(story: Story) -> None:
    story.at(0).overload("501")
    story.at(10).answers("grid_worker", Act.ARRIVED)
    story.between(11, 2000).nobody()


def test_old_smoke_opens_a_visit_for_the_grid_worker(story: Story) -> None:
    story.at(0).smoke("501", Mark.LATE, age_s=3600)
    assert story.between(0, 1).codes() == ["grid_worker"]
    story.between(0, 1).told("grid_worker", saying="PLEASE VISIT")
    story.between(1, 7199).nobody()
    story.between(7200, 7201).told("building_secretary").once()
    assert story.incident().severity == "P2"


def test_old_smoke_beside_an_open_fire_is_a_note(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(10).smoke("501", Mark.LATE, device="smoke-501-b", age_s=3600)
    story.between(1, 59).nobody()
    assert [c.kind for c in story.table(schema.incident_change)][-1] == "noted"


def test_fresh_smoke_raises_a_visit_to_a_fire_alarm(story: Story) -> None:
    story.at(0).smoke("501", Mark.LATE, age_s=3600)
    story.at(100).smoke("501")
    story.between(100, 101).told("micro_station", saying="FIRE ALARM")
    assert [i.severity for i in story.incidents()] == ["P0"]


def test_an_overload_in_a_burning_dwelling_is_evidence(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(10).overload("501")
    assert len(story.incidents()) == 1
    assert {a.rule for a in story.table(schema.incident_alarm)} == {"S1", "O3"}
    story.between(1, 59).nobody()


def test_an_overload_after_a_false_alarm_has_an_incident_of_its_own(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(5).answers("family", Act.FALSE_ALARM)
    story.at(3600).overload("501")
    assert [i.hazard for i in story.incidents()] == ["fire", "electrical"]
    story.between(3600, 3601).told("grid_worker", saying="SERIOUS")


def test_an_overload_beside_a_visit_has_an_incident_of_its_own(story: Story) -> None:
    story.at(0).smoke("501", Mark.LATE, age_s=3600)
    story.at(10).overload("501")
    story.between(10, 11).told("family", saying="SERIOUS")


def test_smoke_beside_an_open_electrical_incident_is_separate_and_related(story: Story) -> None:
    story.at(0).overload("501")
    story.at(30).smoke("501")
    assert [i.hazard for i in story.incidents()] == ["electrical", "fire"]
    related = [(c.incident_id, c.text) for c in story.table(schema.incident_change) if c.kind == "related"]
    assert [i for i, _ in related] == [1, 2] or [i for i, _ in related] == [2, 1]
    assert all(f'"{3 - i}"' in text for i, text in related)


def test_an_overload_that_comes_back_after_it_was_handled_is_told_again(story: Story) -> None:
    story.at(0).overload("501")
    story.at(10).answers("grid_worker", Act.ARRIVED)
    story.at(20).answers("grid_worker", Act.HANDLED)
    story.at(30).clears("O3", "monitor-501")
    story.at(4000).overload("501")
    story.between(4000, 4001).told("grid_worker", by="push")
    assert len(story.incidents()) == 1


def test_a_cleared_alarm_is_evidence_and_ends_nothing(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(10).clears("S1", "smoke-501")
    (alarm,) = story.table(schema.incident_alarm)
    assert alarm.cleared_us == story.now_us
    story.between(60, 61).told("family", by="voice")


def test_two_places_have_two_incidents(story: Story) -> None:
    story.at(0).overload("501")
    story.at(400).smoke("other")
    assert [i.place for i in story.incidents()] == ["dwelling:1", "dwelling:5"]


def test_a_dark_house_of_one_family_is_one_incident_and_one_visit(story: Story) -> None:
    silent = ("smoke-501", "smoke-501-b", "monitor-501")
    story.at(1080)
    story.store(*(story.row("C1", uid, Severity.P3, about=Subject.DEVICE) for uid in silent))
    story.turn()
    story.between(0, 3599).nobody()
    story.at(3600)
    story.store(*(story.row("C1L", uid, Severity.P2, about=Subject.DEVICE) for uid in silent))
    story.turn()
    messages = story.between(3600, 3611)  # a fault waits 10 s for others of its kind
    messages.told("grid_worker", saying="PLEASE VISIT").once()
    assert messages.codes() == ["grid_worker"]
    [incident] = story.incidents()
    assert (incident.place, incident.severity, incident.hazard) == ("dwelling:1", "P2", "fault")
