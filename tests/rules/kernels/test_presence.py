"""Presence however the stream is cut, wherever it restarts, and however the registry's changes are told."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import EngineInput, InputKind, ReadingBatch, SeriesTable
from rules.engine import Engine
from rules.heard import HELD
from rules.transition import Transition
from tests.rules.kernels.block import Device, offline_rules, table_of, us

SLOTS = [*range(1, 10), *range(101, 110)]
WAITS_S = [0, 0.5, 1, 30, 30, 60, 60, 119, 180, 181, 300, 600, 3600, 90_000]
BROKERS = ["", "b"]
CATALOGUE = offline_rules()
AGO_US = 7_200_000_000
"""How long before an input its absence began."""
KINDS = [InputKind.RETURNED, InputKind.AWAY, InputKind.BACK, InputKind.RESET, InputKind.CLOSE]

DEVICES = st.builds(
    Device,
    limit_s=st.sampled_from([30, 60, 600, 90_000, math.nan]),
    building=st.sampled_from([0, 5, 5, 5]),
    parent=st.sampled_from([0, 0, 0, 1, 2]),
)
FLEETS = st.fixed_dictionaries(dict.fromkeys(range(1, 10), DEVICES)).map(
    lambda fleet: {n: replace(one, parent=0 if one.parent == n else one.parent) for n, one in fleet.items()}
)
READINGS = st.tuples(st.sampled_from(SLOTS), st.sampled_from([0.0, 1.0, 1.0, 1.0]))
TICKS = st.lists(
    st.tuples(
        st.sampled_from(WAITS_S),
        st.lists(READINGS, max_size=6),
        st.sampled_from([None] * 6 + KINDS),
        st.sampled_from(["C1", "C1L", "C2", "C3", "", "b"]),
        st.integers(0, 9),
        st.sampled_from(BROKERS),
        st.booleans(),
    ),
    max_size=20,
)
Tick = tuple[float, list[tuple[int, float]], InputKind | None, str, int, str, bool]


def batch_of(now: int, readings: list[tuple[int, float]]) -> ReadingBatch:
    n = len(readings)
    return ReadingBatch(
        now,
        np.array([slot for slot, _ in readings], np.int32),
        np.full(n, now - 5_000_000),
        np.zeros(n, np.uint16),
        np.array([value for _, value in readings], np.float64),
        np.zeros(n, np.uint32),
    )


def told(table: SeriesTable, stream: list[Tick], *, in_pieces: bool) -> list[Transition]:
    """Each tick whole; or reading by reading, looked at twice, with a new engine after some."""
    engine, now, found = Engine(CATALOGUE, table), us(0), []
    for wait_s, readings, kind, rule, slot, source, restart in stream:
        now += round(wait_s * 1e6)
        inputs = [EngineInput(1, now, kind, rule, slot, 5, now - AGO_US)] if kind else []
        pieces = [[one] for one in readings] if in_pieces and readings else [readings]
        for piece in pieces:
            found += engine.evaluate(batch_of(now, piece), inputs, now, source)
            inputs = []
        found += engine.advance(now)
        if in_pieces:
            assert engine.advance(now) == []
        if in_pieces and restart:
            state = engine.snapshot()
            engine = Engine(CATALOGUE, table)
            engine.restore(state)
    return found


@settings(max_examples=100, deadline=None)
@given(FLEETS, TICKS)
def test_neither_the_cutting_into_batches_nor_a_restart_changes_a_word(
    fleet: dict[int, Device], stream: list[Tick]
) -> None:
    table = table_of(fleet, online=fleet)
    assert told(table, stream, in_pieces=True) == told(table, stream, in_pieces=False)


@settings(max_examples=100, deadline=None)
@given(FLEETS, TICKS)
def test_nothing_is_told_twice_and_nothing_is_cleared_that_was_not_raised(
    fleet: dict[int, Device], stream: list[Tick]
) -> None:
    active: set[tuple[str, int]] = set()
    seen: set[tuple[str, str, int, int]] = set()
    for one in told(table_of(fleet, online=fleet), stream, in_pieces=False):
        about = one.rule, one.place or one.device
        assert (about in active) is (one.to == "cleared")
        active ^= {about}
        key = (*about[:1], str(one.to), about[1], one.at_us)
        assert one.to == "cleared" or key not in seen
        seen.add(key)


def facts(table: SeriesTable, fleet: dict[int, Device]) -> SeriesTable:
    """The table as it is when these are the devices; a device that is missing has no series."""
    other = table_of(fleet, online=fleet)
    return replace(other, metric=table.metric)


CHANGES = st.lists(
    st.tuples(
        st.dictionaries(st.integers(1, 9), st.none() | DEVICES, max_size=4), TICKS.map(lambda t: t[:4])
    ),
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(FLEETS, CHANGES)
def test_looking_at_what_changed_is_as_good_as_looking_at_everything(
    fleet: dict[int, Device], changes: list[tuple[dict[int, Device | None], list[Tick]]]
) -> None:
    table = table_of(fleet, online=fleet)
    part, whole, now = Engine(CATALOGUE, table), Engine(CATALOGUE, table), us(0)
    for news, stream in changes:
        for wait_s, readings, kind, rule, slot, source, _ in stream:
            now += round(wait_s * 1e6)
            inputs = [EngineInput(1, now, kind, rule, slot, 5, now - AGO_US)] if kind else []
            batch = batch_of(now, readings)
            assert part.evaluate(batch, inputs, now, source) == whole.evaluate(batch, inputs, now, source)
            assert part.advance(now) == whole.advance(now)
        for number, one in news.items():
            fleet = {n: device for n, device in fleet.items() if n != number}
            if one is not None:
                fleet[number] = replace(one, parent=0 if one.parent == number else one.parent)
        slots = np.array([slot for n in news for slot in (n, 100 + n)], np.int32)
        gone = np.array([slot for slot in slots if slot % 100 not in fleet], np.int32)
        for engine in (part, whole):
            engine.forget(gone)
        part.adopt(facts(table, fleet), slots)
        whole.adopt(facts(table, fleet))
        left, right = part.snapshot(), whole.snapshot()
        for state in (left, right):
            state["presence.status"] &= np.uint16(0xFFFF ^ HELD)  # of who is looked at while a broker is away
        for name in ("device", "status", "beats", "since_us", "heard_us", "fell_us"):
            assert left[f"presence.{name}"].tolist() == right[f"presence.{name}"].tolist(), name
