from __future__ import annotations

from tests.rules.reference.figures import cut, kept_mean, thousandths
from tests.rules.reference.measure import Measure
from tests.rules.reference.reading import One


class Excess(Measure):
    def start(self) -> None:
        self.hour = 0
        """The newest hour that readings have reached."""
        self.total, self.number = 0, 0
        """Of the hour of the night that is gathered."""
        self.highest: dict[int, int] = {}
        """Of each night, by the day of its evening."""
        self.ended_night: int | None = None
        self.just_ended = False
        self.usual_most: int | None = None

    def read(self, one: One) -> float | None:
        if one.queued:
            return None
        hour = max(self.hour, self.world.hour(one.observed))
        value = 0.0 if self.just_ended and self._night(hour) is None else None
        if self.number and hour > self.hour:
            value = self._end_hour()
        self.hour = hour
        self.just_ended = self._end_nights(hour)
        if self._night(hour) is not None:
            self.total, self.number = self.total + thousandths(cut(one.value)), self.number + 1
        return value

    def _end_hour(self) -> float | None:
        night = self._night(self.hour)
        assert night is not None
        mean = kept_mean(self.total, 1000 * self.number)
        self.highest[night] = max(self.highest.get(night, 0), mean)
        self.total, self.number = 0, 0
        return None if self.usual_most is None else float(mean - self.usual_most)

    def _end_nights(self, hour: int) -> bool:
        """Whether a night with readings ended, that had not at the reading before."""
        newest = hour // 24 - 1 if hour % 24 >= self.entry.keys["until_hour"] else hour // 24 - 2
        before, self.ended_night = self.ended_night, newest
        if before is not None and newest <= before:
            self.ended_night = before
            return False
        known = [self.highest[night] for night in range(newest - 27, newest + 1) if night in self.highest]
        rank = -(-95 * len(known) // 100)
        self.usual_most = sorted(known)[rank - 1] if len(known) >= self.entry.keys["least"] else None
        return any(before is None or night > before for night in self.highest if night <= newest)

    def _night(self, hour: int) -> int | None:
        if hour % 24 >= self.entry.keys["from_hour"]:
            return hour // 24
        return hour // 24 - 1 if hour % 24 < self.entry.keys["until_hour"] else None
