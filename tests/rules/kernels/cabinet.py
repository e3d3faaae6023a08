"""A meter cabinet to tell stories about: three phases with their joints, and a device that has channels."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np

from devices.model import NO_KIN, Metric, SeriesTable
from rules.catalogue import Catalogue
from tests.rules.story import Story, shipped

HOT, AMBIENT, LOAD, VOLTS = Metric.TEMPERATURE, Metric.TEMPERATURE_AMBIENT, Metric.CURRENT, Metric.VOLTAGE
CABINET, CHANNELS, ALONE = 1, 2, 3
"""Devices: three phases; numbered channels; one temperature without a phase or number."""
T1, T2, T3, A1, A2, A3, V1, V2, V3, AIR, CH_T, CH_AIR, CH_A, ALONE_T, ALONE_AIR, BOX_T, BOX_V = range(1, 18)
"""Slots: temperatures, currents and voltages of `l1` to `l3`, the ambient temperature of the cabinet; a
channel's temperature, ambient temperature and current; a temperature that is compared with its device's
ambient one; the cabinet's own temperature and voltage, of no phase."""
CHANNEL = 17
BREAKER_A = 40.0
_SERIES = {
    T1: (HOT, CABINET, 1), T2: (HOT, CABINET, 2), T3: (HOT, CABINET, 3),
    A1: (LOAD, CABINET, 1), A2: (LOAD, CABINET, 2), A3: (LOAD, CABINET, 3),
    V1: (VOLTS, CABINET, 1), V2: (VOLTS, CABINET, 2), V3: (VOLTS, CABINET, 3),
    AIR: (AMBIENT, CABINET, 0),
    CH_T: (HOT, CHANNELS, CHANNEL), CH_AIR: (AMBIENT, CHANNELS, CHANNEL), CH_A: (LOAD, CHANNELS, CHANNEL),
    ALONE_T: (HOT, ALONE, NO_KIN), ALONE_AIR: (AMBIENT, ALONE, NO_KIN),
    BOX_T: (HOT, CABINET, 0), BOX_V: (VOLTS, CABINET, 0),
}  # fmt: skip


def cabinet(breaker_a: float = BREAKER_A) -> SeriesTable:
    """The table of these series."""
    n = max(_SERIES) + 1
    metric, device, phase = np.zeros(n, np.int16), np.zeros(n, np.int32), np.zeros(n, np.uint8)
    for slot, facts in _SERIES.items():
        metric[slot], device[slot], phase[slot] = facts
    plain = SeriesTable.plain(1, metric, device, np.full(n, 71, np.int32), np.full(n, np.nan))
    return dataclasses.replace(plain, phase=phase, breaker_a=np.full(n, breaker_a, np.float32))


def with_phase(table: SeriesTable, slot: int, phase: int) -> SeriesTable:
    """The same table, one series on another phase."""
    changed = table.phase.copy()
    changed[slot] = phase
    return dataclasses.replace(table, phase=changed)


def only(*names: str) -> Catalogue:
    """These rules of the catalogue."""
    return Catalogue(version=1, rule=tuple(rule for rule in _shipped().rule if rule.name in names))


def told(*names: str, table: SeriesTable | None = None) -> Story:
    """A story about these rules in the cabinet."""
    return Story(only(*names), table or cabinet())


_shipped = cache(shipped)
