"""The engine as a whole: order, new series, changed devices, snapshots."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from devices.model import ReadingBatch, SeriesTable
from rules.catalogue import parse_catalogue
from rules.engine import Engine
from rules.transition import Mark, To
from tests.rules.story import (
    CURRENT,
    HOME,
    KITCHEN_SMOKE,
    SMOKE,
    UPSTAIRS_SMOKE,
    Story,
    block,
    reading,
    three_rules,
    us,
)
from tests.rules.test_catalogue import TEXT


def longer(table: SeriesTable, metric: int, device: int, dwelling: int) -> SeriesTable:
    """The table with one more slot."""
    return SeriesTable.plain(
        table.generation + 1,
        np.append(table.metric, np.int16(metric)),
        np.append(table.device, np.int32(device)),
        np.append(table.dwelling, np.int32(dwelling)),
        np.append(table.reference_a, np.nan),
    )


def test_an_empty_tick_changes_nothing() -> None:
    assert Story().engine.evaluate(ReadingBatch.empty(us(0)), [], us(0)) == []


def test_transitions_come_in_arrival_order_across_kernels() -> None:
    story = Story()
    story.series(CURRENT, 0, 50, 10, 40)
    slots = [UPSTAIRS_SMOKE, CURRENT, SMOKE, KITCHEN_SMOKE]
    batch = ReadingBatch(
        us(60),
        np.array(slots, np.int32),
        np.full(4, us(60)),
        np.arange(4, dtype=np.uint16),
        np.array([1.0, 40.0, 1.0, 1.0]),
        np.zeros(4, np.uint32),
    )
    told = [(one.rule, one.slot, one.nudge_ns) for one in story.engine.evaluate(batch, [], us(60))]
    expected = [("S1", UPSTAIRS_SMOKE, 0), ("O3", CURRENT, 1), ("S1", SMOKE, 2), ("X1", SMOKE, 2)]
    assert told == [*expected, ("S1", KITCHEN_SMOKE, 3)]


def test_readings_of_one_series_in_one_batch_are_taken_in_their_order() -> None:
    story = Story()
    at = [us(0), us(10), us(80), us(81), us(90), us(149)]
    batch = ReadingBatch(
        us(150),
        np.full(6, SMOKE, np.int32),
        np.array(at),
        np.zeros(6, np.uint16),
        np.array([1.0, 0.0, np.nan, 1.0, 0.0, 1.0]),
        np.zeros(6, np.uint32),
    )
    told = story.engine.evaluate(batch, [], us(150))
    assert [(one.at_us, one.marks) for one in told] == [
        (at[0], (Mark.LATE,)),
        (at[3], (Mark.LATE, Mark.SECOND_FIRE)),
    ]


def test_a_restored_engine_knows_what_is_active_in_a_dwelling() -> None:
    story = Story()
    story.series(CURRENT, 0, 60, 10, 40)
    engine = Engine(three_rules(), block())
    engine.restore(story.engine.snapshot())
    told = engine.evaluate(reading(SMOKE, 7200, 1), [], us(7200))
    assert [one.rule for one in told] == ["S1", "X1"]


def test_a_new_slot_is_judged_after_adopting_it_and_not_before() -> None:
    story = Story()
    slot = len(story.table)
    with pytest.raises(IndexError):
        story.read(slot, 0, 1)
    story.engine.adopt(longer(story.table, 1, 9, HOME))
    assert len(story.read(slot, 0, 1)) == 1


def test_adopting_keeps_what_was_active() -> None:
    story = Story()
    story.read(SMOKE, 0, 1)
    story.engine.adopt(longer(story.table, 1, 9, HOME))
    assert story.read(SMOKE, 1, 1) == []


def test_another_device_on_a_slot_starts_blank_but_for_a_fire_that_goes_on() -> None:
    story = Story()
    story.series(CURRENT, 0, 60, 10, 40)
    story.read(SMOKE, 61, 1)
    device = story.table.device.copy()
    device[[SMOKE, CURRENT]] = 99
    story.engine.adopt(dataclasses.replace(story.table, device=device))
    [gone] = story.read(SMOKE, 63, 1)
    assert (gone.rule, gone.to, gone.at_us) == ("O3", To.CLEARED, us(63))
    assert gone.why.en == "its device is registered otherwise now: nothing watches this any more"
    assert [one.at_us for one in story.series(CURRENT, 70, 130, 10, 40)] == [us(130)]


def same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


def test_a_snapshot_survives_a_file_without_pickled_objects() -> None:
    story = Story()
    story.series(CURRENT, 0, 60, 10, 40)
    story.read(SMOKE, 70, 1)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **story.engine.snapshot())
    file.seek(0)
    engine = Engine(three_rules(), block())
    with np.load(file, allow_pickle=False) as state:
        engine.restore(state)
    again = engine.snapshot()
    assert all(same(column, again[name]) for name, column in story.engine.snapshot().items())
    assert engine.evaluate(reading(SMOKE, 80, 1), [], us(80)) == []


def test_a_snapshot_does_not_move_with_the_engine() -> None:
    story = Story()
    state = story.engine.snapshot()
    story.read(SMOKE, 0, 1)
    story.engine.restore(state)
    assert len(story.read(SMOKE, 1, 1)) == 1


def test_a_snapshot_fits_a_catalogue_in_another_order_and_a_longer_table() -> None:
    story = Story()
    story.series(CURRENT, 0, 60, 10, 40)
    head, *rules = TEXT.split("[[rule]]")
    extra = rules[1].replace('"O3"', '"O2"')
    turned = parse_catalogue("[[rule]]".join([head, extra, *rules[::-1]]), "turned.toml")
    later = Story(turned, longer(block(), 1, 9, HOME))
    later.engine.restore(story.engine.snapshot())
    told = later.series(CURRENT, 70, 130, 10, 40)
    assert [one.rule for one in told] == ["O2"]
    assert [one.rule for one in later.read(SMOKE, 140, 1)] == ["S1", "X1"]
