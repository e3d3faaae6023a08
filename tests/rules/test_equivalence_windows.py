"""Means, rates, curves and counts: the engine over the shipped catalogue is the plain reference."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import Metric
from tests.rules.fleet import Fleet, Way
from tests.rules.homes import Facts
from tests.rules.streams import Rules, compare, missed_by

RULES = Rules.shipped()
ENTRIES = RULES.of("mean", "rate", "curve", "count")
RATINGS: Final = (16.0, 32.0, 40.0, 63.0, 80.0, float("nan"))
FLEET = Fleet(
    series=[
        *[Facts(Metric.CURRENT, n, reference_a=a, breaker_a=a) for n, a in enumerate(RATINGS, start=1)],
        *[Facts(Metric.TEMPERATURE, n) for n in range(11, 14)],
        *[Facts(Metric.BREAKER_TRIP, n) for n in range(21, 24)],
        *[Facts(Metric.ARC_HALF_CYCLES, n) for n in range(31, 34)],
        *[Facts(Metric.SMOKE_ALARM, n) for n in range(41, 44)],
    ],
    ways={
        Metric.CURRENT: Way(
            [0.1, 0.5, 0.7, 0.799, 0.8, 0.9, 0.9, 1.0, 1.1, 1.13, 1.2, 1.44, 1.45, 1.5, 1.6, 1.6, 2.0],
            [10, 59.9995, 60, 61.001, 120, 300, 300, 300, 600, 900, 901],
            steps=[0.001, -0.01],
            times_rating=True,
        ),
        Metric.TEMPERATURE: Way(
            [20.0, 21.5, 25.0, 30.0, 50.0],
            [3, 10, 15, 20, 30, 60, 120, 300, 900, 901],
            steps=[5.0, 6.0, 4.0, 1.0, 10.0, -3.0],
        ),
        Metric.BREAKER_TRIP: Way([0.0, 1.0], [1, 60, 3600, 6 * 3600, 12 * 3600, 24 * 3600, 26 * 3600]),
        Metric.ARC_HALF_CYCLES: Way(
            [0.0, 9.0, 9.5, 10.0, 13.0, 13.5, 10.0], [1, 60, 600, 1200, 3600, 6 * 3600]
        ),
        Metric.SMOKE_ALARM: Way([0.0, 0.0, 1.0], [60, 3600, 6 * 3600, 24 * 3600, 26 * 3600]),
    },
    entries=ENTRIES,
)


def test_long_streams_reach_every_rule() -> None:
    def one(seed: int) -> Counter[tuple[str, str]]:
        return compare(RULES, FLEET.table, FLEET.script(seed, 80).stream)

    assert not missed_by(ENTRIES, (2, 1, 3, 4, 5, 6), one)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_longer_streams(seed: int) -> None:
    compare(RULES, FLEET.table, FLEET.script(seed, 500).stream)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_any_stream(seed: int, stories: int) -> None:
    compare(RULES, FLEET.table, FLEET.script(seed, stories).stream)
