"""Which sends have had no answer for long. Pure, no clock: looked at as often as the line is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from alerts.handover import Handover

LOOKS: Final = 4
"""A send that is under way at so many looks is slow: with one every half second after 1.5 to 2 s (chosen: a
provider that works answers in a fraction of that, and the fire brigade is to be told within 3 s)."""


class Patience:
    """Counts at how many looks each send was under way. Remembers those under way and no others."""

    def __init__(self) -> None:
        self._looks: dict[tuple[int, int], int] = {}

    def look(self, under_way: Iterable[Handover]) -> list[Handover]:
        """A look, to be had at even intervals. Gives each send once: at its `LOOKS`-th look."""
        sends = {(one.notification_id, one.n): one for one in under_way}
        self._looks = {key: self._looks.get(key, 0) + 1 for key in sends}
        return [one for key, one in sends.items() if self._looks[key] == LOOKS]
