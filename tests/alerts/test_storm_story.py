"""A storm of lesser alarms comes as summaries; a fire in its middle is told at once and by itself."""

from __future__ import annotations

from alerts import schema
from alerts.case import Act
from alerts.links import summary_token
from devices.model import Severity
from rules.transition import Subject
from tests.alerts.story import Story


def overloads(story: Story, count: int) -> None:
    """Each of a device that nobody registered: an incident of its own, told to the duty desk."""
    for n in range(count):
        story.transition("O3", f"own:meter-{n}", Severity.P1, ())


def dark(story: Story) -> Story:
    row = story.row("C3", "smoke-hall", Severity.P1, place=1, about=Subject.BUILDING, hazard="fault")
    story.store(row)
    story.turn()
    return story


def test_beyond_its_number_a_minute_a_contact_gets_one_summary(story: Story) -> None:
    story.at(0)
    overloads(story, 20)
    first = [m for m in story.between(0, 1).messages if m.code == "duty_desk"]
    assert len(first) == story.settings.messages_per_minute
    later = [m for m in story.between(2, 70).messages if m.code == "duty_desk"]
    [summary] = [m for m in later if m.text.startswith("SUMMARY: 14 alarms since")]
    assert summary.at_s == 60


def test_a_fire_in_the_storm_is_neither_held_nor_part_of_a_summary(story: Story) -> None:
    story.at(0)
    overloads(story, 20)
    story.at(1).smoke("501")
    fire = story.between(1, 1)
    fire.told("duty_desk", saying="FIRE ALARM").once()
    fire.told("family", saying="FIRE ALARM").once()


def test_a_dark_building_waits_ten_seconds_for_others_and_is_then_told_as_it_is(story: Story) -> None:
    dark(story.at(0))
    story.between(0, 9).not_told("grid_worker")
    story.between(10, 10).told("grid_worker", saying="many devices silent at once").once()


def test_what_was_closed_while_it_waited_is_told_to_nobody(story: Story) -> None:
    dark(story.at(0))
    assert story.at(1).answers("operator", Act.CANCEL, "power is back").outcome == "done"
    story.between(0, 60).not_told("grid_worker")
    assert {row.state for row in story.table(schema.notification)} == {"dead"}


def test_every_held_message_is_on_record_and_the_timeline_says_that_it_was_told_in_a_summary(
    story: Story,
) -> None:
    story.at(0)
    overloads(story, 20)
    story.at(70)
    states = [row.state for row in story.table(schema.notification)]
    assert states.count("rolled") == 13
    assert "held" not in states
    rolled = {row.incident_id for row in story.table(schema.notification) if row.state == "rolled"}
    said = {row.incident_id for row in story.table(schema.incident_change) if '"rolled_up"' in row.text}
    assert rolled <= said
    told = [row for row in story.table(schema.notification) if row.told_in is not None]
    [summary] = [row for row in told if row.told_in == row.id]
    assert {row.told_in for row in told} == {summary.id}
    assert {row.incident_id for row in told} == rolled | {summary.incident_id}
    assert summary.link == f"http://answers.example/a/{summary_token(b'k' * 32, summary.id)}"
    [handed] = [one for one in story.handovers if one.notification_id == summary.id]
    assert (handed.link, handed.text) == (summary.link, summary.text)
