"""What is known of a series by itself: the engine over the shipped catalogue is the plain reference."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import DeviceKind, Metric, Quality
from tests.rules.fleet import Fleet, Way
from tests.rules.homes import Facts
from tests.rules.streams import MIXED, USUAL, Rules, compare, missed_by

RULES = Rules.shipped()
ENTRIES = RULES.of("smoulder", "suspect")
BROKEN: Final = [
    Quality.SENTINEL,
    Quality.FAULT,
    Quality.OUT_OF_RANGE,
    Quality.CLOCK_SKEW,
    Quality.CLOCK_INVALID,
    Quality.CLOCK_SKEW | Quality.DUPLICATE,
    Quality.SENTINEL | Quality.LATE,
]
ANALOGUE: Final = [
    Metric.SMOKE_DENSITY,
    Metric.SMOKE_DENSITY_PCT,
    Metric.SMOKE_DENSITY_PPM,
    Metric.SMOKE_DENSITY_DBM,
]
LONG: Final = [60, 450, 900, 3600, 2 * 3600, 3 * 3600, 26 * 3600, 27 * 3600]
DENSITY: Final = Way(
    [40.0, 40.0, 40.5, 41.0, 39.0, 40.0, 40.0, 41.0, 42.0, 45.0, 46.0, 47.0, 60.0, 90.0, 120.0],
    [1, 5, 10, 30, 60, 300, 900, 901],
    steps=[0.01, 0.5, 6.0, -0.5],
)
FLEET = Fleet(
    series=[
        *[Facts(metric, 1, "ch1") for metric in ANALOGUE],
        *[Facts(metric, 2, "ch1") for metric in ANALOGUE],
        Facts(Metric.TEMPERATURE, 3, kind=DeviceKind.ELECTRICAL),
        Facts(Metric.TEMPERATURE, 6, kind=DeviceKind.OTHER),
        Facts(Metric.VOLTAGE, 3),
        Facts(Metric.SMOKE_ALARM, 4),
        Facts(Metric.CURRENT_RESIDUAL, 5),
    ],
    ways={
        **dict.fromkeys(ANALOGUE, DENSITY),
        Metric.TEMPERATURE: Way([20.0, 20.5, 30.0, 45.0], LONG),
        Metric.VOLTAGE: Way([220.0, 221.0], LONG),
        Metric.SMOKE_ALARM: Way([0.0], LONG),
        Metric.CURRENT_RESIDUAL: Way([0.0, 0.1], LONG),
    },
    entries=ENTRIES,
    qualities=(USUAL, USUAL, USUAL, MIXED, BROKEN),
)


def test_long_streams_reach_every_rule() -> None:
    def one(seed: int) -> Counter[tuple[str, str]]:
        return compare(RULES, FLEET.table, FLEET.script(seed, 20).stream)

    assert not missed_by(ENTRIES, (1, 2, 3, 4, 5), one)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_longer_streams(seed: int) -> None:
    compare(RULES, FLEET.table, FLEET.script(seed, 500).stream)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_any_stream(seed: int, stories: int) -> None:
    compare(RULES, FLEET.table, FLEET.script(seed, stories).stream)
