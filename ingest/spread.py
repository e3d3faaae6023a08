"""Readings of one series and one time, a nanosecond each. Pure.

What lies in consecutive nanoseconds is a run. A reading whose time the last run of its series reaches over
goes behind the end of that run, if need be in the next microseconds: the 1,001st reading of one time is
observed 1 µs later. So the stamps of neighbours never fall together, however many come with one time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from devices.model import Bool, Int64, UInt16

PER_US: Final = 1000
"""Points of one series that fit into one microsecond."""


@dataclass(frozen=True, slots=True)
class Runs:
    """The last run of each of some series: the microsecond it began in, and its last stamp."""

    run_us: Int64
    last_us: Int64
    last_nudge: UInt16

    @property
    def last_ns(self) -> Int64:
        """The last stamps in nanoseconds."""
        return self.last_us * PER_US + self.last_nudge

    def reach_over(self, times: Int64) -> Bool:
        """Whether each run reaches over the time at its place."""
        inside: Bool = (times >= self.run_us) & (times <= self.last_us)
        return inside


def spread(times: Int64, first: Bool, runs: Runs) -> tuple[Int64, UInt16]:
    """The observed times (µs) and nudges (0..999) of readings sorted by series, in arrival order within each.

    `first` is true at the first reading of a series, `runs` has an entry for each of those.
    """
    same = times == before_each(times)
    same[first] = runs.reach_over(times[first])
    if not same.any():
        return times, np.zeros(len(times), np.uint16)
    place = np.arange(len(times))
    started = np.maximum.accumulate(np.where(same & ~first, 0, place))
    carried = np.zeros(len(times), np.int64)
    carried[first] = np.where(same[first], runs.last_nudge.astype(np.int64) + 1, 0)
    nudges = place - started + carried[started]
    starts = np.flatnonzero(first)
    full = np.maximum.reduceat(nudges, starts) >= PER_US - 1
    full |= same[first] & (runs.run_us != runs.last_us)
    if full.any():
        times = times.copy()
        ends = np.r_[starts[1:], len(times)]
        for i in np.flatnonzero(full).tolist():
            piece = slice(starts[i], ends[i])
            run_us, last_ns = int(runs.run_us[i]), int(runs.last_ns[i])
            times[piece], nudges[piece] = _spread_one(times[piece], run_us, last_ns)
    return times, nudges.astype(np.uint16)


def _spread_one(times: Int64, run_us: int, last_ns: int) -> tuple[Int64, Int64]:
    """The same for one series whose runs fill microseconds, a step for each stretch of equal times."""
    starts = np.flatnonzero(np.r_[True, times[1:] != times[:-1]])
    stamp_ns = np.empty(len(times), np.int64)
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(times)], strict=True):
        time_us = int(times[start])
        first_ns = last_ns + 1 if run_us <= time_us <= last_ns // PER_US else time_us * PER_US
        if first_ns != last_ns + 1:
            run_us = time_us
        last_ns = first_ns + end - start - 1
        stamp_ns[start:end] = np.arange(first_ns, last_ns + 1)
    return stamp_ns // PER_US, stamp_ns % PER_US


def before_each(values: NDArray[Any]) -> NDArray[Any]:
    """The value before each; what stands first is undefined."""
    shifted = np.empty_like(values)
    shifted[1:] = values[:-1]
    return shifted
