"""What is usual for a series over days and weeks: the engine over the shipped catalogue is the plain
reference."""

from __future__ import annotations

import copy
import functools
import random
from collections import Counter
from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import Earthing, InputKind, Metric
from rules.engine import Engine
from tests.rules.homes import Facts, table_of
from tests.rules.reference import Reference
from tests.rules.story import START_US
from tests.rules.streams import (
    MIXED,
    USUAL,
    Rules,
    Script,
    Tick,
    Warm,
    by_reference,
    compare,
    in_ticks,
    missed_by,
)

RULES = Rules.shipped()
KINDS: Final = ("usual", "nights", "excess", "joint", "plateau")
ENTRIES = [*RULES.of(*KINDS), *(entry for entry in RULES.of("place") if entry.name == "N1T")]
HOME: Final = 71
LEAK_A, LEAK_B, LEAK_C, NIGHT_W, BIKE_W, WARMTH, CURRENT, AMBIENT, BLIND_LEAK, FAST_W, CABLE = range(1, 12)
SERIES: Final = [
    Facts(Metric.CURRENT_RESIDUAL, 1, earthing=Earthing.TN_S),
    Facts(Metric.CURRENT_RESIDUAL, 2, earthing=Earthing.TT),
    Facts(Metric.CURRENT_RESIDUAL, 3, dwelling=HOME, earthing=Earthing.TN_S),
    Facts(Metric.POWER_ACTIVE, 4, dwelling=HOME),
    Facts(Metric.POWER_ACTIVE, 5, dwelling=HOME),
    Facts(Metric.TEMPERATURE, 6, "l1", breaker_a=25.0),
    Facts(Metric.CURRENT, 6, "l1", breaker_a=25.0),
    Facts(Metric.TEMPERATURE_AMBIENT, 6),
    Facts(Metric.CURRENT_RESIDUAL, 7, earthing=Earthing.TN_C),
    Facts(Metric.POWER_ACTIVE, 8, dwelling=HOME),
    Facts(Metric.TEMPERATURE, 4, "ch1", dwelling=HOME),
]
TABLE = table_of(SERIES)


class Weeks:
    """Life of a few meters from day to day. What lasts for days is drawn once a day, what lasts for hours
    when it begins."""

    def __init__(self, seed: int, now: int = START_US) -> None:
        self.script = Script(random.Random(seed), now)
        self.rng = self.script.rng
        self.trend, self.standing = 0.0, 0.12
        self.doubled, self.worn, self.day = False, 1.0, 0
        self.until: dict[int, int] = {}
        self.more = dict.fromkeys(range(1, len(SERIES) + 1), 0.0)

    def live(self, days: int) -> list[Tick]:
        for _ in range(days):
            self._draw_day()
            end = self.script.now + 24 * 3_600_000_000
            while self.script.now < end:
                self._tick()
        return self.script.stream

    def _draw_day(self) -> None:
        rng = self.rng
        if rng.random() < 0.1:
            self.trend = rng.choice([0.0, 0.0, 0.005, 0.008, 0.02, -0.01])
        if rng.random() < 0.08:
            self.standing = rng.choice([0.04, 0.099, 0.1, 0.12])
        if rng.random() < 0.06:
            self.doubled = not self.doubled
        self.day += 1
        self.worn = 1.9 if 16 < self.day % 50 < 26 else 1.0
        self.standing += self.trend
        self.qualities = rng.choice([USUAL, USUAL, USUAL, MIXED])
        self.heard = [slot for slot in self.more if rng.random() < 0.9]
        if rng.random() < 0.05:
            self.script.wait(rng.choice([3600, 30 * 3600, 60 * 3600]))

    def _tick(self) -> None:
        rng, script = self.rng, self.script
        script.wait(
            rng.choice([300, 600, 600, 840, 899.5]) if rng.random() < 0.98 else rng.choice([901, 4000])
        )
        readings = []
        for slot in rng.sample(self.heard, len(self.heard)):
            again = 2 if rng.random() < 0.02 else 1
            readings += [
                script.reading(slot, self._value(slot), rng.choice(self.qualities), rng.choice([0, 0, 0, 1]))
                for _ in range(again)
            ]
        acts = [
            script.act(rng.choice([InputKind.RESET, InputKind.CLOSE]), entry.name, slot)
            for entry in ENTRIES
            for slot in self.more
            if SERIES[slot - 1].metric in entry.metrics and rng.random() < 0.0002
        ]
        if rng.random() < 0.01:
            acts.append(script.act(InputKind.CLOSE, "N1T", place=HOME))
        script.tick(readings, acts)

    def _value(self, slot: int) -> float:
        rng = self.rng
        if slot in (LEAK_A, BLIND_LEAK):
            return round(self.standing + rng.uniform(-0.001, 0.001), 4)
        if slot == LEAK_B:
            return round((0.12 if self.doubled else 0.04) + rng.uniform(0, 0.002), 4)
        if slot == LEAK_C:
            return round(0.03 + self._for_hours(slot, [0.0, 0.1, 0.105, 0.15, 0.062, -0.02], 0.02), 4)
        if slot in (NIGHT_W, FAST_W):
            more = self._for_hours(slot, [900.0, 2000.0, 2600.0], 0.0015)
            return round(250.0 + more + rng.uniform(0, 50), 1)
        if slot == BIKE_W:
            return round(
                60.0 + self._for_hours(slot, [0.0, 59.0, 120.0, 180.0, 301.0], 0.02) + rng.uniform(0, 4), 1
            )
        if slot == CURRENT:
            return round(8.0 + self._for_hours(slot, [0.0, 4.0, -1.0], 0.03), 2)
        if slot == CABLE:
            return 65.0 if self.more[NIGHT_W] > 0 else 25.0 + self._for_hours(slot, [40.0], 0.001)
        load = 8.0 + self.more[CURRENT]
        return 20.0 if slot == AMBIENT else round(20.0 + 0.1 * self.worn * load * load, 2)

    def _for_hours(self, slot: int, values: Sequence[float], often: float) -> float:
        """Nothing, or now and then one of `values` for some hours."""
        if self.script.now >= self.until.get(slot, 0):
            begins = self.rng.random() < often
            self.more[slot] = self.rng.choice(values) if begins else 0.0
            hours = self.rng.choice([0.2, 1, 3, 5, 8]) if begins else 0
            self.until[slot] = self.script.now + round(hours * 3_600_000_000)
        return self.more[slot]


def test_weeks_reach_every_rule() -> None:
    def one(seed: int) -> Counter[tuple[str, str]]:
        return compare(RULES, TABLE, Weeks(seed).live(45))

    assert not missed_by(ENTRIES, (1, 4, 42), one)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 120))
def test_longer_weeks(seed: int) -> None:
    compare(RULES, TABLE, Weeks(seed).live(120))


@functools.cache
def three_weeks() -> tuple[Weeks, Warm]:
    """A life that has lasted for three weeks, and what engine and reference know of it."""
    weeks = Weeks(7)
    stream = weeks.live(21)
    engine, reference = Engine(RULES.catalogue, TABLE), Reference(RULES.texts, TABLE)
    in_ticks(engine, stream)
    by_reference(reference, stream)
    weeks.script.stream = []
    return weeks, Warm(engine.snapshot(), reference)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 2))
def test_any_days_after_three_weeks(seed: int, days: int) -> None:
    weeks, warm = three_weeks()
    mine = copy.deepcopy(weeks)
    mine.script.rng.seed(seed)
    compare(RULES, TABLE, mine.live(days), warm)
