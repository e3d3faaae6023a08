from __future__ import annotations

from devices.model import Metric
from tests.rules.reference.measure import Measure
from tests.rules.reference.reading import One


class Neutral(Measure):
    def stands(self) -> int:
        """The first phase that there is."""
        if self.world.phase(self.slot) not in (1, 2, 3):
            return self.slot
        each = [self.world.kin(self.slot, Metric.VOLTAGE, phase) for phase in (1, 2, 3)]
        return next((one for one in each if one), self.slot)

    def read(self, one: One) -> float | None:
        own = self.world.phase(self.slot)
        each = [one.value if phase == own else self._said(phase, one) for phase in (1, 2, 3)]
        said = [value for value in each if value is not None]
        extreme, high = self.entry.number("extreme"), self.entry.number("high")
        if not any(value > extreme for value in said):
            said = [value for value in said if value >= self.entry.number("least")]
        if len(said) < 2 or own not in (1, 2, 3):
            return None
        if max(said) > high and min(said) < self.entry.number("low"):
            return 1.0
        ordered = sorted(said, reverse=True)
        if ordered[1] > extreme and not any(value > high for value in ordered[2:]):
            return 1.0
        fine = self.entry.number("normal_low") <= min(said) and max(said) <= self.entry.number("normal_high")
        return 0.0 if fine else 0.5

    def _said(self, phase: int, one: One) -> float | None:
        other = self.world.kin(self.slot, Metric.VOLTAGE, phase)
        return self.world.said(other, one.observed, self.entry.us("together"))
