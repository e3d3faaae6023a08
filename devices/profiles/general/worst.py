"""Life and fault flags that one message says several times of one series: true, where one of them is.

Two detectors of a hub may come as one sensing point, and a vendor may say a fire under two keys, of which
each device serves one. The false one beside a true one ends no alarm.
"""

from __future__ import annotations

from typing import Final

from devices.model import LIFE_FLAGS, Metric
from devices.profiles.general.gathering import Reading

WORST_HOLDS: Final = frozenset(map(int, LIFE_FLAGS | {Metric.DEVICE_FAULT}))
Series = tuple[int, int, int, int]
"""Place, channel number, metric and time: what is said of another time is another reading."""


class Worst:
    """What one message says of such flags; `said` is called right before each is added to `readings`."""

    def __init__(self, readings: list[Reading]) -> None:
        self._readings = readings
        self._seen: set[Series] = set()
        self._true: set[Series] = set()
        self._false: list[tuple[int, Series]] = []
        self.several = False
        """Whether one of them was said more than once."""

    def said(self, series: Series, value: float) -> None:
        """What the next reading says; NaN is neither true nor false."""
        self.several |= series in self._seen
        self._seen.add(series)
        if value == 1.0:
            self._true.add(series)
        elif value == 0.0:
            self._false.append((len(self._readings), series))

    def drop_contradicted(self) -> None:
        """Takes out of the readings what is false beside a true one."""
        if self.several and self._true:
            for place, series in reversed(self._false):
                if series in self._true:
                    del self._readings[place]
