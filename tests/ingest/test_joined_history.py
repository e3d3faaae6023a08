"""What was kept here and what a server has, as one store: nothing twice, nothing left out."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from devices.model import Metric
from ingest.store.history import Series, outline_of
from ingest.store.joined_history import JoinedHistory, Unreadable, overlaid, united
from ingest.store.pieces import MS
from ingest.store.points import Points
from tests.ingest.test_store_histories import Store

METER = Series(1, "own:m", "l1", Metric.CURRENT)
VALUE = st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf, 0.0, -0.0])
ROWS = st.lists(st.tuples(st.integers(0, 60), VALUE), unique_by=lambda row: row[0], max_size=30)


def points(*rows: tuple[int, float]) -> Points:
    """Of milliseconds and values."""
    rows = tuple(sorted(rows, key=lambda row: row[0]))
    at = np.array([row[0] * MS for row in rows], np.int64)
    n = len(rows)
    return Points(np.ones(n, np.int32), at, np.array([row[1] for row in rows]), np.zeros(n, np.uint32))


def shown(one: Points) -> list[tuple[int, str]]:
    return [
        (at // MS, repr(value + 0.0))
        for at, value in zip(one.ts_ns.tolist(), one.value.tolist(), strict=True)
    ]


@given(ROWS, st.data())
def test_however_much_was_copied_each_point_is_there_once(
    rows: list[tuple[int, float]], data: st.DataObject
) -> None:
    """As a server keeps them that cuts times to milliseconds and values to some digits."""
    old = points(*rows)
    old = Points(old.slot, old.ts_ns + 123, old.value, old.quality)
    copied = [(at, value * (1 + 1e-11)) for at, value in rows if data.draw(st.booleans())]
    live = [(at + 100, value) for at, value in data.draw(ROWS)]
    both = united(old, points(*copied, *live))
    assert shown(both) == shown(Points.joined([old, points(*live)]))


def test_two_values_of_one_moment_are_both_there() -> None:
    both = united(points((5, 1.0)), points((5, 1.1), (5, 1.0)))
    assert sorted(both.value.tolist()) == [1.0, 1.1]
    assert len(np.unique(both.ts_ns)) == 2


@given(ROWS, st.integers(1, 20))
def test_an_outline_of_the_same_twice_is_that_outline(rows: list[tuple[int, float]], step: int) -> None:
    once = outline_of(points(*rows), 0, 100 * MS, step * MS)
    twice = overlaid(once, once)
    for name in ("begin_ns", "count", "doubtful", "least", "mean", "most"):
        np.testing.assert_array_equal(getattr(once, name), getattr(twice, name))


def test_an_outline_of_both_has_the_pieces_of_both_and_loses_no_peak() -> None:
    old = outline_of(points((0, 1.0), (11, 2.0), (12, 3.0)), 0, 40 * MS, 10 * MS)
    new = outline_of(points((13, 9.0), (35, 4.0)), 0, 40 * MS, 10 * MS)
    both = overlaid(old, new)
    assert (both.begin_ns // MS).tolist() == [0, 10, 30]
    assert both.count.tolist() == [1, 2, 1]
    assert both.least.tolist() == [1.0, 2.0, 4.0]
    assert both.mean.tolist() == [1.0, 2.5, 4.0]
    assert both.most.tolist() == [1.0, 9.0, 4.0]


def test_both_are_asked_and_closed_and_what_either_lacks_is_said() -> None:
    old, new = Store(points((1, 1.0), (2, 2.0))), Store(points((2, 2.0), (3, 3.0)), lacks="s: damaged")
    joined = JoinedHistory(old, new)
    assert joined.read(METER, 0, 10 * MS).value.tolist() == [1.0, 2.0, 3.0]
    assert joined.read(METER, 0, 10 * MS, 2).value.tolist() == [1.0, 2.0]
    assert joined.latest([METER]).value.tolist() == [3.0]
    assert joined.outline(METER, 0, 10 * MS, 10 * MS).count.tolist() == [2]
    assert joined.lacks == "s: damaged"
    joined.close()
    assert (old.closed, new.closed) == (1, 1)


def test_in_the_place_of_one_that_cannot_be_read_the_other_answers_and_it_is_said() -> None:
    joined = JoinedHistory(Unreadable("points.db: broken"), Store(points((2, 2.0))))
    assert joined.read(METER, 0, 10 * MS).value.tolist() == [2.0]
    assert joined.latest([METER]).value.tolist() == [2.0]
    assert joined.outline(METER, 0, 10 * MS, 10 * MS).count.tolist() == [1]
    assert joined.lacks == "points.db: broken"
    joined.close()
