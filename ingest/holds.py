"""Flags that are said once and never taken back: when each counts as false again.

A device that says such a flag in another way too, without a hold, is believed from then on: the end that was
pending is none any more (`Intake` sees to it).

The reading that says so is ingest's own: of the flag's series, observed when it was due, in the first tick at
or after that. It is journalled like any reading, so a replay knows nothing of holds. What waits is kept as
notes (`ingest.notes`), by series slot.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Final

import numpy as np

from devices.model import Int32
from devices.profiles.profile import Note
from ingest.notes import HOLDS, OURS

MAX_HOLDS: Final = 100_000
"""Flags that wait at one time (chosen). The newest beyond it are refused and counted: they stay true until a
person or their device ends them."""
_NEVER: Final = 1 << 62
_SPARE: Final = 1_000
"""Entries of the queue that nobody waits for before it is made anew, beside one for each flag (chosen)."""


class Holds:
    """Due times by series slot. A tick without a hold and without one that is due pays for one comparison."""

    def __init__(self, most: int = MAX_HOLDS) -> None:
        self._due: dict[int, int] = {}
        self._queue: list[tuple[int, int]] = []
        """Each slot at a time it was due: those that were moved are queued anew when met."""
        self._unsaid: list[Note] = []
        self._slots: Int32 | None = None
        self._most = most
        self.next_us = _NEVER
        """Nothing is due before this."""
        self.refused = 0

    def __len__(self) -> int:
        return len(self._due)

    @property
    def slots(self) -> Int32:
        """The series that wait, in no order."""
        if self._slots is None:
            self._slots = np.fromiter(self._due, np.int32, len(self._due))
        return self._slots

    def restore(self, notes: Iterable[Note]) -> None:
        """Takes what was stored; what is no note of a hold is passed over."""
        for one in notes:
            if one.profile == OURS and one.table == HOLDS and one.key.isdecimal() and one.value.isdecimal():
                self.put(int(one.key), int(one.value))

    def put(self, slot: int, due_us: int) -> Note | None:
        """The flag of this series counts as false at `due_us`, whatever was said before of it; its note, None
        where there is no room or nothing new."""
        before = self._due.get(slot)
        if before == due_us:
            return None
        if before is None and len(self._due) >= self._most:
            self.refused += 1
            return None
        self._due[slot] = due_us
        if before is None:
            self._slots = None
            if len(self._queue) > 2 * len(self._due) + _SPARE:
                self._queue = [(at_us, one) for one, at_us in self._due.items() if one != slot]
                heapq.heapify(self._queue)
        if before is None or due_us < before:  # one that comes later is queued again when its turn comes
            heapq.heappush(self._queue, (due_us, slot))
            self.next_us = self._queue[0][0]
        return _note(slot, str(due_us))

    def end(self, slot: int) -> Note | None:
        """This flag waits no more, without counting as false; its note, None where it did not wait."""
        if self._due.pop(slot, None) is None:
            return None
        self._slots = None
        return _note(slot, "")

    def forget(self, slots: Iterable[int]) -> None:
        """The series of these slots are gone; the next `take_notes` says so."""
        if self._due:
            gone = [slot for slot in slots if self._due.pop(slot, None) is not None]
            self._slots = None
            self._unsaid += forgotten(gone)

    def take_notes(self) -> list[Note]:
        """What must be noted of series that are gone."""
        taken, self._unsaid = self._unsaid, []
        return taken

    def has_due(self, now_us: int) -> bool:
        """Whether a flag counts as false by now."""
        while self._queue and self._queue[0][0] <= now_us:
            at_us, slot = self._queue[0]
            due_us = self._due.get(slot)
            if due_us == at_us:
                return True
            heapq.heappop(self._queue)
            if due_us is not None:
                heapq.heappush(self._queue, (due_us, slot))
        self.next_us = self._queue[0][0] if self._queue else _NEVER
        return False

    def take(self, now_us: int) -> list[tuple[int, int]]:
        """The slots that are due and when each was, in order of time; they wait no more."""
        found = []
        while self.has_due(now_us):
            due_us, slot = heapq.heappop(self._queue)
            del self._due[slot]
            self._slots = None
            found.append((slot, due_us))
        return found


def forgotten(slots: Iterable[int]) -> list[Note]:
    """The notes that these slots wait no more."""
    return [_note(slot, "") for slot in slots]


def _note(slot: int, value: str) -> Note:
    return Note(OURS, HOLDS, str(slot), value)
