"""Which series of a day are asked for again, to see that a day that was copied is still there. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np

from devices.model import Int32

OF_A_PIECE: Final = 4
OF_A_DAY: Final = 16
"""So many series of each measurement (chosen: a database, a measurement or a stretch of time that is gone is
seen; a single series that is gone may not be)."""


class Sampling:
    """Of the pieces of one day, one after the other."""

    def __init__(self) -> None:
        self._taken: Counter[bytes] = Counter()

    def of(self, slots: Int32, heads: list[bytes]) -> Int32:
        """Some of these series, spread over them; `heads` are the beginnings of their lines."""
        by_measurement: dict[bytes, list[int]] = {}
        for slot, head in zip(slots.tolist(), heads, strict=True):
            by_measurement.setdefault(head.split(b",", 1)[0], []).append(slot)
        chosen: list[int] = []
        for measurement, there in by_measurement.items():
            most = min(OF_A_PIECE, OF_A_DAY - self._taken[measurement], len(there))
            places = np.linspace(0, len(there) - 1, most).astype(np.int64)
            chosen += [there[place] for place in places.tolist()]
            self._taken[measurement] += most
        return np.array(sorted(chosen), np.int32)
