"""Series tables for random streams: one line a series, everything else unknown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from devices.model import NO_KIN, NO_PHASE, DeviceKind, Earthing, Insulation, Metric, SeriesTable, phase_of


@dataclass(frozen=True)
class Facts:
    """What the registry says of one series; the slot is its place in the list, from 1."""

    metric: Metric
    device: int
    channel: str = ""
    dwelling: int = 0
    stair: int = 0
    building: int = 0
    parent: int = 0
    reference_a: float = math.nan
    breaker_a: float = math.nan
    insulation: Insulation = Insulation.UNKNOWN
    earthing: Earthing = Earthing.UNKNOWN
    kind: DeviceKind = DeviceKind.UNKNOWN
    silence_s: float = math.nan


def table_of(series: Sequence[Facts]) -> SeriesTable:
    """Slot 0 is nobody's."""

    def column(name: str, nothing: float, kind: type[np.generic]) -> np.ndarray:
        return np.array([nothing, *(getattr(one, name) for one in series)], kind)

    return SeriesTable(
        generation=1,
        metric=column("metric", 0, np.int16),
        device=column("device", 0, np.int32),
        dwelling=column("dwelling", 0, np.int32),
        reference_a=column("reference_a", np.nan, np.float64),
        stair=column("stair", 0, np.int32),
        building=column("building", 0, np.int32),
        area=column("building", 0, np.int32),
        parent=column("parent", 0, np.int32),
        breaker_a=column("breaker_a", np.nan, np.float32),
        silence_s=column("silence_s", np.nan, np.float32),
        insulation=column("insulation", 0, np.uint8),
        earthing=column("earthing", 0, np.uint8),
        kind=column("kind", 0, np.uint8),
        phase=np.array([0, *(phase_of(one.channel) for one in series)], np.uint8),
        room=np.array([False, *(_is_air(one, series) for one in series)]),
    )


def _is_air(one: Facts, series: Sequence[Facts]) -> bool:
    """Whether it is of no phase and no number, and of a device that watches the air of a room."""
    names = [other.metric.name_on_wire for other in series if other.device == one.device]
    watching = any(name.startswith(("smoke.alarm", "smoke.density", "heat.", "gas.")) for name in names)
    return bool(one.device) and watching and phase_of(one.channel) in (NO_PHASE, NO_KIN)
