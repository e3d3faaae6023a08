from __future__ import annotations

from tests.rules.reference.entries import Entry, quantity
from tests.rules.reference.judging import Judge
from tests.rules.reference.measure import Measure
from tests.rules.reference.reading import One
from tests.rules.reference.world import World


class Smoulder(Measure):
    def __init__(self, entry: Entry, slot: int, world: World, judge: Judge) -> None:
        super().__init__(entry, slot, world, judge)
        self.share = entry.share("noise_share")
        metric = next(metric for metric in entry.metrics if metric == world.table.metric[slot])
        self.least_noise = quantity(entry.keys["noise"][metric.name_on_wire])[0]

    def start(self) -> None:
        self.usual, self.spread, self.learnt, self.first = 0.0, 0.0, 0, 0
        self.before = 0

    def read(self, one: One) -> float | None:
        value = min(max(one.value, -1e15), 1e15)
        since, self.before = max(0, one.observed - self.before), one.observed
        if not self.learnt:
            self.usual, self.spread, self.learnt, self.first = value, 0.0, 1, one.observed
            return None
        noise = max(1.25 * self.spread, self.share * abs(self.usual), self.least_noise)
        away = value - self.usual
        least = self.entry.keys["least"]
        known = self.learnt >= least and one.observed - self.first >= self.entry.us("warm_up")
        measured = away / noise if known else None
        high = measured is not None and measured >= self.judge.raise_at
        if not self.judge.active and not high:
            self._learn(away, noise, since)
        return measured

    def _learn(self, away: float, noise: float, since: int) -> None:
        enough = self.learnt >= self.entry.keys["least"]
        step = min(max(away, -3 * noise), 3 * noise) if enough else away
        gain = max(1 / (self.learnt + 1), min(since / self.entry.us("memory"), 0.125))
        self.usual += gain * step
        self.spread += gain * (abs(step) - self.spread)
        self.learnt = min(self.learnt + 1, 65_535)

    def ended(self) -> None:
        self.learnt = 0
