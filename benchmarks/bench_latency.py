"""`gengfu bench latency`: from a detector's publish to the committed incident and to the first hand-over.

While the load generator runs at 50, 70 and 90 % of a given rate, smoke flags are published at fixed intended
times, one dwelling each. An incident counts as committed when a reader of the database sees it (looked for
every 5 ms, so up to 5 ms too late); a hand-over when the first phone has the message. Both are measured from
the intended time of the publish, so that nothing hides behind a late generator.
"""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiomqtt
import msgspec
import numpy as np
from msgspec import Struct

from benchmarks.bench_ingest import CannotMeasure, ingested
from benchmarks.fleet import register_load_devices
from benchmarks.service import PATIENCE_S, RunningService, eventually, running
from devices.database import open_database, writing
from devices.vault import Vault
from gengfu.clock import now_us
from gengfu.config_file import load_config
from gengfu.seed import uid_of, write_block
from simulators.block import plan_block
from simulators.formats import SmokeState, smoke_payload, smoke_topic
from simulators.phones import Phones, open_phones
from simulators.places import Block, Device
from simulators.stencil import FIRST_SEQ

LOADS: Final = (50, 70, 90)
ALARMS_PER_S: Final = 2.0
"""Smoke alarms a second while measuring (chosen: a block on fire, not a storm; `bench alerts` has that)."""
SETTLE_S: Final = 3.0
LOOK_S: Final = 0.005


class Spread(Struct, frozen=True):
    """Percentiles in milliseconds."""

    incident_p50_ms: float
    incident_p99_ms: float
    handover_p50_ms: float
    handover_p99_ms: float
    alarms: int
    sent_per_s: float


class LatencyFigures(Struct, frozen=True):
    """What `gengfu bench latency --json` prints; keys are those of the design."""

    rate_per_s: float
    loads: dict[str, Spread]


def run_bench(rate: float, seconds: float, devices: int) -> LatencyFigures:
    """The whole measurement. Raises CannotMeasure."""
    return asyncio.run(_measure(rate, seconds, devices))


async def _measure(rate: float, seconds: float, devices: int) -> LatencyFigures:
    per_load = int(seconds * ALARMS_PER_S)
    block = plan_block(2 * per_load * len(LOADS), 11)
    loads: dict[str, Spread] = {}
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as service:
        async with open_phones("127.0.0.1", 0) as phones:
            await asyncio.to_thread(_prepare, service, block, phones, devices)
            for index, percent in enumerate(LOADS):
                detectors = block.smoke_detectors[index * per_load : (index + 1) * per_load]
                loads[str(percent)] = await _one_load(
                    service, phones, detectors, rate * percent / 100, seconds, devices, index
                )
    return LatencyFigures(rate, loads)


def _prepare(service: RunningService, block: Block, phones: Phones, devices: int) -> None:
    register_load_devices(service.config, devices)
    config = load_config(service.config)
    engine = open_database(config.database_url)
    with writing(engine) as connection:
        write_block(connection, Vault.open(config.key_path), block, phones.address, now_us())
    engine.dispose()
    service.start()


async def _one_load(
    service: RunningService,
    phones: Phones,
    detectors: tuple[Device, ...],
    rate: float,
    seconds: float,
    devices: int,
    index: int,
) -> Spread:
    before = await asyncio.to_thread(ingested, service)
    load = _start_load(service, rate, seconds + 2 * SETTLE_S, devices, index)
    try:
        await asyncio.sleep(SETTLE_S)
        uids = {uid_of(d) for d in detectors}
        watch = asyncio.create_task(asyncio.to_thread(_watch_incidents, service, uids))
        intended = await _publish_smoke(service, detectors)
        incidents = await watch
        said, _ = await asyncio.to_thread(load.communicate, None, seconds + 120)
    except subprocess.TimeoutExpired:
        raise CannotMeasure("the load generator did not end") from None
    finally:
        load.kill()
    if load.returncode:
        raise CannotMeasure("the load generator failed")
    sent = msgspec.json.decode(said)
    await asyncio.to_thread(
        eventually, lambda: ingested(service) >= before + sent["sent"], "the load is ingested", 120.0
    )
    first = _first_handovers(phones)
    missing = [uid for uid in intended if uid not in incidents or incidents[uid].incident not in first]
    if missing:
        raise CannotMeasure(f"{len(missing)} alarms reached nobody")
    committed = [incidents[uid].seen_us - at for uid, at in intended.items()]
    handed = [first[incidents[uid].incident] - at for uid, at in intended.items()]
    return _spread(committed, handed, sent["rate_per_s"])


@dataclass(frozen=True, slots=True)
class _Seen:
    """An incident, and when a reader of the database first saw it."""

    incident: int
    seen_us: int


def _watch_incidents(service: RunningService, uids: set[str]) -> dict[str, _Seen]:
    """Looks every 5 ms until every device has its incident, at most PATIENCE_S after the last one."""
    seen: dict[str, _Seen] = {}
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
                    seen.setdefault(uid, _Seen(incident, at_us))
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


def _spread(committed_us: list[int], handed_us: list[int], rate: float) -> Spread:
    def percentile(values: list[int], q: float) -> float:
        return round(float(np.percentile(values, q)) / 1000, 1)

    return Spread(
        percentile(committed_us, 50),
        percentile(committed_us, 99),
        percentile(handed_us, 50),
        percentile(handed_us, 99),
        len(committed_us),
        rate,
    )


def _start_load(
    service: RunningService, rate: float, seconds: float, devices: int, index: int
) -> subprocess.Popen[bytes]:
    command = [
        sys.executable, "-m", "simulators.load", "--json", f"--port={service.broker_port}", f"--rate={rate}",
        f"--seconds={seconds}", f"--devices={devices}", f"--first-seq={FIRST_SEQ + index * 1_000_000}",
    ]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.PIPE)


async def _publish_smoke(service: RunningService, detectors: tuple[Device, ...]) -> dict[str, int]:
    """Publishes one smoke flag after another; the intended time of each in µs by uid."""
    intended: dict[str, int] = {}
    payload = smoke_payload(SmokeState(smoke=True, battery=90.0, linkquality=100, temperature=24.0))
    async with aiomqtt.Client(
        "127.0.0.1", service.broker_port, protocol=aiomqtt.ProtocolVersion.V5
    ) as client:
        start = time.time()
        for number, detector in enumerate(detectors):
            due = start + number / ALARMS_PER_S
            await asyncio.sleep(max(0.0, due - time.time()))
            intended[uid_of(detector)] = int(due * 1e6)
            await client.publish(smoke_topic(detector.native_id), payload, 1)
    return intended
