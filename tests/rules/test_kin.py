"""Series of one device find each other, however the registry came to be what it is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import NO_KIN, Int32, Metric, SeriesTable
from rules.kin import Kin

COMPARED = (Metric.CURRENT, Metric.TEMPERATURE)
METRICS = (0, Metric.SMOKE_ALARM, *COMPARED)
PHASES = (0, 1, 2, 18, NO_KIN)
SLOTS, DEVICES = 9, 4
Facts = tuple[int, int, int]
"""Device, metric and phase of a slot."""


def table(facts: list[Facts]) -> SeriesTable:
    """Series by slot; slot 0 is nobody's."""
    device, metric, phase = zip((0, 0, 0), *facts, strict=True)
    n = len(device)
    plain = SeriesTable.plain(
        1,
        np.array(metric, np.int16),
        np.array(device, np.int32),
        np.zeros(n, np.int32),
        np.full(n, np.nan),
    )
    plain.phase[:] = phase
    return plain


def by_looking(of: SeriesTable, device: int, metric: int, phase: int) -> int:
    """The same without a search: the highest slot of all that fit."""
    if device == 0 or phase == NO_KIN or metric not in COMPARED:
        return 0
    fits = (of.device == device) & (of.metric == metric) & (of.phase == phase)
    return int(np.flatnonzero(fits).max(initial=0))


def everything(kin: Kin) -> dict[Facts, int]:
    """What is found for every question there is."""
    asked = list(itertools.product(range(DEVICES), METRICS, PHASES))
    found: dict[Facts, int] = {}
    for metric in METRICS:
        some = [one for one in asked if one[1] == metric]
        device = np.array([one[0] for one in some], np.int32)
        phase = np.array([one[2] for one in some], np.uint8)
        slots = kin.slot(device, Metric(metric) if metric else Metric.HUMIDITY, phase)
        found |= dict(zip(some, slots.tolist(), strict=True))
    return found


def expected(of: SeriesTable) -> dict[Facts, int]:
    return {one: by_looking(of, *one) for one in itertools.product(range(DEVICES), METRICS, PHASES)}


FACTS = st.tuples(st.integers(0, DEVICES - 1), st.sampled_from(METRICS), st.sampled_from(PHASES))
MOVES = st.lists(
    st.lists(st.tuples(st.integers(1, SLOTS), FACTS, st.booleans()), max_size=4), min_size=1, max_size=25
)
"""What a change of the registry says: some slots, with what they are now; whether they were let go first."""


def slots_of(*numbers: int) -> Int32:
    return np.array(numbers, np.int32)


@given(MOVES, st.integers(0, 5))
@settings(max_examples=400, deadline=None)
def test_what_changed_is_found_as_if_all_had_been_built_at_once(
    moves: list[list[tuple[int, Facts, bool]]], some: int
) -> None:
    facts: list[Facts] = [(0, 0, 0)]
    kin = Kin(table(facts), COMPARED, some)
    for move in moves:
        changed = []
        for slot, now, let_go in move:
            facts += [(0, 0, 0)] * (slot - len(facts))
            facts[slot - 1] = now
            if let_go and slot < 5:
                kin.forget(slots_of(slot))
            changed.append(slot)
        before = everything(kin)
        kin.adopt(table(facts), slots_of(*changed))
        assert everything(kin) == expected(table(facts)) == everything(Kin(table(facts), COMPARED))
        moved = [one for one, slot in everything(kin).items() if slot != before[one]]
        family = {slot for slot, (device, *_) in enumerate(facts, 1) if device in {one[0] for one in moved}}
        watched = {slot for slot in family if facts[slot - 1][1] in COMPARED}
        assert watched | set(changed) <= set(kin.touched.tolist())


def test_a_slot_that_was_let_go_is_touched_even_if_nothing_says_that_it_changed() -> None:
    kin = Kin(table([(1, Metric.CURRENT, 1), (1, Metric.TEMPERATURE, 1), (2, Metric.CURRENT, 1)]), COMPARED)
    kin.forget(slots_of(1, 99))
    kin.adopt(table([(0, 0, 0), (1, Metric.TEMPERATURE, 1), (2, Metric.CURRENT, 1)]), slots_of())
    assert kin.touched.tolist() == [1, 2]
    assert kin.slot(slots_of(1), Metric.CURRENT, 1).tolist() == [0]
    kin.adopt(table([(0, 0, 0), (1, Metric.TEMPERATURE, 1), (2, Metric.CURRENT, 1)]), slots_of())
    assert kin.touched.tolist() == []


@pytest.mark.parametrize("metrics", [(), COMPARED])
def test_a_table_of_nobody_finds_nothing(metrics: tuple[Metric, ...]) -> None:
    kin = Kin(table([(0, Metric.CURRENT, 1)]), metrics)
    assert kin.slot(slots_of(0, 1, -1), Metric.CURRENT, 1).tolist() == [0, 0, 0]
    kin.adopt(table([(0, Metric.CURRENT, 1), (1, Metric.CURRENT, 1)]), slots_of())
    assert kin.slot(slots_of(1), Metric.CURRENT, 1).tolist() == [2 if metrics else 0]


def test_thousands_that_come_and_move_are_sorted_in() -> None:
    rng = np.random.default_rng(1)
    n = 30_000
    facts = np.stack(
        (rng.integers(0, n // 6, n), rng.choice(METRICS, n), rng.choice(PHASES, n)), axis=1
    ).tolist()
    kin = Kin(table([tuple(one) for one in facts[:10]]), COMPARED)
    for end in range(2500, n + 1, 2500):
        moved = rng.integers(1, end - 2500 + 2, 300).tolist()
        for slot in moved:
            facts[slot - 1] = facts[int(rng.integers(0, n))]
        kin.adopt(table([tuple(one) for one in facts[:end]]), slots_of(*moved))
    of = table([tuple(one) for one in facts])
    whole = Kin(of, COMPARED)
    device = rng.integers(0, n // 6, 50_000).astype(np.int32)
    phase = rng.choice(PHASES, 50_000).astype(np.uint8)
    for metric in COMPARED:
        slots = kin.slot(device, metric, phase)
        assert np.array_equal(slots, whole.slot(device, metric, phase))
        some = range(0, 50_000, 500)
        looked = [by_looking(of, int(device[one]), metric, int(phase[one])) for one in some]
        assert slots[list(some)].tolist() == looked
