"""Which devices and series the house has."""

from __future__ import annotations

from devices.model import Metric

METRICS = (Metric.CURRENT, Metric.VOLTAGE, Metric.TEMPERATURE, Metric.SMOKE_ALARM)


def device_of(n: int) -> str:
    return f"own:house-{n:04d}"


def kind_of(n: int) -> str:
    return "smoke" if n % 2 else "electrical"


def series_of(n: int) -> range:
    """Slots begin with 1."""
    return range(n * len(METRICS) + 1, (n + 1) * len(METRICS) + 1)
