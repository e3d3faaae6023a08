"""From decoded values to readings: which series, at what time, how trustworthy, and whether it is new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import (
    MUTE_QUALITY,
    Bool,
    Float64,
    Int32,
    Int64,
    Quality,
    ReadingBatch,
    UInt16,
    UInt32,
)
from devices.profiles.profile import Decoded, Note
from ingest.clocks import FRESH_US, Clocks
from ingest.columns import Columns
from ingest.observed import AHEAD_US, BACK_US, observe, proof_of
from ingest.record import Messages, Record
from ingest.series import SeriesIndex
from ingest.spread import Runs, before_each, spread
from ingest.windows import SeqWindows

CROWD: Final = 600
"""Readings of one series in one tick that are taken for live, the last of them (chosen: a meter may send ten
minutes of seconds at once; more is history, and each one costs the rules a round)."""
_START: Final = np.zeros(1, np.intp)
_SPAN: Final = 1 << 40
"""More microseconds than the window is wide, so that segments can be told apart by adding multiples."""


@dataclass(frozen=True, slots=True)
class Stamped:
    """One tick's readings, its messages as the journal keeps them, and how many readings were duplicates;
    per reading the number of its message. `notes` is what was learnt of clocks."""

    batch: ReadingBatch
    messages: Messages
    duplicates: int
    message: Int32
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How the messages of one tick came: when, per message packet id, checksum and retain flag, and whether
    the broker had held them for us (`queued`).
    """

    received_us: int
    packet_id: UInt16
    checksum: UInt32
    retained: Bool
    queued: bool


