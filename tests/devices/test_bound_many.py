"""Many places at once give what each gives by itself, in a number of queries that does not grow with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, event

from devices.bound import bound_to_building, bound_to_dwelling, bound_to_stair
from devices.bound_many import bound_to_spots
from devices.database import open_database
from devices.model import PlaceKind
from devices.people import Bound
from devices.spots import Spot
from tests.databases import POSTGRESQL
from tests.devices.random_block import INSTANTS, Block, blocks, write


@pytest.fixture
def empty(database: str) -> Iterator[Engine]:
    engine = open_database(database)
    yield engine
    engine.dispose()


@pytest.fixture
def examples(engine_name: str) -> int:
    return 15 if engine_name == POSTGRESQL else 120


def spots_of(block: Block) -> list[Spot]:
    """All of them, and one of each kind that is not there."""
    dwellings = [Spot(PlaceKind.DWELLING, n) for n in range(1, len(block.dwellings) + 2)]
    stairs = [
        Spot(PlaceKind.STAIR, n, residents)
        for n in range(1, len(block.stairs) + 2)
        for residents in (True, False)
    ]
    return dwellings + stairs + [Spot(PlaceKind.BUILDING, n) for n in range(1, len(block.buildings) + 2)]


def alone(connection: Connection, spot: Spot, at: int, live: bool) -> tuple[Bound, ...]:
    if spot.kind is PlaceKind.DWELLING:
        return bound_to_dwelling(connection, spot.id, at, live=live)
    if spot.kind is PlaceKind.STAIR:
        return bound_to_stair(connection, spot.id, at, live=live, residents=spot.residents)
    return bound_to_building(connection, spot.id, at, live=live)


def test_together_is_what_each_is_alone(empty: Engine, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(block=blocks(), at=INSTANTS, live=st.booleans())
    def holds(block: Block, at: int, live: bool) -> None:
        with empty.connect() as connection, connection.begin() as transaction:
            write(connection, block)
            spots = spots_of(block)
            together = bound_to_spots(connection, spots, at, live=live)
            assert together == {spot: alone(connection, spot, at, live) for spot in spots}
            transaction.rollback()

    holds()


def test_the_queries_do_not_grow_with_the_places(empty: Engine) -> None:
    asked: list[Any] = []
    event.listen(empty, "before_cursor_execute", lambda *told: asked.append(told[2]))

    def queries(block: Block, spots: list[Spot]) -> int:
        with empty.connect() as connection, connection.begin() as transaction:
            write(connection, block)
            asked.clear()
            bound_to_spots(connection, spots, 1)
            count = len(asked)
            transaction.rollback()
        return count

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(block=blocks())
    def holds(block: Block) -> None:
        one_of_each = 4 + len(block.areas) + len(PlaceKind) + 3
        assert queries(block, spots_of(block)) <= one_of_each

    holds()
