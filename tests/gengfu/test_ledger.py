"""The SQL side of a tick: all of it or nothing, and the same again changes nothing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from sqlalchemy import Engine, Row, select, text
from sqlalchemy.exc import DBAPIError

from alerts.case import Input
from alerts.inputs import store_inputs
from alerts.schema import transition
from devices.database import reading, writing
from devices.model import InputKind, Severity
from devices.schema import series
from gengfu.ledger import SqlInbox, SqlLedger, committed_seq
from ingest.record import NewSeries, StrangerTopic
from rules.transition import To, Transition, Why

NAMES = {1: ("zigbee:a", ""), 2: ("own:b", "l1")}
SERIES = [NewSeries(1, "zigbee:a", "", 1), NewSeries(2, "own:b", "l1", 30)]


@pytest.fixture
def ledger(engine: Engine) -> SqlLedger:
    return SqlLedger(engine, lambda slot: NAMES[slot], itertools.count(1000).__next__)


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


def test_only_a_stranger_comes_with_its_topic(engine: Engine, ledger: SqlLedger) -> None:
    ledger.commit([raised(1), raised(2)], [], [StrangerTopic(2, "gengfu/b/readings")], 1)
    assert [row.topic for row in rows(engine)] == ["", "gengfu/b/readings"]


def test_what_fails_leaves_neither_transition_nor_position(engine: Engine, ledger: SqlLedger) -> None:
    with writing(engine) as connection:
        connection.execute(
            text(
                "CREATE TRIGGER full BEFORE INSERT ON journal_position "
                "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
            )
        )
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
    assert [one.at_us for one in inbox.take()] == [30]
    assert inbox.take() == []


def test_an_inbox_begins_after_what_was_taken_before(engine: Engine) -> None:
    for at_us in (10, 20, 30):
        write_input(engine, at_us)
    seen = SqlInbox(engine, 0).take()
    assert [one.at_us for one in SqlInbox(engine, seen[1].id).take()] == [30]
