"""Quiet hours and substitutes on virtual time: who is told, and that whoever was told may answer."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from alerts import schema
from alerts.case import Act
from alerts.sayings import render
from alerts.settings import Settings
from alerts.views import answer_page
from devices import schema as registry
from devices.database import reading, writing
from tests.alerts.block import add_contact
from tests.alerts.story import SECOND, START_US, Story

NIGHT = {"quiet_from": 22 * 60, "quiet_until": 7 * 60}
"""The story starts at 06:13 in Shanghai."""


def stands_in(story: Story, for_whom: str, until_s: float, role: str = "") -> None:
    """`stand-in` joins the block and stands in for somebody of the cast from the start."""
    with writing(story.engine) as connection:
        story.block.contacts["stand-in"] = number = add_contact(connection, "stand-in")
        values = {
            "contact_id": story.block.contacts[for_whom],
            "substitute_id": number,
            "role": role,
            "from_us": START_US,
            "until_us": START_US + round(until_s * SECOND),
            "made_us": START_US,
            "made_by": "test",
        }
        connection.execute(insert(registry.substitution).values(values))


def sleeps(story: Story, *codes: str) -> None:
    with writing(story.engine) as connection:
        theirs = registry.binding.c.contact_id.in_([story.block.contacts[code] for code in codes])
        connection.execute(update(registry.binding).where(theirs).values(NIGHT))


def timeline(story: Story) -> list[str]:
    return [render(row.text, "en") for row in story.table(schema.incident_change) if row.kind == "left_out"]


def test_a_fire_is_told_to_who_is_away_and_to_the_substitute(story: Story) -> None:
    stands_in(story, "grid_worker", 3600)
    sleeps(story, "family")
    story.at(0).smoke("501")
    story.between(0, 1).told("grid_worker", saying="FIRE ALARM").once()
    story.between(0, 1).told("stand-in", saying="FIRE ALARM").once()
    story.between(0, 1).told("family").once()


def test_of_a_lesser_alarm_the_substitute_alone_is_told(story: Story) -> None:
    stands_in(story, "grid_worker", 3600)
    story.at(0).overload("501")
    story.between(0, 1).told("stand-in", saying="SERIOUS").once()
    story.between(0, 299).not_told("grid_worker", "grid_worker-2")
    assert timeline(story) == ["at once: a substitute is told for grid worker 1"]


def test_a_substitute_answers_for_the_role(story: Story) -> None:
    stands_in(story, "building_secretary", 3600)
    story.at(0).overload("501")
    assert story.at(10).answers("stand-in", Act.ACKNOWLEDGE, role="building_secretary").outcome == "done"
    story.between(11, 899).nobody()


def test_a_substitute_whose_time_ended_meanwhile_still_answers_the_link(story: Story) -> None:
    stands_in(story, "grid_worker", 20)
    story.at(0).smoke("501")
    story.at(30)
    with reading(story.engine) as connection:
        page = answer_page(connection, 1, story.block.contacts["stand-in"], "en", story.now_us)
    assert page is not None
    assert (page.role, Act.ARRIVED in page.acts) == ("grid_worker", True)
    assert story.answers("stand-in", Act.ARRIVED, role="grid_worker").outcome == "done"
    assert story.incident().state == "arrived"


def test_a_substitute_who_was_never_told_is_a_stranger_once_it_is_over(story: Story) -> None:
    stands_in(story, "supervisor", 20)
    story.at(0).smoke("501")
    assert story.at(10).answers("stand-in", Act.ACKNOWLEDGE, role="supervisor").outcome == "done"
    assert story.at(30).answers("stand-in", Act.NOTE, "hello", role="supervisor").outcome == "refused"


def test_lesser_alarms_let_people_sleep_while_somebody_of_their_role_is_awake(story: Story) -> None:
    sleeps(story, "grid_worker", "family", "family-2", "family-3")
    story.at(0).overload("501")
    first = story.between(0, 1)
    first.told("grid_worker-2").once()
    first.told("family").once()  # the whole family sleeps: then nobody of it is left out
    first.not_told("grid_worker")
    assert timeline(story) == ["at once: quiet hours of grid worker 1"]


def test_after_the_quiet_hours_everybody_is_told_again(story: Story) -> None:
    sleeps(story, "grid_worker")
    story.at(3600).overload("501")
    story.between(3600, 3601).told("grid_worker").once()


def test_somebody_asleep_may_answer_and_a_cry_for_help_wakes_them(story: Story) -> None:
    sleeps(story, "neighbour", "grid_worker")
    story.at(0).overload("501")
    assert story.at(5).answers("neighbour", Act.NEED_HELP).outcome == "done"
    story.between(5, 6).told("grid_worker", by="voice").once()


def test_a_fault_in_the_quiet_hours_tells_everybody_and_is_reported(story: Story) -> None:
    story.settings = Settings(b"k" * 32, "http://answers.example", timezone="Nowhere/At_all")
    sleeps(story, "grid_worker")
    story.at(0).overload("501")
    story.between(0, 1).told("grid_worker").once()
    [fault] = story.table(schema.system_fault)
    assert fault.code == "decision_failed"


def test_a_removed_channel_and_an_erased_contact_are_no_ways(story: Story) -> None:
    with writing(story.engine) as connection:
        way = registry.contact_channel.c
        push = connection.execute(
            select(way.id).where(way.contact_id == story.block.contacts["grid_worker"], way.medium == "push")
        ).scalar_one()
        connection.execute(update(registry.contact_channel).where(way.id == push).values(removed_us=START_US))
        erased = registry.contact.c.id == story.block.contacts["family"]
        connection.execute(update(registry.contact).where(erased).values(erased_us=START_US))
    story.at(0).smoke("501")
    first = story.between(0, 1)
    first.told("grid_worker", by="sms").once()
    first.told("family-2").once()
    first.not_told("family")
