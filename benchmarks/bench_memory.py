"""`gengfu bench memory`: whether the service's memory stays as it is under load, process by process.

The load generator runs at a fixed part of what the service takes; the resident memory of each process is read
every 5 s, and a straight line is laid through what follows the warm-up. A slope near 0 is what is wanted.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from msgspec import Struct

from benchmarks.bench_latency import find_rate
from benchmarks.errors import CannotMeasure
from benchmarks.fleet import register_load_devices
from benchmarks.generator import CONNECTIONS, generating
from benchmarks.machine import resident_mb
from benchmarks.numbers import slope_per_min
from benchmarks.saturation import Bounds, warm_up
from benchmarks.service import SNAPSHOT_S, running
from benchmarks.subscribers import Programs, Serving
from simulators.load import LoadPlan
from simulators.mix import FIXED
from simulators.stencil import FIRST_SEQ

EVERY_S: Final = 5.0
WARM_UP_PART: Final = 1 / 3
LONGEST_WARM_UP_S: Final = 600.0
"""The line begins after a third of the run, at most ten minutes: by then there were snapshots, new segments
of the journal and every periodic task (chosen)."""
LOAD_SEQ: Final = FIRST_SEQ + 1_000_000


class Growth(Struct, frozen=True):
    """One process, in MB (10⁶ bytes): first and last after the warm-up, at most, and the slope."""

    first_mb: float
    last_mb: float
    max_mb: float
    slope_mb_per_min: float


class MemoryFigures(Struct, frozen=True):
    """What `gengfu bench memory --json` prints; docs/benchmarks.md says what each key means."""

    rate_per_s: float
    load: float
    sent_per_s: float
    minutes: float
    warm_up_minutes: float
    samples: int
    devices: int
    processes: dict[str, Growth]
    broker_version: str


@dataclass(frozen=True, slots=True)
class Course:
    """How the measurement goes. `rate` 0: found first, by a short run at full speed."""

    minutes: float
    load: float
    rate: float
    devices: int
    every_s: float = EVERY_S
    mix: str = FIXED

    @property
    def warm_up_s(self) -> float:
        """From the start of the load until the line begins."""
        return min(self.minutes * 60 * WARM_UP_PART, LONGEST_WARM_UP_S)


@dataclass(frozen=True, slots=True)
class Sample:
    """Resident memory of each process at one moment since the load began."""

    at_s: float
    resident_mb: dict[str, float]


def run_bench(course: Course, programs: Programs) -> MemoryFigures:
    """The whole measurement: the minutes and some more. Raises CannotMeasure, DidNotHappen."""
    programs.check()
    rate = course.rate or find_rate(course.devices, programs, course.mix)
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), mosquitto=programs.mosquitto, snapshot_s=SNAPSHOT_S) as service,
    ):
        register_load_devices(service.config, course.devices, course.mix)
        service.start()
        serving = Serving(service)
        warm_up(serving, Bounds(course.devices, 0.0, mix=course.mix))
        with generating(_plan(service.broker_port, rate, course)) as generator:
            samples = sample(serving.pids, course)
            report = generator.report()
    return MemoryFigures(
        rate_per_s=round(rate),
        load=course.load,
        sent_per_s=round(report.rate_per_s),
        minutes=course.minutes,
        warm_up_minutes=round(course.warm_up_s / 60, 2),
        samples=len(samples),
        devices=course.devices,
        processes=growth(samples, course.warm_up_s),
        broker_version=programs.version(),
    )


def _plan(port: int, rate: float, course: Course) -> LoadPlan:
    return LoadPlan(
        port=port,
        rate=rate * course.load,
        seconds=course.minutes * 60 + course.every_s,
        devices=course.devices,
        connections=CONNECTIONS,
        first_seq=LOAD_SEQ,
        mix=course.mix,
    )


def sample(pids: Callable[[], dict[str, int]], course: Course) -> list[Sample]:
    """Looks every `every_s` until the minutes are over. Raises CannotMeasure when a process was replaced."""
    start, first = time.monotonic(), pids()
    samples: list[Sample] = []
    while (at_s := time.monotonic() - start) < course.minutes * 60:
        try:
            samples.append(Sample(at_s, {name: resident_mb(pid) for name, pid in first.items()}))
        except OSError:
            raise CannotMeasure("a process ended while its memory was watched") from None
        time.sleep(max(0.0, start + len(samples) * course.every_s - time.monotonic()))
    return samples


def growth(samples: list[Sample], warm_up_s: float) -> dict[str, Growth]:
    """The line of each process through the samples after the warm-up. Pure.

    Raises CannotMeasure with fewer than two of them.
    """
    counted = [one for one in samples if one.at_s >= warm_up_s]
    if len(counted) < 2:
        raise CannotMeasure(f"{len(counted)} samples after the warm-up: too short a run")
    times = [one.at_s for one in counted]
    names = counted[0].resident_mb
    return {name: _growth(times, [one.resident_mb[name] for one in counted]) for name in names}


def _growth(times_s: list[float], resident: list[float]) -> Growth:
    return Growth(
        first_mb=round(resident[0], 1),
        last_mb=round(resident[-1], 1),
        max_mb=round(max(resident), 1),
        slope_mb_per_min=round(slope_per_min(times_s, resident), 3),
    )
