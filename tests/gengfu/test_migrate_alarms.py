"""When alarms were taken in, up and down: those that are there already, when they were raised."""

from __future__ import annotations

from sqlalchemy import Engine, insert, text

from alerts.schema import incident, incident_alarm
from devices.database import reading, writing
from gengfu.migrate import downgrade, upgrade

BEFORE = "0011"
TAKEN = "SELECT raised_us, taken_us FROM incident_alarm"


def test_an_alarm_from_the_release_before_was_taken_in_when_it_was_raised(engine: Engine) -> None:
    with writing(engine) as connection:
        values = {
            "place": "dwelling:1",
            "dwelling_id": 1,
            "building_id": 1,
            "hazard": "fire",
            "severity": "P0",
        }
        connection.execute(
            insert(incident).values(**values, state="reported", epoch=0, started_us=1, opened_us=1)
        )
        alarm = {"rule": "S1", "subject": "series:1", "uid": "a", "slot": 1, "place": 0, "severity": "P0"}
        connection.execute(
            insert(incident_alarm).values(**alarm, incident_id=1, raised_us=70, taken_us=90, why="")
        )
    downgrade(engine, BEFORE)
    upgrade(engine)
    with reading(engine) as connection:
        assert [tuple(row) for row in connection.execute(text(TAKEN))] == [(70, 70)]
