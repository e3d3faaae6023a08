"""What other series said last, as of each reading, however the stream is cut and the registry changes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.model import HARD_QUALITY, MUTE_QUALITY, Int32, Metric, Quality, ReadingBatch, SeriesTable
from rules.latest import NOWHERE, Latest

REMEMBERED = (Metric.CURRENT, Metric.VOLTAGE)
METRICS = (0, Metric.SMOKE_ALARM, *REMEMBERED)
SLOTS = 6
UNUSABLE = [*HARD_QUALITY, *MUTE_QUALITY, Quality.DUPLICATE, Quality.LATE, Quality.STALE]
QUALITIES = [Quality(0), Quality(0), Quality(0), Quality.QUEUED, Quality.SUSPECT, *UNUSABLE]
One = tuple[int, float, Quality]
"""A reading: slot, value, quality. The time is its number in the stream."""


@dataclass
class Block:
    """A registry of a few series, and what is known of each, one reading after another."""

    device: list[int] = field(default_factory=lambda: [0])
    metric: list[int] = field(default_factory=lambda: [0])
    known: dict[int, tuple[float, int]] = field(default_factory=dict)
    clock: int = 0

    def table(self) -> SeriesTable:
        n = len(self.device)
        return SeriesTable.plain(
            1,
            np.array(self.metric, np.int16),
            np.array(self.device, np.int32),
            np.zeros(n, np.int32),
            np.full(n, np.nan),
        )

    def change(self, slot: int, device: int, metric: int) -> None:
        while len(self.device) <= slot:
            self.device.append(0)
            self.metric.append(0)
        if (device, metric) != (self.device[slot], self.metric[slot]):
            self.known.pop(slot, None)
        self.device[slot], self.metric[slot] = device, metric

    def read(self, one: One) -> None:
        slot, value, quality = one
        self.clock += 1
        usable = not (math.isnan(value) or any(flag in quality for flag in UNUSABLE))
        if usable and self.metric[slot] in REMEMBERED:
            self.known[slot] = (value, self.clock)

    def says(self) -> list[tuple[float, int]]:
        """Of every slot, NaN as -1."""
        return [self.known.get(slot, (-1.0, 0)) for slot in range(len(self.device))]


def batch_of(readings: list[One], clock: int) -> ReadingBatch:
    n = len(readings)
    return ReadingBatch(
        0,
        np.array([slot for slot, *_ in readings], np.int32),
        np.arange(clock + 1, clock + n + 1, dtype=np.int64),
        np.zeros(n, np.uint16),
        np.array([value for _, value, _ in readings], np.float64),
        np.array([int(quality) for *_, quality in readings], np.uint32),
    )


def hear(latest: Latest, readings: list[One], clock: int, slots: int) -> list[list[tuple[float, int]]]:
    """What every slot is said to have said last, at every reading of a batch."""
    batch = batch_of(readings, clock)
    latest.begin(batch)
    asked = np.arange(slots, dtype=np.int32)
    rows = np.arange(len(batch))[:, None]
    value, at = latest.at(batch, rows, np.tile(latest.place(asked), (len(batch), 1)))
    latest.end(batch)
    said = np.where(np.isnan(value), -1, value)
    return [list(zip(*line, strict=True)) for line in zip(said.tolist(), at.tolist(), strict=True)]


READINGS = st.lists(
    st.tuples(
        st.integers(0, SLOTS), st.sampled_from([0.0, 1.5, 230.0, math.nan]), st.sampled_from(QUALITIES)
    ),
    max_size=12,
)
STEPS: st.SearchStrategy[list[tuple[str, list[Any], list[int]]]] = st.lists(
    st.one_of(
        st.tuples(st.just("hear"), READINGS, st.lists(st.integers(0, 12), max_size=3)),
        st.tuples(
            st.just("change"),
            st.lists(
                st.tuples(st.integers(1, SLOTS), st.integers(0, 2), st.sampled_from(METRICS), st.booleans()),
                max_size=4,
            ),
            st.just([]),
        ),
    ),
    max_size=20,
)


@given(STEPS, st.booleans())
@settings(max_examples=400, deadline=None)
def test_every_reading_sees_what_arrived_before_it_and_nothing_of_who_is_gone(
    steps: list[tuple[str, list[Any], list[int]]],
    restart: bool,
) -> None:
    block = Block()
    for slot in range(1, 4):
        block.change(slot, slot % 3, int(REMEMBERED[slot % 2]))
    latest = Latest(block.table(), REMEMBERED)
    for what, parts, cuts in steps:
        if what == "change":
            for slot, device, metric, let_go in {one[0]: one for one in parts}.values():  # once in a look
                if let_go:
                    latest.forget(slots_of(slot))
                    block.known.pop(slot, None)
                block.change(slot, device, int(metric))
            latest.adopt(block.table(), slots_of(*sorted({slot for slot, *_ in parts})))
            continue
        readings = [one for one in parts if one[0] < len(block.device)]
        ends = [0, *sorted(min(cut, len(readings)) for cut in cuts), len(readings)]
        for start, end in pairwise(ends):
            clock, expected = block.clock, []
            for one in readings[start:end]:
                block.read(one)
                expected.append(block.says())
            assert hear(latest, readings[start:end], clock, len(block.device)) == expected
        if restart:
            state = latest.snapshot()
            latest = Latest(block.table(), REMEMBERED)
            latest.restore(state)


def slots_of(*numbers: int) -> Int32:
    return np.array(numbers, np.int32)


def two_phases() -> tuple[Block, Latest]:
    block = Block()
    block.change(1, 1, Metric.VOLTAGE)
    block.change(2, 1, Metric.VOLTAGE)
    block.change(3, 1, Metric.SMOKE_ALARM)
    return block, Latest(block.table(), REMEMBERED)


def test_of_a_series_that_is_heard_often_in_one_batch_each_reading_sees_its_own() -> None:
    _, latest = two_phases()
    readings = [(1 + n % 2, float(n), Quality(0)) for n in range(500)]
    said = hear(latest, readings, 0, 4)
    assert [line[1] for line in said[2:4]] == [(2.0, 3), (2.0, 3)]
    assert [line[2] for line in said[1:4]] == [(1.0, 2), (1.0, 2), (3.0, 4)]
    assert said[0][2] == (-1.0, 0)
    assert hear(latest, [(1, 7.0, Quality(0))], 500, 4)[0] == [(-1.0, 0), (7.0, 501), (499.0, 500), (-1.0, 0)]


def test_a_batch_that_nobody_asks_about_is_remembered_all_the_same() -> None:
    _, latest = two_phases()
    batch = batch_of([(1, 5.0, Quality(0)), (2, 8.0, Quality(0)), (1, 6.0, Quality(0))], 0)
    latest.begin(batch)
    latest.end(batch)
    assert hear(latest, [(3, 0.0, Quality(0))], 3, 4)[0][1:3] == [(6.0, 3), (8.0, 2)]


def test_a_batch_that_was_given_up_leaves_no_mark() -> None:
    _, latest = two_phases()
    given_up = batch_of([(1, 5.0, Quality(0)), (2, 5.0, Quality(0)), (2, 6.0, Quality(0))], 0)
    latest.begin(given_up)
    latest.at(given_up, np.array([0]), latest.place(slots_of(1)))
    assert hear(latest, [(3, 0.0, Quality(0))] * 3, 3, 4)[2] == [(-1.0, 0)] * 4


def test_only_metrics_that_are_asked_for_have_a_place() -> None:
    _, latest = two_phases()
    assert (latest.place(slots_of(0, 1, 2, 3)) == NOWHERE).tolist() == [True, False, False, True]


@pytest.mark.parametrize("metrics", [(), (Metric.HUMIDITY,)])
def test_where_nothing_is_remembered_nothing_is_known(metrics: tuple[Metric, ...]) -> None:
    block, _ = two_phases()
    latest = Latest(block.table(), metrics)
    assert hear(latest, [(1, 5.0, Quality(0))] * 2, 0, 4) == [[(-1.0, 0)] * 4] * 2
