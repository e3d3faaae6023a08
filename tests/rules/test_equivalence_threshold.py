"""Thresholds: the engine over the shipped catalogue is the plain reference, whatever the circuit."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import DeviceKind, Earthing, Insulation, Metric
from tests.rules.fleet import Fleet, Way
from tests.rules.homes import Facts
from tests.rules.streams import Rules, compare, missed_by

RULES = Rules.shipped()
ENTRIES = RULES.of("threshold")
HOME: Final = 71
RATINGS: Final = (16.0, 25.0, 63.0, float("nan"))
SLOW: Final = [30, 60, 3600, 6 * 3600, 8 * 3600, 24 * 3600, 48 * 3600, 50 * 3600, 50 * 3600 + 1]
FLAGS: Final = (Metric.BATTERY_LOW, Metric.DEVICE_TAMPER, Metric.SMOKE_MUTED, Metric.DEVICE_FAULT)
PLACES: Final = [(earthing, dwelling) for earthing in Earthing for dwelling in (0, HOME)]
FLEET = Fleet(
    series=[
        *[Facts(Metric.CURRENT, n, reference_a=a, breaker_a=a) for n, a in enumerate(RATINGS, start=1)],
        *[
            Facts(Metric.CURRENT, n, reference_a=25.0, breaker_a=25.0, silence_s=silence_s)
            for n, silence_s in enumerate((600.0, 3000.0, 9000.0, 90_000.0), start=5)
        ],
        *[
            Facts(Metric.CURRENT_RESIDUAL, n, earthing=earthing, dwelling=dwelling)
            for n, (earthing, dwelling) in enumerate(PLACES, start=11)
        ],
        *[Facts(Metric.TEMPERATURE, n, insulation=one) for n, one in enumerate(Insulation, start=21)],
        *[
            Facts(Metric.TEMPERATURE, n, channel, kind=kind)
            for n, (kind, channel) in enumerate(product(DeviceKind, ("", "ch1", "pipe")), start=51)
        ],
        *[Facts(metric, 31, "ch1", HOME) for metric in FLAGS],
        Facts(Metric.ARC_HALF_CYCLES, 41),
    ],
    ways={
        Metric.CURRENT: Way(
            [0.5, 0.9, 0.99, 1.0, 1.12, 1.13, 1.3, 1.44, 1.45, 1.6],
            [
                1,
                10,
                30,
                59,
                60,
                120,
                300,
                900,
                900.000001,
                901,
                2700,
                2701,
                9000,
                9001,
                43_200,
                90_000,
                90_001,
            ],
            times_rating=True,
        ),
        Metric.CURRENT_RESIDUAL: Way(
            [0.0, 0.0119, 0.012, 0.015, 0.03, 0.1, 0.159, 0.2, 0.25, 0.3, 0.4, 0.49, 0.5],
            [1, 2, 3, 5, 10, 30, 60, 901, 43_200],
        ),
        Metric.TEMPERATURE: Way(
            [20.0, 44.9, 50.0, 54.5, 55.0, 60.0, 64.9, 70.0, 84.9, 85.0, 90.0, 105.0],
            [5, 10, 30, 60, 150, 300, 900, 901],
        ),
        Metric.ARC_HALF_CYCLES: Way([0.0, 9.0, 13.0, 14.0, 20.0], [1, 60]),
        **dict.fromkeys(FLAGS, Way([0.0, 1.0], SLOW)),
    },
    entries=ENTRIES,
)


def test_long_streams_reach_every_rule() -> None:
    def one(seed: int) -> Counter[tuple[str, str]]:
        return compare(RULES, FLEET.table, FLEET.script(seed, 60).stream)

    assert not missed_by(ENTRIES, (5, 7, 10, 1, 2, 3), one)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_longer_streams(seed: int) -> None:
    compare(RULES, FLEET.table, FLEET.script(seed, 500).stream)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_any_stream(seed: int, stories: int) -> None:
    compare(RULES, FLEET.table, FLEET.script(seed, stories).stream)
