from __future__ import annotations

from fractions import Fraction

from tests.rules.reference.figures import cut, kept_mean, median, thousandths
from tests.rules.reference.measure import Measure
from tests.rules.reference.reading import One


class Nights(Measure):
    def start(self) -> None:
        self.halves: dict[int, tuple[int, int]] = {}
        """Sum and number of each half-hour of a night."""
        self.half = 0
        self.ended_night: int | None = None

    def read(self, one: One) -> float | None:
        if one.queued:
            return None
        from_hour, until_hour = self.entry.keys["from_hour"], self.entry.keys["until_hour"]
        self.half = max(self.half, self.world.half_hour(one.observed))
        day, hour = divmod(self.half // 2, 24)
        if from_hour <= hour < until_hour:
            total, number = self.halves.get(self.half, (0, 0))
            self.halves[self.half] = total + thousandths(cut(one.value)), number + 1
        night = day if hour >= until_hour else day - 1
        if self.ended_night is not None and night <= self.ended_night:
            return None
        self.ended_night = night
        return self._value(night)

    def _value(self, night: int) -> float | None:
        known = {}
        for other in range(night - 30, night + 1):
            if (found := self._of(other)) is not None:
                known[other] = found
        trend = {other: value for other, value in known.items() if other > night - 14}
        newest = [value for other, value in known.items() if other > night - 3]
        if night not in known or len(trend) < self.entry.keys["least"] or len(newest) < 2:
            return None
        standing, level = median(newest), self.entry.number("level") * 1000
        value = slope(trend) if standing >= level else min(slope(trend), 0.0)
        former = [known[other] for other in (night - 30, night - 29, night - 28) if other in known]
        if len(former) >= 2 and standing >= level / 2 and standing >= 2 * median(former):
            value = max(value, self.judge.raise_at)
        return value

    def _of(self, night: int) -> int | None:
        """The night's value in thousandths."""
        first, end = (2 * (24 * night + self.entry.keys[key]) for key in ("from_hour", "until_hour"))
        means = [kept_mean(*self.halves[half]) for half in range(first, end) if half in self.halves]
        return round(median(means)) if len(means) >= 3 else None


def slope(nights: dict[int, int]) -> float:
    """Theil-Sen, in units a day."""
    days = sorted(nights)
    slopes = [
        round(Fraction(1000 * (nights[later] - nights[earlier]), later - earlier))
        for n, earlier in enumerate(days)
        for later in days[n + 1 :]
    ]
    return median(slopes) / 1_000_000
