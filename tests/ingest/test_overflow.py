"""The fire of a stranger beyond the bound, which is told on a series that all of those share: who it was
nobody can tell, so no registration carries it over, and none ends it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from sqlalchemy import Engine as Database
from sqlalchemy import insert

from devices.database import open_database, writing
from devices.model import EngineInput, InputKind, Metric, ReadingBatch
from devices.schema import area, building, dwelling, stair
from ingest.series import OVERFLOW_UID, SeriesIndex
from rules.engine import Engine
from rules.transition import Transition
from tests.ingest.test_series import flag, follow, index_of, register
from tests.rules.story import reading, shipped, us
from tests.rules.test_standing import nothing

HOME = 7


@pytest.fixture
def registry(database: str) -> Iterator[Database]:
    engine = open_database(database)
    with writing(engine) as connection:
        connection.execute(insert(area).values(id=1, level="grid", code="g", name="g"))
        connection.execute(insert(building).values(id=1, area_id=1, code="b", name="b", floors=6))
        connection.execute(insert(stair).values(id=1, building_id=1, code="s", name="s"))
        connection.execute(insert(dwelling).values(id=HOME, stair_id=1, floor=1, flat="1", code="d"))
    yield engine
    engine.dispose()


class Desk:
    """Strangers' flags through the index and the real engine; one of them has a series of its own."""

    def __init__(self, database: Database) -> None:
        self.database, self.index = database, index_of(database, strangers=1)
        self.engine = Engine(shipped(), self.index.table())

    def says(self, uid: str, at_s: float, value: float) -> list[Transition]:
        row = self.index.row(uid, "")
        row = row if row >= 0 else self.index.stranger_row(flag(uid, value))
        if row < 0:
            return []
        seat = seat_of(self.index, row)
        self.engine.adopt(self.index.table(), self.index.take_changed())
        return self.engine.evaluate(reading(seat, at_s, value), [], us(at_s))

    def registers(self, uid: str, at_s: float) -> list[Transition]:
        register(self.database, uid, dwelling_id=HOME)
        follow(self.database, self.index)
        self.engine.adopt(self.index.table(), self.index.take_changed())
        return nothing(self.engine, at_s)

    def standing(self) -> set[str]:
        return {self.index.name_of(one.slot).uid for one in self.engine.standing() if one.rule == "S1"}


def seat_of(index: SeriesIndex, row: int) -> int:
    return int(index.seats_for(np.array([row], np.int32), np.array([Metric.SMOKE_ALARM], np.int16))[0])


def told(found: list[Transition]) -> list[tuple[str, str, int]]:
    return [(one.rule, str(one.to), one.dwelling) for one in found]


def test_registration_carries_over_the_fire_of_a_stranger_and_ends_none_of_those_that_share(
    registry: Database,
) -> None:
    desk = Desk(registry)
    assert told(desk.says("first", 0, 1)) == [("S1", "raised", 0)]
    assert told(desk.says("second", 1, 1)) == [("S1", "raised", 0)]
    assert desk.standing() == {"first", OVERFLOW_UID}
    assert told(desk.registers("first", 10)) == [("S1", "cleared", 0), ("S1", "raised", HOME)]
    assert desk.registers("second", 20) == [], "whose the shared fire is nobody knows"
    assert desk.standing() == {"first", OVERFLOW_UID}
    assert desk.says("second", 30, 0) == [], "its 0 is its own, and ends no other's fire"
    assert told(desk.says("second", 40, 1))[0] == ("S1", "raised", HOME)
    assert desk.standing() == {"first", "second", OVERFLOW_UID}


def test_whoever_ends_the_shared_one_ends_no_fire_that_is_told_where_it_is(
    registry: Database,
) -> None:
    desk = Desk(registry)
    desk.says("first", 0, 1)
    desk.says("second", 1, 1)
    desk.registers("second", 10)
    desk.says("second", 20, 1)
    shared = next(n for n in range(1, len(desk.index)) if desk.index.name_of(n).uid == OVERFLOW_UID)
    given = EngineInput(1, us(30), InputKind.RESET, "S1", shared, 0)
    [cleared] = desk.engine.evaluate(ReadingBatch.empty(us(30)), [given], us(30))
    assert (cleared.slot, cleared.dwelling) == (shared, 0)
    assert desk.standing() == {"first", "second"}
