"""A histogram of delays with buckets 5 % apart: bounded, whatever the length of a run."""

from __future__ import annotations

from math import ceil, log
from typing import Final

import numpy as np

SMALLEST_S: Final = 1e-6
STEP: Final = log(1.05)
BUCKETS: Final = 450
"""The last begins above 3000 s; what is longer is counted there."""


class Spread:
    """Counts delays in seconds. Quantiles are upper bounds, at most 5 % too high; `longest_s` is exact."""

    def __init__(self) -> None:
        self._counts = np.zeros(BUCKETS, np.int64)
        self.longest_s = 0.0

    def add(self, delay_s: float, times: int = 1) -> None:
        """Counts one delay `times` times; what is below a microsecond, or negative, counts as that."""
        bucket = ceil(log(delay_s / SMALLEST_S) / STEP) if delay_s > SMALLEST_S else 0
        self._counts[min(bucket, BUCKETS - 1)] += times
        self.longest_s = max(self.longest_s, delay_s)

    def quantile_s(self, share: float) -> float:
        """The delay that `share` (0..1) of all do not exceed; 0.0 when nothing was counted."""
        total = int(self._counts.sum())
        if total == 0:
            return 0.0
        bucket = int(np.searchsorted(np.cumsum(self._counts), ceil(share * total)))
        return min(SMALLEST_S * float(np.exp(bucket * STEP)), self.longest_s)
