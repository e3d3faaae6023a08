"""Orders and columns of state, against the plain way."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rules.columns import column_of, longer
from rules.means import lowest_three


@given(st.lists(st.lists(st.integers(-3, 3), min_size=6, max_size=6), min_size=1, max_size=20))
def test_the_three_lowest_of_six_are_those_of_a_sort(lines: list[list[int]]) -> None:
    columns = np.array(lines, np.int32).T
    found = np.stack(lowest_three(list(columns)), axis=1)
    assert found.tolist() == [sorted(line)[:3] for line in lines]


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_column_begins_with_a_line_of_the_cache_and_keeps_what_it_has(length: int, more: int) -> None:
    start = np.array([1, -2], np.int64)
    column = column_of(start, length)
    column[:, 0] = np.arange(length)
    grown = longer(column, start, more)
    assert grown.ctypes.data % 64 == 0 or not length + more
    assert grown.tolist() == [*([n, -2] for n in range(length)), *[[1, -2]] * more]
