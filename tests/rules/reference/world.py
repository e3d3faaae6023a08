"""What all series are and said last."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from devices.model import NO_KIN, NO_PHASE, DeviceKind, Metric, SeriesTable
from tests.rules.reference.reading import DAY, HOUR, MINUTE, One

HALF_HOUR = 30 * MINUTE


@dataclass
class World:
    """The registry's facts, the clock on the wall, and the newest usable reading of each series."""

    table: SeriesTable
    ahead_us: int = 8 * HOUR
    newest: dict[int, One] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.series: dict[tuple[int, int, int], int] = {}
        """Of several of one device, metric and phase, the one with the highest slot."""
        for slot in range(1, len(self.table)):
            device, metric = int(self.table.device[slot]), int(self.table.metric[slot])
            self.series[device, metric, self.phase(slot)] = slot

    def kin(self, slot: int, metric: Metric, phase: int) -> int | None:
        """The series of this slot's device with a metric and phase."""
        device = int(self.table.device[slot])
        if not device or phase == NO_KIN:
            return None
        return self.series.get((device, int(metric), phase))

    def phase(self, slot: int) -> int:
        return int(self.table.phase[slot])

    def off_circuit(self, slot: int) -> bool:
        """Whether a series is of no circuit: the table of `where` in docs/rules.md."""
        kind = DeviceKind(self.table.kind[slot])
        if kind is DeviceKind.UNKNOWN:
            return bool(self.table.room[slot])
        return kind is not DeviceKind.ELECTRICAL and self.phase(slot) in (NO_PHASE, NO_KIN)

    def said(self, slot: int | None, at: int, max_gap: int) -> float | None:
        """What a series said last, when that was at most `max_gap` before or after `at`."""
        one = self.newest.get(slot) if slot is not None else None
        if one is None or abs(at - one.observed) > max_gap:
            return None
        return one.value

    def breaker(self, slot: int) -> float | None:
        rating = float(self.table.breaker_a[slot])
        return None if math.isnan(rating) else rating

    def rating(self, slot: int, unit: str) -> float:
        """What a level is a multiple of: NaN where that is not known."""
        if unit == "I_ref":
            return float(self.table.reference_a[slot])
        return float(self.table.breaker_a[slot]) if unit == "I_n" else 1.0

    def hour(self, at: int) -> int:
        """Whole local hours since 1970."""
        return (at + self.ahead_us) // HOUR

    def half_hour(self, at: int) -> int:
        return (at + self.ahead_us) // HALF_HOUR

    def day(self, at: int) -> int:
        return (at + self.ahead_us) // DAY
