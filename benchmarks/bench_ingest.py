"""`gengfu bench ingest`: messages a second from the broker to evaluated, journalled and acknowledged.

The same generator (pre-encoded packets over raw sockets, as fast as it can) publishes the same number of
messages twice: to the null subscriber (mosquitto_sub to nowhere) and to the running service with rules on.
The rate is the number of messages over the time from the first publish until the last is acknowledged by
the subscriber. CPU is that of the ingest and store processes together.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from benchmarks.fleet import count_points, expected_points, register_load_devices
from benchmarks.service import RunningService, eventually, running
from gengfu.ports import free_port
from ingest.broker import find_mosquitto, private_broker, wait_ready, write_configuration
from simulators.load import LoadPlan, LoadReport
from simulators.stencil import FIRST_SEQ, POINTS_PER_MESSAGE

TIGHT_S: Final = 600.0


class CannotMeasure(Exception):
    """Something needed for the measurement is missing or the generator was the limit; the text says what."""


class IngestFigures(Struct, frozen=True):
    """What `gengfu bench ingest --json` prints; keys are those of the design."""

    rate_per_s: float
    ratio_to_null: float
    cpu_us_per_message: float
    cpu_percent_at_10pct_load: float
    points_per_message: int
    devices: int
    lost: int
    doubled: int
    generator_alone_per_s: float
    null_per_s: float
    messages: int
    cpu_us_ingest: float
    cpu_us_store: float


def run_bench(messages: int, devices: int) -> IngestFigures:
    """The whole measurement; some minutes. Raises CannotMeasure."""
    if shutil.which("mosquitto_sub") is None:
        raise CannotMeasure("mosquitto_sub is missing (apt-get install mosquitto-clients)")
    alone = _generator_alone(messages, devices)
    null = _null_rate(messages, devices)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as service:
        return _ingest_figures(service, messages, devices, alone, null)


def _ingest_figures(
    service: RunningService, messages: int, devices: int, alone: float, null: float
) -> IngestFigures:
    register_load_devices(service.config, devices)
    service.start()
    _warm_up(service, devices)
    before = {name: service.cpu_s(name) for name in ("ingest", "store")}
    start = time.monotonic()
    publish(flat_out(service.broker_port, messages, devices, FIRST_SEQ + 1_000_000))
    expected = devices + messages
    eventually(lambda: ingested(service) >= expected, f"{expected} messages ingested", TIGHT_S)
    rate = messages / (time.monotonic() - start)
    _drain(service)
    cost = {name: (service.cpu_s(name) - before[name]) / messages * 1e6 for name in before}
    light = _light_load(service, devices, rate / 10)
    _drain(service)
    stored = count_points(service.data / "points.db")
    total = int(ingested(service))
    return IngestFigures(
        rate_per_s=round(rate),
        ratio_to_null=round(rate / null, 3),
        cpu_us_per_message=round(sum(cost.values()), 2),
        cpu_percent_at_10pct_load=light,
        points_per_message=POINTS_PER_MESSAGE,
        devices=devices,
        lost=max(0, expected_points(total) - stored),
        doubled=max(0, stored - expected_points(total)),
        generator_alone_per_s=round(alone),
        null_per_s=round(null),
        messages=messages,
        cpu_us_ingest=round(cost["ingest"], 2),
        cpu_us_store=round(cost["store"], 2),
    )


def ingested(service: RunningService) -> float:
    """Messages the ingest process has taken, evaluated and acknowledged."""
    return service.figures("ingest").get("gengfu_ingest_messages_total", 0.0)


def flat_out(port: int, messages: int, devices: int, first_seq: int = FIRST_SEQ) -> LoadPlan:
    """So many messages as fast as the broker takes them."""
    return LoadPlan(
        port=port, rate=0, seconds=300, count=messages, devices=devices, connections=2, first_seq=first_seq
    )


def publish(plan: LoadPlan) -> LoadReport:
    """Runs the generator in a process of its own. Raises CannotMeasure when it fails."""
    options = [
        f"--{name.replace('_', '-')}={value}"
        for name, value in msgspec.structs.asdict(plan).items()
        if value != ""
    ]
    ended = subprocess.run(
        [sys.executable, "-m", "simulators.load", "--json", *options], capture_output=True, check=False
    )
    if ended.returncode:
        raise CannotMeasure(f"the generator failed: {ended.stderr.decode().strip()}")
    return msgspec.json.decode(ended.stdout, type=LoadReport)


def _warm_up(service: RunningService, devices: int) -> None:
    """One message of every device, so that series exist before the clock starts."""
    publish(LoadPlan(port=service.broker_port, rate=10_000, seconds=300, count=devices, devices=devices))
    eventually(lambda: ingested(service) >= devices, "warm-up ingested", TIGHT_S)
    _drain(service)


def _drain(service: RunningService) -> None:
    """Waits until the store has read the journal to its end; whether it lost something is counted after."""
    eventually(
        lambda: service.figures("store")["gengfu_store_behind_records"] == 0, "the store reads all", TIGHT_S
    )
    time.sleep(0.5)


def _light_load(service: RunningService, devices: int, rate: float, seconds: float = 10.0) -> float:
    """CPU percent of one core that ingest and store use at `rate` messages a second."""
    before = service.cpu_s("ingest") + service.cpu_s("store")
    start = time.monotonic()
    publish(LoadPlan(port=service.broker_port, rate=rate, seconds=seconds, devices=devices,
                     first_seq=FIRST_SEQ + 2_000_000))  # fmt: skip
    used = service.cpu_s("ingest") + service.cpu_s("store") - before
    return round(100 * used / (time.monotonic() - start), 1)


@contextmanager
def _broker() -> Iterator[int]:
    """A mosquitto of our configuration on a free port, without the service."""
    mosquitto = find_mosquitto()
    if mosquitto is None:
        raise CannotMeasure("mosquitto is missing")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        conf = write_configuration(private_broker(Path(folder), port))
        process = subprocess.Popen([str(mosquitto), "-c", str(conf)], stderr=subprocess.DEVNULL)
        try:
            wait_ready("127.0.0.1", port, 10.0)
            yield port
        finally:
            process.terminate()
            process.wait(30)


def _generator_alone(messages: int, devices: int) -> float:
    with _broker() as port:
        return publish(flat_out(port, messages, devices)).acknowledged_per_s


def _null_rate(messages: int, devices: int) -> float:
    with _broker() as port:
        command = (
            f"-q 1 -V mqttv5 -c -i null -x 3600 -h 127.0.0.1 -p {port} -t gengfu/# -C {messages}".split()
        )
        subscriber = subprocess.Popen(["mosquitto_sub", *command], stdout=subprocess.DEVNULL)
        try:
            time.sleep(1.0)
            start = time.monotonic()
            publish(flat_out(port, messages, devices))
            subscriber.wait(TIGHT_S)
            return messages / (time.monotonic() - start)
        except subprocess.TimeoutExpired:
            raise CannotMeasure("the null subscriber did not get every message") from None
        finally:
            subscriber.kill()
            subscriber.wait()
