"""How many lesser alarms one turn takes, and lesser incidents with a due step: a fire that comes while it is
decided waits for its end. Pure.

What an alarm costs depends on the machine and on how many people are told of it. So it is learned from the
turns themselves: a turn takes as many as fit into `TURN_US`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TURN_US: Final = 100_000
"""A turn of lesser alarms (chosen: a fire that waits for one and is decided in the next has most of its
second left to be handed over in)."""
MOST: Final = 100
FEWEST: Final = 10
"""Alarms of one turn; with fewer of them the turn itself would be most of what it costs (chosen)."""


@dataclass(frozen=True, slots=True)
class Pace:
    """`us_each`: what an alarm took of late; 0 before the first turn that tells."""

    us_each: float = 0.0

    def after(self, alarms: int, took_us: int) -> Pace:
        """The pace after a turn of so many alarms, or steps where they are more. Few of them tell nothing,
        nor a clock that was set."""
        if alarms < FEWEST or took_us <= 0:
            return self
        each = took_us / alarms
        return Pace(each if not self.us_each else (each + self.us_each) / 2)

    @property
    def at_once(self) -> int:
        """Lesser alarms of the next turn."""
        return MOST if not self.us_each else min(max(int(TURN_US / self.us_each), FEWEST), MOST)
