"""What is looked for in a server is what was written to it, and whatever it has otherwise is seen."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.model import Quality
from ingest.store.influx.copying_places import Compared, compared, placed, shared
from ingest.store.points import Points, ordered, without_repeats
from tests.ingest.influx.house_copying import MS, wanted

START_NS = 1_790_000_000_000_000_000
Row = tuple[int, int, float, int]
rows = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.integers(0, 5) | st.integers(0, 5).map(lambda n: n * 1000) | st.integers(0, 3 * MS),
        st.sampled_from([0.0, -0.0, 1.0, 230.5, math.nan, math.inf]),
        st.sampled_from([0, 1, int(Quality.LATE), int(Quality.LATE) | 1]),
    ),
    max_size=40,
)


def points_of(found: list[Row]) -> Points:
    slot, at, value, quality = zip(*found, strict=True) if found else ((), (), (), ())
    return Points(
        np.array(slot, np.int32),
        np.array(at, np.int64) + START_NS,
        np.array(value, np.float64),
        np.array(quality, np.uint32),
    )


def one(*found: tuple[int, float, int]) -> Points:
    return points_of([(1, *row) for row in found])


def judged(found: Compared) -> tuple[list[bool], list[bool]]:
    return found.missing.tolist(), found.different.tolist()


@given(rows)
def test_each_point_stands_where_it_was_worked_out_to_stand(found: list[Row]) -> None:
    points = points_of(found)
    ours = placed(without_repeats(ordered(points)))
    assert ours.slot.tolist() == sorted(ours.slot.tolist())
    there = {
        (slot, ts_ns): (value if math.isfinite(value) else None, quality)
        for slot, ts_ns, value, quality in zip(
            ours.slot.tolist(), ours.ts_ns.tolist(), ours.value.tolist(), ours.quality.tolist(), strict=True
        )
    }
    assert len(there) == len(ours)
    expected = {
        place: (None if math.isnan(value) else value, quality)
        for place, (value, quality) in wanted([points]).items()
    }
    assert there == expected


@given(rows)
def test_placing_again_changes_nothing(found: list[Row]) -> None:
    ours = placed(without_repeats(ordered(points_of(found))))
    again = placed(ours)
    assert np.array_equal(again.ts_ns, ours.ts_ns)
    assert np.array_equal(again.value, ours.value, equal_nan=True)


@given(rows.map(lambda found: [(1, *row[1:]) for row in found]), st.data())
def test_of_what_is_there_one_thing_changed_is_one_thing_found(found: list[Row], data: st.DataObject) -> None:
    ours = placed(without_repeats(ordered(points_of(found))))
    theirs = Points(
        ours.slot,
        ours.ts_ns.copy(),
        np.where(np.isfinite(ours.value), ours.value, np.nan),
        ours.quality.copy(),
    )
    assert compared(ours, theirs, whole_ms=False).all_there
    if not len(ours):
        return
    n = data.draw(st.integers(0, len(ours) - 1))
    what = data.draw(st.sampled_from(["value", "quality", "time"]))
    if what == "value":
        theirs.value[n] = 7.0 if math.isnan(theirs.value[n]) else math.nan
    elif what == "quality":
        theirs.quality[n] ^= np.uint32(2)
    else:
        keep = np.arange(len(theirs)) != n
        theirs = theirs[keep]
    missing, different = judged(compared(ours, theirs, whole_ms=False))
    assert [missing.count(True), different.count(True)] == ([1, 0] if what == "time" else [0, 1])
    assert (missing if what == "time" else different)[n]


def test_what_the_server_has_beside_is_no_fault() -> None:
    ours, beside = one((5, 1.0, 0)), one((4, 9.0, 0), (5, 1.0, 0), (6, 9.0, 1))
    assert compared(ours, beside, whole_ms=False).all_there


def test_nothing_there_is_all_missing() -> None:
    ours = one((1, 1.0, 0), (2, math.nan, 1))
    assert judged(compared(ours, Points.empty(), whole_ms=True)) == ([True, True], [False, False])


@pytest.mark.parametrize(
    ("theirs", "there"),
    [
        ((0, 1.0, 1), True),
        ((0, 2.0, 1), True),
        ((0, 3.0, 1), False),
        ((0, 1.0, 4), False),
        ((0, math.nan, 1), False),
        ((MS, 1.0, 1), False),
    ],
)
def test_of_those_in_one_millisecond_any_may_be_there(theirs: tuple[int, float, int], there: bool) -> None:
    ours = one((10, 1.0, 0), (20, 2.0, 1), (30, math.nan, 8))
    assert compared(ours, one(theirs), whole_ms=True).all_there == there
    assert not compared(ours, one(theirs), whole_ms=False).all_there


def test_how_many_share_a_millisecond() -> None:
    points = points_of(
        [(1, 0, 1.0, 0), (1, 10, 2.0, 0), (1, MS, 1.0, 0), (2, MS, 1.0, 0), (2, MS + 9, 1.0, 0)]
    )
    assert shared(points) == 2


def test_a_server_of_milliseconds_may_round_in_the_twelfth_digit_and_no_earlier() -> None:
    ours = one((0, 1.0, 0), (MS, 100.0, 0))
    near, far = one((0, 1 + 1e-12, 0), (MS, 100.0, 0)), one((0, 1 + 1e-9, 0), (MS, 100.0, 0))
    assert compared(ours, near, whole_ms=True).all_there
    assert not compared(ours, far, whole_ms=True).all_there
    assert not compared(ours, near, whole_ms=False).all_there
