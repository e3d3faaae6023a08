"""Devices and buildings that are not heard: the engine over the shipped catalogue is the plain reference."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import EngineInput, InputKind, Metric, Quality
from tests.rules.homes import Facts, table_of
from tests.rules.reference import One
from tests.rules.story import START_US
from tests.rules.streams import Rules, Script, Tick, compare, missed_by

RULES = Rules.shipped()
ENTRIES = RULES.of("silence", "dark")
BLOCK, OTHER, SMALL = 5, 6, 7
FLAT: Final = 71
GATEWAY, ROOF, REPEATER = 51, 52, 53
DAY_S: Final = 86_400.0


def device(number: int, building: int, silence_s: float, parent: int = 0, dwelling: int = 0) -> list[Facts]:
    """A device with a series, and every other one says itself whether it is there."""
    place = Facts(
        Metric.SWITCH, number, dwelling=dwelling, building=building, silence_s=silence_s, parent=parent
    )
    online = replace(place, metric=Metric.DEVICE_ONLINE)
    return [place, online] if number % 2 else [place]


SERIES: Final = [
    *[one for n in range(1, 9) for one in device(n, BLOCK, 60.0, 0, FLAT if n <= 4 else 0)],
    *[one for n in range(11, 18) for one in device(n, OTHER, 90.0, GATEWAY)],
    *device(18, OTHER, 600.0),
    *[one for n in range(21, 24) for one in device(n, SMALL, 200.0, ROOF)],
    *device(31, 0, math.nan),
    *device(32, BLOCK, 2 * DAY_S),
    *device(33, 0, DAY_S, REPEATER),
    *device(34, 0, 100.0, 99),
    *device(GATEWAY, OTHER, 3600.0),
    *device(ROOF, 0, 120.0, REPEATER),
    *device(REPEATER, 0, math.nan),
    Facts(Metric.SWITCH, 0),
]
TABLE = table_of(SERIES)
NUMBERS: Final = sorted({one.device for one in SERIES if one.device})
TOGETHER: Final = [
    [n for n in NUMBERS if n <= 8],
    [n for n in NUMBERS if 11 <= n <= 18],
    [*range(11, 18), GATEWAY],
    [GATEWAY],
    [21, 22, 23, ROOF],
    [ROOF, REPEATER],
    [REPEATER],
    [1, 2, 3],
    [1, 2, 3, 4, 5],
    NUMBERS,
]
"""Who is gone at once."""


class Weather:
    """Who is there and who is not, from minute to minute."""

    def __init__(self, seed: int) -> None:
        self.script = Script(random.Random(seed), START_US)
        self.rng = self.script.rng
        self.gone: dict[int, int] = {}
        """Until when, by device."""
        self.brokers = {number: self.rng.choice("ab") for number in NUMBERS}

    def live(self, ticks: int) -> list[Tick]:
        for _ in range(ticks):
            self._tick()
        return self.script.stream

    def _tick(self) -> None:
        rng, script = self.rng, self.script
        if rng.random() < 0.005:
            script.wait(-rng.choice([0.4, 3, 600, 90_000]))
        script.wait(
            rng.choice([0.3, 1, 5, 20, 30, 30, 60])
            if rng.random() < 0.98
            else rng.choice([300, 4000, 90_000, 90_000])
        )
        if rng.random() < 0.02:
            until = script.now + round(rng.choice([100, 200, 400, 900, 4000, 200_000]) * 1e6)
            some = rng.choice([*TOGETHER, [rng.choice(NUMBERS)]])
            self.gone |= dict.fromkeys(some, until)
            if rng.random() < 0.3:  # most are back, and two are not: nothing covers them for ever
                self.gone |= dict.fromkeys(some[:2], until + 15_000_000_000)
        source = rng.choice("ab")
        readings: list[One] = []
        for slot, facts in enumerate(SERIES, start=1):
            there = script.now >= self.gone.get(facts.device, 0)
            mine = self.brokers.get(facts.device, source) == source
            if there and mine and rng.random() < 0.7:
                quality = rng.choice([Quality(0)] * 20 + [Quality.RETAINED, Quality.LATE, Quality.SENTINEL])
                value = float(rng.random() > 0.01) if facts.metric is Metric.DEVICE_ONLINE else 1.0
                readings.append(script.reading(slot, value, quality, rng.choice([0, 0, 0, 2, 40])))
        rng.shuffle(readings)
        script.tick(readings, self._acts(), source)

    def _acts(self) -> list[EngineInput]:
        rng, script = self.rng, self.script
        acts = []
        if rng.random() < 0.01:
            ago_s = rng.choice([0, 1, 300, 4000, 40_000, 90_000])
            from_us = rng.choice([0, script.now - ago_s * 1_000_000])
            acts.append(replace(script.act(InputKind.RETURNED, ""), from_us=from_us))
        if rng.random() < 0.01:
            acts.append(
                script.act(rng.choice([InputKind.AWAY, InputKind.BACK, InputKind.BACK]), rng.choice("ab"))
            )
        kind = rng.choice([InputKind.RESET, InputKind.CLOSE])
        for entry in ENTRIES:
            if rng.random() < 0.01:
                if entry.kernel == "dark":
                    acts.append(script.act(kind, entry.name, place=rng.choice([BLOCK, OTHER, SMALL])))
                else:
                    acts.append(script.act(kind, entry.name, rng.randint(1, len(SERIES))))
        return acts


def test_long_streams_reach_every_rule() -> None:
    def one(seed: int) -> Counter[tuple[str, str]]:
        return compare(RULES, TABLE, Weather(seed).live(500))

    for seed in (2, 5, 55):
        one(seed)
    assert not missed_by(ENTRIES, (8, 16, 51), one)


def test_a_device_that_another_broker_hears_is_looked_at_again() -> None:
    script = Script(random.Random(1), START_US)
    script.tick([script.reading(1, 1.0)], source="a")
    script.wait(30)
    script.tick([], [script.act(InputKind.AWAY, "a")], source="b")
    for _ in range(20):
        script.wait(30)
        script.tick([])
    script.tick([script.reading(1, 1.0)], source="b")
    for _ in range(20):
        script.wait(30)
        script.tick([])
    assert compare(RULES, TABLE, script.stream)["C1", "raised"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_longer_streams(seed: int) -> None:
    compare(RULES, TABLE, Weather(seed).live(4000))


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 200))
def test_any_stream(seed: int, ticks: int) -> None:
    compare(RULES, TABLE, Weather(seed).live(ticks))
