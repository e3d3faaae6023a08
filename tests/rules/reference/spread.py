from __future__ import annotations

from devices.model import Metric
from tests.rules.reference.entries import quantity
from tests.rules.reference.measure import Measure
from tests.rules.reference.reading import One


class Spread(Measure):
    def read(self, one: One) -> float | None:
        own = self.world.phase(self.slot)
        cool = [self._warmth(own, phase, one) for phase in (1, 2, 3) if phase != own]
        known = [warmth for warmth in cool if warmth is not None]
        return one.value - min(known) if known and own in (1, 2, 3) else None

    def _warmth(self, own: int, phase: int, one: One) -> float | None:
        """The temperature of a phase that carries a like load."""
        here, there = self._said(Metric.CURRENT, own, one), self._said(Metric.CURRENT, phase, one)
        if here is None or there is None:
            return None
        number, unit = quantity(self.entry.keys["least_load"])
        loaded = min(here, there) >= number * self.world.rating(self.slot, unit)
        like = abs(here - there) <= self.entry.share("like") * max(here, there)
        return self._said(Metric.TEMPERATURE, phase, one) if loaded and like else None

    def _said(self, metric: Metric, phase: int, one: One) -> float | None:
        other = self.world.kin(self.slot, metric, phase)
        return self.world.said(other, one.observed, self.entry.us("max_gap"))
