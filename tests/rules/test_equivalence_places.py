"""Life flags and alarms that meet: the engine over the shipped catalogue is the plain reference."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import Earthing, Metric, Quality
from tests.rules.fleet import Fleet, Way
from tests.rules.homes import Facts
from tests.rules.streams import MIXED, USUAL, Rules, compare, missed_by

RULES = Rules.shipped()
ENTRIES = [entry for entry in RULES.of("flag", "place") if entry.name != "N1T"]
"""All but the one that takes weeks, which is in test_equivalence_baselines.py."""
FLAGS: Final = (
    Metric.SMOKE_ALARM,
    Metric.HEAT_ALARM,
    Metric.GAS_ALARM,
    Metric.MANUAL_ALARM,
    Metric.ARC_ALARM,
)
WAITS: Final = [1, 10, 30, 60, 61, 150, 300, 301, 600, 601]


def home(device: int, dwelling: int, stair: int) -> list[Facts]:
    """Two detectors and a meter in one dwelling."""
    return [
        Facts(Metric.SMOKE_ALARM, device, dwelling=dwelling, stair=stair),
        Facts(Metric.HEAT_ALARM, device, dwelling=dwelling, stair=stair),
        Facts(Metric.SMOKE_ALARM, device + 1, dwelling=dwelling, stair=stair),
        Facts(Metric.CURRENT_RESIDUAL, device + 2, earthing=Earthing.TN_S, dwelling=dwelling, stair=stair),
        Facts(Metric.TEMPERATURE, device + 2, dwelling=dwelling, stair=stair),
    ]


OTHERS: Final = [
    *[Facts(metric, 41, dwelling=71, stair=7) for metric in FLAGS],
    Facts(Metric.SMOKE_ALARM, 42, stair=7),
    Facts(Metric.MANUAL_ALARM, 43, stair=7),
    Facts(Metric.SMOKE_ALARM, 0),
    Facts(Metric.SMOKE_ALARM, 44, dwelling=81, stair=8),
]
COMMON: Final = [
    Facts(Metric.SMOKE_ALARM, 51, building=9),
    Facts(Metric.SMOKE_ALARM, 52, stair=7, building=9),
    Facts(Metric.ARC_ALARM, 53, building=9),
    Facts(Metric.TEMPERATURE, 54, "ch1", building=9),
    Facts(Metric.TEMPERATURE, 51, building=9),
    Facts(Metric.ARC_ALARM, 55, dwelling=91, building=9),
]
"""A meter cupboard and a stair; the temperature of a detector there is the air's; arcs in a flat are not."""
FLEET = Fleet(
    series=[*home(1, 71, 7), *home(11, 72, 7), *OTHERS, *COMMON],
    ways={
        **dict.fromkeys(FLAGS, Way([0.0, 0.0, 0.0, 0.0, 1.0], WAITS)),
        Metric.TEMPERATURE: Way([20.0, 60.0, 85.0, 90.0], WAITS),
        Metric.CURRENT_RESIDUAL: Way([0.0, 0.0, 0.2, 0.3, 0.5], WAITS),
    },
    entries=ENTRIES,
    groups=[
        [1, 2, 3, 4, 5],
        [1, 3, 5, 6, 8, 9],
        [1, 6, 16, 17],
        [*range(11, 20)],
        [11],
        [12],
        [13],
        [14, 15],
        [*range(20, 26)],
        [20, 22, 23],
    ],
    qualities=(USUAL, USUAL, MIXED, [Quality.RETAINED, Quality.REPLAYED, Quality(0), Quality.QUEUED]),
    ages=([0.0], [0.0], [0.0, 90.0], [0.0, 290.0, 700.0], [0.0, 90.0, 1801.0]),
    acting=0.04,
    stepping=0.01,
)

LATE_ACTS: Final = Fleet(
    series=[*home(1, 71, 7), Facts(Metric.ARC_ALARM, 3, dwelling=71, stair=7), *home(11, 72, 7)],
    ways={
        **dict.fromkeys(FLAGS, Way([0.0, 1.0], [1, 30, 61])),
        **dict.fromkeys((Metric.TEMPERATURE, Metric.CURRENT_RESIDUAL), Way([0.0], [30])),
    },
    entries=[entry for entry in ENTRIES if entry.name in ("S1", "A1", "S2", "S2S", "X1")],
    groups=[[1, 3, 6], [1, 3], [1, 3, 7, 9]],
    acting=0.25,
    stepping=0.01,
)
"""Alarms that come and go while acts are on their way."""


def test_long_streams_reach_every_rule() -> None:
    def one(seed: int) -> Counter[tuple[str, str]]:
        return compare(RULES, FLEET.table, FLEET.script(seed, 25).stream)

    assert not missed_by(ENTRIES, (3, 6, 2, 1, 4), one)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_longer_streams(seed: int) -> None:
    compare(RULES, FLEET.table, FLEET.script(seed, 500).stream)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_any_stream(seed: int, stories: int) -> None:
    compare(RULES, FLEET.table, FLEET.script(seed, stories).stream)


@pytest.mark.parametrize("seed", range(3))
def test_streams_of_alarms_that_come_while_acts_are_on_their_way(seed: int) -> None:
    assert compare(RULES, LATE_ACTS.table, LATE_ACTS.script(seed, 40).stream)["S2", "cleared"]
