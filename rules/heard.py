"""When each registered device was heard, and what its silence has come to: columns by registry id.

Facts come from the series table and are in no snapshot; all else is state. 58 bytes a device, and 4 a series
to know whose it was. Row 0 is nobody: what strangers send is noted there and never looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, Float32, Int32, Int64, SeriesTable, UInt8, UInt16
from rules.pairs import State

NEVER: Final = -(2**62)
FAR: Final = 2**62
"""A deadline that does not come by the passing of time."""

KNOWN: Final = 1
"""Has been heard, or was said to be offline: a deadline runs. A device with this bit alone is a usual one."""
SAID_OFFLINE: Final = 2
SILENT: Final = 4
"""Its deadline has passed, and its gateway was there to carry it."""
PARKED: Final = 8
"""Its deadline has passed, and its gateway has not been heard since: it waits for that."""
AWAITED: Final = 16
"""Devices wait for this one, their gateway."""
TOLD: Final = 32
TOLD_LONG: Final = 64
"""The first and the second alarm of this silence have been told, whether or not they still stand."""
ACTIVE: Final = 128
ACTIVE_LONG: Final = 256
SELDOM: Final = 512
"""Which rules the active alarms are of: those for devices that report seldom."""
HELD: Final = 1024
"""Its broker is away, so that nothing is due."""
LOST: Final = 2048
"""It waits for a gateway that is silent, or lost itself: nothing is told of it, its building counts it."""
GRANTED: Final = 4096
"""In this silence an absence has given it more than the time of the absence."""
WAITED: Final = 8192
"""In this silence it waited for its gateway, which was heard again, and through it nothing of this device."""
ABSENT: Final = SILENT | LOST
"""What a building counts as silent."""

_STATE: Final[dict[str, np.generic]] = {
    "status": np.uint16(0),
    "beats": np.uint8(0),
    "source": np.uint8(0),
    "due_us": np.int64(FAR),
    "since_us": np.int64(NEVER),
    "heard_us": np.int64(NEVER),
    "fell_us": np.int64(NEVER),
    "cap_s": np.float32(np.inf),
}
_FACTS: Final[dict[str, np.generic]] = {
    "first": np.int32(-1),
    "building": np.int32(0),
    "dwelling": np.int32(0),
    "parent": np.int32(0),
    "limit_s": np.float32(np.nan),
}


class Heard:
    """Columns by device id, for every device that has a series.

    `since_us`: the silence counts from here at the earliest; `heard_us`: when the device last sent something,
    or was last said to be offline; `fell_us`: since when it counts as silent; `cap_s`: the shortest limit of
    the devices that wait for it; `due_us`: when it must be looked at next, never later than something
    happens. `first` is the device's lowest slot, -1 where it has none.
    """

    status: UInt16
    beats: UInt8
    source: UInt8
    due_us: Int64
    since_us: Int64
    heard_us: Int64
    fell_us: Int64
    cap_s: Float32
    first: Int32
    building: Int32
    dwelling: Int32
    parent: Int32
    limit_s: Float32

    def __init__(self, table: SeriesTable) -> None:
        self.n = 0
        self._device_of: Int32 = np.zeros(0, np.int32)
        self._slots = 0
        for name, blank in (_STATE | _FACTS).items():
            setattr(self, name, np.empty(0, blank.dtype))
        self._grow(1)
        self.status[0] = KNOWN
        self.move(table, np.arange(len(table), dtype=np.int32), table.device)

    def base(self, ids: Int32) -> Int64:
        """When the silence of these began: when they were heard, or what an absence has made of that."""
        quiet = (self.status[ids] & SAID_OFFLINE) != 0
        since = self.since_us[ids]
        begun: Int64 = np.where(quiet, since, np.maximum(since, self.heard_us[ids]))
        return begun

    def household(self, ids: Int32) -> Int32:
        """The dwelling of each; a device in none is one of its own, by a number below 0."""
        dwelling = self.dwelling[ids]
        household: Int32 = np.where(dwelling > 0, dwelling, -ids)
        return household

    def carried(self, ids: Int32, at_us: Int64) -> Bool:
        """Whether these would have been heard at `at_us`: by themselves, or by a gateway that was heard then
        or later. A gateway that was never heard, or has no series, explains nothing."""
        gateway = self.parent[ids]
        there = (self.heard_us[gateway] >= at_us) & ((self.status[gateway] & SAID_OFFLINE) == 0)
        known = (self.first[gateway] >= 0) & ((self.status[gateway] & KNOWN) != 0)
        carried: Bool = there | ~known
        return carried

    def having(self, bits: int) -> Int32:
        """The devices with any of these bits, in the order of their ids. Cost: a glance at all."""
        found = np.flatnonzero(self.status[: self.n] & np.uint16(bits)).astype(np.int32)
        return found[found > 0]

    def behind(self, gateways: Int32) -> Int32:
        """The parked devices whose gateway is among these. Cost: a glance at all."""
        parked = self.having(PARKED)
        marked = np.zeros(self.n, np.bool_)
        marked[gateways] = True
        found: Int32 = parked[marked[self.parent[parked]]]
        return found

    def children(self, gateways: Int32) -> Int32:
        """The devices heard ever whose gateway is among these. Cost: a glance at all."""
        marked = np.zeros(self.n, np.bool_)
        marked[gateways] = True
        ids = np.flatnonzero(self.parent[: self.n]).astype(np.int32)
        ids = ids[marked[self.parent[ids]]]
        found: Int32 = ids[(self.status[ids] & KNOWN) != 0]
        return found

    def note_waited(self, ids: Int32) -> None:
        """The gateway of these is there again: some have waited for it."""
        waited = (self.status[ids] & PARKED) != 0
        self.status[ids] |= waited * np.uint16(WAITED)

    def turn_back(self, now_us: int, before_us: int) -> None:
        """The clock has been ahead, at `before_us`: what is kept as later than now counts as now, and whoever
        may be due sooner by that is looked at sooner. Cost: a glance at all."""
        n = self.n
        soon = (self.status[:n] & np.uint16(SILENT)) != 0
        for column in (self.heard_us, self.since_us, self.fell_us):
            soon |= column[:n] > now_us
            np.minimum(column, now_us, out=column)
        due_us = self.due_us[:n]
        # whoever was heard since the clock was put back was so earlier than before by this at most
        due_us[due_us < FAR] -= before_us - now_us
        due_us[soon & ((self.status[:n] & np.uint16(KNOWN)) != 0)] = now_us
        due_us[0] = FAR

    def touched(self, slots: Int32, device: Int32) -> Int32:
        """The devices that have, or had, one of these slots, which `device` has from here on."""
        before = self._device_of[slots[slots < self._slots]]
        ids = np.unique(np.concatenate((before, device)))
        return ids[ids > 0]

    def move(self, table: SeriesTable, slots: Int32, device: Int32) -> Int32:
        """These slots are those of `device` from here on (0: nobody's); their facts are taken from `table`.

        The devices that have no slot any more are forgotten, and given back.
        """
        ids = self.touched(slots, device)
        self._grow_slots(len(table))
        self._grow(int(ids.max(initial=0)) + 1)
        self._device_of[slots] = device
        self._find_first(ids, slots, device)
        some = ids[self.first[ids] >= 0]
        slot = self.first[some]
        self.building[some], self.parent[some] = table.building[slot], table.parent[slot]
        self.dwelling[some], self.limit_s[some] = table.dwelling[slot], table.silence_s[slot]
        self._grow(int(self.parent[some].max(initial=0)) + 1)
        gone: Int32 = ids[self.first[ids] < 0]
        for name, blank in (_STATE | _FACTS).items():
            getattr(self, name)[gone] = blank
        return gone

    def rebuild(self, table: SeriesTable) -> None:
        """Any slot may be another device's: state stays with those that still have one."""
        slots = np.arange(max(len(table), self._slots), dtype=np.int32)
        device = np.zeros(len(slots), np.int32)
        device[: len(table)] = table.device
        self.move(table, slots, device)

    def snapshot(self) -> State:
        """Copies of all state, of the devices of which there is any."""
        ids = self.having(0xFFFF)
        return {"device": ids, **{name: getattr(self, name)[ids] for name in _STATE}}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes a snapshot, as far as the devices are still there; all others start blank."""
        for name, blank in _STATE.items():
            getattr(self, name)[1:] = blank
        ids = state["device"]
        there = ids < self.n
        there[there] = self.first[ids[there]] >= 0
        for name in _STATE.keys() & state.keys():
            getattr(self, name)[ids[there]] = state[name][there]

    def _find_first(self, ids: Int32, slots: Int32, device: Int32) -> None:
        """The lowest slot of each of `ids`: a glance at all slots where one has lost its lowest."""
        has = ids[self.first[ids] >= 0]
        lost = has[self._device_of[self.first[has]] != has]
        self.first[lost] = -1
        if len(lost):
            marked = np.zeros(self.n, np.bool_)
            marked[lost] = True
            left = np.flatnonzero(marked[self._device_of[: self._slots]])[::-1].astype(np.int32)
            self.first[self._device_of[left]] = left  # the lowest is written last
        order = np.argsort(slots)[::-1]
        slots, device = slots[order], device[order]
        first = self.first[device]
        lower = (device > 0) & ((first < 0) | (slots < first))
        self.first[device[lower]] = slots[lower]

    def _grow_slots(self, slots: int) -> None:
        if slots > len(self._device_of):
            room = max(slots, 2 * len(self._device_of)) - len(self._device_of)
            self._device_of = np.concatenate((self._device_of, np.zeros(room, np.int32)))
        self._slots = max(self._slots, slots)

    def _grow(self, n: int) -> None:
        """Lines up to id n - 1; copies only when they have doubled."""
        if n > len(self.status):
            room = max(n, 2 * len(self.status)) - len(self.status)
            for name, blank in (_STATE | _FACTS).items():
                column = np.full(room, blank, blank.dtype)
                setattr(self, name, np.concatenate((getattr(self, name), column)))
        self.n = max(self.n, n)
