from __future__ import annotations

import math

from devices.model import Metric
from tests.rules.reference.measure import Measure
from tests.rules.reference.reading import One


class Supply(Measure):
    def start(self) -> None:
        self.usual: int | None = None

    def read(self, one: One) -> float | None:
        lowest, highest = self.entry.number("between_from"), self.entry.number("between_to")
        if lowest / math.sqrt(3) <= one.value <= highest / math.sqrt(3):
            self.usual = one.observed
        each = [one.value, *self._phases(one)]
        between = (
            len(each) == 4
            and min(each) >= self.entry.number("between_from")
            and max(each) <= self.entry.number("between_to")
            and max(each) - min(each) <= self.entry.number("alike")
            and not self._is_to_neutral(one)
        )
        value = one.value / math.sqrt(3) if between else one.value
        return None if value > self.entry.number("most") else value

    def _phases(self, one: One) -> list[float]:
        """What all three phases said last, as far as it is near; of a channel that is none nothing."""
        if self.world.phase(self.slot) > 3:
            return []
        others = [self.world.kin(self.slot, Metric.VOLTAGE, phase) for phase in (1, 2, 3)]
        gap = self.judge.clear_hold if self.judge.active else self.entry.us("together")
        near = [self.world.said(other, one.observed, gap) for other in others]
        return [value for value in near if value is not None]

    def _is_to_neutral(self, one: One) -> bool:
        """Whether it said a usual voltage to the neutral, lately or before an alarm that stands."""
        if self.usual is None:
            return False
        return self.judge.active or abs(one.observed - self.usual) <= self.entry.us("together")
