"""Series of one device that are compared with each other: the current beside a temperature, the other
phases."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np

from devices.model import METRIC_LIMIT, NO_KIN, Bool, Int16, Int32, Int64, Metric, SeriesTable, UInt8
from rules.rounds import Rows

_SOME: Final = 8192
"""Series that may have come or moved before they are sorted in among all others (chosen: sorting them takes
half a millisecond, sorting all in some 10 ms at 3,000,000)."""
_BESIDE: Final = 16
"""Bits of a key beside the device: 8 of metric, 8 of phase."""
_GONE: Final = 0
"""The slot of an entry whose series is no longer where it was."""

_NO_KEYS: Final = np.empty(0, np.int64)
_NO_SLOTS: Final = np.empty(0, np.int32)


class Kin:
    """Finds the series of a (device, metric, phase), for devices that are registered.

    Where a device has several of one metric and phase (`ch2` and `socket2`), it is the one with the highest
    slot. Channels without a phase (NO_KIN) are nobody's kin. 12 bytes for each series of `metrics`, and 8 for
    every slot. A search costs about 0.2 µs an entry at 1,000,000 series: who asks at every reading should ask
    once, and again for the slots in `touched` after each `adopt`.
    """

    touched: Int32
    """Slots whose kin, or who themselves, may be others than before the last `adopt`; sorted."""

    def __init__(self, table: SeriesTable, metrics: Collection[Metric], some: int = _SOME) -> None:
        """`some` series that came or moved are kept beside the others before they are sorted in."""
        self._some = some
        self._forgotten: Int32 = _NO_SLOTS
        self._compared = np.zeros(METRIC_LIMIT, np.bool_)
        self._compared[list(metrics)] = True
        self._build(table)

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        """Takes a changed series table; `changed` as for `Pairs.adopt`."""
        if changed is None:
            self._build(table)
            return
        new = np.arange(self._slots, len(table), dtype=np.int32)
        self._make_room(len(table))
        slots = np.unique(np.concatenate((changed, new, self._forgotten)))
        self._forgotten = _NO_SLOTS
        before, now = self._key[slots], self._keys_of(table, slots)
        moved = before != now
        if moved.any():
            self._move(slots[moved], before[moved], now[moved])
        devices = np.unique(np.concatenate((before, now)) >> _BESIDE)
        self.touched = np.unique(np.concatenate((slots, self._family(devices[devices > 0]))))

    def forget(self, slots: Int32) -> None:
        """These slots are gone: they are in `touched` after the next `adopt`, if they are still known."""
        self._forgotten = np.concatenate((self._forgotten, slots[slots < self._slots]))

    def slot(self, device: Int32, metric: Metric, phase: UInt8 | int) -> Int32:
        """The slot of each device's series of this metric and phase, 0 where it has none or is no device."""
        key = (device.astype(np.int64) << _BESIDE) | (int(metric) << 8) | np.asarray(phase, np.int64)
        key[(device <= 0) | (np.asarray(phase) == NO_KIN)] = 0
        found = _last(self._keys, self._all, key)
        return np.maximum(found, _last(self._fresh_keys, self._fresh, key)) if len(self._fresh) else found

    def _build(self, table: SeriesTable) -> None:
        self._slots, self._room = len(table), np.zeros(len(table), np.int64)
        self._key = self._room
        slots = np.arange(len(table), dtype=np.int32)
        self._key[:] = self._keys_of(table, slots)
        slots = np.flatnonzero(self._key).astype(np.int32)
        self._keys, self._all = _sorted(self._key[slots], slots)
        self._fresh_keys, self._fresh, self._forgotten = _NO_KEYS, _NO_SLOTS, _NO_SLOTS
        self.touched = np.arange(len(table), dtype=np.int32)

    def _make_room(self, slots: int) -> None:
        """Keys for so many slots; copies only when they have doubled."""
        if slots > len(self._room):
            self._room = np.concatenate((self._key, np.zeros(slots, np.int64)))
        self._slots, self._key = slots, self._room[:slots]

    def _keys_of(self, table: SeriesTable, slots: Int32) -> Int64:
        """What each slot is found by, 0 where it is not compared with anything."""
        metric: Int16 = table.metric[slots]
        device = table.device[slots].astype(np.int64)
        key = (device << _BESIDE) | (metric.astype(np.int64) << 8) | table.phase[slots]
        return np.where(self._compared[metric] & (device > 0), key, 0)

    def _move(self, slots: Int32, before: Int64, now: Int64) -> None:
        """These slots are found by `now` instead of `before`; 0 is nowhere. `slots` is sorted."""
        self._key[slots] = now
        fresh = np.isin(slots, self._fresh)
        stood = (before > 0) & ~fresh
        if stood.any():
            self._all[_places(self._keys, self._all, before[stood], slots[stood])] = _GONE
        if fresh.any() or (now > 0).any():
            kept = self._fresh[~np.isin(self._fresh, slots)]
            some = np.sort(np.concatenate((kept, slots[now > 0])))
            self._fresh_keys, self._fresh = _sorted(self._key[some], some)
        if len(self._fresh) > self._some:
            self._merge()

    def _merge(self) -> None:
        """The fresh ones among all, and without those that are gone."""
        live = self._all != _GONE
        keys, slots = self._keys[live], self._all[live]
        at = np.searchsorted(keys, self._fresh_keys, side="right")
        after = self._before(keys, slots, at)
        while after.any():  # of one key the highest slot comes last
            at[after] -= 1
            after = self._before(keys, slots, at)
        self._keys = np.insert(keys, at, self._fresh_keys)
        self._all = np.insert(slots, at, self._fresh)
        self._fresh_keys, self._fresh = _NO_KEYS, _NO_SLOTS

    def _before(self, keys: Int64, slots: Int32, at: Rows) -> Bool:
        """Whether the fresh one of each place must stand before the entry in front of it."""
        if not len(keys):
            return np.zeros(len(at), np.bool_)
        front = np.maximum(at - 1, 0)
        higher: Bool = (at > 0) & (keys[front] == self._fresh_keys) & (slots[front] > self._fresh)
        return higher

    def _family(self, devices: Int64) -> Int32:
        """Every slot that is found by one of these devices; each once."""
        found = [
            _within(keys, slots, devices)
            for keys, slots in ((self._keys, self._all), (self._fresh_keys, self._fresh))
        ]
        slots = np.concatenate(found)
        family: Int32 = slots[slots != _GONE]
        return family


