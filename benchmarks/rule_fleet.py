"""Series tables and readings for `gengfu bench rules`: a made-up fleet in which almost nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from devices.model import (
    Earthing,
    Float64,
    Int32,
    Int64,
    Metric,
    ReadingBatch,
    SeriesTable,
    phase_of,
)

START_US: Final = 1_789_929_300_000_000
"""02:35 in China: within the night of every rule that has one (chosen)."""
PERIOD_US: Final = 300_000_000
"""How often a meter reports (chosen: every 5 min, the slowest that the rules' gaps are made for)."""
SILENCE_S: Final = 180.0
"""How long a device may be silent (C1: what a heartbeat of a minute allows)."""
_BLOCK: Final = 300
"""Devices in a building."""
_FIRST_A_ROUND: Final = 10
"""A detector is heard in one round of so many: it speaks when something changes."""

DETECTOR: Final = (
    (Metric.SMOKE_ALARM, ""), (Metric.BATTERY_LOW, ""), (Metric.DEVICE_TAMPER, ""), (Metric.LINK_RSSI, ""),
)  # fmt: skip
HOME_METER: Final = (
    (Metric.CURRENT, "l1"), (Metric.CURRENT_RESIDUAL, ""), (Metric.POWER_ACTIVE, ""),
    (Metric.TEMPERATURE, "l1"),
)  # fmt: skip
PHASES: Final = ("l1", "l2", "l3")
FEEDER_METER: Final = (
    *((metric, one) for metric in (Metric.CURRENT, Metric.VOLTAGE, Metric.TEMPERATURE) for one in PHASES),
    (Metric.CURRENT_RESIDUAL, ""), (Metric.TEMPERATURE_AMBIENT, ""), (Metric.POWER_ACTIVE, ""),
)  # fmt: skip
MIX: Final = (*[DETECTOR] * 10, *[HOME_METER] * 9, FEEDER_METER)
"""Twenty devices with 88 series (chosen: a detector and a meter a home, a feeder for each ten)."""

_LEVELS: Final = {
    Metric.CURRENT: 6.0,
    Metric.CURRENT_RESIDUAL: 0.008,
    Metric.VOLTAGE: 221.0,
    Metric.TEMPERATURE: 31.0,
    Metric.TEMPERATURE_AMBIENT: 24.0,
    Metric.POWER_ACTIVE: 300.0,
    Metric.SMOKE_DENSITY: 40.0,
    Metric.LINK_RSSI: -70.0,
}
"""What a series says when nothing is wrong; what is not here is 0."""


@dataclass(frozen=True)
class Fleet:
    """A series table with what its series say. `often` and `seldom` are slots: heard every round, or in one
    of some rounds."""

    table: SeriesTable
    level: Float64
    often: Int32
    seldom: Int32

    def __len__(self) -> int:
        return len(self.table) - 1


def fleet_of(devices: Sequence[Sequence[tuple[Metric, str]]], series: int, seed: int = 1) -> Fleet:
    """At least so many series, of whole devices in turn. Three in five circuits are earthed by TN-S, of nine
    in ten the ratings are known."""
    cycles = -(-series // sum(len(one) for one in devices))
    kinds = [pair for one in devices for pair in one]
    number = np.repeat(np.arange(len(devices)), [len(one) for one in devices])
    metric = np.tile(np.array([kind for kind, _ in kinds], np.int16), cycles)
    phase = np.tile(np.array([phase_of(channel) for _, channel in kinds], np.uint8), cycles)
    device = (number + np.arange(cycles)[:, None] * len(devices)).reshape(-1).astype(np.int32) + 1
    rng = np.random.default_rng(seed)
    known = rng.random(len(devices) * cycles + 1)[device] < 0.9
    breaker = rng.choice([16.0, 25.0, 32.0, 63.0], len(devices) * cycles + 1)[device]
    earthing = rng.choice([Earthing.TN_S, Earthing.TN_C], len(devices) * cycles + 1, p=[0.6, 0.4])[device]
    feeder = np.tile([len(one) == len(FEEDER_METER) for one in devices], cycles)[device - 1]
    table = SeriesTable.plain(
        generation=1,
        metric=_led(metric, 0),
        device=_led(device, 0),
        dwelling=_led(np.where(feeder, 0, device).astype(np.int32), 0),
        reference_a=_led(np.where(known, breaker, np.nan), np.nan),
    )
    table = replace(
        table,
        breaker_a=_led(np.where(known, breaker, np.nan).astype(np.float32), np.nan),
        earthing=_led(earthing.astype(np.uint8), 0),
        phase=_led(phase, 0),
        silence_s=np.full(len(metric) + 1, SILENCE_S, np.float32),
        building=_led((device // _BLOCK + 1).astype(np.int32), 0),
        stair=_led((device // _BLOCK * 4 + device % 4 + 1).astype(np.int32), 0),
    )
    return _saying(table, rng)


def _saying(table: SeriesTable, rng: np.random.Generator) -> Fleet:
    usual = np.zeros(int(table.metric.max()) + 1)
    for metric, level in _LEVELS.items():
        if metric < len(usual):
            usual[metric] = level
    slots = rng.permutation(np.arange(1, len(table), dtype=np.int32))
    rare = np.isin(table.metric[slots], [metric for metric, _ in DETECTOR])
    if rare.all():
        rare[:] = False
    return Fleet(table, usual[table.metric], slots[~rare], slots[rare])


def _led(column: np.ndarray, first: float) -> np.ndarray:
    """Slot 0 before the others."""
    return np.concatenate((np.array([first], column.dtype), column))


def calls_of(fleet: Fleet, size: int, seed: int = 2) -> Iterator[ReadingBatch]:
    """Calls of `size` readings without end, from series in a random order that stays. Those of meters are
    heard once in PERIOD_US; every value is some per cent off what is usual."""
    rng = np.random.default_rng(seed)
    place = rng.permutation(len(fleet.table))
    left, now_us, turn, step_us = np.empty(0, np.int32), float(START_US), 0, 0.0
    while True:
        while len(left) < size:
            heard = np.concatenate((fleet.often, fleet.seldom[turn % _FIRST_A_ROUND :: _FIRST_A_ROUND]))
            left = np.concatenate((left, heard[np.argsort(place[heard])]))
            step_us, turn = PERIOD_US / len(heard), turn + 1
        slot, left = left[:size], left[size:]
        observed: Int64 = (now_us + step_us * np.arange(size)).astype(np.int64)
        now_us += step_us * size
        value = fleet.level[slot] * (1 + 0.03 * rng.standard_normal(size))
        yield ReadingBatch(
            int(now_us), slot, observed, np.zeros(size, np.uint16), value, np.zeros(size, np.uint32)
        )
