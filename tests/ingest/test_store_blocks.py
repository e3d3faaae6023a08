"""A block of points is its bytes, exactly; and points are put in order, each once, at times of their own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.store.block import BlockDamaged, decode_block, encode_block
from ingest.store.points import Points, ordered, separated, without_repeats

Row = tuple[int, int, float, int]
NAN = math.nan
values = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 230.1, 0.29, 12.345, 1e-7, 1e300, -5.5, NAN, math.inf, -math.inf]),
    st.floats(),
    st.integers(-(10**7), 10**7).map(lambda n: n / 100),
)
rows = st.tuples(
    st.one_of(st.integers(0, 5), st.integers(0, 2**31 - 1)),
    st.one_of(
        st.integers(0, 4), st.integers(0, 86_399_999_999_999), st.integers(0, 86_399).map(lambda s: s * 10**9)
    ),
    values,
    st.one_of(st.just(0), st.integers(0, 2**32 - 1)),
)
START_NS = 1_790_000_000 * 10**9 // (86_400 * 10**9) * 86_400 * 10**9


def points_of(rows: list[Row]) -> Points:
    slot, at, value, quality = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Points(
        np.array(slot, np.int32),
        np.array(at, np.int64) + START_NS,
        np.array(value, np.float64),
        np.array(quality, np.uint32),
    )


def same(one: Points, other: Points) -> bool:
    """Exactly, but that any NaN is as good as another, and a zero has no sign."""
    return (
        one.slot.tolist() == other.slot.tolist()
        and one.ts_ns.tolist() == other.ts_ns.tolist()
        and np.array_equal(one.value, other.value, equal_nan=True)
        and one.quality.tolist() == other.quality.tolist()
    )


@given(st.lists(rows, min_size=1, max_size=300))
@example([(1, 0, 1.5, 0), (1, 86_399_999_999_999, NAN, 2**32 - 1), (2**31 - 1, 5, -0.0, 7)])
@example([(1, 0, NAN, 0)] * 3)
@example([(7, n * 60_000_000_000, 230.0 + n / 10, 0) for n in range(200)])
@example([(7, 1, 2.0**29, 0), (7, 2, -(2.0**29), 0), (7, 3, NAN, 0)])
def test_what_is_put_into_a_block_comes_out_of_it(rows: list[Row]) -> None:
    points = ordered(points_of(rows))
    assert same(decode_block(encode_block(points)), points)


def test_measured_values_take_a_fraction_of_their_bytes() -> None:
    rows = [(slot, at * 60 * 10**9, slot * 100 + at / 10, 0) for slot in range(10) for at in range(1_000)]
    assert len(encode_block(points_of(rows))) < 7 * len(rows)


@given(st.lists(rows, min_size=1, max_size=20), st.data())
def test_a_block_with_a_changed_or_missing_byte_is_refused(rows: list[Row], data: st.DataObject) -> None:
    body = bytearray(encode_block(ordered(points_of(rows))))
    at = data.draw(st.integers(0, len(body) - 1))
    with pytest.raises(BlockDamaged):
        decode_block(bytes(body[:at]))
    body[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BlockDamaged):
        decode_block(bytes(body))


@given(st.lists(rows, max_size=300))
def test_order_is_by_series_and_time_and_arrival(rows: list[Row]) -> None:
    expected = sorted(rows, key=lambda row: (row[0], row[1]))
    assert same(ordered(points_of(rows)), points_of(expected))


few = st.tuples(
    st.integers(1, 2), st.integers(0, 3), st.sampled_from([0.0, -0.0, 1.0, NAN]), st.integers(0, 9)
)


@given(st.lists(few, max_size=40))
def test_of_equal_points_the_first_to_arrive_stays(rows: list[Row]) -> None:
    first: dict[tuple[int, int, float | None], Row] = {}
    for slot, at, value, quality in rows:
        first.setdefault((slot, at, None if math.isnan(value) else value), (slot, at, value, quality))
    expected = sorted(first.values(), key=lambda row: (row[0], row[1]))
    found = without_repeats(ordered(points_of(rows)))
    assert sorted(map(str, tuples(found))) == sorted(map(str, tuples(points_of(expected))))
    assert same(found, ordered(points_of(expected))), "and those of one time stay in order of arrival"


def tuples(points: Points) -> list[tuple[object, ...]]:
    columns = (points.slot, points.ts_ns, points.value, points.quality)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_points_of_one_time_stand_side_by_side_and_none_gives_way_to_a_later_one() -> None:
    asked = [(1, 10, 1.0, 0), (1, 10, 2.0, 0), (1, 10, 3.0, 0), (1, 11, 9.0, 0), (1, 13, 8.0, 0)]
    found = separated(points_of(asked))
    assert (found.ts_ns - START_NS).tolist() == [10, 11, 12, 13, 14]
    assert found.value.tolist() == [1.0, 9.0, 2.0, 8.0, 3.0]
