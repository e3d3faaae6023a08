from __future__ import annotations

from devices.model import NO_PHASE, Metric
from tests.rules.reference.measure import Measure
from tests.rules.reference.reading import One


class Rise(Measure):
    def read(self, one: One) -> float | None:
        for phase in (NO_PHASE, self.world.phase(self.slot)):
            other = self.world.kin(self.slot, Metric.TEMPERATURE_AMBIENT, phase)
            ambient = self.world.said(other, one.observed, self.entry.us("max_gap"))
            if ambient is not None:
                return one.value - ambient
        return None
