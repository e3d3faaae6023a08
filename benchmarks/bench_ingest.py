"""`gengfu bench ingest`: messages a second from the broker to evaluated, journalled and acknowledged.

The same generator, as fast as it can, in turn to: nobody, the null subscriber, the service with rules on, the
null subscriber again, and two subscribers of other libraries that only count. Each has a broker of its own
with the same configuration and is measured over the same interval (`benchmarks.saturation`). The ratio is to
the mean of the two null figures, so that a machine that grows warm or busy meanwhile does not tell.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Final

from msgspec import Struct

from benchmarks import machine
from benchmarks.fleet import count_points, register_load_devices
from benchmarks.generator import flat_out, publish
from benchmarks.saturation import Bounds, Saturated, await_stop, saturate
from benchmarks.service import SNAPSHOT_S, RunningService, eventually, running
from benchmarks.subscribers import Programs, Serving, broker, counting, null
from simulators.load import LoadPlan, LoadReport
from simulators.stencil import FIRST_SEQ

TIGHT_S: Final = 600.0
LIBRARIES: Final = ("paho", "aiomqtt")
LIBRARY_S: Final = 20.0
"""The longest interval of the two libraries: what they cannot take waits in the broker's memory (chosen)."""
ALONE_S: Final = 10.0
LIGHT_S: Final = 20.0
QUICK_S: Final = 2.0
"""Of the light load when messages bound the run."""
HEADROOM: Final = 1.3
"""How much faster than what is measured the generator must be alone (design, section 9)."""
MOST_POINTS: Final = 7
"""In one message of the load generator (`simulators.mix`)."""
LIGHT_SEQ: Final = FIRST_SEQ + 4_000_000


class Contestant(Struct, frozen=True):
    """One run: `cpu_us` is CPU per message that the subscriber acknowledged, by process."""

    rate_per_s: float
    messages: int
    seconds: float
    cpu_us: dict[str, float]
    other_cpu_percent: float
    idle_percent: float
    sent_per_s: float


class IngestFigures(Struct, frozen=True):
    """What `gengfu bench ingest --json` prints; docs/benchmarks.md says what each key means."""

    rate_per_s: float
    ratio_to_null: float
    cpu_us_per_message: float
    cpu_us_ingest: float
    cpu_us_store: float
    cpu_percent_at_10pct_load: float
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
    runs: dict[str, Contestant]


def run_bench(bounds: Bounds, programs: Programs, *, libraries: bool = True) -> IngestFigures:
    """The whole measurement: about seven times the seconds. Raises CannotMeasure, DidNotHappen."""
    programs.check()
    alone = _generator_alone(bounds, programs)
    runs: dict[str, Saturated] = {"null_before": _null(bounds, programs)}
    with tempfile.TemporaryDirectory() as folder:
        with running(Path(folder), mosquitto=programs.mosquitto, snapshot_s=SNAPSHOT_S) as service:
            runs["service"], light, ledger = _service(service, bounds)
        runs["null_after"] = _null(bounds, programs)
        stored = count_points(Path(folder) / "data" / "points.db")
    for kind in LIBRARIES if libraries else ():
        with counting(kind, programs) as subscriber:
            runs[kind] = saturate(subscriber, bounds.for_at_most(LIBRARY_S))
    return _figures(bounds, programs, runs, alone, light, ledger, stored)


def _service(service: RunningService, bounds: Bounds) -> tuple[Saturated, float, list[LoadReport]]:
    """At full speed and at a tenth of that: the run, CPU percent of the tenth, what was published in all."""
    register_load_devices(service.config, bounds.devices, bounds.mix)
    service.start()
    full = saturate(Serving(service), bounds)
    ledger = [full.warm, full.flat]
    drain(service, sum(report.acknowledged for report in ledger))
    light, report = _light_load(service, bounds, full.rate_per_s / 10)
    ledger.append(report)
    drain(service, sum(report.acknowledged for report in ledger))
    return full, light, ledger


def ingested(service: RunningService) -> float:
    """Messages the ingest process has taken, evaluated and acknowledged."""
    return service.figures("ingest").get("gengfu_ingest_messages_total", 0.0)


def drain(service: RunningService, messages: int) -> None:
    """Waits until ingest has so many or nothing comes any more, and the store has read the journal to its
    end; whether something is lost is counted after."""
    while ingested(service) < messages:
        before = ingested(service)
        await_stop(lambda: ingested(service), 2.0)
        if ingested(service) == before:
            break
    eventually(
        lambda: service.figures("store")["gengfu_store_behind_records"] == 0, "the store reads all", TIGHT_S
    )
    time.sleep(0.5)


def _light_load(service: RunningService, bounds: Bounds, rate: float) -> tuple[float, LoadReport]:
    """CPU percent of one core that ingest and store use at `rate` messages a second."""
    seconds = QUICK_S if bounds.messages else min(LIGHT_S, bounds.seconds)
    before = service.cpu_s("ingest") + service.cpu_s("store")
    start = time.monotonic()
    plan = LoadPlan(
        port=service.broker_port,
        rate=rate,
        seconds=seconds,
        devices=bounds.devices,
        first_seq=LIGHT_SEQ,
        mix=bounds.mix,
    )
    report = publish(plan)
    used = service.cpu_s("ingest") + service.cpu_s("store") - before
    return 100 * used / (time.monotonic() - start), report


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
    light: float,
    ledger: list[LoadReport],
    stored: int,
) -> IngestFigures:
    """From the runs to what is printed."""
    full = runs["service"]
    nulls = [runs["null_before"].rate_per_s, runs["null_after"].rate_per_s]
    rate, headroom = full.rate_per_s, alone / full.rate_per_s
    cost = {name: full.cpu_us.get(name, 0.0) for name in ("ingest", "store")}
    lost, doubled = balance(ledger, stored)
    return IngestFigures(
        rate_per_s=round(rate),
        ratio_to_null=round(rate / (sum(nulls) / 2), 3),
        cpu_us_per_message=round(sum(cost.values()), 2),
        cpu_us_ingest=round(cost["ingest"], 2),
        cpu_us_store=round(cost["store"], 2),
        cpu_percent_at_10pct_load=round(light, 1),
        points_per_message=full.flat.points_per_message,
        devices=bounds.devices,
        lost=lost,
        doubled=doubled,
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
        runs={name: _contestant(run) for name, run in runs.items()},
    )


def balance(ledger: list[LoadReport], stored: int) -> tuple[int, int]:
    """(lost, doubled) points: what was acknowledged to the generator and is not stored, and what is stored
    beyond what was sent. A message sent and never acknowledged may be stored or not. Pure."""
    sent = sum(report.points for report in ledger)
    unsure = MOST_POINTS * sum(report.sent - report.acknowledged for report in ledger)
    return max(0, sent - unsure - stored), max(0, stored - sent)


def _contestant(run: Saturated) -> Contestant:
    return Contestant(
        rate_per_s=round(run.rate_per_s),
        messages=round(run.messages),
        seconds=round(run.seconds, 1),
        cpu_us={name: round(one, 2) for name, one in sorted(run.cpu_us.items())},
        other_cpu_percent=round(run.other_percent, 1),
        idle_percent=round(run.idle_percent, 1),
        sent_per_s=round(run.flat.rate_per_s),
    )
