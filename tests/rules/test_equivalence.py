"""The engine, however the stream is cut and wherever it restarts, is the plain reference."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import EngineInput, InputKind, Quality
from rules.engine import Engine
from rules.transition import Transition
from tests.rules.reference import One, Reference, Told
from tests.rules.story import HOME, START_US, THREE, UPSTAIRS, block, three_rules
from tests.rules.streams import batch_of, plain

TABLE, CATALOGUE = block(), three_rules()
TEXTS = [THREE.read_text(encoding="utf-8")]
ACTS = [(kind, ago_s) for kind in (InputKind.RESET, InputKind.CLOSE) for ago_s in (0.5, 0.5, 90.0)]
SLOTS = range(1, len(TABLE))
VALUES = [0.0, 0.0, 1.0, 1.0, 1.0, 20.0, 28.25, 30.0, 36.25, 36.25, 40.0, 40.0, math.nan]
WAITS_S = [0, 1, 10, 29.5, 30, 59, 60, 61, 120, 300, 600, 601, 900, 901]
AGES_S = [*[0] * 16, -60, 1, 60, 61, 600, 1800, 1801, 5000]
GOOD = [Quality(0)] * 40
QUALITIES = [*GOOD, *Quality, Quality.RETAINED | Quality.QUEUED, Quality.LATE | Quality.STALE]
PLACES = [("X1", 0, HOME), ("X1", 0, UPSTAIRS), ("X1", 0, 999), ("X1", 1, HOME)]
SUBJECTS = [("S1", slot, 0) for slot in SLOTS] + [("O3", slot, 0) for slot in SLOTS] + PLACES * 3


@dataclass(frozen=True)
class Tick:
    """One tick: acts, then readings, and where among them the stream is cut; `restart` after each cut."""

    received: int
    inputs: list[EngineInput]
    readings: list[One]
    cuts: list[int]
    restart: bool


def reading_of(now: int, slot: int, value: float, quality: Quality, age_s: float, nudge: int) -> One:
    is_flag = TABLE.metric[slot] < 20
    return One(slot, min(value, 1.0) if is_flag else value, quality, now - round(age_s * 1e6), now, nudge)


def act_of(now: int, act: tuple[InputKind, float], subject: tuple[str, int, int]) -> EngineInput:
    kind, ago_s = act
    return EngineInput(1, now - round(ago_s * 1e6), kind, *subject)


SKETCHES = st.lists(
    st.tuples(
        st.sampled_from(WAITS_S),
        st.lists(st.tuples(st.sampled_from(ACTS), st.sampled_from(SUBJECTS)), max_size=2),
        st.lists(
            st.tuples(
                st.integers(0, 3),
                st.sampled_from(VALUES),
                st.sampled_from(QUALITIES),
                st.sampled_from(AGES_S),
                st.integers(0, 3),
            ),
            max_size=5,
        ),
        st.lists(st.integers(0, 5), max_size=3),
        st.booleans(),
    ),
    max_size=15,
)
"""Ticks as what Hypothesis draws: waits, and readings of the n-th of a few series."""


@st.composite
def ticks(draw: st.DrawFn) -> list[Tick]:
    slots = draw(st.lists(st.sampled_from(SLOTS), min_size=1, max_size=3))
    now, stream = START_US, []
    for wait_s, acts, readings, cuts, restart in draw(SKETCHES):
        now += round(wait_s * 1e6)
        stream.append(
            Tick(
                now,
                [act_of(now, *act) for act in acts],
                [reading_of(now, slots[n % len(slots)], *rest) for n, *rest in readings],
                sorted(min(cut, len(readings)) for cut in cuts),
                restart,
            )
        )
    return stream


def long_stream(seed: int) -> list[Tick]:
    """Sixty stories one after another, each of a few series in one mood; the same for one seed."""
    rng, now, stream = random.Random(seed), START_US, []
    good = Quality(0)
    for _ in range(60):
        slots = rng.choices(SLOTS, k=rng.randint(1, 3))
        subjects = [(rule, slot, 0) for rule in ("S1", "O3") for slot in slots] + PLACES
        flags = rng.choice([[good], QUALITIES, [good, rng.choice([*Quality])]])
        values = rng.choice([VALUES, [0.0, 1.0, 40.0], [0.0, 0.0, 0.0, 0.0, 1.0, 40.0], [20.0, 40.0, 40.0]])
        ages_s: list[int] = rng.choice([[0], AGES_S, [0, 5000], [0, 5000, 5000]])
        waits_s: list[float] = rng.choice([WAITS_S, [1, 10, 30], [60, 300]])
        for _ in range(20):
            now += round(rng.choice(waits_s) * 1e6)
            pools = [(values, flags, ages_s, range(4))] * rng.randint(0, 5)
            readings = [reading_of(now, rng.choice(slots), *map(rng.choice, pool)) for pool in pools]
            acts = [act_of(now, rng.choice(ACTS), rng.choice(subjects))] * (rng.random() < 0.2)
            cuts = sorted(rng.randint(0, len(readings)) for _ in range(rng.randint(0, 3)))
            stream.append(Tick(now, acts, readings, cuts, rng.random() < 0.1))
    return stream


def by_reference(stream: list[Tick]) -> list[Told]:
    reference = Reference(TEXTS, TABLE)
    told = []
    for tick in stream:
        for act in tick.inputs:
            told += reference.act(act, tick.received)
        for one in tick.readings:
            told += reference.read(one)
    return told


def in_ticks(stream: list[Tick]) -> list[Transition]:
    engine = Engine(CATALOGUE, TABLE)
    told = []
    for tick in stream:
        told += engine.evaluate(batch_of(tick.readings, tick.received), tick.inputs, tick.received)
    return told


def in_pieces(stream: list[Tick]) -> list[Transition]:
    """As `in_ticks`, each tick cut into pieces, with a new engine restored after the pieces of some."""
    engine = Engine(CATALOGUE, TABLE)
    told = []
    for tick in stream:
        inputs = tick.inputs
        for start, end in zip([0, *tick.cuts], [*tick.cuts, len(tick.readings)], strict=True):
            told += engine.evaluate(batch_of(tick.readings[start:end], tick.received), inputs, tick.received)
            inputs = []
            if tick.restart:
                state = engine.snapshot()
                engine = Engine(CATALOGUE, TABLE)
                engine.restore(state)
    return told


@pytest.mark.parametrize("seed", range(4))
def test_long_streams_are_judged_alike_by_all(seed: int) -> None:
    stream = long_stream(seed)
    expected = by_reference(stream)
    assert {told["rule"] for told in expected} == {"S1", "O3", "X1"}
    whole, pieces = in_ticks(stream), in_pieces(stream)
    assert [plain(transition) for transition in whole] == expected
    assert [plain(transition) for transition in pieces] == expected
    assert [transition.why for transition in pieces] == [transition.why for transition in whole]


@settings(max_examples=300, deadline=None)
@given(ticks())
def test_the_engine_is_the_plain_reference(stream: list[Tick]) -> None:
    assert [plain(transition) for transition in in_ticks(stream)] == by_reference(stream)


@settings(max_examples=150, deadline=None)
@given(ticks())
def test_neither_the_cutting_into_batches_nor_a_restart_changes_a_word(stream: list[Tick]) -> None:
    whole, pieces = in_ticks(stream), in_pieces(stream)
    assert [plain(transition) for transition in pieces] == [plain(transition) for transition in whole]
    assert [transition.why for transition in pieces] == [transition.why for transition in whole]
