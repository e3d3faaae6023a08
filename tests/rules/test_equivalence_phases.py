"""Series beside others of their device: the engine over the shipped catalogue is the plain reference."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import Metric
from tests.rules.fleet import Fleet, Way
from tests.rules.homes import Facts
from tests.rules.streams import Rules, compare, missed_by

RULES = Rules.shipped()
ENTRIES = RULES.of("rise", "spread", "neutral", "supply")
PHASES: Final = ("l1", "l2", "l3")


def three_phases(device: int, breaker_a: float) -> list[Facts]:
    """A meter of three phases with a sensor at each joint and one in the air."""
    metrics = (Metric.TEMPERATURE, Metric.CURRENT, Metric.VOLTAGE)
    each = [Facts(metric, device, phase, breaker_a=breaker_a) for metric in metrics for phase in PHASES]
    return [*each, Facts(Metric.TEMPERATURE_AMBIENT, device)]


ROOMS: Final = [
    Facts(Metric.TEMPERATURE, 3, "ch1"),
    Facts(Metric.TEMPERATURE_AMBIENT, 3, "ch1"),
    Facts(Metric.TEMPERATURE, 3, "ch2"),
    Facts(Metric.TEMPERATURE, 4, "ch1"),
    Facts(Metric.TEMPERATURE_AMBIENT, 4, "ch1"),
    Facts(Metric.TEMPERATURE_AMBIENT, 4),
]
ALONE: Final = [
    Facts(Metric.TEMPERATURE, 5, "left"),
    Facts(Metric.TEMPERATURE_AMBIENT, 5, "left"),
    Facts(Metric.TEMPERATURE, 0, "ch1"),
    Facts(Metric.TEMPERATURE_AMBIENT, 0, "ch1"),
    Facts(Metric.VOLTAGE, 6),
    Facts(Metric.VOLTAGE, 6, "ch1"),
    Facts(Metric.VOLTAGE, 6, "n"),
    Facts(Metric.VOLTAGE, 6, "l2"),
]
BETWEEN: Final = [*(Facts(Metric.VOLTAGE, 8, one) for one in ("", *PHASES, "n", "ch1"))]
"""A meter that may tell voltages between its phases."""
TWICE: Final = [
    *three_phases(7, 16.0),
    Facts(Metric.VOLTAGE, 7, "l1"),
    Facts(Metric.TEMPERATURE, 7, "l2"),
    Facts(Metric.CURRENT, 7, "l3", breaker_a=40.0),
]
"""A device with two series of one metric on one phase."""
WAITS: Final = [1, 2, 10, 30, 60, 200, 300, 600, 900, 901]
FLEET = Fleet(
    series=[*three_phases(1, 25.0), *three_phases(2, float("nan")), *ROOMS, *ALONE, *TWICE, *BETWEEN],
    ways={
        Metric.TEMPERATURE: Way([20.0, 23.0, 24.0, 38.0, 40.0, 41.0, 46.0, 57.0, 60.0, 66.0], WAITS, [1, -1]),
        Metric.TEMPERATURE_AMBIENT: Way([20.0, 20.0, 20.0, 23.0, 25.0], WAITS),
        Metric.CURRENT: Way([0.1, 0.25, 0.29, 0.3, 0.36, 0.4, 0.5], WAITS, times_rating=True),
        Metric.VOLTAGE: Way(
            [
                0.0,
                30.0,
                49.9,
                50.0,
                150.0,
                186.9,
                187.0,
                200.0,
                220.0,
                220.0,
                220.0,
                230.0,
                235.0,
                253.0,
                253.5,
                260.0,
                264.0,
                264.1,
                280.0,
                340.0,
                380.0,
                400.0,
                438.0,
                440.0,
                600.0,
                655.35,
                6553.5,
            ],
            [*WAITS, 3600, 25 * 3600, 50 * 3600],
        ),
    },
    entries=ENTRIES,
    groups=[
        [*range(1, 11)],
        [*range(1, 11)],
        [7, 8, 9],
        [*range(11, 21)],
        [*range(21, 27)],
        [*range(27, 35)],
        [*range(35, 48)],
        [*range(48, 54)],
        [49, 50, 51],
        [49, 50, 51],
    ],
)

ONE_PHASE: Final = Fleet(
    series=[Facts(Metric.VOLTAGE, 1, one) for one in ("", *PHASES)],
    ways={Metric.VOLTAGE: Way([5.0, 196.3, 220.0, 225.0, 375.0, 381.0, 385.0, 400.0], [30, 60, 299, 301])},
    entries=[entry for entry in ENTRIES if entry.kernel == "supply"],
    groups=[[2, 3, 4], [1, 2, 3, 4]],
    stepping=0.002,
)
"""A meter whose three inputs hang on one phase, or that tells voltages between phases."""
NEVER_USUAL: Final = replace(
    ONE_PHASE,
    ways={Metric.VOLTAGE: Way([5.0, 375.0, 381.0, 385.0, 400.0], [30, 60, 150, 200, 301])},
    stepping=0.0,
)
"""One that was never heard to say a usual voltage."""


def test_long_streams_reach_every_rule() -> None:
    def one(seed: int) -> Counter[tuple[str, str]]:
        return compare(RULES, FLEET.table, FLEET.script(seed, 20).stream)

    assert not missed_by(ENTRIES, (3, 1, 2, 4, 5, 6), one)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_longer_streams(seed: int) -> None:
    compare(RULES, FLEET.table, FLEET.script(seed, 300).stream)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_any_stream(seed: int, stories: int) -> None:
    compare(RULES, FLEET.table, FLEET.script(seed, stories).stream)


@pytest.mark.parametrize("fleet", [ONE_PHASE, NEVER_USUAL])
@pytest.mark.parametrize("seed", range(3))
def test_streams_of_a_meter_that_may_hang_on_one_phase(fleet: Fleet, seed: int) -> None:
    seen = compare(RULES, fleet.table, fleet.script(seed, 40).stream)
    assert seen["V2", "raised"]
    assert seen["V2", "cleared"]
