"""Dead letters: exact counts, a bounded sample, and never in the way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, event, func, select

from devices.database import open_database, reading, writing
from devices.model import ReadingBatch
from devices.profiles.profile import Reason, Rejected
from ingest.deadletters import (
    KEPT_PER_FLUSH,
    KEPT_PER_REASON,
    DeadLetters,
    count_dead_letters,
    list_dead_letters,
)
from ingest.record import Messages, Record
from ingest.schema import dead_letter, stranger
from ingest.sightings import Sighting
from ingest.strangers import AGAIN_US, KEPT_STRANGERS, STRANGERS_PER_FLUSH
from tests.databases import impatient_engine, losing_the_next_answer

SECOND = 1_000_000


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    found = open_database(database)
    yield found
    found.dispose()


def refuse(
    letters: DeadLetters, seq: int, count: int, reason: Reason = Reason.NOT_JSON, payload: bytes = b"{"
) -> None:
    rejected = [Rejected(n, reason, f"number {n}") for n in range(count)]
    batch = ReadingBatch.empty(seq)
    record = Record(seq, batch, Messages.empty(), [], [], [], {reason.value: count} if count else {}, 0, 0)
    letters.note(record, rejected, [f"t/{n}" for n in range(count)], [payload] * count)


def test_counts_are_exact_and_the_newest_are_kept(engine: Engine) -> None:
    letters = DeadLetters(engine)
    rounds = KEPT_PER_REASON // KEPT_PER_FLUSH + 3
    for n in range(1, rounds + 1):
        refuse(letters, n, 5_000)
        assert letters.flush(n * SECOND)
    refuse(letters, rounds + 1, 2, Reason.TOO_LARGE, b"x" * 10_000)
    letters.flush((rounds + 1) * SECOND)
    with reading(engine) as connection:
        assert count_dead_letters(connection) == {"not_json": 5_000 * rounds, "too_large": 2}
        found = list_dead_letters(connection, "not_json", 10_000)
        assert len(found) == KEPT_PER_REASON
        assert (found[0].at_us, found[0].detail, found[0].topic) == (rounds, "number 4999", "t/4999")
        newest = list_dead_letters(connection, limit=1)[0]
        assert (newest.reason, len(newest.payload), newest.size) == ("too_large", 4_096, 10_000)


def test_there_is_at_most_one_transaction_a_second(engine: Engine) -> None:
    letters = DeadLetters(engine)
    assert not letters.flush(5 * SECOND)  # nothing to say
    refuse(letters, 1, 1)
    assert letters.flush(5 * SECOND)
    refuse(letters, 2, 1)
    assert not letters.flush(6 * SECOND - 1)
    assert letters.flush(6 * SECOND)


def test_a_replayed_record_is_counted_only_where_the_database_does_not_know_it(engine: Engine) -> None:
    letters = DeadLetters(engine)
    refuse(letters, 1, 3)
    letters.flush(SECOND)
    refuse(letters, 2, 4)  # in the journal, never flushed
    again = DeadLetters(engine)
    for seq, count in ((1, 3), (2, 4)):
        batch = ReadingBatch.empty(0)
        again.count(Record(seq, batch, Messages.empty(), [], [], [], {"not_json": count}, 0, 0))
    again.flush(2 * SECOND)
    with reading(engine) as connection:
        assert count_dead_letters(connection) == {"not_json": 7}


def test_a_busy_database_costs_nothing_but_time(database: str, engine: Engine) -> None:
    impatient = impatient_engine(database)
    letters = DeadLetters(impatient)
    refuse(letters, 1, 2)
    with writing(engine):
        assert not letters.flush(SECOND)
    assert letters.flush(2 * SECOND)
    with reading(engine) as connection:
        assert count_dead_letters(connection) == {"not_json": 2}
    impatient.dispose()


def test_a_commit_whose_answer_is_lost_is_not_counted_twice(engine: Engine) -> None:
    letters = DeadLetters(engine)
    refuse(letters, 1, 3)
    losing_the_next_answer(engine)
    assert not letters.flush(SECOND)
    refuse(letters, 2, 4)
    assert letters.flush(2 * SECOND)
    with reading(engine) as connection:
        assert count_dead_letters(connection) == {"not_json": 7}


def test_text_no_database_takes_is_cleaned(engine: Engine) -> None:
    letters = DeadLetters(engine)
    record = Record(1, ReadingBatch.empty(0), Messages.empty(), [], [], [], {"not_utf8": 1}, 0, 0)
    letters.note(record, [Rejected(0, Reason.NOT_UTF8, "a\0b\ud800" + "x" * 999)], ["t/\ud800"], [b"\xff"])
    letters.flush(SECOND)
    with reading(engine) as connection:
        found = list_dead_letters(connection)[0]
    assert found.detail.startswith("ab?x")
    assert len(found.detail) <= 300
    assert found.topic == "t/?"


def test_strangers_are_remembered_once_each_and_no_more_than_there_is_room_for(engine: Engine) -> None:
    letters = DeadLetters(engine)
    letters.sight([Sighting("x", "t/x", "plain")], 1)
    letters.sight([Sighting("x", "t/x2", "plain")], AGAIN_US + 1)
    letters.flush(SECOND)
    letters.sight([Sighting(f"u{n}", f"t/{n}", "plain") for n in range(KEPT_STRANGERS + 50)], 3)
    letters.sight([Sighting("x", "t/x3", "plain")], AGAIN_US + 4)
    for n in range(2, 2 + KEPT_STRANGERS // STRANGERS_PER_FLUSH):
        assert letters.flush(n * SECOND)
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(stranger)) == KEPT_STRANGERS
        assert connection.execute(select(stranger).where(stranger.c.uid == "x")).one() == (
            "x", "t/x3", "plain", 1, AGAIN_US + 4,
        )  # fmt: skip
        assert connection.scalar(select(func.count()).select_from(dead_letter)) == 0


def listed(engine: Engine) -> int | None:
    with reading(engine) as connection:
        return connection.scalar(select(func.count()).select_from(stranger))


def test_a_flood_of_strangers_is_written_in_few_statements_and_over_several_flushes(engine: Engine) -> None:
    statements: list[str] = []

    def told(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    letters = DeadLetters(engine)
    letters.sight([Sighting(f"u{n}", f"t/{n}", "plain") for n in range(STRANGERS_PER_FLUSH + 5)], 3)
    event.listen(engine, "before_cursor_execute", told)
    assert letters.flush(SECOND)
    event.remove(engine, "before_cursor_execute", told)
    assert len(statements) < 10
    assert listed(engine) == STRANGERS_PER_FLUSH
    assert letters.flush(2 * SECOND)
    assert listed(engine) == STRANGERS_PER_FLUSH + 5
    assert not letters.flush(3 * SECOND)


def test_a_device_that_sends_octets_is_kept_once_and_counted_each_time(engine: Engine) -> None:
    letters = DeadLetters(engine)
    for n in range(1, 4):
        refuse(letters, n, 2, Reason.NO_CODEC)
        assert letters.flush(n * SECOND)
    with reading(engine) as connection:
        assert count_dead_letters(connection) == {"no_codec": 6}
        assert sorted(one.topic for one in list_dead_letters(connection)) == ["t/0", "t/1"]
