"""The words every room shares: metrics, quality, batches of readings, series, severities, roles.

Types only, standard library and numpy. Time base everywhere: microseconds since 1970 UTC in int64
(`_us`), aware UTC datetimes (`_at`) at the edges.
"""

from __future__ import annotations

from devices.model.arrays import (
    Bool,
    Float32,
    Float64,
    Int16,
    Int32,
    Int64,
    UInt8,
    UInt16,
    UInt32,
)
from devices.model.inputs import (
    EngineInput,
    InputKind,
)
from devices.model.metrics import (
    DETECTORS,
    LIFE_FLAGS,
    METRIC_BY_NAME,
    METRIC_LIMIT,
    Metric,
)
from devices.model.people import (
    AreaLevel,
    Carrier,
    Medium,
    PlaceKind,
    Role,
    Severity,
)
from devices.model.readings import (
    HARD_QUALITY,
    MUTE_QUALITY,
    Quality,
    ReadingBatch,
)
from devices.model.series_table import (
    NO_KIN,
    NO_PHASE,
    DeviceKind,
    Earthing,
    Insulation,
    SeriesTable,
    in_room,
    names_no_conductor,
    phase_of,
)

__all__ = [
    "DETECTORS",
    "HARD_QUALITY",
    "LIFE_FLAGS",
    "METRIC_BY_NAME",
    "METRIC_LIMIT",
    "MUTE_QUALITY",
    "NO_KIN",
    "NO_PHASE",
    "AreaLevel",
    "Bool",
    "Carrier",
    "DeviceKind",
    "Earthing",
    "EngineInput",
    "Float32",
    "Float64",
    "InputKind",
    "Insulation",
    "Int16",
    "Int32",
    "Int64",
    "Medium",
    "Metric",
    "PlaceKind",
    "Quality",
    "ReadingBatch",
    "Role",
    "SeriesTable",
    "Severity",
    "UInt8",
    "UInt16",
    "UInt32",
    "in_room",
    "names_no_conductor",
    "phase_of",
]
