"""What is kept of one life flag, and what one reading of it can come to.

State: 50 bytes a pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final, NamedTuple

import numpy as np

from devices.model import HARD_QUALITY, Int32, Int64, Quality, SeriesTable
from rules.pairs import Blank

CLOSED: Final = 2
KNOWN: Final = 4
ONE: Final = 8
"""With KNOWN: the newest flag is 1; without ONE it is 0 since `zero_since_us`."""
VISITED: Final = 16

AGELESS: Final = 1
"""Of `evidence`: what raised the alarm last was of unknown age."""
WAITED: Final = 2
"""Of `evidence`: it had waited for us."""

NEVER: Final = -(2**62)
BLANK: Final[Mapping[str, Blank]] = {
    "status": np.uint8(0),
    "zero_since_us": np.int64(NEVER),
    "zero_seen_us": np.int64(NEVER),
    "zero_heard_us": np.int64(NEVER),
    "raised_us": np.int64(NEVER),
    "fire_us": np.int64(NEVER),
    "place": np.int64(0),
    "evidence": np.uint8(0),
}
"""`zero_seen_us` is the newest live 0 since the alarm was raised; it is kept only while it is active.
`zero_heard_us` is when the first 0 after the last 1 was received, late or not, while it is active; NEVER
after a 1. `raised_us` is when the reading that raised it last, for the first or a second fire, was received,
or when it was told at another place. `fire_us` is when that reading was observed, `place` where the alarm
was told (`places`)."""

UNSEEN: Final = int(HARD_QUALITY | Quality.DUPLICATE)
UNKNOWN_AGE: Final = int(Quality.RETAINED | Quality.REPLAYED)
LATE: Final = int(Quality.LATE)
STALE: Final = int(Quality.STALE)
BACKFILL: Final = int(Quality.BACKFILL)
QUEUED: Final = int(Quality.QUEUED)
WAITING: Final = BACKFILL | QUEUED
"""When it was received says nothing of when it was said."""


class What(Enum):
    """What a reading of a flag comes to, where anything is to be told."""

    RAISED = auto()
    SECOND = auto()
    """Raised again: a second fire."""
    OLD = auto()
    """Raised by a reading of unknown age."""
    VISIT = auto()
    CLEARED = auto()


class Told(NamedTuple):
    """A reading (its row in the batch) that changed the alarm of a pair; `quiet_us` is how long the flag had
    been 0."""

    row: int
    pair: int
    what: What
    quiet_us: int


class Times(NamedTuple):
    """The times of the rules, in microseconds, by the rule's number."""

    visit_after: Int64
    second_fire_after: Int64
    clear_hold: Int64


_DWELLING: Final = 1 << 32
_STAIR: Final = 2 << 32
_BUILDING: Final = 3 << 32


def places(table: SeriesTable, slots: Int32) -> Int64:
    """Where an alarm of each of these series is told, and so whose people hear of it: its dwelling, else its
    stair, else its building, each as a number of its own; 0 for nowhere (as alerts/places.py)."""
    dwelling, stair = table.dwelling.take(slots), table.stair.take(slots)
    building = table.building.take(slots).astype(np.int64)
    found = np.where(building > 0, _BUILDING + building, 0)
    found = np.where(stair > 0, _STAIR + stair.astype(np.int64), found)
    return np.where(dwelling > 0, _DWELLING + dwelling.astype(np.int64), found)


def dwelling_of(place: int) -> int:
    """The dwelling, where it is one; else 0."""
    return place - _DWELLING if _DWELLING < place < _STAIR else 0
