"""Quantiles of a histogram against quantiles of the list."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from simulators.spread import Spread


@given(st.lists(st.floats(2e-6, 1000), min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_never_too_low_and_at_most_five_percent_too_high(
    delays: list[float], share: float
) -> None:
    spread = Spread()
    for delay in delays:
        spread.add(delay)
    exact = sorted(delays)[math.ceil(share * len(delays)) - 1]
    assert exact * 0.999999 <= spread.quantile_s(share) <= exact * 1.051
    assert spread.longest_s == max(delays)


def test_batches_count_as_many() -> None:
    spread = Spread()
    spread.add(0.001, 99)
    spread.add(1.0)
    assert spread.quantile_s(0.99) < 0.0011
    assert spread.quantile_s(1) == 1.0


def test_nothing_counted_is_no_delay_and_early_is_on_time() -> None:
    spread = Spread()
    assert spread.quantile_s(0.99) == 0.0
    spread.add(-0.5)
    assert spread.quantile_s(0.99) == 0.0
