from __future__ import annotations

from devices.model import Metric
from tests.rules.reference.measure import Measure
from tests.rules.reference.reading import One


class Neutral(Measure):
    def start(self) -> None:
        self.before: int | None = None

    def stands(self) -> int:
        """The first phase that there is."""
        if self.world.phase(self.slot) not in (1, 2, 3):
            return self.slot
        each = [self.world.kin(self.slot, Metric.VOLTAGE, phase) for phase in (1, 2, 3)]
        return next((one for one in each if one), self.slot)

    def read(self, one: One) -> float | None:
        before, self.before = self.before, one.observed
        own = self.world.phase(self.slot)
        each = [one.value if phase == own else self._said(phase, one) for phase in (1, 2, 3)]
        most = self.entry.number("most")
        said = [value for value in each if value is not None and value <= most]
        extreme, high = self.entry.number("extreme"), self.entry.number("high")
        if not any(value > extreme for value in said):
            said = [value for value in said if value >= self.entry.number("least")]
        if len(said) < 2 or own not in (1, 2, 3):
            return None
        low, ordered = self.entry.number("low"), sorted(said, reverse=True)
        torn = max(said) > high and min(said) < low
        if torn or (ordered[1] > extreme and not any(value > high for value in ordered[2:])):
            new = [value for value in self._new(before, one) if value in said]
            tears = one.value in said and (
                (one.value > high and any(value < low for value in new))
                or (one.value < low and any(value > high for value in new))
                or (one.value > extreme and any(value > extreme for value in new))
            )
            return 1.0 if tears else 0.75 if self.judge.active or one.queued else None
        fine = self.entry.number("normal_low") <= min(said) and max(said) <= self.entry.number("normal_high")
        return 0.0 if fine else 0.5

    def _new(self, before: int | None, one: One) -> list[float]:
        """What other phases said after this one's own reading before."""
        new = []
        for phase in (1, 2, 3):
            other = self.world.kin(self.slot, Metric.VOLTAGE, phase)
            said = None if phase == self.world.phase(self.slot) else self._said(phase, one)
            if said is None or other is None:
                continue
            if before is None or self.world.newest[other].observed > before:
                new.append(said)
        return new

    def _said(self, phase: int, one: One) -> float | None:
        other = self.world.kin(self.slot, Metric.VOLTAGE, phase)
        return self.world.said(other, one.observed, self.entry.us("together"))
