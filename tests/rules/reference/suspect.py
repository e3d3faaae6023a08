from __future__ import annotations

import math

from devices.model import METRIC_BY_NAME, Quality
from tests.rules.reference.measure import Measure
from tests.rules.reference.reading import HARD, NOT_USABLE, One

BAD = HARD | Quality.OUT_OF_RANGE | Quality.CLOCK_INVALID | Quality.CLOCK_SKEW


class Suspect(Measure):
    def start(self) -> None:
        self.value, self.first, self.equal = math.nan, 0, 0

    def sees(self, one: One) -> bool:
        return not one.quality & (NOT_USABLE & ~HARD)

    def read(self, one: One) -> float | None:
        if one.quality & BAD or math.isnan(one.value):
            return 1.0
        stuck = [METRIC_BY_NAME[name] for name in self.entry.keys["stuck"]]
        if self.world.table.metric[self.slot] not in stuck or self.world.off_circuit(self.slot):
            return 0.0
        if one.value != self.value:
            self.value, self.first, self.equal = one.value, one.observed, 0
        self.equal = min(self.equal + 1, 255)
        long = one.observed - self.first >= self.entry.us("stuck_for")
        return float(self.equal >= max(2, self.entry.keys["stuck_least"]) and long)

    def ended(self) -> None:
        self.start()
