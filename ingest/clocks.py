"""Devices whose clock is behind: by how much, learnt from what they send, and their times put right.

A smoke alarm is old when its time is (life_safety, smoke 3). A detector whose clock is slow, or is read in a
wrong time zone, would have every fire taken for one of long ago; so a clock that is always behind by about
the same is known for that. What comes from a store at once, or catches up, is behind by less and less and
teaches nothing. A clock that is ahead is not believed in the first place (contract 11).

A time is put right by the least that its clock was ever behind, and never beyond its receipt: a message that
was quicker than any before it is of now. What has been learnt is kept as notes (`ingest.notes`), by registry
id; what is being learnt is in the snapshot. A tick whose times are all fresh pays for two comparisons while
no clock is known to be behind, and for a look-up of its devices then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, Int32, Int64
from devices.profiles.profile import Note
from ingest.columns import Columns
from ingest.notes import CLOCKS, OURS

FRESH_US: Final = 5 * 60 * 1_000_000
"""A time that is behind by less is believed as it is: as far as one ahead is (contract 11)."""
STEADY_US: Final = 60 * 1_000_000
DRIFT: Final = 20
WIDEST_US: Final = 30 * 60 * 1_000_000
"""What a clock is behind may differ by a minute and a twentieth of the time it was watched, and by half an
hour at most (chosen: a radio that sleeps adds minutes a day, and what catches up does so faster)."""
LEAST_TIMES: Final = 3
LEAST_US: Final = 120 * 1_000_000
"""So many times, over so long, it must have been behind by the same (chosen: what is sent at once from a
store has other times, and three heartbeats are an hour or two of a new device's life)."""
SLACK_US: Final = 15 * 60 * 1_000_000
"""A known clock that is behind by so much more may have fallen back further; by less, a message was slow
(chosen)."""
MAX_LEARNING: Final = 100_000
"""Clocks that are being learnt at one time (chosen; 200 bytes each). Those beyond it wait."""
FORGOTTEN_US: Final = 8 * 86_400 * 1_000_000
"""A clock that is being learnt and was not heard for so long makes room (chosen: a week and a day)."""
_HOUR_US: Final = 3_600_000_000


@dataclass(slots=True)
class _Run:
    """A row of times that were behind by about the same: the least and the most, since when, until when, and
    how many."""

    low_us: int
    high_us: int
    since_us: int
    last_us: int
    times: int = 1

    def goes_on(self, behind_us: int, now_us: int) -> bool:
        allowed = min(STEADY_US + max(0, now_us - self.since_us) // DRIFT, WIDEST_US)
        return max(self.high_us, behind_us) - min(self.low_us, behind_us) <= allowed

    def add(self, behind_us: int, now_us: int) -> None:
        self.low_us, self.high_us = min(self.low_us, behind_us), max(self.high_us, behind_us)
        self.last_us = now_us
        self.times += 1


class Clocks:
    """How far behind the clock of each device is, by registry id. 9 bytes a device, up to the highest id of
    one whose clock was behind. Devices nobody registered (id 0) are not known.
    """

    def __init__(self) -> None:
        self._clocks = Columns({"behind_us": np.int64, "learning": np.bool_})
        self._runs: dict[int, _Run] = {}
        self._known = 0
        self._tidied_us = 0

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

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """What is being learnt, as arrays; what is known stands in the notes."""
        runs = [(n, r.low_us, r.high_us, r.since_us, r.last_us, r.times) for n, r in self._runs.items()]
        return {"runs": np.array(runs, np.int64).reshape(len(runs), 6)}

    def resume(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot; one of an earlier release says nothing of clocks."""
        for device, *run in arrays.get("runs", np.empty((0, 6), np.int64)).tolist():
            self._learn_anew(device, _Run(*run))

    def behind_us(self, devices: Int32) -> Int64:
        """By how much the clock of each is known to be behind, 0 where it is not."""
        return np.where(devices > 0, self._taken("behind_us", devices), 0)

    def take(self, devices: Int32, given_us: Int64, live: Bool, received_us: int) -> tuple[Int64, list[Note]]:
        """What to add to the time of each reading, 0 where its clock is right; and the notes of what was
        learnt by it.

        `given_us` are the times that devices gave and that lie in the window. Of each device the newest
        counts; `live` are readings that say what time it was when they were sent: not retained or replayed,
        nor kept by the broker for us. A fresh time shows that a clock has been put right, a time that is
        behind by less than was known that it is behind by less: both hold from this message on.
        """
        device, of = np.unique(devices, return_inverse=True)
        newest = np.full(len(device), np.iinfo(np.int64).min)
        np.maximum.at(newest, of[live], given_us[live])
        said = np.zeros(len(device), np.bool_)
        said[of[live]] = True
        lag = np.where(said, received_us - newest, 0)
        behind = self.behind_us(device)
        less = said & (behind > 0) & (lag < behind - STEADY_US)
        more = (lag > FRESH_US) & ((behind == 0) | (lag > behind + SLACK_US))
        odd = less | (said & (device > 0) & (more | self._taken("learning", device).astype(np.bool_)))
        notes: list[Note] = []
        for n in np.flatnonzero(odd).tolist():
            notes += self._learn(int(device[n]), int(lag[n]), bool(less[n]), bool(more[n]), received_us)
        behind[less] = np.where(lag[less] > FRESH_US, lag[less], 0)
        add: Int64 = np.minimum(behind[of], np.maximum(received_us - given_us, 0))
        return add, notes

    def _taken(self, name: str, devices: Int32) -> NDArray[Any]:
        """A column at these ids; nothing beyond its end."""
        column = self._clocks[name]
        if not len(column):
            return np.zeros(len(devices), column.dtype)
        found: NDArray[Any] = column.take(devices, mode="clip")
        found[devices >= len(column)] = 0
        return found

    def _learn(self, device: int, lag_us: int, less: bool, more: bool, now_us: int) -> list[Note]:
        """One more time of a device that is not as usual."""
        run = self._runs.get(device)
        if not more:
            self._learn_no_more(device)
            return [self._set(device, lag_us if lag_us > FRESH_US else 0)] if less else []
        if run is None or not run.goes_on(lag_us, now_us):
            if run is not None or self._has_room(now_us):
                self._learn_anew(device, _Run(lag_us, lag_us, now_us, now_us))
            return []
        run.add(lag_us, now_us)
        if run.times < LEAST_TIMES or now_us - run.since_us < LEAST_US:
            return []
        self._learn_no_more(device)
        return [self._set(device, run.low_us)]

    def _has_room(self, now_us: int) -> bool:
        """Whether one more can be learnt; once an hour at most, those not heard for long make room."""
        if len(self._runs) >= MAX_LEARNING and abs(now_us - self._tidied_us) >= _HOUR_US:
            self._tidied_us = now_us
            for device in [n for n, run in self._runs.items() if now_us - run.last_us > FORGOTTEN_US]:
                self._learn_no_more(device)
        return len(self._runs) < MAX_LEARNING

    def _learn_anew(self, device: int, run: _Run) -> None:
        self._clocks.grow(device + 1)
        self._runs[device] = run
        self._clocks["learning"][device] = True

    def _learn_no_more(self, device: int) -> None:
        if self._runs.pop(device, None) is not None:
            self._clocks["learning"][device] = False

    def _set(self, device: int, behind_us: int) -> Note:
        self._clocks.grow(device + 1)
        behind = self._clocks["behind_us"]
        self._known += (behind_us > 0) - (int(behind[device]) > 0)
        behind[device] = behind_us
        return Note(OURS, CLOCKS, str(device), str(behind_us) if behind_us else "")
