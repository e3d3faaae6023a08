from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, event, select
from structlog.testing import capture_logs

from alerts.pulse import STEADY_S, beat
from alerts.schema import pulse
from benchmarks.service import eventually
from devices.database import open_database, reading, writing
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


def troubles(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.execute(select(pulse.c.trouble).where(pulse.c.at_us == 5)).scalars())


def test_a_health_that_fails_in_any_way_is_a_trouble_and_the_heart_goes_on(engine: Engine) -> None:
    def health() -> dict[str, object]:
        raise ZeroDivisionError

    with capture_logs() as logs:
        heart = Heart(engine, "ingest", health, lambda: 5)
        heart.start()
        eventually(lambda: troubles(engine) == ["unknown"], "a beat that says so")
        heart.stop()
    assert [one["error"] for one in logs if one["event"] == "health_unknown"] == ["ZeroDivisionError"]
    assert troubles(engine) == []  # stopped in order: the thread was there to the end


def test_a_start_over_the_pulse_of_one_that_died_says_so(engine: Engine) -> None:
    for left, said in (("", "restarts: 1"), ("no_broker; restarts: 1", "restarts: 2")):
        with writing(engine) as connection:
            beat(connection, "ingest", 1, left)
        heart = Heart(engine, "ingest", lambda: {"trouble": ""}, lambda: 5)
        heart.start()
        eventually(lambda: troubles(engine) != [], "the first beat")
        assert troubles(engine) == [said]
        heart.stop()


def test_a_start_that_has_lasted_says_nothing_of_what_was_before(engine: Engine) -> None:
    with writing(engine) as connection:
        beat(connection, "ingest", 1, "restarts: 7")
    seconds = iter((0.0, *(STEADY_S,) * 9))
    heart = Heart(engine, "ingest", lambda: {"trouble": ""}, lambda: 5, monotonic=lambda: next(seconds))
    heart.start()
    eventually(lambda: troubles(engine) == [""], "a beat without it")
    heart.stop()


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
