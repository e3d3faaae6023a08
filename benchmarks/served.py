"""The service under measurement: at full speed, until all is stored, at a tenth, and what it stored."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.balance import Balance, balance
from benchmarks.fleet import register_load_devices
from benchmarks.generator import generating
from benchmarks.saturation import AFTER_S, SETTLE_S, Bounds, Look, Saturated, await_stop, look, saturate
from benchmarks.service import SNAPSHOT_S, RunningService, eventually, running
from benchmarks.subscribers import Programs, Serving
from gengfu.clock import now_us
from ingest.store.embedded import EmbeddedStore
from simulators.load import LoadPlan
from simulators.mix import parse_mix
from simulators.stencil import FIRST_SEQ

TIGHT_S: Final = 600.0
LIGHT_S: Final = 20.0
QUICK_S: Final = 2.0
"""Of the light load when messages bound the run."""
LIGHT_SEQ: Final = FIRST_SEQ + 4_000_000
COUNTED: Final = ("ingest", "store")
"""The processes whose CPU is the price of a message."""
REST_S: Final = 6.0
"""The store merges what is due every 5 s: it rests when it did next to nothing for longer than that."""
REST_PERCENT: Final = 5.0
"""Of a core: less is looking for new records (chosen)."""
MERGING_PATIENCE_S: Final = 20.0
"""How long merges are waited for before the light load (chosen)."""
FOREVER_DAYS: Final = 36_500
ALL_AT_ONCE: Final = 10**9
"""Points to merge in one go: more than there are."""


@dataclass(frozen=True, slots=True)
class Light:
    """At a tenth of the rate: CPU of ingest and store in percent of one core, messages acknowledged."""

    cpu_percent: float
    rate_per_s: float


@dataclass(frozen=True, slots=True)
class Served:
    """`cpu_us_drained` is CPU of ingest and store per message from before the first message at full speed
    until all of them were stored and nothing was left to merge. `at_rest`: the store had merged all of it
    when the light load began."""

    full: Saturated
    cpu_us_drained: float
    at_rest: bool
    light: Light | None
    balance: Balance


def serve(bounds: Bounds, programs: Programs, *, light: bool) -> Served:
    """A service of its own from its start to its end. Raises CannotMeasure, DidNotHappen."""
    with tempfile.TemporaryDirectory() as name:
        folder, ledgers = Path(name) / "service", Path(name) / "ledgers"
        folder.mkdir()
        ledgers.mkdir()
        bounds = replace(bounds, ledgers=ledgers)
        with running(folder, mosquitto=programs.mosquitto, snapshot_s=SNAPSHOT_S) as service:
            register_load_devices(service.config, bounds.devices, bounds.mix)
            service.start()
            full = saturate(Serving(service), bounds)
            messages = full.warm.acknowledged + full.flat.acknowledged
            drain(service, messages)
            last = look(Serving(service), service.pids())
            copy_store(folder / "data" / "points.db", Path(name) / "copy.db")
            lightly, at_rest = None, True
            if light:
                at_rest = await_merged(service)
                lightly, more = _light_load(service, bounds, full.rate_per_s / 10)
                drain(service, messages + more)
        found = balance(folder / "data", ledgers, bounds.devices, parse_mix(bounds.mix))
        drained = cost_us(full.start, last, merging_s(Path(name) / "copy.db"))
    return Served(full, drained, at_rest, lightly, found)


def cost_us(first: Look, last: Look, later_s: float) -> float:
    """CPU of ingest and store between two looks, and `later_s` more, per message acknowledged between them.
    Pure."""
    return (_used_s(first, last) + later_s) / (last.count - first.count) * 1e6


def copy_store(points_db: Path, to: Path) -> None:
    """One state of the store's file, whatever is written meanwhile."""
    with closing(sqlite3.connect(points_db)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)


def merging_s(points_db: Path) -> float:
    """CPU seconds that it takes to merge all that is due in this file, with the store's own code."""
    with closing(EmbeddedStore(points_db, keep_days=FOREVER_DAYS)) as store:
        started_s = time.process_time()
        store.prune(now_us())
        while store.merge(ALL_AT_ONCE):
            pass
        return time.process_time() - started_s


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
    eventually(lambda: Serving(service).behind() == 0, "the store reads all", TIGHT_S)
    time.sleep(0.5)


def await_merged(service: RunningService, patience_s: float = MERGING_PATIENCE_S) -> bool:
    """Waits until the store has nothing to do, as its CPU tells; whether it came to that in time."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        before, start = service.cpu_s("store"), time.monotonic()
        time.sleep(REST_S)
        if 100 * (service.cpu_s("store") - before) / (time.monotonic() - start) < REST_PERCENT:
            return True
    return False


def _light_load(service: RunningService, bounds: Bounds, rate: float) -> tuple[Light, int]:
    """What lies between two looks while `rate` messages a second come in; how many were acknowledged to the
    generator in all. Its start and its end are not in between."""
    seconds = QUICK_S if bounds.messages else min(LIGHT_S, bounds.seconds)
    serving = Serving(service)
    start = serving.count()
    plan = LoadPlan(
        port=service.broker_port,
        rate=rate,
        seconds=SETTLE_S + seconds + AFTER_S,
        devices=bounds.devices,
        first_seq=LIGHT_SEQ,
        mix=bounds.mix,
        ledger=bounds.ledger("light"),
    )
    with generating(plan) as generator:
        eventually(lambda: serving.count() > start, "the first messages come", 60.0)
        time.sleep(SETTLE_S)
        first = look(serving, service.pids())
        time.sleep(seconds)
        last = look(serving, service.pids())
        report = generator.report()
    took_s = last.at_s - first.at_s
    light = Light(100 * _used_s(first, last) / took_s, (last.count - first.count) / took_s)
    return light, report.acknowledged


def _used_s(first: Look, last: Look) -> float:
    return sum(last.cpu_s[name] - first.cpu_s[name] for name in COUNTED)
