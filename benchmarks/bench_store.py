"""`gengfu bench store`: points into a series server, beside the stock client and bodies made beforehand.

All write the same readings to the same server, each into an empty database: meters of four metrics that
report together, values with one decimal. Ours come from a journal, as in service.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import influxdb_client
import numpy as np
from msgspec import Struct
from sqlalchemy import insert

from benchmarks.errors import CannotMeasure
from benchmarks.machine import cores
from benchmarks.series_server import SeriesServer, serving
from devices import schema
from devices.database import open_database, writing
from devices.model import Metric, ReadingBatch
from ingest.journal import Journal
from ingest.record import Messages, Record
from ingest.store.influx.lines import BODY_POINTS
from ingest.store.influx.server import Account, Server, Taken
from ingest.store.influx.words import field
from ingest.store.influx.writer import IN_FLIGHT, InfluxWriter

METRICS: Final = (Metric.CURRENT, Metric.VOLTAGE, Metric.POWER_ACTIVE, Metric.TEMPERATURE)
FIELDS: Final = [field(metric).decode() for metric in METRICS]
STOCK: Final[Any] = influxdb_client
"""The stock client, of which types say little."""
START_US: Final = 1_790_000_000_000_000
SHARE_OF_CLIENT: Final = 10
"""The client writes a tenth of the points: a rate needs no more, and it takes longer."""
_PATIENCE_S: Final = 600.0


class StoreFigures(Struct, frozen=True):
    """What `gengfu bench store --json` prints; docs/benchmarks.md says what each key means."""

    points_per_s: int
    cpu_us_per_point: float
    ratio_to_client_points: float
    ratio_to_client_strings: float
    ratio_to_prebuilt: float
    prebuilt_per_s: int
    client_points_per_s: int
    client_strings_per_s: int
    client_points_cpu_us: float
    client_strings_cpu_us: float
    lost: int
    doubled: int
    points: int
    devices: int
    bytes_per_point: float
    cores: int
    server: str


@dataclass(frozen=True, slots=True)
class Fleet:
    """Meters that report together, `ticks` times."""

    devices: int
    ticks: int

    @property
    def points(self) -> int:
        """Readings in all."""
        return self.devices * self.ticks * len(METRICS)

    def values(self, tick: int) -> list[list[float]]:
        """Of one tick: per device the values of the metrics."""
        chance = np.random.default_rng(tick)
        made: list[list[float]] = np.round(chance.normal(230, 5, (self.devices, len(METRICS))), 1).tolist()
        return made

    def at_ns(self, tick: int) -> int:
        """When."""
        return (START_US + tick * 1_000_000) * 1000

    def part(self) -> Fleet:
        """What the client is given."""
        return Fleet(self.devices, max(self.ticks // SHARE_OF_CLIENT, 1))


@dataclass(frozen=True, slots=True)
class Rate:
    """Points a second, and CPU time of this process for each."""

    per_s: float
    cpu_us: float


def run_bench(points: int, devices: int, program: str) -> StoreFigures:
    """The whole measurement. Raises CannotMeasure."""
    fleet = Fleet(devices, max(points // (devices * len(METRICS)), 1))
    with serving(program) as server:
        bodies = _bodies(fleet)
        prebuilt = _timed(fleet, lambda: _post(bodies, server.account("prebuilt")))
        ours, stored = _ours(fleet, server)
        part = fleet.part()
        as_points = _client(part, server, "points", (_point(*row) for row in _rows(part)))
        as_strings = _client(part, server, "strings", (_string(*row) for row in _rows(part)))
        return StoreFigures(
            points_per_s=round(ours.per_s),
            cpu_us_per_point=round(ours.cpu_us, 3),
            ratio_to_client_points=round(ours.per_s / as_points.per_s, 2),
            ratio_to_client_strings=round(ours.per_s / as_strings.per_s, 2),
            ratio_to_prebuilt=round(ours.per_s / prebuilt.per_s, 3),
            prebuilt_per_s=round(prebuilt.per_s),
            client_points_per_s=round(as_points.per_s),
            client_strings_per_s=round(as_strings.per_s),
            client_points_cpu_us=round(as_points.cpu_us, 3),
            client_strings_cpu_us=round(as_strings.cpu_us, 3),
            lost=max(fleet.points - stored, 0),
            doubled=max(stored - fleet.points, 0),
            points=fleet.points,
            devices=devices,
            bytes_per_point=round(sum(map(len, bodies)) / fleet.points, 1),
            cores=cores(),
            server=server.name,
        )


def _timed(fleet: Fleet, work: Callable[[], None]) -> Rate:
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    work()
    took_s, cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
    return Rate(fleet.points / took_s, cpu_s / fleet.points * 1e6)


def _rows(fleet: Fleet) -> Iterator[tuple[int, list[float], int]]:
    """Device, values, nanoseconds."""
    for tick in range(fleet.ticks):
        for device, values in enumerate(fleet.values(tick)):
            yield device, values, fleet.at_ns(tick)


def _uid(device: int) -> str:
    return f"own:bench-{device:06d}"


def _string(device: int, values: list[float], at_ns: int) -> str:
    said = ",".join(f"{name}={value}" for name, value in zip(FIELDS, values, strict=True))
    return f"electrical,device={_uid(device)} {said} {at_ns}"


def _point(device: int, values: list[float], at_ns: int) -> object:
    point = STOCK.Point("electrical").tag("device", _uid(device)).time(at_ns)
    for name, value in zip(FIELDS, values, strict=True):
        point.field(name, value)
    return point


def _bodies(fleet: Fleet) -> list[bytes]:
    """All of it as requests of the size that ours have."""
    lines = [_string(*row).encode() + b"\n" for row in _rows(fleet)]
    step = BODY_POINTS // len(METRICS)
    return [b"".join(lines[n : n + step]) for n in range(0, len(lines), step)]


def _post(bodies: list[bytes], account: Account) -> None:
    server = Server(account, IN_FLIGHT)
    with ThreadPoolExecutor(IN_FLIGHT) as threads:
        for answer in threads.map(server.post, bodies):
            if not isinstance(answer, Taken):
                raise CannotMeasure(f"the server did not take a body: {answer.why}")
    server.close()


def _ours(fleet: Fleet, server: SeriesServer) -> tuple[Rate, int]:
    """From a journal on the disk to the last acknowledgement, and what the server has then."""
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(f"sqlite:///{folder}/gengfu.db")
        schema.metadata.create_all(engine)
        with writing(engine) as connection:
            connection.execute(insert(schema.device), [_device(n) for n in range(fleet.devices)])
            rows = [row for n in range(fleet.devices) for row in _series(n)]
            connection.execute(insert(schema.series), rows)
        _journal(fleet, Path(folder) / "journal")
        account = server.account("ours")
        late_us = START_US + (fleet.ticks + 1) * 1_000_000
        writer = InfluxWriter(
            Path(folder) / "journal", Server(account, IN_FLIGHT), engine, clock_us=lambda: late_us
        )
        rate = _timed(fleet, lambda: _drain(writer))
        writer.close()
        engine.dispose()
    return rate, server.count("ours", FIELDS)


def _drain(writer: InfluxWriter) -> None:
    while done := writer.run_once():
        if not isinstance(done, int):
            raise CannotMeasure(f"the server did not take a load: {done.why}")


def _journal(fleet: Fleet, folder: Path) -> None:
    journal = Journal(folder, segment_bytes=64 << 20, max_bytes=1 << 40)
    n = fleet.devices * len(METRICS)
    slots, zeros = np.arange(1, n + 1, dtype=np.int32), np.zeros(n, np.uint16)
    for tick in range(fleet.ticks):
        at_us = fleet.at_ns(tick) // 1000
        values = np.array(fleet.values(tick)).ravel()
        batch = ReadingBatch(at_us, slots, np.full(n, at_us), zeros, values, np.zeros(n, np.uint32))
        journal.append(Record(journal.next_seq, batch, Messages.empty(), [], [], [], {}, 0, 0))
    journal.close()


def _device(n: int) -> dict[str, object]:
    return {"uid": _uid(n), "kind": "electrical", "profile": "own", "registered_us": 0, "registered_by": "b"}


def _series(n: int) -> Iterator[dict[str, object]]:
    for place, metric in enumerate(METRICS):
        slot = n * len(METRICS) + place + 1
        yield {"slot": slot, "uid": _uid(n), "channel": "", "metric": int(metric), "created_us": 0}


def _client(fleet: Fleet, server: SeriesServer, database: str, records: Iterator[object]) -> Rate:
    """The stock client's batching writer, with as many lines a request as ours."""
    account = server.account(database)
    options = STOCK.WriteOptions(batch_size=BODY_POINTS // len(METRICS), flush_interval=1_000)
    lost: list[str] = []

    def write() -> None:
        with (
            STOCK.InfluxDBClient(url=account.url, token=account.token or "-", org=account.org) as client,
            client.write_api(
                write_options=options, error_callback=lambda _conf, _data, error: lost.append(str(error))
            ) as api,
        ):
            for record in records:
                api.write(account.bucket, account.org, record)

    rate = _timed(fleet, write)
    if lost:
        raise CannotMeasure(f"the client lost a batch: {lost[0][:200]}")
    return rate
