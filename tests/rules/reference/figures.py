"""Medians and roundings."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

MOST: Final = 65_534


def thousandths(value: float) -> int:
    """Half to even."""
    return round(value * 1000)


def cut(value: float, most: float = 1e9) -> float:
    """Not beyond ±`most`."""
    return min(max(value, -most), most)


def median(values: Sequence[float]) -> float:
    """Of an even number: the mean of the middle two."""
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def kept_mean(total: int, number: int) -> int:
    """A mean as it is kept: rounded half to even, cut to 0 … 65,534."""
    return min(max(round(Fraction(total, number)), 0), MOST)
