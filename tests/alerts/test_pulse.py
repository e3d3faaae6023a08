from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from alerts.pulse import SILENT_US, Ailing, ailing, beat, ends_before, silence, with_ends
from devices.database import open_database, reading, writing

NOW_US = 1_790_000_000_000_000


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    engine = open_database(database)
    yield engine
    engine.dispose()


def seen(engine: Engine, now_us: int) -> list[Ailing]:
    with reading(engine) as connection:
        return list(ailing(connection, now_us))


def test_a_process_that_beats_is_well_and_one_that_stops_is_silent(engine: Engine) -> None:
    with writing(engine) as connection:
        beat(connection, "ingest", NOW_US, "")
    assert seen(engine, NOW_US + SILENT_US) == []
    assert seen(engine, NOW_US + SILENT_US + 1) == [Ailing("ingest", NOW_US, "")]
    with writing(engine) as connection:
        beat(connection, "ingest", NOW_US + SILENT_US, "")
    assert seen(engine, NOW_US + SILENT_US + 1) == []


def test_trouble_shows_at_once(engine: Engine) -> None:
    with writing(engine) as connection:
        beat(connection, "ingest", NOW_US, "no connection to the broker")
    assert seen(engine, NOW_US) == [Ailing("ingest", NOW_US, "no connection to the broker")]


def test_a_process_that_ended_in_order_is_not_missed(engine: Engine) -> None:
    with writing(engine) as connection:
        beat(connection, "store", NOW_US, "")
    with writing(engine) as connection:
        silence(connection, "store")
    assert seen(engine, NOW_US + 10 * SILENT_US) == []


def test_a_pulse_from_before_the_clock_was_set_back_is_silence(engine: Engine) -> None:
    with writing(engine) as connection:
        beat(connection, "ingest", NOW_US, "")
    assert seen(engine, NOW_US - SILENT_US) == []
    assert seen(engine, NOW_US - SILENT_US - 1) == [Ailing("ingest", NOW_US, "")]


def test_ends_out_of_order_are_counted_and_shown_from_the_second_on(engine: Engine) -> None:
    for ends, shown in ((0, ""), (1, "stalled"), (2, "stalled; restarts: 2"), (3, "stalled; restarts: 3")):
        with writing(engine) as connection:
            assert ends_before(connection, "ingest") == ends
            beat(connection, "ingest", NOW_US, with_ends("stalled" if ends else "", ends))
        assert [one.trouble for one in seen(engine, NOW_US)] == ([shown] if shown else [])
    with writing(engine) as connection:
        silence(connection, "ingest")
        assert ends_before(connection, "ingest") == 0


def test_the_names_of_many_brokers_fit_into_a_pulse(engine: Engine) -> None:
    trouble = "no_broker: " + ", ".join(f"{number:032}" for number in range(100))
    with writing(engine) as connection:
        beat(connection, "ingest", NOW_US, trouble)
    assert seen(engine, NOW_US) == [Ailing("ingest", NOW_US, trouble)]
