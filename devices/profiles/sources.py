"""What a profile remembers between ticks: which topic is which device, and the rows of its points."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from devices.model import Int32
from devices.profiles.profile import Points

UNRESOLVED: Final = -2
STRANGER: Final = -1
SOURCES_MAX: Final = 1 << 21
"""Beyond this everything is forgotten and asked again: twice the million devices of the design (chosen)."""


class Sources:
    """Numbers for what speaks: a topic, or a topic and the channel it reports under.

    Each has a row per channel of the mapping, asked of `Points` when first needed and forgotten when the
    registry changes. Sources that turned out to belong to nobody registered are forgotten at the end of
    the tick, so that a flood of invented topics leaves nothing behind.
    """

    def __init__(self, channels: tuple[str, ...]) -> None:
        self.numbers: dict[Hashable, int] = {}
        """Source numbers by whatever the profile found convenient to look up."""
        self._channels = channels
        self._who: list[tuple[str, str]] = []
        self._rows = np.full((256, len(channels)), UNRESOLVED, np.int32)
        self._free: list[int] = []
        self._met: list[Hashable] = []
        self._generation = -1

    def start_tick(self, generation: int) -> None:
        """Forgets rows of an older registry, and everything when there is too much of it."""
        if len(self.numbers) > SOURCES_MAX:
            self.numbers.clear()
            self._who.clear()
            self._free.clear()
            self._generation = -1
        if generation != self._generation:
            self._rows.fill(UNRESOLVED)
            self._generation = generation

    def meet(self, key: Hashable, uid: str, channel: str = "") -> int:
        """The number for a key not in `numbers`: device `uid`, values under `channel` unless a field says."""
        if self._free:
            number = self._free.pop()
            self._who[number] = (uid, channel)
        else:
            number = len(self._who)
            self._who.append((uid, channel))
            if number >= len(self._rows):
                self._rows = np.concatenate([self._rows, np.full_like(self._rows, UNRESOLVED)])
        self.numbers[key] = number
        self._met.append(key)
        return number

    def uid(self, number: int) -> str:
        """The device behind a number."""
        return self._who[number][0]

    def channel(self, number: int, column_channel: int) -> str:
        """The channel of a value: the field's own, else the one it was reported under."""
        return self._channels[column_channel] or self._who[number][1]

    def rows(self, source: NDArray[np.intp], channel: NDArray[np.intp], points: Points) -> Int32:
        """The row of each value, `STRANGER` where nobody registered the device."""
        rows: Int32 = self._rows[source, channel]
        missing = rows == UNRESOLVED
        if not missing.any():
            return rows
        width = len(self._channels)
        for pair in np.unique(source[missing] * width + channel[missing]).tolist():
            number, column_channel = divmod(pair, width)
            self._rows[number, column_channel] = points.row(
                self.uid(number), self.channel(number, column_channel)
            )
        return self._rows[source, channel]

    def end_tick(self) -> None:
        """Forgets what was met in this tick and is nobody's. A channel's key `(topic, channel)` that is
        somebody's keeps its topic."""
        if not self._met:
            return
        numbers = [self.numbers[key] for key in self._met]
        somebody: list[bool] = np.any(self._rows[numbers] >= 0, axis=1).tolist()
        kept = {
            key[0] for key, lives in zip(self._met, somebody, strict=True) if lives and type(key) is tuple
        }
        for key, number, lives in zip(self._met, numbers, somebody, strict=True):
            if not lives and key not in kept:
                del self.numbers[key]
                self._rows[number] = UNRESOLVED
                self._free.append(number)
        self._met.clear()
