"""A voltage that no mains has: what a meter's register holds where nothing was measured."""

from __future__ import annotations

import math
from typing import Final

import pytest

from devices.model import HARD_QUALITY, Metric, Quality
from devices.profiles.compiling.compiled import Column
from devices.profiles.shipped import shipped_compiled
from devices.profiles.values.reading import read_value

MAINS: Final = [
    (f"{one.name}: {column.where}", column)
    for one in shipped_compiled()
    for column in (*one.columns, *(column for thing in one.objects for column in thing.columns))
    if column.metric is Metric.VOLTAGE
]
VOLTS: Final = [(name, column) for name, column in MAINS if column.scale == 1.0 and column.unit_way is None]


@pytest.mark.parametrize(("name", "column"), MAINS, ids=[name for name, _ in MAINS])
def test_what_a_phase_can_have_is_bounded(name: str, column: Column) -> None:
    assert column.high <= 1000, name


@pytest.mark.parametrize(("name", "column"), VOLTS, ids=[name for name, _ in VOLTS])
def test_a_register_that_holds_nothing_is_no_reading(name: str, column: Column) -> None:
    for raw in (65535, 6553.5, "65535", "6553.5"):
        value, quality = read_value(column, raw)
        assert math.isnan(value), name
        assert quality & HARD_QUALITY
    assert read_value(column, 231.5) == (231.5, 0)
    assert read_value(column, 1001.0)[1] == Quality.OUT_OF_RANGE
