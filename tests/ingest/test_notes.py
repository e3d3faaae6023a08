"""Notes in the database: the last word of a key counts, and nothing in them holds up an alarm."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from devices.database import open_database, reading, writing
from devices.profiles.profile import Note
from ingest.notes import (
    KEY_CHARS,
    VALUE_CHARS,
    Recent,
    filter_notes,
    filters_held,
    stored_notes,
    takeable,
    write_notes,
)


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    found = open_database(database)
    yield found
    found.dispose()


def write(engine: Engine, *notes: Note) -> None:
    with writing(engine) as connection:
        write_notes(connection, notes)


def stored(engine: Engine, profile: str | None = None) -> set[Note]:
    with reading(engine) as connection:
        return set(stored_notes(connection, profile))


def test_the_last_word_of_a_key_counts_and_an_empty_one_takes_it_away(engine: Engine) -> None:
    write(engine, Note("p", "t", "a", "1"), Note("p", "t", "b", "1"), Note("p", "t", "a", "2"))
    write(engine, Note("p", "t", "b", ""), Note("q", "t", "a", "3"), Note("p", "t", "c", ""))
    assert stored(engine) == {Note("p", "t", "a", "2"), Note("q", "t", "a", "3")}
    assert stored(engine, "q") == {Note("q", "t", "a", "3")}
    write(engine, Note("p", "t", "a", "2"))
    write(engine, Note("p", "t", "b", "9"), Note("p", "t", "b", ""))
    assert stored(engine, "p") == {Note("p", "t", "a", "2")}


def test_whatever_a_profile_notes_the_database_takes_it(engine: Engine) -> None:
    """The widest key of the widest characters, and text that no database takes."""
    hostile = [
        Note("p" * 99, "t" * 99, "火" * KEY_CHARS, "x" * VALUE_CHARS),
        Note("😀" * 64, "😀" * 64, "".join(chr(0x1F000 + n) for n in range(KEY_CHARS)), "v"),
        Note("p", "t", "a\0\ud800", "b\udfff"),
        Note("p", "t", "x" * (KEY_CHARS + 1), "cut it would be another"),
        Note("p", "t", "x", "y" * (VALUE_CHARS + 1)),
    ]
    kept = takeable(hostile)
    write(engine, *kept)
    assert len(kept) == 3
    assert stored(engine) == set(kept)
    assert Note("p", "t", "a\ufffd\ufffd", "b\ufffd") in kept


def test_filters_are_noted_by_broker(engine: Engine) -> None:
    held = {"": ("a/#", "b/+"), "north": ("火/#",)}
    write(engine, Note("p", "filter", "", "not ours"), *filter_notes(held))
    with reading(engine) as connection:
        assert filters_held(connection) == held


def test_notes_are_kept_between_begin_and_end_only() -> None:
    recent, notes = Recent(), [Note("p", "t", "a", "1")]
    assert recent.passing(notes) is notes
    assert recent.end() == []
    recent.begin()
    recent.passing([])
    recent.passing(notes)
    recent.passing([Note("p", "t", "a", "2")])
    assert recent.end() == [*notes, Note("p", "t", "a", "2")]
    recent.passing(notes)
    assert recent.end() == []
