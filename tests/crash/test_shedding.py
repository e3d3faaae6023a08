"""Death while points are shed (contract 9): every alarm is raised, every point stored or counted."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from devices.database import reading
from ingest.schema import shed
from tests.crash.accounts import raised, stored
from tests.crash.composed import House, equal, house
from tests.crash.scripted import Group
from tests.crash.streams import every_kind, groups, points_of
from tests.crash.test_steps import QUICK, STEPS, undisturbed
from tests.ingest.fuse import Fuse, Killed

ROOM, RESERVE = 1_000, 8 * 4096
"""Two records or three, and eight slots that hold some each."""
WHILE_SHEDDING = [step for step in STEPS if not step.startswith("store")]


def counted(one: House) -> Counter[str]:
    """Points of each device that were counted as shed."""
    with reading(one.engine) as connection:
        rows = connection.execute(select(shed.c.device, shed.c.points)).all()
    return Counter({row.device: row.points for row in rows})


def balances(one: House, stream: list[Group]) -> None:
    """Nothing is lost that is not counted, and nothing but points is lost."""
    one.write_points()
    expected = undisturbed(stream)
    published, kept = Counter[str](), Counter[str]()
    for (uid, *_), count in points_of(stream).items():
        published[uid] += count
    for (uid, *_), count in stored(one).items():
        kept[uid] += count
    assert kept + counted(one) == published
    assert stored(one) <= expected.points
    assert raised(one) == expected.transitions
    assert equal(one.state(), expected.state) == []


@pytest.mark.parametrize("step", WHILE_SHEDDING)
def test_a_death_while_points_are_shed_loses_no_alarm_and_no_count(step: str) -> None:
    stream = every_kind(groups=14)
    with house(stream, room=ROOM, reserve=RESERVE) as one:
        one.store_waits = True
        for after in (5, 1):
            with suppress(Killed):
                one.live(Fuse(step, after))
        one.live(Fuse())
        assert counted(one)
        balances(one, stream)


@settings(max_examples=10, deadline=None, phases=QUICK)
@given(
    groups(),
    st.lists(
        st.tuples(st.sampled_from(WHILE_SHEDDING), st.integers(1, 6), st.booleans()), min_size=1, max_size=6
    ),
)
def test_deaths_while_the_store_comes_and_goes_lose_no_alarm_and_no_count(
    stream: list[Group], deaths: list[tuple[str, int, bool]]
) -> None:
    with house(stream, room=ROOM, reserve=RESERVE) as one:
        for step, after, waits in deaths:
            one.store_waits = waits
            with suppress(Killed):
                one.live(Fuse(step, after))
        one.live(Fuse())
        balances(one, stream)
