from __future__ import annotations

import struct

from devices.model import NO_PHASE, Metric
from tests.rules.reference.entries import quantity
from tests.rules.reference.figures import median, thousandths
from tests.rules.reference.measure import Measure
from tests.rules.reference.reading import One


class Joint(Measure):
    def start(self) -> None:
        self.day: int | None = None
        self.warmth, self.load, self.number = 0, 0, 0
        self.days: dict[int, float] = {}

    def read(self, one: One) -> float | None:
        if one.queued:
            return None
        day, value = self.world.day(one.observed), None
        if self.day is not None and day > self.day:
            value = self._end(self.day)
        self.day = day if self.day is None else max(day, self.day)
        self._gather(one)
        return value

    def _gather(self, one: One) -> None:
        gap, own = self.entry.us("fresh"), self.world.phase(self.slot)
        current = self.world.said(self.world.kin(self.slot, Metric.CURRENT, own), one.observed, gap)
        ambient = None
        for phase in (NO_PHASE, own):
            if ambient is None:
                other = self.world.kin(self.slot, Metric.TEMPERATURE_AMBIENT, phase)
                ambient = self.world.said(other, one.observed, gap)
        number, unit = quantity(self.entry.keys["least_load"])
        if current is None or ambient is None or not current >= number * self.world.rating(self.slot, unit):
            return
        self.warmth += thousandths(min(max(one.value - ambient, -1000), 1000))
        self.load += thousandths(min(current, 10_000) ** 2)
        self.number += 1

    def _end(self, day: int) -> float | None:
        warmth, load, number = self.warmth, self.load, self.number
        self.warmth, self.load, self.number = 0, 0, 0
        if number < 20 or not load:
            return None
        value = min(max(1000 * warmth / load, 0), 65_504)
        usual = [self.days[past] for past in range(day - 30, day) if past in self.days]
        (self.days[day],) = struct.unpack("e", struct.pack("e", value))
        enough = len(usual) >= self.entry.keys["least"] and median(usual) > 0
        return value / median(usual) if enough else None
