"""`gengfu bench latency`: from a detector's publish to the committed incident and to the first hand-over.

While the load generator runs at 50, 70 and 90 % of a given rate, smoke flags are published at fixed intended
times, spread evenly over the run, by detectors of their own, one dwelling each. An incident counts as
committed when a reader of the database sees it (looked for every 5 ms, so up to 5 ms too late); a hand-over
when the first phone has the message. Both are measured from the intended time of the publish, so that nothing
hides behind a late generator. One clock, of one machine.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiomqtt
from msgspec import Struct

from benchmarks.errors import CannotMeasure
from benchmarks.fleet import register_load_devices
from benchmarks.generator import CONNECTIONS, Generator, generating
from benchmarks.numbers import percentile_ms
from benchmarks.saturation import Bounds, saturate, warm_up
from benchmarks.served import ingested
from benchmarks.service import PATIENCE_S, SNAPSHOT_S, RunningService, eventually, running
from benchmarks.subscribers import Programs, Serving
from devices.database import open_database, writing
from devices.vault import Vault
from gengfu.clock import now_us
from gengfu.config_file import load_config
from gengfu.seed import uid_of, write_block
from simulators.block import plan_block
from simulators.formats import SmokeState, smoke_payload, smoke_topic
from simulators.load import LoadPlan, LoadReport
from simulators.mix import FIXED
from simulators.phones import Phones, open_phones
from simulators.places import Block, Device
from simulators.stencil import FIRST_SEQ

LOADS: Final = (50, 70, 90)
WARM_ALARMS: Final = 8
"""The first alarms of each load are not counted: connections are open and queries known by then (chosen)."""
SETTLE_S: Final = 3.0
LOOK_S: Final = 0.005
FIND_RATE_S: Final = 10.0
BLOCK_SEED: Final = 11


class Spread(Struct, frozen=True):
    """Percentiles in milliseconds over `alarms` alarms, while `sent_per_s` messages a second came in.

    `behind_p99_ms` is how late the load itself was sent.
    """

    incident_p50_ms: float
    incident_p99_ms: float
    handover_p50_ms: float
    handover_p99_ms: float
    alarms: int
    sent_per_s: float
    behind_p99_ms: float


class LatencyFigures(Struct, frozen=True):
    """What `gengfu bench latency --json` prints; docs/benchmarks.md says what each key means."""

    rate_per_s: float
    loads: dict[str, Spread]
    alarms_per_s: float
    devices: int
    broker_version: str


@dataclass(frozen=True, slots=True)
class Course:
    """How the measurement goes. `rate` 0: found first, by a short run at full speed."""

    rate: float
    seconds: float
    alarms_per_s: float
    devices: int
    mix: str = FIXED

    @property
    def alarms(self) -> int:
        """Of each load, those that warm up included."""
        return int(self.seconds * self.alarms_per_s) + WARM_ALARMS


def run_bench(course: Course, programs: Programs) -> LatencyFigures:
    """The whole measurement. Raises CannotMeasure, DidNotHappen."""
    programs.check()
    rate = course.rate or find_rate(course.devices, programs, course.mix)
    return asyncio.run(_measure(course, rate, programs))


def find_rate(devices: int, programs: Programs, mix: str = FIXED) -> float:
    """What the service takes at full speed, by a short run. Raises CannotMeasure."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), mosquitto=programs.mosquitto, snapshot_s=SNAPSHOT_S) as service,
    ):
        register_load_devices(service.config, devices, mix)
        service.start()
        return round(saturate(Serving(service), Bounds(devices, FIND_RATE_S, mix=mix)).rate_per_s)


async def _measure(course: Course, rate: float, programs: Programs) -> LatencyFigures:
    block = plan_block(2 * course.alarms * len(LOADS), BLOCK_SEED)
    loads: dict[str, Spread] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), mosquitto=programs.mosquitto, snapshot_s=SNAPSHOT_S) as service,
    ):
        async with open_phones("127.0.0.1", 0) as phones:
            await asyncio.to_thread(_prepare, service, block, phones, course)
            for index, percent in enumerate(LOADS):
                detectors = block.smoke_detectors[index * course.alarms : (index + 1) * course.alarms]
                plan = _plan(service, course, rate * percent / 100, index)
                loads[str(percent)] = await _one_load(service, phones, detectors, plan, course)
    return LatencyFigures(rate, loads, course.alarms_per_s, course.devices, programs.version())


def _prepare(service: RunningService, block: Block, phones: Phones, course: Course) -> None:
    register_load_devices(service.config, course.devices, course.mix)
    config = load_config(service.config)
    engine = open_database(config.database_url)
    with writing(engine) as connection:
        write_block(connection, Vault.open(config.key_path), block, phones.address, now_us())
    engine.dispose()
    service.start()
    warm_up(Serving(service), Bounds(course.devices, course.seconds, mix=course.mix))


