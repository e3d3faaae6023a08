"""Our clock goes back while a fire waits for an answer: the next step comes when it would have come."""

from __future__ import annotations

from sqlalchemy import insert, select

from alerts import schema
from alerts.set_back import bring_back, newest_pulse_us
from devices.database import writing
from devices.model import Severity
from tests.alerts.story import SECOND, Story

BACK_S = 1_800


def set_back(story: Story) -> None:
    story.now_us -= BACK_S * SECOND
    bring_back(story.engine, BACK_S * SECOND, story.now_us)
    story.turn()  # as the process makes one at once


def test_people_who_do_not_answer_are_called_as_soon_as_without_it(story: Story) -> None:
    story.at(3600).smoke("501")
    story.at(3630)
    set_back(story)
    began_s = story.now_s
    story.between(began_s, began_s + 25).not_told("supervisor")
    chase = story.between(began_s + 26, began_s + 40)
    for who in ("family", "grid_worker", "building_secretary"):
        chase.told(who, by="voice")


def test_without_it_nobody_would_be_called_for_half_an_hour(story: Story) -> None:
    """The reason for it."""
    story.at(3600).smoke("501")
    story.at(3630)
    story.now_us -= BACK_S * SECOND
    story.turn()
    began_s = story.now_s
    story.between(began_s, began_s + 120).nobody()


def test_what_was_due_within_the_time_it_went_back_is_due_now_and_never_before(story: Story) -> None:
    story.at(3600).transition("O3", "riser", Severity.P1, ())
    story.now_us -= BACK_S * SECOND
    bring_back(story.engine, 10 * BACK_S * SECOND, story.now_us)
    with story.engine.connect() as connection:
        pending = schema.step.c.state == "pending"
        due = connection.scalars(select(schema.step.c.due_us).where(pending)).all()
    assert due
    assert set(due) == {story.now_us}


def test_ends_of_windows_stay_where_they_are(story: Story) -> None:
    story.at(3600).smoke("501")
    marker = {"incident_id": 1, "epoch": 0, "n": 1, "state": "pending", "due_us": story.now_us + 9 * SECOND}
    with writing(story.engine) as connection:
        for name in ("release:7", "silenced:8"):
            connection.execute(insert(schema.step).values(**marker, name=name))
    set_back(story)
    kept = [row.due_us for row in story.table(schema.step) if ":" in row.name]
    assert kept == [marker["due_us"]] * 2


def test_until_when_processes_lived_is_known_after_a_crash(story: Story) -> None:
    assert newest_pulse_us(story.engine) == 0
    with writing(story.engine) as connection:
        for name, at_us in (("ingest", 5), ("alerts", 7)):
            connection.execute(insert(schema.pulse).values(name=name, at_us=at_us, trouble=""))
    assert newest_pulse_us(story.engine) == 7