class Stamps:
    """Turns `Decoded` into a `ReadingBatch`, with the memory that needs: a few numbers per series and device.

    Duplicates are not in the batch: they are stored once. The memory depends on what is journalled and on
    nothing else, so that `replay` of the records brings it to exactly where it was. It is kept by seat;
    where this class says slot inside, it means the seat. `clocks`, whose notes are stored, is apart.

    Late means observed before a reading of the same series that arrived earlier. A newest time that lies
    ahead of what is believed now (our own clock was wrong and was put back) is forgotten: otherwise every
    reading would be late until the clock has caught up.
    """

    def __init__(self, index: SeriesIndex) -> None:
        self._index = index
        self.clocks = Clocks()
        self._windows = SeqWindows()
        self._place = Columns({"at": np.int32})
        self._series = Columns(
            {
                "newest_us": np.int64,
                "run_us": np.int64,
                "last_us": np.int64,
                "last_value": np.float64,
                "last_nudge": np.uint16,
            }
        )

    def stamp(self, decoded: Decoded, arrived: Arrivals) -> Stamped:
        """The readings of one tick; `decoded` and `arrived` speak of the same messages."""
        received_us, checksum = arrived.received_us, arrived.checksum
        seat = self._index.seats_for(decoded.row, decoded.metric)
        self._series.grow(len(self._index))
        observed, quality, timed = observe(decoded, received_us)
        observed, notes = self._put_right(decoded, arrived, observed, quality, timed)
        proof = proof_of(decoded, timed)
        messages = Messages(arrived.packet_id, checksum, self._devices(decoded), decoded.seq, proof)
        if arrived.retained.any():
            quality |= np.where(arrived.retained, Quality.RETAINED, 0).astype(np.uint32)[decoded.message]
        if arrived.queued:
            quality |= np.uint32(Quality.QUEUED)
        seen = self._windows.admit(messages.device, messages.seq, checksum, proof, received_us)
        value, message, came = decoded.value, decoded.message, len(seat)
        if seen.any() or (decoded.seq < 0).any():
            keep = ~seen[decoded.message]
            by_time = keep & timed & (decoded.seq[decoded.message] < 0)
            keep &= ~self._repeats(seat, observed, value, by_time, keep)
            if not keep.all():
                seat, observed, value, quality = seat[keep], observed[keep], value[keep], quality[keep]
                message = message[keep]
        batch = self._stamp_usual(received_us, seat, observed, value, quality)
        if batch is None:
            quality[self._is_history(seat)] |= np.uint32(Quality.BACKFILL)
            batch = self._mark(received_us, seat, observed, value, quality)
            self._remember(batch)
        batch = replace(batch, slot=self._index.slots_of(batch.slot))
        return Stamped(batch, messages, came - len(batch), message, notes)

    def add(self, seat: Int32, observed_us: Int64, value: Float64, received_us: int) -> ReadingBatch:
        """Readings that belong to no message, by slot; they come before those of the tick's messages.

        They are nobody's duplicates, and their quality is good but for LATE.
        """
        self._series.grow(len(self._index))
        batch = self._mark(received_us, seat, observed_us.copy(), value, np.zeros(len(seat), np.uint32))
        self._remember(batch)
        return replace(batch, slot=self._index.slots_of(batch.slot))

    def replay(self, record: Record) -> None:
        """Brings the memory to where it was after this record's tick. The index must know its series."""
        self._series.grow(len(self._index))
        messages = record.messages
        self._windows.admit(messages.device, messages.seq, messages.checksum, messages.proof, record.tick_us)
        self._remember(self._index.seated(record.batch))

    def forget(self, seats: Int32) -> None:
        """The series on these seats are gone: whoever sits there next starts as new."""
        self._series.grow(len(self._index))
        self._series.clear(seats)

    def newest_us(self, seats: Int32) -> Int64:
        """The observed time of the newest reading on each seat, 0 before the first."""
        self._series.grow(len(self._index))
        newest: Int64 = self._series["newest_us"].take(seats)
        return newest

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """The whole memory as arrays, independent of what follows."""
        return self._series.snapshot("series.") | self._windows.snapshot()

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Takes the memory of a snapshot. Raises KeyError where an array is missing."""
        self._series.restore("series.", arrays)
        self._windows.restore(arrays)

    def _put_right(
        self, decoded: Decoded, arrived: Arrivals, observed: Int64, quality: UInt32, timed: Bool
    ) -> tuple[Int64, list[Note]]:
        """Times of devices whose clock is known to be behind, put right and flagged; and what was learnt."""
        received_us = arrived.received_us
        if not len(observed) or (self.clocks.idle and int(observed.min()) >= received_us - FRESH_US):
            return observed, []
        live = timed & ((quality & MUTE_QUALITY) == 0) & ~arrived.retained[decoded.message]
        live &= not arrived.queued
        devices = self._index.device_of(decoded.row)
        add, notes = self.clocks.take(devices, observed, live, received_us)
        behind = timed & (add > 0)
        if behind.any():
            observed = np.where(behind, observed + add, observed)
            quality[behind] |= np.uint32(Quality.CLOCK_SKEW)
        return observed, notes

    def _is_history(self, seat: Int32) -> Bool:
        """Which readings are followed by CROWD others of their series in this tick."""
        history = np.zeros(len(seat), np.bool_)
        if len(seat) > CROWD:
            order, first = self._runs(seat)
            begins = np.flatnonzero(first)
            ends = np.append(begins[1:], len(seat))
            left = np.repeat(ends, ends - begins) - np.arange(len(seat))
            history[order] = left > CROWD
        return history

    def _devices(self, decoded: Decoded) -> Int32:
        """Per message the device of its first reading, 0 where it has none."""
        device = np.zeros(len(decoded.seq), np.int32)
        message = decoded.message
        if len(message):
            first = np.flatnonzero(message[1:] != message[:-1])
            first += 1
            first = np.concatenate((_START, first))
            device[message[first]] = self._index.device_of(decoded.row[first])
        return device

    def _stamp_usual(
        self, received_us: int, seat: Int32, observed: Int64, value: Float64, quality: UInt32
    ) -> ReadingBatch | None:
        """The usual tick, marked and remembered: each series once, and later than all it had before.

        None where it is another: nothing was done then.
        """
        if not len(seat) or not self._are_distinct(seat):
            return None
        series = self._series
        newest = series["newest_us"].take(seat)
        if (observed < newest).any() or (observed <= series["last_us"].take(seat) + 1).any():
            return None
        if int(newest.max()) > received_us + AHEAD_US:
            return None
        for name in ("newest_us", "run_us", "last_us"):
            series[name][seat] = observed
        series["last_value"][seat] = value
        series["last_nudge"][seat] = 0
        return ReadingBatch(received_us, seat, observed, np.zeros(len(seat), np.uint16), value, quality)

    def _repeats(self, slot: Int32, observed: Int64, value: Float64, asked: Bool, arrived: Bool) -> Bool:
        """Where a reading that is `asked` about has time and value of the one before it in its series."""
        repeats = np.zeros(len(slot), np.bool_)
        if not asked.any():
            return repeats
        at = np.flatnonzero(arrived)
        order, first = self._runs(slot[at])
        at = at[order]
        times, before_value = observed[at], before_each(value[at])
        heads = slot[at[first]]
        same_time = times == before_each(times)
        same_time[first] = self._run_of(heads).reach_over(times[first])
        before_value[first] = self._series["last_value"][heads]
        now_value = value[at]
        same_value = (now_value == before_value) | (np.isnan(now_value) & np.isnan(before_value))
        repeats[at] = asked[at] & same_time & same_value
        return repeats

    def _mark(
        self, received_us: int, slot: Int32, observed: Int64, value: Float64, quality: UInt32
    ) -> ReadingBatch:
        """Sets LATE and the nudges, series by series in arrival order, without a loop over readings."""
        nudge = np.zeros(len(slot), np.uint16)
        if len(slot):
            order, first = self._runs(slot)
            heads = slot[order[first]]
            times, nudge[order] = spread(observed[order], first, self._run_of(heads))
            late = times < self._newest_before(times, first, heads, received_us)
            quality[order[late]] |= np.uint32(Quality.LATE)
            observed = np.empty_like(observed)
            observed[order] = times
        return ReadingBatch(received_us, slot, observed, nudge, value, quality)

    def _newest_before(self, times: Int64, first: Bool, heads: Int32, received_us: int) -> Int64:
        """For each reading (sorted by series) the newest time of its series that arrived before it."""
        if len(heads) == len(times):
            return self._newest(heads, received_us)
        floor = received_us - BACK_US - 1
        segment = np.cumsum(first) - 1
        before = before_each(times)
        before[first] = self._newest(heads, received_us)
        lifted = before - floor + segment * _SPAN  # times lie within a span: segments do not mix
        newest: Int64 = np.maximum.accumulate(lifted) - segment * _SPAN + floor
        return newest

    def _run_of(self, slot: Int32) -> Runs:
        return Runs(
            self._series["run_us"][slot], self._series["last_us"][slot], self._series["last_nudge"][slot]
        )

    def _are_distinct(self, slot: Int32) -> bool:
        """Whether no series is there twice: places written and read back show it without sorting."""
        self._place.grow(len(self._series))
        at, order = self._place["at"], np.arange(len(slot), dtype=np.int32)
        at[slot] = order
        return np.array_equal(at.take(slot), order)

    def _runs(self, slot: Int32) -> tuple[NDArray[Any], Bool]:
        """A stable order by slot, and in it True at the first reading of each slot."""
        if self._are_distinct(slot):
            return np.arange(len(slot), dtype=np.int32), np.ones(len(slot), np.bool_)
        sorted_order = np.argsort(slot, kind="stable")
        ordered = slot[sorted_order]
        return sorted_order, np.r_[True, ordered[1:] != ordered[:-1]]

    def _newest(self, slot: Int32, received_us: int) -> Int64:
        newest = self._series["newest_us"][slot]
        believed: Int64 = np.where(newest > received_us + AHEAD_US, 0, newest)
        return believed

    def _remember(self, batch: ReadingBatch) -> None:
        """The kept readings become the memory. Assignment by index keeps the last of equal slots."""
        slot = batch.slot
        if not len(slot):
            return
        newest = self._series["newest_us"]
        newest[slot] = self._newest(slot, batch.received_us)
        np.maximum.at(newest, slot, batch.observed_us)
        self._remember_runs(batch)
        self._series["last_us"][slot] = batch.observed_us
        self._series["last_value"][slot] = batch.value
        self._series["last_nudge"][slot] = batch.nudge_ns

    def _remember_runs(self, batch: ReadingBatch) -> None:
        """Where the newest run of each series began: at the last reading not one ns behind another."""
        order, first = self._runs(batch.slot)
        heads = batch.slot[order[first]]
        stamp_ns = batch.observed_ns[order]
        before_ns = before_each(stamp_ns)
        before_ns[first] = self._run_of(heads).last_ns
        begins = np.where(stamp_ns != before_ns + 1, np.arange(len(order)), -1)
        several = len(heads) < len(order)
        last_begin = np.maximum.reduceat(begins, np.flatnonzero(first)) if several else begins
        begun = last_begin >= 0
        self._series["run_us"][heads[begun]] = batch.observed_us[order[last_begin[begun]]]
