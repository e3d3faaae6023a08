from __future__ import annotations

from tests.rules.reference.figures import cut, kept_mean, median, thousandths
from tests.rules.reference.measure import Measure
from tests.rules.reference.reading import One


class Usual(Measure):
    def start(self) -> None:
        self.hour: int | None = None
        self.total, self.number = 0, 0
        self.means: dict[int, int] = {}

    def read(self, one: One) -> float | None:
        if one.queued:
            return 0.0
        hour = self.world.hour(one.observed)
        if self.hour is not None and hour > self.hour:
            self.means[self.hour] = kept_mean(self.total, self.number)
            self.total, self.number = 0, 0
        self.hour = hour if self.hour is None else max(hour, self.hour)
        self.total, self.number = self.total + thousandths(cut(one.value)), self.number + 1
        days = [self.hour - 24 * days for days in range(1, 8)]
        same = [self.means[hour] for hour in days if hour in self.means]
        if len(same) < self.entry.keys["least"]:
            return None
        return one.value - median(same) / 1000
