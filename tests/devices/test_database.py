"""One writer at a time, one moment for readers, and a notice of each commit: the same on both engines."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, func, insert, select, text
from sqlalchemy.exc import OperationalError

from devices import database as module
from devices.change_notice import LONGEST_SILENCE_S, ChangeNotice
from devices.database import DriverMissing, insert_new, open_database, reading, writing
from devices.schema import area, registry_change, series
from tests.databases import POSTGRESQL, Databases, Server

PATIENCE_S = 30.0
"""Bounds only failures."""


@pytest.fixture
def postgresql(databases: Databases) -> Iterator[Engine]:
    with databases.fresh() as url:
        engine = open_database(url)
        yield engine
        engine.dispose()


def note(connection: Connection, what: str = "x") -> int:
    row = insert(registry_change).values(at_us=1, by="t", what=what).returning(registry_change.c.id)
    return int(connection.execute(row).scalar_one())


def notes(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.scalars(select(registry_change.c.what).order_by(registry_change.c.id)))


def eventually(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def test_ids_become_visible_in_ascending_order_whoever_writes(engine: Engine) -> None:
    """What every cursor relies on: a reader that has seen id n is not shown a smaller one later."""
    stop = threading.Event()
    late: list[int] = []

    def read() -> None:
        seen: set[int] = set()
        while not stop.is_set():
            with reading(engine) as connection:
                ids = set(connection.scalars(select(registry_change.c.id)))
            late.extend(one for one in ids - seen if seen and one < max(seen))
            seen |= ids

    def write(pause_s: float) -> None:
        for _ in range(15):
            with writing(engine) as connection:
                note(connection)
                time.sleep(pause_s)  # an id is taken, and others have time to overtake

    writers = [threading.Thread(target=write, args=(n * 0.002,)) for n in range(4)]
    reader = threading.Thread(target=read)
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    reader.join()
    assert late == []
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(registry_change)) == 60


def test_without_the_lock_a_cursor_would_pass_a_row_by(postgresql: Engine) -> None:
    """The reason for the lock, so that nobody takes it away: PostgreSQL gives ids before commits."""
    with postgresql.connect() as slow, slow.begin():
        first = note(slow)
        with postgresql.connect() as quick, quick.begin():
            second = note(quick)
        with reading(postgresql) as connection:
            assert list(connection.scalars(select(registry_change.c.id))) == [second]
    assert first < second


def test_the_second_writer_begins_when_the_first_has_ended_and_sees_what_it_wrote(engine: Engine) -> None:
    began = threading.Event()
    seen: list[str] = []

    def second() -> None:
        began.set()
        with writing(engine) as connection:
            seen.extend(connection.scalars(select(registry_change.c.what)))

    thread = threading.Thread(target=second)
    with writing(engine) as connection:
        thread.start()
        began.wait(PATIENCE_S)
        time.sleep(0.05)
        note(connection, "of the first")
        assert seen == []
    thread.join()
    assert seen == ["of the first"]


def test_a_reader_sees_one_moment_and_waits_for_no_writer(engine: Engine) -> None:
    with reading(engine) as connection:
        before = connection.scalar(select(func.count()).select_from(registry_change))
        with writing(engine) as other:
            note(other)
        assert connection.scalar(select(func.count()).select_from(registry_change)) == before
    assert notes(engine) == ["x"]


def test_a_reader_cannot_write_on_postgresql(postgresql: Engine) -> None:
    with pytest.raises(OperationalError, match="read-only"), reading(postgresql) as connection:
        note(connection)
    with writing(postgresql) as connection:  # and the connection is none the worse for it
        note(connection)


def test_an_exception_leaves_nothing(engine: Engine) -> None:
    with pytest.raises(RuntimeError), writing(engine) as connection:
        note(connection)
        raise RuntimeError
    assert notes(engine) == []


def test_a_writer_that_waits_too_long_is_refused_as_operational(
    postgresql: Engine, databases: Databases
) -> None:
    """The server itself ends the wait; here after 50 ms. `lock_timeout` is set anew in each transaction."""
    statement = module._ONE_WRITER.replace(str(module.BUSY_TIMEOUT_MS), "50")
    assert statement != module._ONE_WRITER
    with (
        writing(postgresql),
        pytest.raises(OperationalError, match="lock timeout"),
        postgresql.connect() as other,
        other.begin(),
    ):
        other.exec_driver_sql(statement)


def test_a_restarted_server_costs_at_most_the_transaction_under_way() -> None:
    server = Server()
    try:
        engine = open_database(server.url("postgres"))
        notice = ChangeNotice(engine)
        with writing(engine) as connection:
            connection.execute(text("CREATE TABLE kept (n integer)"))
        with pytest.raises(OperationalError), writing(engine) as connection:
            server.stop()
            connection.execute(text("INSERT INTO kept VALUES (1)"))
        with pytest.raises(OperationalError), reading(engine):
            pass
        assert isinstance(notice.changed(), bool)
        server.start()
        with writing(engine) as connection:
            connection.execute(text("INSERT INTO kept VALUES (2)"))
            assert connection.scalars(text("SELECT n FROM kept")).all() == [2]
        frozen = ChangeNotice(engine, lambda: 0.0)
        eventually(frozen.changed, "the notice is back")
        notice.close()
        frozen.close()
        engine.dispose()
    finally:
        server.close()


def test_a_connection_the_server_ended_is_operational_whatever_the_driver_calls_it(
    postgresql: Engine,
) -> None:
    with pytest.raises(OperationalError), writing(postgresql) as connection:
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 1")
        time.sleep(0.2)
        note(connection)
    assert notes(postgresql) == []


def test_a_standby_that_cannot_write_yet_is_operational(postgresql: Engine) -> None:
    with pytest.raises(OperationalError), writing(postgresql) as connection:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        note(connection)


# notices


def settled(notice: ChangeNotice) -> None:
    """Takes what is said at the beginning."""
    assert notice.changed()
    time.sleep(0.1)
    while notice.changed():
        time.sleep(0.1)


@pytest.fixture
def notice(engine: Engine) -> Iterator[ChangeNotice]:
    notice = ChangeNotice(engine, lambda: 0.0)  # a clock that stands: only real notices are heard
    settled(notice)
    yield notice
    notice.close()


def test_a_commit_is_noticed_once_and_a_rollback_is_not(engine: Engine, notice: ChangeNotice) -> None:
    assert not notice.changed()
    with writing(engine) as connection:
        note(connection)
        assert not notice.changed()
    eventually(notice.changed, "noticed")
    assert not notice.changed()
    with pytest.raises(RuntimeError), writing(engine) as connection:
        note(connection)
        raise RuntimeError
    time.sleep(0.1)
    assert not notice.changed()


def test_a_notice_of_another_process_is_heard(engine: Engine, database: str, notice: ChangeNotice) -> None:
    other = open_database(database)
    with writing(other) as connection:
        note(connection)
    eventually(notice.changed, "noticed")
    other.dispose()


def test_a_lost_connection_says_yes_and_listens_again(postgresql: Engine) -> None:
    notice = ChangeNotice(postgresql, lambda: 0.0)
    settled(notice)
    with postgresql.connect() as connection:
        ended = connection.scalar(
            text("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
        )
        connection.commit()
    assert ended == 1
    eventually(notice.changed, "a loss is a yes")
    settled_again = time.monotonic() + 1.0
    while time.monotonic() < settled_again:
        notice.changed()
        time.sleep(0.01)
    with writing(postgresql) as connection:
        note(connection)
    eventually(notice.changed, "it listens again")
    notice.close()


def test_without_any_notice_postgresql_is_looked_at_once_a_second(postgresql: Engine) -> None:
    now_s = [0.0]
    notice = ChangeNotice(postgresql, lambda: now_s[0])
    settled(notice)
    assert not notice.changed()
    now_s[0] += LONGEST_SILENCE_S
    assert notice.changed()
    assert not notice.changed()
    notice.close()


def test_a_notice_of_a_server_that_is_away_says_yes_and_ends_at_once(tmp_path: Path) -> None:
    engine = open_database(f"postgresql+psycopg://nobody@/none?host={tmp_path}")
    notice = ChangeNotice(engine)
    assert notice.changed()
    notice.close()
    notice.close()


# what comes from outside


HOSTILE = "a\0b\ud800c", "火" * 5000, "\udfff", "\0"


@pytest.mark.parametrize("words", HOSTILE)
def test_no_text_fails_a_transaction(engine: Engine, words: str) -> None:
    value = {"slot": 1, "uid": words, "channel": "", "metric": 1, "created_us": 2**60}
    with writing(engine) as connection:
        connection.execute(insert_new(connection, series).values(value))
        connection.execute(insert_new(connection, series), [value | {"slot": 2, "metric": 2}])
        connection.execute(select(area).where(area.c.code == words)).all()
    with reading(engine) as connection:
        kept = connection.scalars(select(series.c.uid)).all()
    clean = words.replace("\0", "\ufffd").replace("\ud800", "\ufffd").replace("\udfff", "\ufffd")
    assert kept == [clean, clean]


def test_errors_do_not_quote_values(engine: Engine) -> None:
    row = insert(registry_change).values(at_us=1, by="t", what="secret words")
    with pytest.raises(Exception, match="not_there") as raised, writing(engine) as connection:
        connection.execute(row)
        connection.execute(text("SELECT :word FROM not_there"), {"word": "secret words"})
    assert "secret words" not in str(raised.value)


def test_without_its_driver_postgresql_is_refused_with_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "psycopg.py").write_text("raise ModuleNotFoundError(\"No module named 'psycopg'\")\n")
    code = "from devices.database import open_database; open_database('postgresql+psycopg://u@h/n')"
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": f"{tmp_path}:{root}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"{DriverMissing.__name__}: " in done.stderr
    assert "pip install 'gengfu[postgres]'" in done.stderr


def test_both_engines_are_really_under_test(engine: Engine, engine_name: str) -> None:
    assert engine.dialect.name == engine_name
    assert (engine.driver == "psycopg") == (engine_name == POSTGRESQL)
