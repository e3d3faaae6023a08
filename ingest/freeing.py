"""Which series are gone for good, so that others may have their seats: those of devices retired long ago.

A device's series go together, and only when nothing speaks against any of them: it has been retired, and was
not heard, for longer than the quarantine, and no alarm on it stands. A retired detector that still alarms is
a stranger's alarm (life_safety, smoke 4) and stays until a person has ended it.

Not freed: series of strangers (bounded in number, and their numbers would run away under a flood), and the
series with the largest slot, so that the table of series always shows which slots were used.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from devices.model import Bool, Int32, Int64
from ingest.observed import BACK_US
from ingest.series import SeriesIndex
from ingest.stamps import Stamps

DAY_US: Final = 86_400_000_000
EVERY_US: Final = 3_600_000_000
"""How often retired devices are looked through (chosen: nothing is urgent about it)."""
AT_ONCE: Final = 50
"""Devices looked at in one tick (chosen: a fraction of a millisecond)."""


class Holding(Protocol):
    """The rules, as far as they hold on to a series."""

    def holds(self, slots: Int32) -> Bool:
        """On which of these an alarm stands."""


def quarantine_us(keep_days: float) -> int:
    """How long after its last reading a retired device's series are kept: a day longer than the store keeps
    points, so that none is left under a name nobody knows."""
    return round((keep_days + 1) * DAY_US)


def may_go(newest_us: Int64, held: Bool, now_us: int, quarantine: int) -> bool:
    """Whether a device's series may be freed: `newest_us` are the observed times of their newest readings.

    A device's clock is believed up to a week behind (`stamps.BACK_US`), so silence takes a week more to
    prove.
    """
    return not held.any() and bool((newest_us < now_us - quarantine - BACK_US).all())


class Freeing:
    """Goes round the retired devices, a few a tick, every hour; the first round is due at once."""

    def __init__(self, index: SeriesIndex, stamps: Stamps, rules: Holding, *, quarantine: int) -> None:
        self._index = index
        self._stamps = stamps
        self._rules = rules
        self._quarantine = quarantine
        self._waiting: list[int] = []
        self._round_us = 0

    def due(self, now_us: int) -> list[int]:
        """The slots to free now; mostly none. The same question again may have another answer."""
        if abs(now_us - self._round_us) >= EVERY_US:
            self._round_us = now_us
            self._waiting = self._index.retired_before(now_us - self._quarantine)
        freed: list[int] = []
        for _ in range(min(AT_ONCE, len(self._waiting))):
            freed += self._of_device(self._waiting.pop(), now_us)
        return freed

    def _of_device(self, number: int, now_us: int) -> list[int]:
        seats = self._index.seats_of_device(number, now_us - self._quarantine)
        if not len(seats):
            return []
        if not may_go(self._stamps.newest_us(seats), self._rules.holds(seats), now_us, self._quarantine):
            return []
        slots = self._index.slots_of(seats)
        return [] if self._index.newest_slot in slots else np.sort(slots).tolist()
