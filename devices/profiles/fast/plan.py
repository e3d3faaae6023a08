"""The readings of many messages of one form, from their leaves. Pure.

A message with a value that nobody can be sure of here is *doubtful*, and for the general way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import islice, zip_longest
from typing import Final, NamedTuple

import numpy as np

from devices.model import Bool, Float64, Int16, Int64, Quality, UInt32
from devices.profiles.compiling.compiled import Column
from devices.profiles.fast.judges import Judge, judge_of
from devices.profiles.fast.leaves import Columns
from devices.profiles.fast.marked import Marker, Planned
from devices.profiles.fast.skeleton import Leaf, Sort, Unfit
from devices.profiles.general.findings import At, Finding
from devices.profiles.values.reading import divisor_of, read_value
from devices.profiles.values.times import NONSENSE_US, read_time, read_times

_EXACT_US: Final = 1 << 53
"""Times beyond it, in the year 2255, are not exact as float64."""


class Lines(NamedTuple):
    """The readings of messages of one form: a line a message, a column a reading.

    `observed_us` has a line a message too, and one column where all readings have one time; None: no times at
    all. `seq` is None where the form has none. `doubtful`: messages whose line means nothing; None: there are
    none.
    """

    value: Float64
    quality: UInt32
    observed_us: Int64 | None
    seq: Int64 | None
    doubtful: Bool | None


class Plan:
    """What `marked.planned` found, ready for use. Raises Unfit where it could not be read at once.

    `place` has the column of each number in `Columns.numbers`; `octets` as for `judge_of`. `metric` and
    `channels` have an entry a reading.
    """

    def __init__(
        self, planned: Planned, leaves: Sequence[Leaf], place: Mapping[int, int], *, octets: bool = False
    ) -> None:
        self.metric: Int16 = np.array([one.column.metric for one in planned.findings], np.int16)
        self.channels = tuple(one.channel for one in planned.findings)
        self._seq, self._always_seq = planned.seq, planned.always
        self._flags = np.array([one.flags | planned.flags for one in planned.findings], np.uint32)
        self._incomplete = [n for n, one in enumerate(planned.findings) if one.flags & Quality.INCOMPLETE]
        self._always: list[tuple[int, float, int]] = []
        self._judges: list[tuple[int, Judge]] = []
        linear: list[tuple[int, _Linear]] = []
        for n, finding in enumerate(planned.findings):
            if type(finding.raw) is not Marker:
                self._always.append((n, *_constant(finding)))
            elif (one := _linear(finding.column, leaves[finding.raw.number], place)) is not None:
                linear.append((n, one))
            else:
                self._judges.append((n, judge_of(finding, leaves, octets=octets)))
        self._block = _Block(linear)
        self._times = _Times([one.time for one in planned.findings], leaves)

    def lines(self, columns: Columns) -> Lines:
        """The readings of messages whose leaves these are."""
        shape = columns.count, len(self.metric)
        if len(self._block.at) == shape[1]:
            value, quality = self._block.read(columns.numbers)
            doubtful = None
        else:
            value, quality = np.empty(shape), np.zeros(shape, np.uint32)
            doubtful = self._judged(columns, value, quality)
        if self._incomplete:
            value[:, self._incomplete] = math.nan
        if self._flags.any():
            quality |= self._flags
        observed_us, unsure = self._times.read(columns, quality)
        if self._seq >= 0:
            seq: Int64 | None = np.maximum(columns.whole[self._seq], -1)
        else:
            seq = None if self._always_seq < 0 else np.full(columns.count, self._always_seq, np.int64)
        return Lines(value, quality, observed_us, seq, _either(doubtful, unsure))

    def _judged(self, columns: Columns, value: Float64, quality: UInt32) -> Bool | None:
        """Fills in the values of all columns; gives the doubtful messages."""
        doubtful = None
        if self._block.at:
            value[:, self._block.at], quality[:, self._block.at] = self._block.read(columns.numbers)
        for n, number, bits in self._always:
            value[:, n], quality[:, n] = number, bits
        for n, judge in self._judges:
            value[:, n], quality[:, n], doubt = judge(columns)
            doubtful = _either(doubtful, doubt)
        return doubtful


class _Linear(NamedTuple):
    """A value that is a number times a scale (or over a divisor) plus an offset. `leaf` is its column in
    the numbers."""

    leaf: int
    divide: bool
    scale: float
    offset: float
    low: float
    high: float
    sentinels: tuple[float, ...]
    quality: int


def _linear(column: Column, leaf: Leaf, place: Mapping[int, int]) -> _Linear | None:
    """The column as a straight line, None where it is none."""
    if leaf.number not in place or column.const is not None:
        return None
    if leaf.sort is Sort.FLAG:
        (false, of_false), (true, of_true) = read_value(column, False), read_value(column, True)
        if of_false != column.quality or of_true != column.quality:
            return None
        return _Linear(
            place[leaf.number], False, true - false, false, -math.inf, math.inf, (), column.quality
        )
    elsewhere = (column.sign, column.factor, column.unit_way)
    if column.metric.is_flag or any(one is not None for one in elsewhere):
        return None
    if column.broken_below > -math.inf or any(type(word) is float for word in column.words):
        return None
    divisor = divisor_of(column.scale)
    return _Linear(
        place[leaf.number],
        bool(divisor),
        divisor or column.scale,
        column.offset,
        column.low,
        column.high,
        tuple(word for word in column.sentinels if type(word) is float),
        column.quality,
    )


class _Block:
    """All straight lines of a plan at once. `at` are the readings they are."""

    def __init__(self, columns: Sequence[tuple[int, _Linear]]) -> None:
        self.at = [n for n, _ in columns]
        lines = [one for _, one in columns]
        self._leaf = [one.leaf for one in lines]
        self._divide = np.array([one.divide for one in lines], np.bool_)
        self._scale = np.array([one.scale for one in lines], np.float64)
        self._offset = np.array([one.offset for one in lines], np.float64)
        self._low = np.array([one.low for one in lines], np.float64)
        self._high = np.array([one.high for one in lines], np.float64)
        self._bounded = not (np.isinf(self._low).all() and np.isinf(self._high).all())
        self._sentinels = [(n, sentinel) for n, one in enumerate(lines) for sentinel in one.sentinels]
        self._quality = np.array([one.quality for one in lines], np.uint32)

    def read(self, numbers: Float64) -> tuple[Float64, UInt32]:
        """Values and qualities, a line a message."""
        raw = numbers if self._leaf == list(range(numbers.shape[1])) else numbers[:, self._leaf]
        with np.errstate(over="ignore"):
            value = raw * self._scale
            if self._divide.any():
                value[:, self._divide] = raw[:, self._divide] / self._scale[self._divide]
            value += self._offset
        quality = np.zeros(value.shape, np.uint32)
        if self._bounded:
            outside = (value < self._low) | (value > self._high)
            if outside.any():
                quality |= outside * np.uint32(Quality.OUT_OF_RANGE)
        wrong = ~np.isfinite(value)
        if wrong.any():
            quality[wrong], value[wrong] = Quality.TYPE_MISMATCH, math.nan
        for n, sentinel in self._sentinels:
            hit = raw[:, n] == sentinel
            if hit.any():
                quality[hit, n], value[hit, n] = Quality.SENTINEL, math.nan
        if self._quality.any():
            quality |= self._quality
        return value, quality


class _Times:
    """The times of a plan's readings, each different one read once."""

    def __init__(self, times: Sequence[At | None], leaves: Sequence[Leaf]) -> None:
        self._leaves = leaves
        self._different: list[At | None] = []
        self._which: list[int] = []
        for time in times:
            same = (n for n, one in enumerate(self._different) if _same(one, time))
            number = next(same, len(self._different))
            if number == len(self._different):
                self._different.append(time)
            self._which.append(number)

    def read(self, columns: Columns, quality: UInt32) -> tuple[Int64 | None, Bool | None]:
        """The times as `Lines` has them, and which are unsure; adds to the quality what they say."""
        if self._different == [None]:
            return None, None
        read = [self._one(time, columns) for time in self._different]
        unsure = None
        for n, (us, bits) in enumerate(read):
            if bits.any():
                quality[:, [at for at, which in enumerate(self._which) if which == n]] |= bits[:, None]
            beyond = us >= _EXACT_US
            unsure = _either(unsure, beyond if beyond.any() else None)
        table = np.stack([us for us, _ in read], axis=1)
        return (table if len(read) == 1 else table[:, self._which]), unsure

    def _one(self, time: At | None, columns: Columns) -> tuple[Int64, UInt32]:
        if time is None:
            return np.zeros(columns.count, np.int64), np.zeros(columns.count, np.uint32)
        us, bits = self._at(time, columns)
        for further in islice(time.each(), 1, None):
            wrong = us == NONSENSE_US
            if not wrong.any():
                break
            other_us, other_bits = self._at(further, columns)
            us, bits = np.where(wrong, other_us, us), np.where(wrong, other_bits, bits).astype(np.uint32)
        return us, bits

    def _at(self, time: At, columns: Columns) -> tuple[Int64, UInt32]:
        """What stands at one of the places."""
        clock, raw, _ = time
        if type(raw) is not Marker:
            us, bits = read_time(clock, raw)
            return np.full(columns.count, us, np.int64), np.full(columns.count, bits, np.uint32)
        leaf = self._leaves[raw.number]
        if leaf.sort is Sort.WHOLE:
            return read_times(clock, columns.whole[leaf.number])
        return read_times(
            clock, columns.number(leaf.number) if leaf.sort is Sort.NUMBER else columns.raw(leaf)
        )


def _same(one: At | None, other: At | None) -> bool:
    """The same clocks at the same leaves. Two markers of one leaf are not one object."""
    if one is None or other is None:
        return one is other
    pairs = zip_longest(one.each(), other.each())
    return all(mine is not None and theirs is not None and _alike(mine, theirs) for mine, theirs in pairs)


def _alike(one: At, other: At) -> bool:
    if one.clock != other.clock:
        return False
    if type(one.raw) is Marker and type(other.raw) is Marker:
        return one.raw.number == other.raw.number
    return one.raw is other.raw


def _constant(finding: Finding) -> tuple[float, int]:
    """The reading of a value that is the same in all messages of a form."""
    for operand in (finding.sign, finding.factor):
        if type(operand) is Marker:
            raise Unfit("a value that is the same, with a factor or sign that is not")
    return read_value(finding.column, finding.raw, finding.sign, finding.factor, finding.unit)


def _either(one: Bool | None, other: Bool | None) -> Bool | None:
    if one is None or other is None:
        return other if one is None else one
    return one | other
