"""Silences, drills and commissioning where clocks jump and where windows cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from alerts import schema
from alerts.window_schema import bounded_window
from devices.database import writing
from devices.model import Severity
from tests.alerts.story import SECOND, START_US, Story, a_story
from tests.alerts.windows import checks, commission, drill, silence


@pytest.fixture
def story(database: str) -> Iterator[Story]:
    with a_story(database, agreed=True) as opened:
        yield opened


def test_a_clock_put_back_before_its_making_ends_a_window_for_good(story: Story) -> None:
    story.at(4000)
    commission(story, "smoke-501")
    story.at(4010).smoke("501")
    story.now_us -= 3600 * SECOND
    checks(story)
    story.between(story.now_s, story.now_s + 1).told("family")
    story.now_us = START_US + 4020 * SECOND
    story.smoke("501", device="smoke-501-b")
    assert [i.severity for i in story.incidents()] == ["P0", "P0+"]


def test_a_window_whose_time_was_over_once_never_holds_again(story: Story) -> None:
    story.at(1000)
    commission(story, "smoke-501", minutes=5)
    story.at(1400)
    checks(story)
    story.now_us = START_US + 1100 * SECOND
    story.smoke("501")
    story.between(1100, 1101).told("family")


def test_a_clock_put_forward_releases_early(story: Story) -> None:
    commission(story, "smoke-501")
    story.at(10).smoke("501")
    story.at(7200)
    assert story.incident(2).severity == "P0"


@pytest.mark.parametrize("table", ["bounded_window", "bounded_window_end"])
def test_where_windows_cannot_be_read_people_are_told_and_the_fault_is_reported(
    story: Story, table: str
) -> None:
    drill(story, "building", "b3")
    silence(story, "building", "b3")
    with writing(story.engine) as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO elsewhere"))
    story.at(0).smoke("501").transition("O3", "smoke-other", Severity.P1, ())
    story.between(0, 1).told("micro_station")
    story.between(0, 1).told("grid_worker", saying="SERIOUS")
    assert [row.code for row in story.table(schema.system_fault)] == ["decision_failed"]
    with writing(story.engine) as connection:
        connection.execute(text(f"ALTER TABLE elsewhere RENAME TO {table}"))


def test_a_window_of_a_later_release_costs_itself_only(story: Story) -> None:
    drill(story, "dwelling", "b3-501")
    odd = drill(story, "dwelling", "b3-401")
    with writing(story.engine) as connection:
        connection.execute(
            bounded_window.update().where(bounded_window.c.id == odd.id).values(scope="street")
        )
    story.at(0).smoke("501").smoke("401")
    assert ["drill" in i.tags for i in story.incidents()] == [True, False]
    assert [row.code for row in story.table(schema.system_fault)] == ["decision_failed"]
