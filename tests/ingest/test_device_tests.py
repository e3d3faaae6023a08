"""Rows of tests in the database: each once, however often their notes are committed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from devices.database import open_database, reading, writing
from devices.profiles.profile import Note
from devices.schema import device_test
from ingest.device_tests import noted
from ingest.notes import OURS, TESTED, TESTS, stored_notes, write_notes

Row = tuple[str, int, int, int | None]


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    found = open_database(database)
    yield found
    found.dispose()


def note(uid: str, began_us: int, received_us: int, ended_us: int | None = None) -> Note:
    return Note(OURS, TESTED, *noted(uid, began_us, received_us, ended_us))


def commit(engine: Engine, *notes: Note) -> None:
    with writing(engine) as connection:
        write_notes(connection, notes)


def rows(engine: Engine) -> list[Row]:
    c = device_test.c
    with reading(engine) as connection:
        query = select(c.uid, c.began_us, c.received_us, c.ended_us).order_by(c.uid, c.began_us)
        return [(row.uid, row.began_us, row.received_us, row.ended_us) for row in connection.execute(query)]


def test_a_test_is_written_with_its_beginning_and_then_its_end(engine: Engine) -> None:
    commit(engine, note("own:a b", 10, 11), note("own:c", 10, 12, 13))
    assert rows(engine) == [("own:a b", 10, 11, None), ("own:c", 10, 12, 13)]
    commit(engine, note("own:a b", 10, 11, 40))
    assert rows(engine)[0] == ("own:a b", 10, 11, 40)


def test_the_same_notes_again_change_nothing_and_no_end_is_forgotten(engine: Engine) -> None:
    first, last = note("own:a", 10, 11), note("own:a", 10, 11, 40)
    commit(engine, first)
    commit(engine, last)
    before = rows(engine)
    for again in (first, last, first):
        commit(engine, again)
        assert rows(engine) == before == [("own:a", 10, 11, 40)]


def test_they_stand_in_no_list_of_notes_and_other_notes_stand_beside_them(engine: Engine) -> None:
    running = Note(OURS, TESTS, "7", "10 11")
    commit(engine, note("own:a", 10, 11), running)
    with reading(engine) as connection:
        assert stored_notes(connection) == [running]
    assert len(rows(engine)) == 1


NOTES = st.lists(
    st.tuples(st.sampled_from(["own:a", "own:b"]), st.integers(1, 3), st.none() | st.integers(4, 9)),
    max_size=8,
)


@pytest.mark.parametrize("engine_name", ["sqlite"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(NOTES, st.integers(0, 8))
def test_a_replay_from_anywhere_ends_where_it_was(
    engine: Engine, said: list[tuple[str, int, int | None]], since: int
) -> None:
    with writing(engine) as connection:
        connection.execute(delete(device_test))
    notes = [note(uid, began_us, 3, ended_us) for uid, began_us, ended_us in said]
    for one in notes:
        commit(engine, one)
    before = rows(engine)
    for one in notes[since:]:
        commit(engine, one)
    assert rows(engine) == before
