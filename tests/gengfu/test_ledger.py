"""The SQL side of a tick: all of it or nothing, and the same again changes nothing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, Row, select
from sqlalchemy.exc import DBAPIError, OperationalError

from alerts.case import Input
from alerts.inputs import store_inputs
from alerts.schema import transition
from devices.database import open_database, reading, writing
from devices.model import EngineInput, InputKind, Severity
from devices.schema import series
from gengfu.ledger import WAIT_S, SqlInbox, SqlLedger, committed_seq
from ingest.record import NewSeries, StrangerTopic
from rules.transition import Mark, Subject, To, Transition, Why
from tests.gengfu.program import eventually

NAMES = {1: ("zigbee:a", ""), 2: ("own:b", "l1")}
SERIES = [NewSeries(1, "zigbee:a", "", 1), NewSeries(2, "own:b", "l1", 30)]

FULL = {
    "sqlite": (
        "CREATE TRIGGER full_disk BEFORE INSERT ON journal_position "
        "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'database or disk is full' USING ERRCODE = '53100'; END $$",
        "CREATE TRIGGER full_disk BEFORE INSERT ON journal_position EXECUTE FUNCTION full_disk()",
    ),
}
"""What makes a full disk of `journal_position`."""


@pytest.fixture
def ledger(engine: Engine) -> SqlLedger:
    return SqlLedger(engine, lambda seat: (seat, *NAMES[seat]), itertools.count(1000).__next__)


def raised(slot: int, at_us: int = 5_000_000) -> Transition:
    return Transition(
        rule="S1",
        to=To.RAISED,
        severity=Severity.P0,
        slot=slot,
        device=0,
        dwelling=0,
        place=0,
        at_us=at_us,
        nudge_ns=0,
        received_us=at_us + 7,
        why=Why(en="smoke flag set", zh_cn="烟雾信号触发"),
        age_s=0.0,
    )


def rows(engine: Engine) -> Sequence[Row[tuple[object, ...]]]:
    with reading(engine) as connection:
        return connection.execute(select(transition).order_by(transition.c.id)).all()


def known_series(engine: Engine) -> list[tuple[object, ...]]:
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(select(series).order_by(series.c.slot))]


def test_the_same_call_twice_changes_nothing(engine: Engine, ledger: SqlLedger) -> None:
    ledger.commit([raised(1)], SERIES, [], 4)
    before = rows(engine), known_series(engine)
    ledger.commit([raised(1)], SERIES, [], 4)
    assert (rows(engine), known_series(engine)) == before
    assert len(before[0]) == 1
    assert committed_seq(engine) == 4


def test_the_position_moves_forward_and_never_back(engine: Engine, ledger: SqlLedger) -> None:
    assert committed_seq(engine) == 0
    for seq, expected in ((3, 3), (9, 9), (5, 9)):
        ledger.commit([], [], [], seq)
        assert committed_seq(engine) == expected


def test_a_transition_carries_the_names_that_people_use(engine: Engine, ledger: SqlLedger) -> None:
    ledger.commit([raised(1), raised(2)], SERIES, [], 1)
    assert [(row.uid, row.channel, row.subject) for row in rows(engine)] == [
        ("zigbee:a", "", "zigbee:a/"),
        ("own:b", "l1", "own:b/l1"),
    ]


def test_an_alarm_of_a_device_as_a_whole_names_no_channel(engine: Engine, ledger: SqlLedger) -> None:
    silent = replace(raised(2), rule="C1", subject=Subject.DEVICE)
    ledger.commit([silent, replace(silent, rule="O1", subject=Subject.SERIES)], SERIES, [], 1)
    assert [(row.rule, row.uid, row.channel, row.slot) for row in rows(engine)] == [
        ("C1", "own:b", "", 2),
        ("O1", "own:b", "l1", 2),
    ]
    assert [row.subject for row in rows(engine)] == ["own:b/", "own:b/l1"]


def test_only_a_stranger_comes_with_its_topic(engine: Engine, ledger: SqlLedger) -> None:
    ledger.commit([raised(1), raised(2)], [], [StrangerTopic(2, "gengfu/b/readings")], 1)
    assert [row.topic for row in rows(engine)] == ["", "gengfu/b/readings"]


def test_what_fails_leaves_neither_transition_nor_position(engine: Engine, ledger: SqlLedger) -> None:
    with writing(engine) as connection:
        for statement in FULL[engine.dialect.name]:
            connection.exec_driver_sql(statement)
    with pytest.raises(DBAPIError, match="full"):
        ledger.commit([raised(1)], SERIES, [], 4)
    assert rows(engine) == []
    assert known_series(engine) == []
    assert committed_seq(engine) == 0


def write_input(engine: Engine, at_us: int) -> None:
    one = Input(kind=InputKind.RESET, rule="S1", slot=1, place=0, at_us=at_us)
    with writing(engine) as connection:
        store_inputs(connection, [(1, one)])


def test_the_inbox_gives_each_input_once_and_in_order(engine: Engine) -> None:
    write_input(engine, 10)
    inbox = SqlInbox(engine, 0)
    write_input(engine, 20)
    assert [one.at_us for one in inbox.take()] == [10, 20]
    assert inbox.take() == []
    write_input(engine, 30)
    taken: list[EngineInput] = []

    def something() -> bool:
        taken.extend(inbox.take())
        return bool(taken)

    eventually(something, "the notice has come")
    assert [one.at_us for one in taken] == [30]
    assert inbox.take() == []
    inbox.close()


def test_an_inbox_of_a_server_that_is_away_raises_waits_and_asks_again(tmp_path: Path) -> None:
    now_s = [0.0]
    inbox = SqlInbox(open_database(f"postgresql+psycopg://u@/n?host={tmp_path}"), 0, lambda: now_s[0])
    with pytest.raises(OperationalError):
        inbox.take()
    assert inbox.take() == []
    now_s[0] += WAIT_S
    with pytest.raises(OperationalError):
        inbox.take()
    inbox.close()


def test_an_inbox_begins_after_what_was_taken_before(engine: Engine) -> None:
    for at_us in (10, 20, 30):
        write_input(engine, at_us)
    first = SqlInbox(engine, 0)
    seen = first.take()
    later = SqlInbox(engine, seen[1].id)
    assert [one.at_us for one in later.take()] == [30]
    first.close()
    later.close()


@pytest.mark.parametrize("words", ["火" * 5000, "a\0b", "İ" * 190])
def test_no_words_of_a_stranger_fail_the_commit_of_an_alarm(engine: Engine, words: str) -> None:
    """Topics, names and evidence come from outside: as long as they like, and with what no database takes."""
    named = SqlLedger(engine, lambda slot: (slot, words[:400], "c" * 100), itertools.count(1000).__next__)
    why = Why(en=words, zh_cn=words)
    alarm = replace(raised(1), why=why, rule="R" * 40, marks=tuple(Mark))
    named.commit([alarm], [NewSeries(1, words[:400], "c" * 100, 1)], [StrangerTopic(1, words)], 1)
    [row] = rows(engine)
    assert row.severity == "P0"
    assert committed_seq(engine) == 1


def test_series_that_are_gone_make_room_for_others_of_their_name(engine: Engine, ledger: SqlLedger) -> None:
    ledger.commit([], SERIES, [], 4)
    again = NewSeries(3, "zigbee:a", "", 1)
    for _ in range(2):
        ledger.commit([], [again], [], 5, [1])
        assert [row[:2] for row in known_series(engine)] == [(2, "own:b"), (3, "zigbee:a")]


def test_a_transition_is_stored_under_the_slot_of_the_series_on_its_seat(engine: Engine) -> None:
    ledger = SqlLedger(engine, lambda seat: (seat + 70, "own:b", "l1"), itertools.count(1000).__next__)
    ledger.commit([raised(2)], [], [StrangerTopic(72, "t/b")], 1)
    assert [(row.slot, row.topic) for row in rows(engine)] == [(72, "t/b")]
