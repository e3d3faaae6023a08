"""Which sends, begun or still in line, have had no answer for long. Pure, no clock: looked at as often as the
line is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from alerts.handover import Handover

LOOKS: Final = 4
"""A send that is in line or under way at so many looks is slow: with one every half second after 1.5 to 2 s
(chosen: a provider that works answers in a fraction of that; the fire brigade is to be told within 3 s)."""


class Patience:
    """Counts at how many looks each send was there. Remembers those that are and no others."""

    def __init__(self) -> None:
        self._looks: dict[tuple[int, int], int] = {}

    def look(self, without_answer: Iterable[Handover]) -> list[Handover]:
        """A look, to be had at even intervals. Gives each send once: at its `LOOKS`-th look."""
        sends = {(one.notification_id, one.n): one for one in without_answer}
        self._looks = {key: self._looks.get(key, 0) + 1 for key in sends}
        return [one for key, one in sends.items() if self._looks[key] == LOOKS]
