"""Devices whose clock is behind: by how much, learnt from what they send, and their times put right.

A smoke alarm is old when its time is (life_safety, smoke 3). A detector whose clock is slow, or is read in a
wrong time zone, would have every fire taken for one of long ago; so a clock that is always behind by the same
is known for that. What comes from a store at once, or catches up, is behind by less and less and teaches
nothing. A clock that is ahead is not believed in the first place (contract 11).

What has been learnt is kept as notes (`ingest.notes`), by registry id; what is being learnt is not kept over
a restart. A tick whose times are all fresh pays for two comparisons while no clock is known to be behind, and
for a look-up of its devices then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from devices.model import Bool, Int32, Int64
from devices.profiles.profile import Note
from ingest.columns import Columns
from ingest.notes import CLOCKS, OURS

FRESH_US: Final = 5 * 60 * 1_000_000
"""A time that is behind by less is believed as it is: as far as one ahead is (contract 11)."""
STEADY_US: Final = 60 * 1_000_000
"""Within so much a clock is behind by the same (chosen: radio and brokers take seconds, a clock that is read
in whole minutes differs by one)."""
LEAST_TIMES: Final = 3
LEAST_US: Final = 60 * 1_000_000
"""So many times, over so long, it must have been behind by the same (chosen: what is sent at once from a
store has other times, and three heartbeats are an hour or two of a new device's life)."""
MAX_LEARNING: Final = 100_000
"""Clocks that are being learnt at one time (chosen; 200 bytes each). Those beyond it wait."""


@dataclass(slots=True)
class _Run:
    """A row of times that were behind by the same: the least and the most, since when, and how many."""

    low_us: int
    high_us: int
    since_us: int
    times: int = 1

    def goes_on(self, behind_us: int) -> bool:
        return self.high_us - STEADY_US <= behind_us <= self.low_us + STEADY_US

    def add(self, behind_us: int) -> None:
        self.low_us, self.high_us = min(self.low_us, behind_us), max(self.high_us, behind_us)
        self.times += 1


class Clocks:
    """How far behind the clock of each device is, by registry id. 8 bytes a device, up to the highest id of
    one whose clock was behind. Devices nobody registered (id 0) are not known.
    """

    def __init__(self) -> None:
        self._clocks = Columns({"behind_us": np.int64})
        self._runs: dict[int, _Run] = {}
        self._known = 0

    def __len__(self) -> int:
        """How many clocks are known to be behind."""
        return self._known

    @property
    def idle(self) -> bool:
        """Whether no clock is behind or suspected of it: a tick of fresh times has nothing to do here."""
        return not self._known and not self._runs

    def restore(self, notes: Iterable[Note]) -> None:
        """Takes what was stored; what is no note of a clock is passed over."""
        for one in notes:
            if one.profile == OURS and one.table == CLOCKS and one.key.isdecimal() and one.value.isdecimal():
                self._set(int(one.key), int(one.value))

    def behind_us(self, devices: Int32) -> Int64:
        """By how much the clock of each is known to be behind, 0 where it is not."""
        behind = self._clocks["behind_us"]
        known: Int64 = np.where(devices < len(behind), devices, 0).astype(np.int32)
        found: Int64 = behind.take(known) if len(behind) else np.zeros(len(devices), np.int64)
        found[devices == 0] = 0
        return found

    def take(self, devices: Int32, given_us: Int64, live: Bool, received_us: int) -> tuple[Int64, list[Note]]:
        """What to add to the time of each reading, 0 where its clock is right; and the notes of what was
        learnt by it, which holds from the next call on.

        `given_us` are the times that devices gave and that lie in the window. Of each device the newest
        counts; `live` are readings that say what time it was when they were sent: not retained or replayed,
        nor kept by the broker for us. A clock that has been put right is known by the first of them.
        """
        device, of = np.unique(devices, return_inverse=True)
        newest = np.full(len(device), np.iinfo(np.int64).min)
        np.maximum.at(newest, of[live], given_us[live])
        said = np.zeros(len(device), np.bool_)
        said[of[live]] = True
        lag = np.where(said, received_us - newest, 0)
        behind = self.behind_us(device)
        right = said & (behind > 0) & (lag < behind - STEADY_US)
        behind[right] = 0
        odd = said & (device > 0) & (right | (lag > FRESH_US) & (np.abs(lag - behind) > STEADY_US))
        if self._runs:
            odd |= np.isin(device, list(self._runs))
        notes = [
            note
            for n in np.flatnonzero(odd & said).tolist()
            for note in self._learn(int(device[n]), int(lag[n]), int(behind[n]), received_us)
        ]
        add: Int64 = behind[of]
        return add, notes

    def _learn(self, device: int, lag_us: int, behind_us: int, now_us: int) -> list[Note]:
        """One more time of a device that is not as usual; `behind_us` is what holds for it now."""
        notes = [self._set(device, 0)] if self._held(device) != behind_us else []
        run = self._runs.get(device)
        if lag_us <= FRESH_US or abs(lag_us - behind_us) <= STEADY_US:
            self._runs.pop(device, None)
            return notes
        if run is None or not run.goes_on(lag_us):
            if run is not None or len(self._runs) < MAX_LEARNING:
                self._runs[device] = _Run(lag_us, lag_us, now_us)
            return notes
        run.add(lag_us)
        if run.times < LEAST_TIMES or now_us - run.since_us < LEAST_US:
            return notes
        del self._runs[device]
        return [self._set(device, run.low_us)]

    def _held(self, device: int) -> int:
        behind = self._clocks["behind_us"]
        return int(behind[device]) if device < len(behind) else 0

    def _set(self, device: int, behind_us: int) -> Note:
        if behind_us:
            self._clocks.grow(device + 1)
        before = self._held(device)
        if device < len(self._clocks):
            self._clocks["behind_us"][device] = behind_us
        self._known += (behind_us > 0) - (before > 0)
        return Note(OURS, CLOCKS, str(device), str(behind_us) if behind_us else "")
