from __future__ import annotations

import math

from devices.model import Metric
from tests.rules.reference.measure import Measure
from tests.rules.reference.reading import One


class Supply(Measure):
    def read(self, one: One) -> float | None:
        each = [one.value, *self._phases(one)]
        between = (
            len(each) == 4
            and min(each) >= self.entry.number("between_from")
            and max(each) <= self.entry.number("between_to")
            and max(each) - min(each) <= self.entry.number("alike")
        )
        value = one.value / math.sqrt(3) if between else one.value
        return None if value > self.entry.number("most") else value

    def _phases(self, one: One) -> list[float]:
        """What all three phases said last, as far as it is near; of a channel that is none nothing."""
        if self.world.phase(self.slot) > 3:
            return []
        others = [self.world.kin(self.slot, Metric.VOLTAGE, phase) for phase in (1, 2, 3)]
        near = [self.world.said(other, one.observed, self.entry.us("together")) for other in others]
        return [value for value in near if value is not None]
