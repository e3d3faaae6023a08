"""The digest is worked out from thousands of incidents, and takes seconds: no fire waits for its end."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, insert

from alerts import schema
from alerts.digest_settings import DigestSettings
from alerts.digest_watch import DigestWatch
from alerts.memo_schema import memo
from devices.database import open_database, writing
from devices.model import Medium, Role
from tests.alerts.memo_post import MemoPost
from tests.alerts.story import Story

DAY_S = 86_400
HALF_PAST_EIGHT = 2 * 3600 + 17 * 60
"""Seconds from the start of a story to 08:30:20."""
OPEN = 1_200
"""P3 incidents: read in three slices."""
SETTINGS = DigestSettings(weekly=False)


@pytest.fixture
def upkeep(story: Story) -> Story:
    """So much can wait, and it is the hour of the digest."""
    MemoPost(story).bind("maintenance", Role.MAINTENANCE, "area", 1, Medium.EMAIL)
    DigestWatch(story.engine, SETTINGS).look(story.now_us)
    ours = {"building_id": 1, "hazard": "fault", "severity": "P3", "state": "dispatched", "epoch": 1}
    times = {"started_us": story.now_us, "opened_us": story.now_us}
    alarm = {"rule": "C1", "slot": 1, "place": 0, "severity": "P3", "raised_us": story.now_us, "why": "{}"}
    with writing(story.engine) as connection:
        rows = [{"place": f"device:{n}", "dwelling_id": 0, **ours, **times} for n in range(OPEN)]
        ids = connection.scalars(insert(schema.incident).returning(schema.incident.c.id), rows).all()
        named = [{"incident_id": one, "subject": str(one), "uid": str(one), **alarm} for one in ids]
        connection.execute(insert(schema.incident_alarm), named)
    return story.at(DAY_S + HALF_PAST_EIGHT)


def test_a_fire_amid_the_digest_is_told_before_the_digest_is_there(upkeep: Story, database: str) -> None:
    watching = open_database(database)  # the caretaker's: another process than that of the alerts
    before = list[int]()

    def burn(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "incident_alarm" in statement and not before:
            upkeep.smoke("501")
            before.append(len(upkeep.table(memo)))

    event.listen(watching, "before_cursor_execute", burn)
    DigestWatch(watching, SETTINGS).look(upkeep.now_us)
    watching.dispose()
    assert before == [0]
    upkeep.between(upkeep.now_s, upkeep.now_s).told("grid_worker", saying="FIRE ALARM").once()
    [digest] = upkeep.table(memo)
    assert digest.text.startswith(f"DAILY UPKEEP. {OPEN} open")
