"""Our process is killed, the server is killed or stands still, and the way between them cuts and swallows:
all at random moments. The counts are equal to the last point."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest.journal_files import read_mark
from tests.faulty_proxy import Fault, FaultyProxy
from tests.ingest.influx.house import House, account_at, eventually, stored_of_each
from tests.ingest.influx.house_series import METRICS, device_of
from tests.series_servers import INFLUX16, VICTORIA, SeriesServer

SEED = 20261123
FAULTS = (Fault(refuse=True), Fault(deaf=True), Fault(swallow=True), Fault(delay_s=0.1), Fault(), Fault())
SETTLED_S = {VICTORIA: 10.0}
"""VictoriaMetrics loses what it took up to 9 s before it is killed. Others lose nothing: what they are given
again would only hide what we lose."""

WRITER = """
import sys, threading
from pathlib import Path
from devices.database import open_database
from ingest.store.influx.server import Account, Server
from ingest.store.influx.writer import InfluxWriter
folder, url, org, database, bucket, token, settled_s = sys.argv[1:]
server = Server(Account(url, org, bucket, token, database), 4, answer_s=0.5)
engine = open_database(f"sqlite:///{folder}/gengfu.db")
writer = InfluxWriter(Path(folder) / "journal", server, engine, settled_s=float(settled_s), look_s=0.1)
writer.run(threading.Event())
"""


@dataclass
class Killed:
    """A writer in a process of its own, which is killed and begun again."""

    house: House
    server: SeriesServer
    url: str
    kills = 0

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        at = account_at(self.server, self.url)
        to = (
            str(self.house.folder),
            at.url,
            at.org,
            at.database,
            at.bucket,
            at.token,
            str(SETTLED_S.get(self.server.kind, 0.1)),
        )
        self._process = subprocess.Popen([sys.executable, "-c", WRITER, *to], stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self.kills += 1

    @property
    def ended_by_itself(self) -> bool:
        return self._process.poll() is not None


@contextmanager
def killed(house: House, server: SeriesServer, url: str) -> Iterator[Killed]:
    writer = Killed(house, server, url)
    try:
        yield writer
    finally:
        writer.kill()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path, devices=50)
    yield house
    house.close()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_minutes_of_every_trouble(house: House, series_server: SeriesServer) -> None:
    go_through(house, series_server, rounds=120, seed=SEED)


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_a_few_seconds_of_every_trouble(house: House, series_server: SeriesServer) -> None:
    go_through(house, series_server, rounds=12, seed=SEED)


def go_through(house: House, server: SeriesServer, rounds: int, seed: int) -> None:
    assert server.process
    chance, mark = random.Random(seed), house.folder / "journal" / "reader-store"
    deaths = pauses = 0
    with FaultyProxy(server.process.port) as proxy, killed(house, server, proxy.url) as writer:
        for _ in range(rounds):
            house.tick(chance.randrange(1, 30))
            proxy.fault = chance.choice(FAULTS)
            proxy.cut_sent_after = [chance.randrange(60_000) for _ in range(chance.randrange(3))]
            proxy.cut_after = [chance.randrange(200) for _ in range(chance.randrange(3))]
            time.sleep(chance.random())
            assert not writer.ended_by_itself
            if chance.random() < 0.3:
                writer.kill()
                writer.begin()
            if chance.random() < 0.3:
                deaths += 1
                server.kill()
                time.sleep(chance.random() / 2)
                server.start()
            elif chance.random() < 0.3:
                pauses += 1
                server.pause()
                time.sleep(chance.random())
                server.resume()
        proxy.fault, proxy.cut_after, proxy.cut_sent_after = Fault(), [], []
        eventually(lambda: read_mark(mark) == house.ticks, "everything is written, and has settled")
        print(f"seed {seed}: {writer.kills} kills of ours, {deaths} of the server, {pauses} pauses,")
        print(f"{proxy.connections} connections, {house.points} points")
    sent = house.ticks * len(METRICS)
    assert stored_of_each(server) == {device_of(n): sent for n in range(house.devices)}
