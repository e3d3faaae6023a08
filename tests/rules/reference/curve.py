from __future__ import annotations

import math

from tests.rules.reference.measure import Measure
from tests.rules.reference.reading import SECOND, One


def longest_s(k: float, rating: float) -> float:
    """Within how many seconds a breaker must trip at `k` times its rating."""
    if rating <= 32:
        return 3600 * math.pow(k / 1.45, -7.253)
    if rating <= 63:
        return 3600 * math.pow(k / 1.45, -6.025)
    return 7200 * math.pow(k / 1.45, -6.025)


class Curve(Measure):
    def start(self) -> None:
        self.dose = 0
        self.before: One | None = None

    def read(self, one: One) -> float | None:
        rating = self.world.breaker(self.slot)
        if rating is None:
            return None
        before, self.before = self.before, one
        if before is None:
            return 0.0
        between = one.observed - before.observed
        if one.queued or between > self.entry.us("max_gap"):
            self.dose = 0
            return 0.0
        if between <= 0:
            return self.dose / 1e9
        low, high = sorted((before.value / rating, one.value / rating))
        if low >= 1.45:
            grown = math.floor(1e9 * (between / SECOND) / longest_s(low, rating))
            self.dose = min(10**12, self.dose + grown)
        elif high < 1.13:
            self.dose = max(0, self.dose - math.floor(1e9 * (between / SECOND) / 3600))
        return self.dose / 1e9

    def ended(self) -> None:
        self.dose = 0
