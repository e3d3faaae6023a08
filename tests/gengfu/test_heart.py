from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, event, select
from structlog.testing import capture_logs

from alerts.schema import pulse
from benchmarks.service import eventually
from devices.database import open_database, reading
from gengfu.heart import Heart
from ingest.ballast import Ballast
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


def test_a_pulse_that_finds_no_room_drops_the_ballast(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'small.db'}")
    pulse.create(engine)
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    event.listen(engine, "connect", lambda one, _: one.execute(f"PRAGMA max_page_count={pages}"))
    engine.dispose()  # connections made from now on find the database full
    ballast = Ballast(tmp_path / "ballast", 1 << 16)
    ballast.keep()
    with capture_logs() as logs:
        heart = Heart(engine, "n" * 20_000, lambda: {"trouble": ""}, lambda: 5, ballast)
        heart.start()
        eventually(lambda: not ballast.is_whole, "the ballast is dropped")
        heart.stop()
    assert "ballast_dropped" in [one["event"] for one in logs]
    engine.dispose()
