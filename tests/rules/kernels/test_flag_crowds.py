"""Many readings of one flag in a batch: judged at once or one after another, they are the plain reference."""

from __future__ import annotations

import math
import random

import pytest

from devices.model import EngineInput, InputKind, Quality
from rules.engine import Engine
from rules.rounds import Price
from tests.rules.reference import One, Reference
from tests.rules.story import (
    HALL_SMOKE,
    KITCHEN_SMOKE,
    SMOKE,
    START_US,
    THREE,
    UPSTAIRS_SMOKE,
    block,
    three_rules,
)
from tests.rules.streams import Tick, by_reference, in_ticks, plain

TABLE, TEXTS = block(), [THREE.read_text(encoding="utf-8")]
FLAGS = (SMOKE, KITCHEN_SMOKE, UPSTAIRS_SMOKE, HALL_SMOKE)
AT_ONCE, ONE_BY_ONE = Price(round=0, pair=1, reading=1), Price(round=1, pair=0, reading=0)
GOOD = Quality(0)
MOODS = (
    [GOOD],
    [GOOD] * 20 + [*Quality],
    [GOOD, Quality.BACKFILL, Quality.LATE],
    [GOOD, Quality.LATE, Quality.LATE, Quality.LATE | Quality.QUEUED, Quality.LATE | Quality.BACKFILL],
    [GOOD, Quality.RETAINED, Quality.REPLAYED | Quality.QUEUED, Quality.STALE],
)
AGES_S = ([0.0], [0.0, 61.0, 1801.0, 5000.0], [3000.0, 5000.0], [600.0, 0.0, -60.0])


def crowds(seed: int, ticks: int = 40) -> list[Tick]:
    """Batches of up to 80 readings of one to four flags, in a mood each; people act in between."""
    rng, now, stream = random.Random(seed), START_US, []
    for _ in range(ticks):
        now += round(rng.choice([1, 59, 60, 61, 600, 1900]) * 1e6)
        slots, qualities, ages = rng.sample(FLAGS, rng.randint(1, 4)), rng.choice(MOODS), rng.choice(AGES_S)
        values = rng.choice([[0.0, 1.0], [1.0], [0.0, 0.0, 0.0, 1.0], [0.0, 1.0, math.nan]])
        apart_us = rng.choice([0, 1000, 10_000_000, 61_000_000])
        n = rng.choice([1, 5, 80])
        readings = [
            One(
                rng.choice(slots),
                rng.choice(values),
                rng.choice(qualities),
                now - round(rng.choice(ages) * 1e6) - apart_us * (n - k) * rng.choice([1, 1, 1, -1]),
                now,
                0,
            )
            for k in range(n)
        ]
        kind = rng.choice([InputKind.RESET, InputKind.CLOSE])
        acts = [EngineInput(1, now, kind, "S1", rng.choice(slots), 0)] * rng.randint(0, 1)
        stream.append(Tick(now, acts, readings, [], False, sweeps=False))
    return stream


def engine(price: Price | None = None) -> Engine:
    made = Engine(three_rules(), TABLE)
    if price:
        made._parts.flag.price = price
    return made


@pytest.mark.parametrize("seed", range(12))
def test_a_crowd_of_readings_is_the_plain_reference_however_it_is_judged(seed: int) -> None:
    stream = crowds(seed)
    expected = by_reference(Reference(TEXTS, TABLE), stream)
    assert {told["to"] for told in expected} == {"raised", "cleared"}
    usual = in_ticks(engine(), stream)
    assert [plain(told) for told in usual] == expected
    assert in_ticks(engine(AT_ONCE), stream) == usual
    assert in_ticks(engine(ONE_BY_ONE), stream) == usual


@pytest.mark.parametrize("seed", range(12, 18))
def test_the_state_after_it_is_the_same_too(seed: int) -> None:
    stream = crowds(seed)
    states = []
    for price in (AT_ONCE, ONE_BY_ONE):
        made = engine(price)
        in_ticks(made, stream)
        states.append({name: column.tolist() for name, column in made.snapshot().items()})
    assert states[0] == states[1]
