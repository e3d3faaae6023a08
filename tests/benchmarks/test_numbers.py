"""Percentiles and slopes are what they are called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.numbers import line_through, percentile_ms, slope_per_min


def test_half_of_the_values_lie_below_the_median() -> None:
    assert percentile_ms([1000, 2000, 9000], 50) == 2.0


def test_the_99th_percentile_of_a_hundred_lies_between_the_two_highest() -> None:
    assert percentile_ms([1000 * n for n in range(1, 101)], 99) == 99.0


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=50), st.floats(0, 100))
def test_a_percentile_lies_among_its_values(values: list[int], percent: float) -> None:
    found = percentile_ms(values, percent)
    assert min(values) / 1000 - 0.05 <= found <= max(values) / 1000 + 0.05


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile_ms([], 50)


@given(
    st.floats(-1000, 1000),
    st.floats(-1000, 1000),
    st.lists(st.integers(0, 5000), min_size=2, max_size=30, unique=True),
)
def test_a_line_is_found_again(at_zero: float, slope: float, xs: list[int]) -> None:
    found_at_zero, found_slope = line_through(xs, [at_zero + slope * x for x in xs])
    assert found_slope == pytest.approx(slope, abs=1e-6)
    assert found_at_zero == pytest.approx(at_zero, abs=1e-2)


def test_scatter_on_both_sides_does_not_tilt_a_line() -> None:
    at_zero, slope = line_through([0, 1, 2, 3], [1.0, -1.0, -1.0, 1.0])
    assert slope == pytest.approx(0)
    assert at_zero == pytest.approx(0)


@pytest.mark.parametrize("xs", [[], [5.0], [5.0, 5.0]])
def test_one_place_makes_no_line(xs: list[float]) -> None:
    with pytest.raises(ValueError, match="two different places"):
        line_through(xs, xs)


def test_a_slope_is_told_by_the_minute() -> None:
    assert slope_per_min([0.0, 5.0, 10.0], [100.0, 100.5, 101.0]) == pytest.approx(6.0)
