"""A table of which only what changed is looked at again gives what looking at all of it gives."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import Metric, ReadingBatch, SeriesTable
from rules.engine import Engine
from tests.rules.story import three_rules

SLOTS = 8
METRICS = (0, Metric.SMOKE_ALARM, Metric.CURRENT, Metric.VOLTAGE)
START_US = 1_790_000_000_000_000


class World:
    """Series whose columns change in place, as the index of ingest does it."""

    def __init__(self) -> None:
        self.metric = np.zeros(SLOTS, np.int16)
        self.device = np.zeros(SLOTS, np.int32)
        self.dwelling = np.zeros(SLOTS, np.int32)
        self.reference = np.full(SLOTS, np.nan)
        self.length = 1

    def table(self) -> SeriesTable:
        n = self.length
        return SeriesTable.plain(1, self.metric[:n], self.device[:n], self.dwelling[:n], self.reference[:n])

    def copy(self) -> SeriesTable:
        live = self.table()
        return SeriesTable.plain(
            1, live.metric.copy(), live.device.copy(), live.dwelling.copy(), live.reference_a.copy()
        )


def batch(at_us: int, slot: list[int], value: list[float]) -> ReadingBatch:
    n = len(slot)
    return ReadingBatch(
        at_us,
        np.array(slot, np.int32),
        np.full(n, at_us),
        np.zeros(n, np.uint16),
        np.array(value, np.float64),
        np.zeros(n, np.uint32),
    )


FACTS = st.tuples(
    st.integers(1, SLOTS - 1),
    st.sampled_from(METRICS),
    st.integers(0, 2),
    st.integers(0, 2),
    st.sampled_from([10.0, 20.0]),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.lists(FACTS, min_size=1, max_size=3)),
        st.tuples(st.just("forget"), st.lists(st.integers(1, SLOTS - 1), min_size=1, max_size=3)),
        st.tuples(
            st.just("hear"),
            st.lists(st.tuples(st.integers(1, SLOTS - 1), st.sampled_from([0.0, 1.0, 30.0])), max_size=6),
        ),
    ),
    max_size=30,
)


def states(engine: Engine) -> dict[str, object]:
    """The snapshot, pairs in the order of slot and rule, whatever order they were made in."""
    state = engine.snapshot()
    found: dict[str, object] = {}
    for part in ("flag", "threshold"):
        order = np.lexsort((state[f"{part}.rule"], state[f"{part}.slot"]))
        for name, column in state.items():
            if name.startswith(part) and not name.endswith("rules"):
                found[name] = column[order].tolist()
    return found


@given(STEPS)
@settings(max_examples=300, deadline=None)
def test_looking_at_what_changed_is_as_good_as_looking_at_everything(steps: list[tuple[str, list]]) -> None:  # type: ignore[type-arg]
    world, now = World(), START_US
    told = Engine(three_rules(), world.table())
    plain = Engine(three_rules(), world.copy())
    for what, parts in steps:
        now += 61_000_000
        if what == "hear":
            known = [(slot, value) for slot, value in parts if slot < world.length]
            readings = batch(now, [slot for slot, _ in known], [value for _, value in known])
            assert told.evaluate(readings, [], now) == plain.evaluate(readings, [], now)
            continue
        changed = sorted({part if what == "forget" else part[0] for part in parts})
        if what == "forget":
            gone = np.array([slot for slot in changed if slot < world.length], np.int32)
            told.forget(gone)
            plain.forget(gone)
            world.metric[gone], world.device[gone], world.dwelling[gone] = 0, 0, 0
        else:
            for slot, *facts in parts:
                world.length = max(world.length, slot + 1)
                if world.metric[slot]:  # a series' metric never changes: only a slot that is free gets one
                    facts[0] = int(world.metric[slot])
                world.metric[slot], world.device[slot], world.dwelling[slot], world.reference[slot] = facts
        told.adopt(world.table(), np.array(changed, np.int32)[np.array(changed) < world.length])
        plain.adopt(world.copy())
        assert states(told) == states(plain)


def test_who_takes_a_forgotten_slot_starts_as_new_even_with_the_same_metric_and_no_device() -> None:
    world = World()
    world.length, world.metric[1] = 2, Metric.SMOKE_ALARM
    engine = Engine(three_rules(), world.table())
    assert [one.slot for one in engine.evaluate(batch(START_US, [1], [1.0]), [], START_US)] == [1]
    assert engine.holds(np.array([0, 1], np.int32)).tolist() == [False, True]
    engine.forget(np.array([1], np.int32))
    engine.adopt(world.table(), np.array([1], np.int32))
    assert engine.holds(np.array([1], np.int32)).tolist() == [False]
    assert len(engine.evaluate(batch(START_US, [1], [1.0]), [], START_US)) == 1


def test_pairs_of_gone_slots_are_used_again() -> None:
    world = World()
    world.length, world.metric[1:4] = 4, Metric.CURRENT
    engine = Engine(three_rules(), world.table())
    before = engine._parts.judged["threshold"].pairs.n
    for slot in (1, 2, 3, 1, 2, 3):
        engine.forget(np.array([slot], np.int32))
        engine.adopt(world.table(), np.array([slot], np.int32))
    assert engine._parts.judged["threshold"].pairs.n == before


def test_a_place_holds_the_series_that_raised_its_alarm() -> None:
    world = World()
    world.length, world.metric[1:3] = 3, (Metric.CURRENT, Metric.SMOKE_ALARM)
    world.device[1:3], world.dwelling[1:3], world.reference[1] = (1, 2), 7, 10.0
    engine = Engine(three_rules(), world.table())
    for at in (0, 60_000_000):
        engine.evaluate(batch(START_US + at, [1], [30.0]), [], START_US + at)
    found = engine.evaluate(batch(START_US + 61_000_000, [2], [1.0]), [], START_US + 61_000_000)
    assert [one.rule for one in found] == ["S1", "X1"]
    assert engine.holds(np.array([1, 2], np.int32)).tolist() == [True, True]
