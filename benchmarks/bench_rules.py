"""`gengfu bench rules`: what an evaluation costs, by kind of rule, and what the rules remember of a series.

An evaluation is one (reading, rule) pair that read its parameters and state: a rule that is off for a
series is none. Each figure has an engine of its own over a made-up fleet (benchmarks/rule_fleet.py) in which
all is well but for noise, heard for a while before it is measured. Times are the thread's CPU time in
`Engine.evaluate` and `Engine.advance` alone.

Raises CannotMeasure where a kind has no rule in the catalogue or no pair was evaluated.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from msgspec import Struct

from benchmarks.errors import CannotMeasure
from benchmarks.machine import cores
from benchmarks.rule_fleet import HOME_METER, MIX, PHASES, Fleet, calls_of, fleet_of
from benchmarks.rule_memory import bytes_of_heaviest, bytes_of_state
from benchmarks.rule_sweep import Sweeps, sweep
from devices.model import Int32, Metric
from gengfu.shipped import shipped_catalogue
from rules.catalogue import Catalogue
from rules.engine import Engine
from rules.rule import BaseRule

Devices = Sequence[Sequence[tuple[Metric, str]]]
BIG: Final = 4096
SMALL: Final = 256
TABLE_CALL: Final = 1000
"""Readings a call of `cost_by_series`: no series comes twice even with the fewest."""
WINDOWS: Final = (
    "mean", "rate", "curve", "count", "usual", "nights", "excess", "joint", "plateau", "smoulder",
)  # fmt: skip
_ALONE: Final = {
    "mean": Metric.CURRENT,
    "rate": Metric.TEMPERATURE,
    "curve": Metric.CURRENT,
    "count": Metric.ARC_HALF_CYCLES,
    "usual": Metric.CURRENT_RESIDUAL,
    "nights": Metric.CURRENT_RESIDUAL,
    "excess": Metric.POWER_ACTIVE,
    "plateau": Metric.POWER_ACTIVE,
    "smoulder": Metric.SMOKE_DENSITY,
    "flag": Metric.SMOKE_ALARM,
}
_JOINT: Final = ((Metric.TEMPERATURE, "l1"), (Metric.CURRENT, "l1"), (Metric.TEMPERATURE_AMBIENT, ""))
_VOLTAGES: Final = tuple((Metric.VOLTAGE, one) for one in PHASES)
_PLAIN: Final = (
    Metric.SMOKE_ALARM,
    Metric.BATTERY_LOW,
    Metric.CURRENT,
    Metric.CURRENT_RESIDUAL,
    Metric.TEMPERATURE,
)
FLEETS: Final[Mapping[str, Devices]] = {
    **{kind: [((metric, "l1"),)] for kind, metric in _ALONE.items()},
    "threshold": [((metric, ""),) for metric in _PLAIN[1:]],
    "joint": [_JOINT],
    "rise": [_JOINT],
    "spread": [tuple((metric, one) for metric in (Metric.TEMPERATURE, Metric.CURRENT) for one in PHASES)],
    "neutral": [_VOLTAGES],
    "supply": [_VOLTAGES],
    "suspect": [HOME_METER],
}
"""What each kind is measured on: devices with series that its rules watch, and those compared with them."""


class SmallCalls(Struct, frozen=True):
    """The same figures at SMALL readings a call."""

    flag_threshold_per_s: int
    window_per_s: int
    mix_per_s: int
    by_kind_per_s: dict[str, int]


class RuleFigures(Struct, frozen=True):
    """What `gengfu bench rules --json` prints; see docs/benchmarks.md."""

    flag_threshold_per_s: int
    window_per_s: int
    mix_per_s: int
    by_kind_per_s: dict[str, int]
    at_256: SmallCalls
    mix_readings_per_s: int
    rules_per_reading: float
    sweep_ms: float
    sweep_p99_ms: float
    sweep_max_ms: float
    sweep_devices: int
    bytes_per_series_mean: float
    bytes_per_series_max: float
    heaviest_metric: str
    cost_by_series: dict[str, float]
    evaluations: int
    series: int
    cores: int


class Bounds(Struct, frozen=True):
    """How much is measured. `readings` a figure with large calls, a tenth of it with small ones, after
    `warm_up` readings. As it is, large calls are an hour of the fleet's life: with one turn of the hour."""

    series: int = 1_000_000
    devices: int = 1_000_000
    readings: int = 12_000_000
    warm_up: int = 6_000_000
    seconds: int = 480
    sizes: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class Rate:
    """What a run counted."""

    evaluations: int
    readings: int
    seconds: float

    @property
    def per_s(self) -> int:
        """Evaluations a second."""
        return round(self.evaluations / self.seconds)


