"""`gengfu bench ingest`: messages a second from the broker to evaluated, journalled and acknowledged.

The same generator, as fast as it can, in turn to: nobody, the null subscriber, the service with rules on, the
null subscriber again, two subscribers of other libraries that only count, and the service with messages of
several kinds. Each has a broker of its own with the same configuration and is measured in the same way
(`benchmarks.saturation`). The ratio is to
the mean of the two null figures, so that a machine that grows warm or busy meanwhile does not tell.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from msgspec import Struct

from benchmarks import machine
from benchmarks.generator import flat_out, publish
from benchmarks.saturation import Bounds, Saturated, saturate
from benchmarks.served import COUNTED, Served, serve
from benchmarks.subscribers import Programs, broker, counting, null
from simulators.stencil import FIRST_SEQ

LIBRARIES: Final = ("paho", "aiomqtt")
LIBRARY_S: Final = 10.0
"""The longest interval of the two libraries: what they cannot take waits in the broker's memory (chosen)."""
ALONE_S: Final = 10.0
MIXED: Final = "own:60,smoke:25,bare:15"
"""Kinds of a fleet that is not all alike (chosen; the forms are those of `simulators.forms`)."""
MIXED_S: Final = 15.0
WARM_ROUNDS: Final = 3
"""Messages of each device before a mixed run is measured: of a device's first two some are read the long way,
and a city meets its devices once (chosen)."""
HEADROOM: Final = 1.3
"""How much faster than what is measured the generator must be alone (design, section 9)."""


class Contestant(Struct, frozen=True):
    """One run: `cpu_us` is CPU per message that the subscriber acknowledged, by process."""

    rate_per_s: float
    messages: int
    seconds: float
    cpu_us: dict[str, float]
    other_cpu_percent: float
    stolen_cpu_percent: float
    busy_before_percent: float
    sent_per_s: float


class MixedFigures(Struct, frozen=True):
    """The service once more, with messages of several kinds and layouts."""

    mix: str
    rate_per_s: float
    cpu_us_per_message: float
    cpu_us_per_message_drained: float
    points_per_message: float
    store_behind_records: list[int]
    lost: int
    doubled: int


class IngestFigures(Struct, frozen=True):
    """What `gengfu bench ingest --json` prints; docs/benchmarks.md says what each key means."""

    rate_per_s: float
    ratio_to_null: float
    cpu_us_per_message: float
    cpu_us_ingest: float
    cpu_us_store: float
    cpu_us_per_message_drained: float
    store_behind_records: list[int]
    store_at_rest: bool
    cpu_percent_at_10pct_load: float
    rate_per_s_at_10pct_load: float
    points_per_message: float
    devices: int
    lost: int
    doubled: int
    generator_alone_per_s: float
    generator_headroom: float
    generator_is_the_limit: bool
    null_per_s: list[float]
    null_window: int
    messages: int
    seconds: float
    cores: int
    broker_version: str
    mix: str
    mixed: MixedFigures | None
    runs: dict[str, Contestant]


def run_bench(
    bounds: Bounds, programs: Programs, *, libraries: bool = True, mixed: bool = True
) -> IngestFigures:
    """The whole measurement: about seven times the seconds. Raises CannotMeasure, DidNotHappen."""
    programs.check()
    alone = _generator_alone(bounds, programs)
    runs: dict[str, Saturated] = {"null_before": _null(bounds, programs)}
    served = serve(bounds, programs, light=True)
    runs["service"] = served.full
    runs["null_after"] = _null(bounds, programs)
    for kind in LIBRARIES if libraries else ():
        with counting(kind, programs) as subscriber:
            runs[kind] = saturate(subscriber, bounds.for_at_most(LIBRARY_S))
    other = None
    if mixed:
        mixture = replace(bounds.for_at_most(MIXED_S), mix=MIXED, warm_rounds=WARM_ROUNDS)
        other = serve(mixture, programs, light=False)
        runs["mixed"] = other.full
    return _figures(bounds, programs, runs, alone, served, other)


def _null(bounds: Bounds, programs: Programs) -> Saturated:
    with null(programs) as subscriber:
        return saturate(subscriber, bounds)


def _generator_alone(bounds: Bounds, programs: Programs) -> float:
    """What the broker takes from the generator when nobody listens."""
    machine.wait_idle(bounds.idle_patience_s)
    with broker(programs) as (port, _):
        seconds = min(ALONE_S, bounds.seconds)
        plan = flat_out(
            port, bounds.devices, FIRST_SEQ, seconds=seconds, count=bounds.messages, mix=bounds.mix
        )
        return publish(plan).acknowledged_per_s


def _figures(
    bounds: Bounds,
    programs: Programs,
    runs: dict[str, Saturated],
    alone: float,
    served: Served,
    other: Served | None,
) -> IngestFigures:
    """From the runs to what is printed."""
    full, light = served.full, served.light
    nulls = [runs["null_before"].rate_per_s, runs["null_after"].rate_per_s]
    rate, headroom = full.rate_per_s, alone / full.rate_per_s
    return IngestFigures(
        rate_per_s=round(rate),
        ratio_to_null=round(rate / (sum(nulls) / 2), 3),
        cpu_us_per_message=_cost(full),
        cpu_us_ingest=round(full.cpu_us["ingest"], 2),
        cpu_us_store=round(full.cpu_us["store"], 2),
        cpu_us_per_message_drained=round(served.cpu_us_drained, 2),
        store_behind_records=[round(one) for one in full.behind],
        store_at_rest=served.at_rest,
        cpu_percent_at_10pct_load=round(light.cpu_percent, 1) if light else 0.0,
        rate_per_s_at_10pct_load=round(light.rate_per_s) if light else 0.0,
        points_per_message=full.flat.points_per_message,
        devices=bounds.devices,
        lost=served.balance.lost,
        doubled=served.balance.doubled,
        generator_alone_per_s=round(alone),
        generator_headroom=round(headroom, 2),
        generator_is_the_limit=headroom < HEADROOM,
        null_per_s=[round(one) for one in nulls],
        null_window=programs.null_window,
        messages=round(full.messages),
        seconds=round(full.seconds, 1),
        cores=machine.cores(),
        broker_version=programs.version(),
        mix=bounds.mix,
        mixed=_mixed(other) if other else None,
        runs={name: _contestant(run) for name, run in runs.items()},
    )


def _mixed(served: Served) -> MixedFigures:
    full = served.full
    return MixedFigures(
        mix=MIXED,
        rate_per_s=round(full.rate_per_s),
        cpu_us_per_message=_cost(full),
        cpu_us_per_message_drained=round(served.cpu_us_drained, 2),
        points_per_message=full.flat.points_per_message,
        store_behind_records=[round(one) for one in full.behind],
        lost=served.balance.lost,
        doubled=served.balance.doubled,
    )


def _cost(full: Saturated) -> float:
    return round(sum(full.cpu_us[name] for name in COUNTED), 2)


def _contestant(run: Saturated) -> Contestant:
    return Contestant(
        rate_per_s=round(run.rate_per_s),
        messages=round(run.messages),
        seconds=round(run.seconds, 1),
        cpu_us={name: round(one, 2) for name, one in sorted(run.cpu_us.items())},
        other_cpu_percent=round(run.other_percent, 1),
        stolen_cpu_percent=round(run.stolen_percent, 1),
        busy_before_percent=round(run.busy_before_percent, 1),
        sent_per_s=round(run.flat.rate_per_s),
    )
