"""A scope as a condition, against the tree walked by hand."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, literal, select

from devices.schema import area, building
from devices.scope import EVERYWHERE, NOWHERE, Scope

AREAS = 8


def walked(parents: Sequence[int | None], roots: set[int]) -> set[int]:
    """The roots and all below them; ends in a ring."""
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += [n for n, parent in enumerate(parents, start=1) if parent == one]
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parents=st.lists(st.none() | st.integers(1, AREAS), min_size=AREAS, max_size=AREAS),
    roots=st.sets(st.integers(1, AREAS + 2), max_size=3),
    homes=st.lists(st.integers(1, AREAS), max_size=6),
)
def test_a_scope_holds_the_buildings_of_its_areas_and_of_all_below_them(
    connection: Connection, parents: list[int | None], roots: set[int], homes: list[int]
) -> None:
    connection.execute(delete(building))
    connection.execute(area.update().values(parent_id=None))
    connection.execute(delete(area))
    rows = [{"id": n, "level": "grid", "code": str(n), "name": "x"} for n in range(1, AREAS + 1)]
    connection.execute(insert(area), rows)
    for n, parent in enumerate(parents, start=1):
        connection.execute(area.update().where(area.c.id == n).values(parent_id=parent))
    for n, home in enumerate(homes, start=1):
        row = {"id": n, "area_id": home, "code": str(n), "name": "x", "floors": 1}
        connection.execute(insert(building), row)
    scope = Scope(areas=frozenset(roots))
    within = walked(parents, roots & set(range(1, AREAS + 1)))
    held = {n for n in range(len(homes) + 2) if connection.scalar(select(scope.holds(literal(n))))}
    assert held == {n for n, home in enumerate(homes, start=1) if home in within}
    if roots:
        assert set(connection.scalars(scope.all_areas())) == within


def test_everywhere_holds_what_is_at_no_known_place_and_nowhere_holds_nothing(connection: Connection) -> None:
    for number in (0, 1):
        assert connection.scalar(select(EVERYWHERE.holds(literal(number))))
        assert not connection.scalar(select(NOWHERE.holds(literal(number))))
    assert Scope() == NOWHERE
