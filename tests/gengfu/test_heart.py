from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine, select

from alerts.schema import pulse
from benchmarks.service import eventually
from devices.database import open_database, reading
from gengfu.heart import Heart
from tests.conftest import NewDatabase


def test_a_heart_says_what_its_process_says_and_falls_silent_with_it_in_order(engine: Engine) -> None:
    def seen() -> list[tuple[str, int, str]]:
        with reading(engine) as connection:
            return [tuple(row) for row in connection.execute(select(pulse))]

    def shows(rows: list[tuple[str, int, str]]) -> Callable[[], bool]:
        return lambda: seen() == rows

    heart = Heart(engine, "ingest", lambda: {"ok": False, "trouble": "no_broker"}, lambda: 5)
    heart.start()
    eventually(shows([("ingest", 5, "no_broker")]), "the first beat")
    heart.stop()
    assert seen() == []


def test_a_database_that_does_not_take_the_pulse_ends_nothing(new_database: NewDatabase) -> None:
    engine = open_database(new_database())
    heart = Heart(engine, "store", lambda: {"ok": True, "trouble": ""}, lambda: 5)
    heart.start()
    heart.stop()
    engine.dispose()
