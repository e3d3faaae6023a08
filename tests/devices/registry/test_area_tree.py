"""Areas are added and moved at random: the levels only fall on the way down, and no way up is a ring."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from devices import registry
from devices.database import open_database
from devices.model import AreaLevel
from devices.registry import NotAllowed, Written
from devices.schema import area
from tests.databases import TABLES_ONLY, sqlite_like
from tests.devices.conftest import NOW_US

WHO = Written(by="t", now_us=NOW_US)
LEVELS = list(AreaLevel)
SIZE = 8
Move = tuple[int, int | None]
"""Which area is laid below which other; None: below none."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_database(sqlite_like(TABLES_ONLY, tmp_path_factory.mktemp("areas")))
    yield engine
    engine.dispose()


def ways_up(connection: Connection) -> dict[str, list[str]]:
    """For each area the codes on its way up, cut where one would come a second time."""
    rows = connection.execute(select(area.c.id, area.c.parent_id, area.c.code)).all()
    parents = {row.id: row.parent_id for row in rows}
    codes = {row.id: row.code for row in rows}
    ways = {}
    for row in rows:
        way, here = [row.id], row.parent_id
        while here is not None and here not in way:
            way.append(here)
            here = parents[here]
        assert here is None, f"a ring above {row.code}"
        ways[row.code] = [codes[one] for one in way]
    return ways


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(LEVELS), min_size=SIZE, max_size=SIZE),
    st.lists(st.tuples(st.integers(0, SIZE - 1), st.none() | st.integers(0, SIZE - 1)), max_size=30),
)
def test_no_move_bends_the_tree_into_a_ring_or_breaks_the_order_of_levels(
    engine: Engine, levels: list[AreaLevel], moves: list[Move]
) -> None:
    with engine.connect().execution_options(writing=True) as connection, connection.begin() as transaction:
        level_of = {f"A{n}": level for n, level in enumerate(levels)}
        parent_of: dict[str, str | None] = dict.fromkeys(level_of)
        for code, level in level_of.items():
            registry.add_area(connection, level=level, code=code, name=code, **WHO)
        for which, below in moves:
            code, parent = f"A{which}", None if below is None else f"A{below}"
            allowed = parent is None or LEVELS.index(level_of[parent]) < LEVELS.index(level_of[code])
            if allowed:
                moved = registry.move_area(connection, code=code, parent_code=parent, **WHO)
                assert moved == (parent_of[code] != parent)
                parent_of[code] = parent
            else:
                with pytest.raises(NotAllowed, match="city > district > street > community > grid"):
                    registry.move_area(connection, code=code, parent_code=parent, **WHO)
        listed = {row.code: row.parent or None for row in registry.list_areas(connection)}
        assert listed == parent_of
        for way in ways_up(connection).values():
            ranks = [LEVELS.index(level_of[code]) for code in way]
            assert ranks == sorted(set(ranks), reverse=True)
        transaction.rollback()