def _plan(service: RunningService, course: Course, rate: float, index: int) -> LoadPlan:
    return LoadPlan(
        port=service.broker_port,
        rate=rate,
        seconds=course.alarms / course.alarms_per_s + 2 * SETTLE_S,
        devices=course.devices,
        connections=CONNECTIONS,
        first_seq=FIRST_SEQ + index * 1_000_000,
        mix=course.mix,
    )


async def _one_load(
    service: RunningService, phones: Phones, detectors: tuple[Device, ...], plan: LoadPlan, course: Course
) -> Spread:
    before = await asyncio.to_thread(ingested, service)
    with generating(plan) as generator:
        await asyncio.sleep(SETTLE_S)
        uids = {uid_of(d) for d in detectors}
        watch = asyncio.create_task(asyncio.to_thread(_watch_incidents, service, uids))
        intended = await _publish_smoke(service, detectors, course.alarms_per_s)
        if not generator.running:
            raise CannotMeasure("the load ended before the alarms did")
        incidents = await watch
        sent = await asyncio.to_thread(_report, generator, plan)
    await asyncio.to_thread(
        eventually, lambda: ingested(service) >= before + sent.sent, "the load is ingested", 120.0
    )
    return spread_of(intended, incidents, _first_handovers(phones), sent)


def _report(generator: Generator, plan: LoadPlan) -> LoadReport:
    return generator.report(plan.seconds + 120)


@dataclass(frozen=True, slots=True)
class Seen:
    """An incident, and when a reader of the database first saw it."""

    incident: int
    seen_us: int


def _watch_incidents(service: RunningService, uids: set[str]) -> dict[str, Seen]:
    """Looks every 5 ms until every device has its incident, at most PATIENCE_S after the last one."""
    seen: dict[str, Seen] = {}
    newest, quiet_since = 0, time.monotonic()
    connection = sqlite3.connect(service.data / "gengfu.db")
    try:
        while len(seen) < len(uids) and time.monotonic() - quiet_since < PATIENCE_S:
            rows = connection.execute(
                "SELECT id, uid, incident_id FROM incident_alarm WHERE id > ? AND rule = 'S1'", (newest,)
            ).fetchall()
            at_us = now_us()
            for number, uid, incident in rows:
                newest = number
                quiet_since = time.monotonic()
                if uid in uids:
                    seen.setdefault(uid, Seen(incident, at_us))
            time.sleep(LOOK_S)
    finally:
        connection.close()
    return seen


def _first_handovers(phones: Phones) -> dict[int, int]:
    """When the first phone had a message of each incident: the notification's key begins with its number."""
    first: dict[int, int] = {}
    for phone in phones.phones.values():
        for message in phone.messages:
            incident = int(message.key.split("/")[0])
            first[incident] = min(first.get(incident, message.at_us), message.at_us)
    return first


def spread_of(
    intended: dict[str, int], incidents: dict[str, Seen], first: dict[int, int], sent: LoadReport
) -> Spread:
    """The percentiles without the alarms that warm up. Pure. Raises CannotMeasure when one reached nobody."""
    missing = [uid for uid in intended if uid not in incidents or incidents[uid].incident not in first]
    if missing:
        raise CannotMeasure(f"{len(missing)} alarms of {len(intended)} reached nobody")
    counted = list(intended.items())[WARM_ALARMS:]
    committed = [incidents[uid].seen_us - at for uid, at in counted]
    handed = [first[incidents[uid].incident] - at for uid, at in counted]
    return Spread(
        incident_p50_ms=percentile_ms(committed, 50),
        incident_p99_ms=percentile_ms(committed, 99),
        handover_p50_ms=percentile_ms(handed, 50),
        handover_p99_ms=percentile_ms(handed, 99),
        alarms=len(counted),
        sent_per_s=sent.rate_per_s,
        behind_p99_ms=sent.behind_p99_ms,
    )


async def _publish_smoke(
    service: RunningService, detectors: tuple[Device, ...], alarms_per_s: float
) -> dict[str, int]:
    """Publishes one smoke flag after another, none waiting for another's acknowledgement; the intended time
    of each in µs by uid, in order."""
    intended: dict[str, int] = {}
    payload = smoke_payload(SmokeState(smoke=True, battery=90.0, linkquality=100, temperature=24.0))
    async with (
        aiomqtt.Client("127.0.0.1", service.broker_port, protocol=aiomqtt.ProtocolVersion.V5) as client,
        asyncio.TaskGroup() as group,
    ):
        start = time.time()
        for number, detector in enumerate(detectors):
            due = start + number / alarms_per_s
            await asyncio.sleep(max(0.0, due - time.time()))
            intended[uid_of(detector)] = int(due * 1e6)
            group.create_task(client.publish(smoke_topic(detector.native_id), payload, 1))
    return intended
