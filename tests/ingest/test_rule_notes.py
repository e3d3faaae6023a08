"""Which rules hold from a record on stands in that record, and a replay hears it at the same one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from devices.database import reading
from ingest.rule_notes import RuleNotes, rule_texts, stored_rules
from tests.ingest.fuse import Fuse, Killed
from tests.ingest.house import House


def test_the_newest_of_several_holds_and_is_noted_once() -> None:
    notes = RuleNotes(version=7)
    assert (notes.waits, notes.take(), notes.version) == (False, [], 7)
    notes.turn_to("first", 8)
    notes.turn_to("second", 9)
    assert notes.waits
    assert rule_texts(notes.take()) == ["second"]
    assert (notes.waits, notes.version, notes.take()) == (False, 9, [])


def test_a_change_is_journalled_without_any_message(tmp_path: Path) -> None:
    house = House(tmp_path)
    tick = house.start()
    house.intake.rule_notes.turn_to("book", 5)
    house.run(tick)
    assert house.rules.texts == ["book"]
    with reading(house.engine) as connection:
        assert stored_rules(connection) == "book"
    house.stop()


@pytest.mark.parametrize("step", ["journal.after", "evaluate", "ledger.before", "ledger.after", "ack.before"])
def test_a_change_that_was_journalled_holds_after_a_death_and_only_once(tmp_path: Path, step: str) -> None:
    house = House(tmp_path)
    tick = house.start(Fuse(step))
    house.intake.rule_notes.turn_to("book", 5)
    house.broker.publish("t/d1", b'{"amps": 1}')
    with suppress(Killed):
        house.run(tick)
    house.stop()
    house.start()
    assert house.rules.texts == ["book"]
    house.stop()


def test_a_change_that_was_not_journalled_never_held(tmp_path: Path) -> None:
    house = House(tmp_path)
    tick = house.start(Fuse("journal.torn"))
    house.intake.rule_notes.turn_to("book", 5)
    with suppress(Killed):
        house.run(tick)
    house.stop()
    house.start()
    assert house.rules.texts == []
    with reading(house.engine) as connection:
        assert stored_rules(connection) == ""
    house.stop()
