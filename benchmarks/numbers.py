"""The statistics of figures: percentiles, slopes and straight lines. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ALARMS_FOR_P99 = 200
"""Below so many values a 99th percentile says little: the two highest decide it (chosen)."""


def percentile_ms(values_us: Sequence[int], percent: float) -> float:
    """The percentile of values in µs, in ms rounded to 0.1; between two values linearly.

    Raises ValueError where there are no values.
    """
    if not len(values_us):
        raise ValueError("a percentile of no values")
    return round(float(np.percentile(np.asarray(values_us, np.float64), percent)) / 1000, 1)


def line_through(xs: Sequence[float], ys: Sequence[float]) -> tuple[float, float]:
    """(what y is at 0, how much y grows with one x): the line of least squares.

    Raises ValueError with fewer than two different xs: then there is no such line.
    """
    if len(xs) != len(ys) or len(set(xs)) < 2:
        raise ValueError("a line needs two different places")
    x, y = np.asarray(xs, np.float64), np.asarray(ys, np.float64)
    away = x - x.mean()
    slope = float(away @ (y - y.mean()) / (away @ away))
    return float(y.mean() - slope * x.mean()), slope


def slope_per_min(times_s: Sequence[float], values: Sequence[float]) -> float:
    """How much the values grow in a minute, by least squares. Raises ValueError as `line_through`."""
    return 60 * line_through(times_s, values)[1]
