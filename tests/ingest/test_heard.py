"""What devices say of themselves and which propose themselves: bounded, seldom written, never in the way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, func, select

from devices.database import open_database, reading, writing
from devices.profiles.profile import Proposal, Said
from ingest.heard import (
    AGAIN_US,
    KEYS_A_DEVICE,
    PROPOSALS,
    ROWS,
    STRANGERS,
    TEXT_CHARS,
    Heard,
    SaidRow,
    list_proposals,
    list_said,
)
from ingest.schema import device_said, proposal
from tests.databases import impatient_engine, losing_the_next_answer

SECOND = 1_000_000
REGISTERED = "zigbee:00124b0000000001"


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    found = open_database(database)
    yield found
    found.dispose()


def heard(engine: Engine) -> Heard:
    return Heard(engine, REGISTERED.__eq__)


def said(engine: Engine) -> list[SaidRow]:
    with reading(engine) as connection:
        return list_said(connection)


def drain(one: Heard, seconds: int) -> None:
    for n in range(1, seconds + 1):
        one.flush(n * SECOND)


def test_the_last_word_is_kept_and_an_empty_one_takes_it_away(engine: Engine) -> None:
    one = heard(engine)
    one.note([Said("u", "label", "hall"), Said("u", "model", "m1"), Said("u", "label", "kitchen")], [], 5)
    assert one.flush(SECOND)
    assert said(engine) == [SaidRow("u", "label", "kitchen", 5), SaidRow("u", "model", "m1", 5)]
    one.note([Said("u", "model", "")], [], 6)
    assert one.flush(2 * SECOND)
    assert said(engine) == [SaidRow("u", "label", "kitchen", 5)]


def test_there_is_at_most_one_transaction_a_second_and_none_for_what_is_known(engine: Engine) -> None:
    one = heard(engine)
    assert not one.flush(SECOND)
    one.note([Said("u", "label", "hall")], [Proposal("p", "t", {"metric": "current"})], SECOND)
    assert one.flush(SECOND)
    one.note([Said("u", "label", "hall")], [Proposal("p", "t", {"metric": "current"})], 2 * SECOND)
    assert not one.flush(3 * SECOND)
    one.note([Said("u", "label", "loft")], [], 3 * SECOND)
    assert not one.flush(2 * SECOND - 1)
    assert one.flush(3 * SECOND)
    one.note([Said("u", "label", "loft")], [], 4 * SECOND + AGAIN_US)
    assert one.flush(5 * SECOND + AGAIN_US)
    assert said(engine)[0].said_us == 4 * SECOND + AGAIN_US


def test_a_device_says_so_many_things_and_no_more(engine: Engine) -> None:
    one = heard(engine)
    one.note([Said(REGISTERED, f"k{n:02d}", "x" * 999) for n in range(KEYS_A_DEVICE + 9)], [], 1)
    one.flush(SECOND)
    one.note([Said(REGISTERED, "late", "x"), Said(REGISTERED, "k00", "new")], [], 2)
    one.flush(2 * SECOND)
    rows = said(engine)
    assert [row.key for row in rows] == [f"k{n:02d}" for n in range(KEYS_A_DEVICE)]
    assert (rows[0].text, len(rows[1].text), one.left_out) == ("new", TEXT_CHARS, 10)


def test_strangers_are_bounded_also_over_a_restart_and_registered_devices_are_not(engine: Engine) -> None:
    first = [Said(f"s{n}", "label", "x") for n in range(STRANGERS)]
    with writing(engine) as connection:
        connection.execute(
            device_said.insert(), [{"uid": s.uid, "key": s.key, "text": s.text, "said_us": 1} for s in first]
        )
    one = heard(engine)
    one.note(
        [Said("one too many", "label", "x"), Said("s7", "model", "m"), Said(REGISTERED, "label", "y")], [], 2
    )
    one.flush(SECOND)
    with reading(engine) as connection:
        assert connection.scalar(select(func.count(device_said.c.uid.distinct()))) == STRANGERS + 1
        assert list_said(connection, ["s7"]) == [
            SaidRow("s7", "label", "x", 1),
            SaidRow("s7", "model", "m", 2),
        ]
    assert one.left_out == 1


def test_proposals_are_bounded_and_the_newest_detail_counts(engine: Engine) -> None:
    with writing(engine) as connection:
        facts = {"topic": "t", "profile": "p", "detail": "{}", "seen_us": 1}
        connection.execute(proposal.insert(), [{"uid": f"p{n}", **facts} for n in range(PROPOSALS - 1)])
    one = heard(engine)
    detail = {"profile": "home_assistant", "label": "hall\0", "long": "x" * 999}
    one.note([], [Proposal("new", "t", {}), Proposal("newer", "t", {}), Proposal("p3", "t3", detail)], 2)
    one.flush(SECOND)
    with reading(engine) as connection:
        found = {row.uid: row for row in list_proposals(connection)}
    assert len(found) == PROPOSALS
    assert "newer" not in found
    assert (found["p3"].profile, found["p3"].topic, found["p3"].seen_us) == ("home_assistant", "t3", 2)
    assert (found["p3"].detail["label"], len(found["p3"].detail["long"])) == ("hall\ufffd", TEXT_CHARS)


def test_a_flood_is_written_bit_by_bit(engine: Engine) -> None:
    one = heard(engine)
    one.note([], [Proposal(f"p{n}", "t", {"n": "x" * 300}) for n in range(ROWS + 7)], 1)
    one.flush(SECOND)
    with reading(engine) as connection:
        assert len(list_proposals(connection)) == ROWS
    one.flush(2 * SECOND)
    with reading(engine) as connection:
        assert len(list_proposals(connection)) == ROWS + 7


def test_a_busy_database_and_a_lost_answer_cost_nothing_but_time(database: str, engine: Engine) -> None:
    impatient = impatient_engine(database)
    one = heard(impatient)
    one.note([Said("u", "label", "hall")], [], 1)
    with writing(engine):
        assert not one.flush(SECOND)
    losing_the_next_answer(impatient)
    assert not one.flush(2 * SECOND)
    assert one.flush(3 * SECOND)
    assert said(engine) == [SaidRow("u", "label", "hall", 1)]
    impatient.dispose()


def test_text_no_database_takes_and_names_too_long_do_no_harm(engine: Engine) -> None:
    one = heard(engine)
    one.note([Said("u\0", "label", "a\ud800"), Said("x" * 999, "label", "a"), Said("", "label", "a")], [], 1)
    one.note(
        [Said("u", "k" * 99, "a"), Said("u", "", "a")],
        [Proposal("", "t", {}), Proposal("p" * 999, "t", {})],
        1,
    )
    drain(one, 2)
    assert said(engine) == [SaidRow("u\ufffd", "label", "a\ufffd", 1)]
    assert one.left_out == 6


def test_a_withdrawn_proposal_goes_and_may_come_again(engine: Engine) -> None:
    one = heard(engine)
    gone = Proposal("p", "", {})
    one.note([], [gone, Proposal("p", "t", {"label": "a"}), Proposal("q", "t", {})], SECOND)
    one.flush(SECOND)
    one.note([], [gone], 2 * SECOND)
    one.flush(3 * SECOND)
    with reading(engine) as connection:
        assert [row.uid for row in list_proposals(connection)] == ["q"]
    one.note([], [Proposal("p", "t", {"label": "a"})], 3 * SECOND)
    one.flush(5 * SECOND)
    with reading(engine) as connection:
        assert [row.uid for row in list_proposals(connection)] == ["p", "q"]


def test_a_proposal_that_is_withdrawn_before_it_was_written_is_not_written(engine: Engine) -> None:
    one = heard(engine)
    one.note([], [Proposal("p", "t", {}), Proposal("p", "", {})], SECOND)
    one.flush(SECOND)
    with reading(engine) as connection:
        assert list_proposals(connection) == []
