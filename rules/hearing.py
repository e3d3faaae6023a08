"""Hearing: what a batch of readings says of who is there. The part of presence that every reading passes.

A usual device costs two numbers in two columns; its deadline is worked out when it is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import MUTE_QUALITY, Bool, Int32, Metric, ReadingBatch, SeriesTable
from rules.brokers import Brokers
from rules.found import Found
from rules.heard import AWAITED, FAR, KNOWN, PARKED, SAID_OFFLINE, SILENT, Heard
from rules.kernels.dark import DarkKernel
from rules.kernels.silence import SilenceKernel
from rules.kernels.silence_told import SilenceTold
from rules.look import Look
from rules.pairs import State
from rules.returns import Returned
from rules.rounds import Rows

_LEVELS: Final = 4
"""Gateways behind gateways that are heard with a device (chosen: a repeater behind a repeater)."""
_MUTE: Final = int(MUTE_QUALITY)


class Hearing:
    """Over the columns and kernels of a `Presence`. `due_us`: from when on a look must follow."""

    def __init__(
        self, heard: Heard, silence: SilenceKernel, told: SilenceTold, dark: DarkKernel, brokers: Brokers
    ) -> None:
        self._heard, self._silence, self._told = heard, silence, told
        self._dark, self._brokers = dark, brokers
        self._called: list[Int32] = []
        self._returned: list[Returned] = []
        self.due_us = FAR

    def hear(self, look: Look, table: SeriesTable, says_online: bool, source: str) -> list[Found]:
        """Takes what a batch says; what that clears. `says_online`: it has readings of `device.online`."""
        batch = look.batch
        device = table.device.take(batch.slot)
        if not says_online and not int(np.bitwise_or.reduce(batch.quality)) & _MUTE:
            return self._hear(device, None, None, batch, table, source)
        alive = (batch.quality & _MUTE) == 0
        about = table.metric.take(batch.slot) == Metric.DEVICE_ONLINE
        alive &= ~about | (batch.value > 0)
        stated = np.flatnonzero(about & (batch.value == 0) & (device > 0))
        stated = stated[look.usable(stated)]
        said, first = np.unique(device[stated], return_index=True)
        rows = np.flatnonzero(alive)
        told = (said, stated[first]) if len(said) else None
        found = self._hear(device[rows], rows, told, batch, table, source)
        if len(said):
            self._state(said.astype(np.int32), stated[first], batch, source)
        return found

    def _hear(
        self,
        ids: Int32,
        rows: Rows | None,
        said: tuple[Int32, Rows] | None,
        batch: ReadingBatch,
        table: SeriesTable,
        source: str,
    ) -> list[Found]:
        """These devices, and their gateways, are there. `rows` are their readings, None for all in their
        order; of what is `said` to be offline only those count that came before that."""
        heard = self._heard
        levels, odd_ids, odd_rows = [], [], []
        for _ in range(_LEVELS):
            if said is not None and rows is not None:
                before = _before(ids, rows, said)
                ids, rows = ids[before], rows[before]
            odd = heard.status.take(ids) != KNOWN
            if odd.any():
                there = ~odd | ~self._just_said(ids, batch.received_us)
                ids, odd = ids[there], odd[there]
                rows = np.flatnonzero(there) if rows is None else rows[there]
                at = np.flatnonzero(odd)
                odd_ids.append(ids[at])
                odd_rows.append(rows[at])
            levels.append(ids)
            ids = heard.parent.take(ids)
            if not ids.any():
                break
            behind = np.flatnonzero(ids)
            ids, rows = ids[behind], behind if rows is None else rows[behind]
        found = (
            self._hear_odd(np.concatenate(odd_ids), np.concatenate(odd_rows), batch.received_us, table)
            if odd_ids
            else []
        )
        code = self._brokers.code(source)
        for some in levels:
            heard.heard_us[some] = batch.received_us
            if len(self._brokers) > 1:
                self._heard_by(some, code, batch.received_us)
        return found

    def _heard_by(self, ids: Int32, code: int, received_us: int) -> None:
        """These are now heard by this broker. Nobody looks at devices of one that is away: from here on,
        somebody must again."""
        moved = ids[(self._heard.source[ids] != code) & (ids > 0) & (self._heard.first[ids] >= 0)]
        if len(moved):
            self._heard.source[moved] = code
            self._heard.due_us[moved] = received_us
            self.due_us = min(self.due_us, received_us)

    def _just_said(self, ids: Int32, received_us: int) -> Bool:
        """Which of these were said to be offline at this very moment: they are not heard by anybody."""
        quiet = (self._heard.status[ids] & SAID_OFFLINE) != 0
        said: Bool = quiet & (self._heard.heard_us[ids] == received_us)
        return said

    def _hear_odd(self, ids: Int32, rows: Rows, received_us: int, table: SeriesTable) -> list[Found]:
        """Those that are not as usual: new ones, silent ones, and gateways that are waited for."""
        heard = self._heard
        fresh = (heard.heard_us[ids] != received_us) & (ids > 0) & (heard.first[ids] >= 0)
        ids, rows = ids[fresh], rows[fresh]
        arrived = np.argsort(rows, kind="stable")  # a gateway's first reading may be that of one behind it
        ids, rows = ids[arrived], rows[arrived]
        _, at = np.unique(ids, return_index=True)
        at = at[np.argsort(rows[at], kind="stable")]
        ids, rows = ids[at], rows[at]
        if not len(ids):
            return []
        self._called.append(ids[(heard.status[ids] & AWAITED) != 0])
        back = ids[(heard.status[ids] & (SILENT | PARKED)) != 0]
        if len(back):
            at_us = np.full(len(back), received_us, np.int64)
            self._returned.append(Returned(back, heard.heard_us[back], at_us))
        with self._dark.recounted(ids, self._silence.often):
            found = self._told.hear(ids, rows, received_us, table)
        self.due_us = min(self.due_us, received_us)
        return found

    def _state(self, ids: Int32, rows: Rows, batch: ReadingBatch, source: str) -> None:
        """These were said to be offline."""
        new = ids[(self._heard.status[ids] & KNOWN) == 0]
        self._heard.source[new] = self._brokers.code(source)
        with self._dark.recounted(ids, self._silence.often):
            self._silence.state_offline(ids, batch.observed_us[rows], batch.received_us)
        self.due_us = min(self.due_us, int(self._heard.due_us[ids].min()))

    def call(self, gateways: Int32) -> None:
        """Who waits for these is to be looked at."""
        self._called.append(gateways)

    def take_called(self) -> Int32:
        """The gateways that somebody waited for and that were heard since this was asked last, or called."""
        called, self._called = self._called, []
        return np.concatenate([np.empty(0, np.int32), *called])

    def take_returned(self) -> Returned:
        """The devices that were heard again since this was asked last."""
        returned, self._returned = self._returned, []
        return Returned.joined(returned)

    def snapshot(self) -> State:
        """All state."""
        called = np.concatenate([np.empty(0, np.int32), *self._called])
        return {"called": called, **Returned.joined(self._returned).columns()}

    def restore(self, state: Mapping[str, NDArray[Any]], n: int) -> None:
        """Takes a snapshot, as far as devices have an id below `n`."""
        called = state.get("called", np.empty(0, np.int32))
        self._called, self._returned = [called[called < n]], [Returned.among(state, n)]
        self.due_us = 0


def _before(ids: Int32, rows: Rows, said: tuple[Int32, Rows]) -> Bool:
    """Which of these readings came before their device was said to be offline."""
    at = np.minimum(np.searchsorted(said[0], ids), len(said[0]) - 1)
    before: Bool = (said[0][at] != ids) | (rows < said[1][at])
    return before
