"""Series of one device that are compared with each other: the current beside a temperature, the other
phases."""

from __future__ import annotations

from typing import Final

import numpy as np

from devices.model import Bool, Int32, Int64, Metric, SeriesTable, UInt8
from rules.latest import METRICS

_SOME: Final = 8192
"""Series that may have come or changed before they are sorted in among all others (chosen: sorting them takes
half a millisecond, sorting all in some 10 ms at 3,000,000)."""


class Kin:
    """Finds the series of a (device, metric, phase): 12 bytes for each series of `latest.METRICS`.

    A search costs about 0.2 µs an entry at 1,000,000 series. What it finds is looked up in the table before
    it is told, so that a series that moved or is gone is never taken for kin.
    """

    _slots: int

    def __init__(self, table: SeriesTable) -> None:
        self._compared = np.zeros(256, np.bool_)
        self._compared[list(METRICS)] = True
        self._build(table)

    def adopt(self, table: SeriesTable, changed: Int32 | None = None) -> None:
        """Takes a changed series table; `changed` as for `Pairs.adopt`."""
        if changed is None:
            self._build(table)
            return
        new = np.arange(self._slots, len(table), dtype=np.int32)
        self._table, self._slots = table, len(table)
        slots = self._of_interest(np.concatenate((changed, new)))
        if len(slots):
            self._add(slots)

    def slot(self, device: Int32, metric: Metric, phase: UInt8 | int) -> Int32:
        """The slot of each device's series of this metric and phase, 0 where it has none or is no device."""
        key = _key(device, np.full(len(device), metric, np.int16), np.broadcast_to(phase, device.shape))
        slot = self._look(self._fresh_keys, self._fresh, key, np.zeros(len(key), np.int32))
        missing = slot == 0
        if missing.any():
            slot[missing] = self._look(self._keys, self._all, key[missing], slot[missing])
        return slot

    def _look(self, keys: Int64, slots: Int32, wanted: Int64, found: Int32) -> Int32:
        if not len(keys):
            return found
        at = np.searchsorted(keys, wanted, side="right") - 1
        at = np.maximum(at, 0)
        slot = slots[at]
        real = (keys[at] == wanted) & (wanted >> 16 > 0) & (self._key_of(slot) == wanted)
        return np.where(real, slot, 0).astype(np.int32)

    def _build(self, table: SeriesTable) -> None:
        self._table, self._slots = table, len(table)
        slots = self._of_interest(np.arange(len(table), dtype=np.int32))
        keys = self._key_of(slots)
        order = np.argsort(keys, kind="stable")
        self._keys, self._all = keys[order], slots[order]
        self._fresh_keys, self._fresh = np.empty(0, np.int64), np.empty(0, np.int32)

    def _add(self, slots: Int32) -> None:
        fresh = np.concatenate((self._fresh, slots))
        keys = self._key_of(fresh)
        order = np.argsort(keys, kind="stable")
        keys, fresh = keys[order], fresh[order]
        newest = np.append(keys[1:] != keys[:-1], True)
        self._fresh_keys, self._fresh = keys[newest], fresh[newest]
        if len(self._fresh) > _SOME:
            self._merge()

    def _merge(self) -> None:
        """The fresh ones among all: in place of those with the same key, which are gone or have moved."""
        at = np.searchsorted(self._keys, self._fresh_keys)
        same = np.zeros(len(at), np.bool_)
        inside = at < len(self._keys)
        same[inside] = self._keys[at[inside]] == self._fresh_keys[inside]
        self._all[at[same]] = self._fresh[same]
        self._all = np.insert(self._all, at[~same], self._fresh[~same])
        self._keys = np.insert(self._keys, at[~same], self._fresh_keys[~same])
        self._fresh_keys, self._fresh = np.empty(0, np.int64), np.empty(0, np.int32)

    def _of_interest(self, slots: Int32) -> Int32:
        table = self._table
        wanted: Bool = self._compared[table.metric[slots]] & (table.device[slots] > 0)
        return slots[wanted]

    def _key_of(self, slots: Int32) -> Int64:
        table = self._table
        return _key(table.device[slots], table.metric[slots], table.phase[slots])


def _key(device: Int32, metric: np.ndarray, phase: np.ndarray) -> Int64:
    key: Int64 = (device.astype(np.int64) << 16) | (metric.astype(np.int64) << 8) | phase.astype(np.int64)
    return key