class Trial:
    """Some rules over a fleet, and the readings that go on from call to call."""

    def __init__(self, rules: Sequence[BaseRule], devices: Devices, series: int) -> None:
        self.fleet: Fleet = fleet_of(devices, series)
        self.engine = Engine(Catalogue(version=1, rule=tuple(rules)), self.fleet.table)  # type: ignore[arg-type]
        self.of_slot = pairs_by_slot(self.engine, len(self.fleet.table))
        if not self.of_slot.any():
            names = ", ".join(rule.name for rule in rules)
            raise CannotMeasure(f"no rule of {names} holds for any series of the fleet")

    def run(self, size: int, readings: int, warm_up: int = 0) -> Rate:
        """The cost of so many readings in calls of `size`."""
        calls: Iterator[Any] = calls_of(self.fleet, size)
        for _ in range(-(-warm_up // size)):
            batch = next(calls)
            self.engine.evaluate(batch, [], batch.received_us)
        gc.collect()
        gc.disable()
        spent = evaluations = 0
        try:
            for _ in range(-(-readings // size)):
                batch = next(calls)
                started = time.thread_time_ns()
                self.engine.evaluate(batch, [], batch.received_us)
                spent += time.thread_time_ns() - started
                evaluations += int(self.of_slot[batch.slot].sum())
        finally:
            gc.enable()
        if not evaluations or not spent:
            raise CannotMeasure("nothing was evaluated")
        return Rate(evaluations, -(-readings // size) * size, spent / 1e9)


def pairs_by_slot(engine: Engine, slots: int) -> Int32:
    """How many rules are evaluated at a reading of each slot: those that hold there."""
    count = np.zeros(slots, np.int32)
    for kernel in engine._parts.on_series():
        pairs = kernel.pairs
        held = np.ones(pairs.n, np.bool_)
        if "setting" in pairs.facts:
            held = pairs.facts["setting"][: pairs.n] != 0
        count += np.bincount(pairs.slot[: pairs.n][held], minlength=slots).astype(np.int32)
    return count


def rules_of(*kinds: str) -> list[BaseRule]:
    """The shipped rules of these kinds. Raises CannotMeasure where one has none."""
    found: list[BaseRule] = []
    for kind in kinds:
        some = [rule for rule in shipped_catalogue().rule if rule.__struct_config__.tag == kind]
        if not some:
            raise CannotMeasure(f"the catalogue has no rule of the kind {kind}")
        found += some
    return found


def run_bench(bounds: Bounds) -> RuleFigures:
    """The whole measurement; some minutes with the usual bounds."""
    every = {kind: rules_of(kind) for kind in (*FLEETS, "silence", "dark")}
    big, small = _kinds(every, bounds)
    plain = Trial(rules_of("flag", "threshold"), [((metric, ""),) for metric in _PLAIN], bounds.series)
    plain_big = plain.run(BIG, bounds.readings, bounds.warm_up)
    plain_small = plain.run(SMALL, bounds.readings // 10)
    del plain
    mix = Trial(shipped_catalogue().rule, MIX, bounds.series)
    mix_big = mix.run(BIG, bounds.readings, bounds.warm_up)
    mix_small = mix.run(SMALL, bounds.readings // 10)
    mean = bytes_of_state(mix.engine) / len(mix.fleet)
    del mix
    most, heaviest = bytes_of_heaviest(shipped_catalogue())
    swept: Sweeps = sweep(shipped_catalogue(), bounds.devices, bounds.seconds)
    return RuleFigures(
        flag_threshold_per_s=plain_big.per_s,
        window_per_s=_together(big, WINDOWS).per_s,
        mix_per_s=mix_big.per_s,
        by_kind_per_s={kind: rate.per_s for kind, rate in big.items()},
        at_256=SmallCalls(
            plain_small.per_s,
            _together(small, WINDOWS).per_s,
            mix_small.per_s,
            {kind: rate.per_s for kind, rate in small.items()},
        ),
        mix_readings_per_s=round(mix_big.readings / mix_big.seconds),
        rules_per_reading=round(mix_big.evaluations / mix_big.readings, 2),
        sweep_ms=swept.median_ms,
        sweep_p99_ms=swept.p99_ms,
        sweep_max_ms=swept.max_ms,
        sweep_devices=swept.devices,
        bytes_per_series_mean=round(mean, 1),
        bytes_per_series_max=round(most, 1),
        heaviest_metric=heaviest.name_on_wire,
        cost_by_series={str(size): _cost_ns(size, bounds) for size in bounds.sizes},
        evaluations=sum(rate.evaluations for rate in (*big.values(), *small.values(), plain_big, mix_big)),
        series=bounds.series,
        cores=cores(),
    )


def _kinds(
    every: Mapping[str, Sequence[BaseRule]], bounds: Bounds
) -> tuple[dict[str, Rate], dict[str, Rate]]:
    """Each kind alone, with large and with small calls."""
    big, small = {}, {}
    for kind, devices in FLEETS.items():
        trial = Trial(every[kind], devices, bounds.series)
        big[kind] = trial.run(BIG, bounds.readings, bounds.warm_up)
        small[kind] = trial.run(SMALL, bounds.readings // 10)
    return big, small


def _together(rates: Mapping[str, Rate], kinds: Sequence[str]) -> Rate:
    """As many evaluations of each kind as of any other, one after another."""
    seconds = sum(rates[kind].seconds / rates[kind].evaluations for kind in kinds)
    whole = 1_000_000
    return Rate(whole * len(kinds), 0, whole * seconds)


def _cost_ns(series: int, bounds: Bounds) -> float:
    """Nanoseconds a reading of the mix."""
    trial = Trial(shipped_catalogue().rule, MIX, series)
    rate = trial.run(min(TABLE_CALL, series), bounds.readings // 4, min(3 * series, bounds.warm_up))
    return round(rate.seconds / rate.readings * 1e9, 1)
