"""Lines of the table that no other story tells."""

from __future__ import annotations

import numpy as np

from devices.model import Metric, SeriesTable, Severity
from rules.transition import Transition
from tests.alerts.story import Story
from tests.rules.story import Story as Readings
from tests.rules.story import shipped

HOUR = 3_600


def test_a_visit_that_nobody_makes_is_the_secretarys_after_two_hours(story: Story) -> None:
    story.at(0).smoke("501", age_s=HOUR)
    story.between(0, 1).told("grid_worker").once()
    story.between(1, 2 * HOUR - 1).nobody()
    story.between(2 * HOUR, 2 * HOUR).told("building_secretary").once()


def test_what_can_wait_wakes_nobody(story: Story) -> None:
    """It is on the board."""
    story.at(0).transition("C1", "monitor-501", Severity.P3, ())
    story.between(0, 24 * HOUR).nobody()
    assert [row.severity for row in story.incidents()] == ["P3"]


def test_a_test_button_alone_is_no_alarm() -> None:
    """And smoke beside it, or that goes on after it, is smoke."""
    table = SeriesTable.plain(
        generation=1,
        metric=np.array([0, Metric.SMOKE_TEST, Metric.SMOKE_ALARM], np.int16),
        device=np.array([0, 1, 1], np.int32),
        dwelling=np.array([0, 1, 1], np.int32),
        reference_a=np.full(3, np.nan),
    )
    readings = Readings(shipped(), table)
    told: list[Transition] = readings.read(2, 0, 0.0) + readings.read(1, 1, 1.0)
    assert told == []
    [smoke] = readings.read(2, 2, 1.0)
    assert (smoke.rule, smoke.severity) == ("S1", Severity.P0)
