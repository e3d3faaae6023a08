"""What the rules beside smoke and overload mean for people: hazards, places, pre-alarms, false alarms."""

from __future__ import annotations

import pytest

from alerts.board_view import open_incidents
from alerts.case import Act, Hazard
from alerts.evidence import evidence_words
from alerts.hazards import hazard_of
from alerts.inputs import inputs_after
from alerts.views import OpenIncident
from devices.database import reading
from devices.model import InputKind, Severity
from rules.transition import Mark, Subject
from tests.alerts.story import Story
from tests.rules.story import shipped

FIRES = {"S1", "S2", "S2S", "S8", "H1", "G1", "M1", "X1", "X1C"}
FAULTS = {"S4", "S5", "S5L", "S6", "S7", "S7L", "F1", "C1", "C1L", "C2", "C2L", "C3", "Q1"}


def board(story: Story) -> list[OpenIncident]:
    with reading(story.engine) as connection:
        return open_incidents(connection, "en", 10)


def test_every_shipped_rule_speaks_of_the_hazard_that_people_expect() -> None:
    for rule in shipped().rule:
        expected = Hazard.FIRE if rule.name in FIRES else Hazard.ELECTRICAL
        assert hazard_of(rule.name) is (Hazard.FAULT if rule.name in FAULTS else expected), rule.name


def test_every_shipped_rule_has_words_of_its_own() -> None:
    anything = {evidence_words([], 0, hazard, Severity.P0, "en") for hazard in Hazard}
    for rule in shipped().rule:
        hazard = hazard_of(rule.name)
        severity = Severity.P1 if hazard is Hazard.FIRE else rule.severity
        if rule.name not in {"L0", "A2"}:  # they raise nothing
            assert evidence_words([rule.name], 1, hazard, severity, "en") not in anything, rule.name


def test_a_rule_of_a_site_that_may_be_fire_is_one() -> None:
    assert [hazard_of(name) for name in ("S77", "X9", "O77", "Z1")] == [
        Hazard.FIRE, Hazard.FIRE, Hazard.ELECTRICAL, Hazard.FAULT,
    ]  # fmt: skip


def test_a_pre_alarm_goes_to_the_worker_and_smoke_after_it_is_a_fire_and_no_second_one(story: Story) -> None:
    story.at(0).transition("S8", "smoke-501", Severity.P1, ())
    story.between(0, 1).told("grid_worker", saying="smoke is rising")
    story.between(0, 1).not_told("micro_station")
    story.at(60).smoke("501", device="smoke-501-b")
    story.between(60, 61).told("micro_station", saying="smoke alarm")
    assert [i.severity for i in story.incidents()] == ["P0"]
    assert "second_fire" not in story.incident().tags


def test_smoke_that_rises_at_a_second_detector_confirms_nothing(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(60).transition("S8", "smoke-501-b", Severity.P1, ())
    assert story.incident().severity == "P0"
    story.between(0, 100).not_told("fire_brigade")


def test_a_low_battery_is_no_fire_and_stands_beside_one(story: Story) -> None:
    story.at(0).smoke("501")
    story.at(5).transition("S5", "smoke-501-b", Severity.P3, ())
    assert [(i.hazard, i.severity) for i in story.incidents()] == [("fire", "P0"), ("fault", "P3")]


@pytest.mark.parametrize("rule", ["H1", "M1"])
def test_heat_or_a_button_beside_smoke_confirms_the_fire(story: Story, rule: str) -> None:
    story.at(0).smoke("501")
    story.at(100).transition(rule, "smoke-501-b", Severity.P0, ())
    assert story.incident().severity == "P0+"


def test_a_dark_block_is_a_matter_of_the_building(story: Story) -> None:
    row = story.row("C3", "monitor-501", Severity.P1, place=1, about=Subject.BUILDING)
    story.store(row)
    story.at(0).turn()
    incident = story.incident()
    assert (incident.place, incident.hazard, incident.dwelling_id) == ("building:1", "fault", 0)
    story.between(0, 11).told("grid_worker", saying="many devices silent at once")


def test_two_flats_of_a_stair_confirm_the_fire_in_the_flat_that_spoke_last(story: Story) -> None:
    story.at(0).smoke("501")
    stair = story.row("S2S", "smoke-501", Severity.P0_PLUS, place=1, about=Subject.STAIR)
    story.at(1).store(stair)
    story.turn()
    assert [(i.place, i.severity) for i in story.incidents()] == [
        (f"dwelling:{story.block.dwellings['501']}", "P0+")
    ]


def test_smoke_and_arcs_in_a_cupboard_are_a_confirmed_fire_of_the_building(story: Story) -> None:
    row = story.row(
        "X1C", "monitor-501", Severity.P0_PLUS, (Mark.ELECTRICAL_FIRST,), place=1, about=Subject.BUILDING
    )
    story.store(row)
    story.at(0).turn()
    incident = story.incident()
    assert (incident.place, incident.hazard, incident.severity) == ("building:1", "fire", "P0+")
    assert incident.dwelling_id == 0
    story.between(0, 1).told("micro_station", saying="smoke with an electrical alarm")


def test_a_glowing_cable_with_arcs_there_is_one_of_the_building_too(story: Story) -> None:
    row = story.row("T3XC", "monitor-501", Severity.P0, (Mark.ISOLATE,), place=1, about=Subject.BUILDING)
    story.store(row)
    story.at(0).turn()
    incident = story.incident()
    assert (incident.place, incident.hazard, incident.severity) == ("building:1", "electrical", "P0")
    story.between(0, 1).told("grid_worker", saying="cable critical, with an arc")


def test_a_circuit_that_must_be_cut_is_said_so(story: Story) -> None:
    story.at(0).transition("L3", "monitor-501", Severity.P1, (Mark.ISOLATE,))
    story.between(0, 1).told("grid_worker", saying="Isolate the electricity first")
    story.between(0, 1).told("family", saying="Switch off heavy loads")


@pytest.mark.parametrize(
    ("disposition", "counted"), [("nuisance: cooking", True), ("unfounded", True), ("real", False)]
)
def test_a_false_alarm_is_counted_against_the_detector(story: Story, disposition: str, counted: bool) -> None:
    story.at(0).smoke("501")
    story.at(5).answers("operator", Act.FALSE_ALARM)
    story.at(10).answers("grid_worker", Act.FEEDBACK, "toast")
    story.at(15).answers("operator-2", Act.VERIFY)
    story.at(20).answers("operator", Act.CLOSE, disposition)
    with reading(story.engine) as connection:
        kinds = [(i.kind, i.rule, i.slot) for i in inputs_after(connection, 0)]
    assert ((InputKind.UNFOUNDED, "S1", 7) in kinds) is counted
    assert (InputKind.CLOSE, "S1", 7) in kinds


def test_gas_in_two_flats_of_a_stair_confirms_no_fire(story: Story) -> None:
    story.at(0).transition("G1", "smoke-501", Severity.P0, ())
    story.at(10).transition("G1", "smoke-101", Severity.P0, ())
    assert [i.severity for i in story.incidents()] == ["P0", "P0"]


def test_the_worst_alarm_that_stands_speaks_for_all(story: Story) -> None:
    story.at(0).transition("L3", "monitor-501", Severity.P1, ())
    story.at(5).transition("O1", "monitor-501", Severity.P3, ())
    assert board(story)[0].evidence == "L3 of monitor-501"
    story.at(9).clears("L3", "monitor-501")
    assert board(story)[0].evidence == "O1 of monitor-501"
