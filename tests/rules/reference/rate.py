from __future__ import annotations

from tests.rules.reference.measure import Measure
from tests.rules.reference.reading import MINUTE, One


class Rate(Measure):
    def start(self) -> None:
        self.kept: list[One] = []
        self.before: One | None = None

    def read(self, one: One) -> float | None:
        over = self.entry.us("over")
        gap = self.before is not None and one.observed - self.before.observed > self.entry.us("max_gap")
        self.before = one
        if gap or one.queued:
            self.kept = [one]
            return None
        old_enough = [kept for kept in self.kept if one.observed - kept.observed >= over]
        if not self.kept or 4 * (one.observed - self.kept[-1].observed) >= over:
            self.kept = [*self.kept, one][-8:]
        if not old_enough:
            return None
        old = old_enough[-1]
        return (one.value - old.value) / ((one.observed - old.observed) / MINUTE)

    def ended(self) -> None:
        self.kept = []
