"""How long it takes the rule engine to look who is silent, over very many devices."""

from __future__ import annotations

import gc
import time
from typing import Final, NamedTuple

import numpy as np

from benchmarks.errors import CannotMeasure
from benchmarks.rule_fleet import START_US, fleet_of
from devices.model import Metric, ReadingBatch
from rules.catalogue import Catalogue
from rules.engine import Engine

_PERIOD_S: Final = 60
"""Every device is heard once a minute (chosen: the shortest heartbeat that the rules know of)."""
_DARK_SHARE: Final = 50
"""One building of so many goes dark in the first minute (chosen: 20,000 devices of a million)."""
_SECOND_US: Final = 1_000_000


class Sweeps(NamedTuple):
    """What `Engine.advance` took, once a second."""

    median_ms: float
    p99_ms: float
    max_ms: float
    devices: int


def sweep(catalogue: Catalogue, devices: int, seconds: int) -> Sweeps:
    """All devices are heard for a minute; then one building of fifty is not any more, and time goes on second
    by second for `seconds`, with the readings of the others between.

    Raises CannotMeasure where the catalogue has nothing to look for, or where nothing was told.
    """
    if {"silence", "dark"} - {str(rule.__struct_config__.tag) for rule in catalogue.rule}:
        raise CannotMeasure("the catalogue has no rule of the kinds silence and dark")
    fleet = fleet_of([((Metric.SWITCH, ""),)], devices)
    engine = Engine(catalogue, fleet.table)
    second = np.random.default_rng(3).integers(0, _PERIOD_S, len(fleet.table))
    second[0] = -1
    heard = [np.flatnonzero(second == one).astype(np.int32) for one in range(_PERIOD_S)]
    lit = [slot[fleet.table.building[slot] % _DARK_SHARE != 0] for slot in heard]
    spent, told = [], 0
    gc.collect()
    gc.disable()
    try:
        for now in range(_PERIOD_S + seconds):
            now_us = START_US + now * _SECOND_US
            batch = _said(heard[now % _PERIOD_S] if now < _PERIOD_S else lit[now % _PERIOD_S], now_us)
            engine.evaluate(batch, [], now_us)
            started = time.thread_time_ns()
            told += len(engine.advance(now_us))
            if now >= _PERIOD_S:
                spent.append((time.thread_time_ns() - started) / 1e6)
    finally:
        gc.enable()
    if not told and seconds > 1200:
        raise CannotMeasure("nobody was told of the buildings that went dark")
    median, p99 = (round(float(np.percentile(spent, percent)), 3) for percent in (50, 99))
    return Sweeps(median, p99, round(max(spent), 3), len(fleet))


def _said(slot: np.ndarray, now_us: int) -> ReadingBatch:
    n = len(slot)
    observed, nothing = np.full(n, now_us, np.int64), np.zeros(n, np.uint16)
    return ReadingBatch(now_us, slot, observed, nothing, np.zeros(n), np.zeros(n, np.uint32))
