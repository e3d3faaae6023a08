"""A journal with points of registered devices, and what of it a server must hold in the end."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Engine, insert

from devices import schema
from devices.database import open_database, writing
from devices.model import Metric, ReadingBatch
from ingest.deadletters import count_dead_letters
from ingest.journal import Journal
from ingest.record import Messages, NewSeries, Record
from ingest.store.influx.server import Account, Server
from ingest.store.influx.words import field
from ingest.store.influx.writer import InfluxWriter, Posts
from tests.ingest.influx.house_series import METRICS, device_of, kind_of, series_of
from tests.series_servers import VICTORIA, Row, SeriesServer

START_US = 1_790_000_000_000_000
PATIENCE_S = 60.0
"""Bounds only failures."""


def account_at(server: SeriesServer, url: str = "") -> Account:
    """As a site would write it in its configuration."""
    if server.kind == VICTORIA:
        return Account(url or server.url, bucket="any")
    if server.token:
        return Account(url or server.url, org=server.org, bucket=server.bucket, token=server.token)
    return Account(url or server.url, database=server.database, user=server.user, password=server.password)


@dataclass(frozen=True)
class Room:
    """How much the journal may take. `clock` is what it looks for room by."""

    segment_bytes: int = 1 << 20
    max_bytes: int = 10**9
    reserve_bytes: int = 0
    clock: Callable[[], float] = time.monotonic


class House:
    """Devices of four series, named in the journal when they are first heard."""

    def __init__(self, folder: Path, devices: int = 10, room: Room = Room()) -> None:
        self.folder, self.devices = folder, devices
        self.engine: Engine = open_database(f"sqlite:///{folder}/gengfu.db")
        schema.metadata.create_all(self.engine)
        with writing(self.engine) as connection:
            rows = [
                {
                    "uid": device_of(n), "kind": kind_of(n), "profile": "own",
                    "registered_us": 0, "registered_by": "t",
                }
                for n in range(devices)
            ]  # fmt: skip
            connection.execute(insert(schema.device), rows)
        self.journal = Journal(
            folder / "journal", segment_bytes=room.segment_bytes, max_bytes=room.max_bytes,
            reserve_bytes=room.reserve_bytes, monotonic=room.clock,
        )  # fmt: skip
        self.ticks = 0
        self.shed: set[int] = set()
        """Ticks whose points were left out of history, as the journal said."""

    def tick(self, ticks: int = 1, each_us: int = 1_000_000) -> None:
        """A reading of every series, so many times."""
        for _ in range(ticks):
            n = self.devices * len(METRICS)
            at_us = START_US + self.ticks * each_us
            slot = np.arange(1, n + 1, dtype=np.int32)
            batch = ReadingBatch(
                at_us, slot, np.full(n, at_us), np.zeros(n, np.uint16),
                self.ticks + slot / 1000, (slot % 7 == 0).astype(np.uint32) * np.uint32(1 << 13),
            )  # fmt: skip
            new = [] if self.ticks else list(self._named())
            seq = self.journal.next_seq
            if self.journal.append(Record(seq, batch, Messages.empty(), [], new, [], {}, 0, 0)):
                self.shed.add(self.ticks)
            self._commit(new)
            self.ticks += 1

    def tick_without_points(self) -> None:
        """As one that brought only an act of somebody's."""
        batch = ReadingBatch.empty(self.now_us)
        self.journal.append(Record(self.journal.next_seq, batch, Messages.empty(), [], [], [], {}, 0, 0))

    def snapshot(self) -> None:
        """Recovery needs nothing of the journal any more."""
        newest = self.journal.next_seq - 1
        self.journal.keep_after(newest, newest)

    def name(self, device: str, slot: int) -> None:
        """A series of a device that nobody registered, as the database has it."""
        self._commit([NewSeries(slot, device, "", Metric.VOLTAGE)])

    def tick_of(self, slot: int) -> None:
        """A reading of this series alone."""
        at_us, one = self.now_us, np.ones(1)
        batch = ReadingBatch(
            at_us, one.astype(np.int32) * slot, one.astype(np.int64) * at_us, one.astype(np.uint16), one,
            one.astype(np.uint32),
        )  # fmt: skip
        self.journal.append(Record(self.journal.next_seq, batch, Messages.empty(), [], [], [], {}, 0, 0))

    def _commit(self, new: list[NewSeries]) -> None:
        """As ingest does before it journals another record."""
        if new:
            rows = [{"slot": n.slot, "uid": n.uid, "channel": n.channel, "metric": n.metric} for n in new]
            with writing(self.engine) as connection:
                connection.execute(insert(schema.series), [row | {"created_us": 0} for row in rows])

    def _named(self) -> Iterator[NewSeries]:
        for n in range(self.devices):
            for metric, slot in zip(METRICS, series_of(n), strict=True):
                yield NewSeries(slot, device_of(n), "", metric)

    @property
    def points(self) -> int:
        """In the journal, and not shed, and so in the server in the end."""
        return (self.ticks - len(self.shed)) * self.devices * len(METRICS)

    def refused(self) -> int:
        """How many lines are counted as dead letters."""
        with self.engine.connect() as connection:
            return count_dead_letters(connection).get("store", 0)

    def writer(
        self,
        server: Posts,
        settled_s: float = 0.0,
        monotonic: Callable[[], float] = time.monotonic,
        in_flight: int = 4,
    ) -> InfluxWriter:
        """A writer of a process of its own, begun anew."""
        return InfluxWriter(
            self.folder / "journal",
            server,
            self.engine,
            clock_us=lambda: self.now_us,
            monotonic=monotonic,
            in_flight=in_flight,
            settled_s=settled_s,
            look_s=settled_s / 10,
        )

    @property
    def now_us(self) -> int:
        return START_US + self.ticks * 1_000_000

    def close(self) -> None:
        self.journal.close()
        self.engine.dispose()


def expected(house: House, kind: str) -> set[Row]:
    """All values of one kind of device; qualities are told in `qualities`."""
    found = set()
    for n in (n for n in range(house.devices) if kind_of(n) == kind):
        for metric, slot in zip(METRICS, series_of(n), strict=True):
            for tick in set(range(house.ticks)) - house.shed:
                at_ns = (START_US + tick * 1_000_000) * 1000
                name = field(Metric(metric)).decode()
                found.add(Row(kind, (("device", device_of(n)),), name, tick + slot / 1000, at_ns))
    return found


def stored(server: SeriesServer) -> int:
    """Values in the server, without qualities."""
    rows = [row for kind in ("smoke", "electrical") for row in server.rows(kind)]
    return sum(1 for row in rows if not row.field.endswith("_quality"))


def stored_of_each(server: SeriesServer) -> Counter[str]:
    """The same by device."""
    rows = [row for kind in ("smoke", "electrical") for row in server.rows(kind)]
    return Counter(dict(row.tags)["device"] for row in rows if not row.field.endswith("_quality"))


@contextmanager
def running(house: House, posts: Posts, settled_s: float = 0.0) -> Iterator[InfluxWriter]:
    """A writer that runs; ended with the block."""
    writer, stop = house.writer(posts, settled_s), threading.Event()
    thread = threading.Thread(target=writer.run, args=(stop,))
    thread.start()
    try:
        yield writer
    finally:
        stop.set()
        thread.join()


@contextmanager
def writing_to(
    house: House, account: Account, *, answer_s: float = 2.0, settled_s: float = 0.0
) -> Iterator[InfluxWriter]:
    """One that writes to a real server."""
    with running(house, Server(account, 4, answer_s=answer_s), settled_s) as writer:
        yield writer


def eventually(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)