def _sorted(keys: Int64, slots: Int32) -> tuple[Int64, Int32]:
    """Both by key, and by slot where keys are the same; `slots` is sorted."""
    order = np.argsort(keys, kind="stable")
    return keys[order], slots[order]


def _last(keys: Int64, slots: Int32, wanted: Int64) -> Int32:
    """The last slot of each wanted key, 0 where there is none."""
    if not len(keys):
        return np.zeros(len(wanted), np.int32)
    at = np.searchsorted(keys, wanted, side="right") - 1
    found = np.where(keys[np.maximum(at, 0)] == wanted, slots[np.maximum(at, 0)], 0)
    empty = np.flatnonzero((found == _GONE) & (at > 0))
    empty = empty[keys[at[empty]] == wanted[empty]]
    while len(empty):  # the last of this key is gone: the one before it
        at[empty] -= 1
        empty = empty[(at[empty] >= 0) & (keys[at[empty]] == wanted[empty])]
        found[empty] = slots[at[empty]]
        empty = empty[found[empty] == _GONE]
    return found.astype(np.int32)


def _places(keys: Int64, slots: Int32, of: Int64, slot: Int32) -> Rows:
    """Where the entry of each (key, slot) stands; all of them do stand somewhere."""
    at = np.searchsorted(keys, of)
    other = np.flatnonzero(slots[at] != slot)
    while len(other):
        at[other] += 1
        other = other[slots[at[other]] != slot[other]]
    return at


def _within(keys: Int64, slots: Int32, devices: Int64) -> Int32:
    """The slots of these devices."""
    first = np.searchsorted(keys, devices << _BESIDE)
    count = np.searchsorted(keys, (devices + 1) << _BESIDE) - first
    before = np.cumsum(count) - count
    found: Int32 = slots[np.repeat(first - before, count) + np.arange(int(count.sum()))]
    return found
