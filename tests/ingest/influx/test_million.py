"""A million points through servers and writers that die: the counts are equal to the last point."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.journal_files import read_mark
from tests.faulty_proxy import Fault, FaultyProxy
from tests.ingest.influx.house import House, account_at, eventually, stored, writing_to
from tests.series_servers import INFLUX2, INFLUX16, INFLUX18, SeriesServer

SEED = 20261122
KILLS = 5

WRITER = """
import sys, threading
from sqlalchemy import create_engine
from devices.database import open_database
from ingest.store.influx.server import Account, Server
from ingest.store.influx.writer import InfluxWriter
from pathlib import Path
folder, url, database = sys.argv[1:]
server = Server(Account(url, database=database), 4)
engine = open_database(f"sqlite:///{folder}/gengfu.db")
InfluxWriter(Path(folder) / "journal", server, engine, settled_s=0.5).run(threading.Event())
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path, devices=500)
    yield house
    house.close()


@pytest.mark.slow
@pytest.mark.parametrize("series_kind", [INFLUX16, INFLUX18, *INFLUX2])
def test_a_server_killed_five_times_during_a_million_points(
    house: House, series_server: SeriesServer
) -> None:
    with writing_to(house, account_at(series_server)) as writer:
        for n in range(1, KILLS + 1):
            house.tick(100)
            eventually(lambda: writer.points > 0, "something is written")
            series_server.kill()
            series_server.start()
            print(f"kill {n}: {writer.points} of {house.points} points")
        eventually(lambda: writer.behind == 0 and not writer.failing, "everything is written")
    assert house.points == 1_000_000
    assert stored(series_server) == house.points


@pytest.mark.slow
@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_a_server_that_stands_still_for_a_minute(house: House, series_server: SeriesServer) -> None:
    house.tick(50)
    with writing_to(house, account_at(series_server), answer_s=5.0) as writer:
        series_server.pause()
        began = time.monotonic()
        while time.monotonic() - began < 60:
            house.tick(1)
            time.sleep(0.5)
        series_server.resume()
        eventually(lambda: writer.behind == 0 and not writer.failing, "everything is written")
    assert stored(series_server) == house.points


@pytest.mark.slow
@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_a_way_that_cuts_delays_and_swallows_all_the_while(house: House, series_server: SeriesServer) -> None:
    assert series_server.process
    chance = random.Random(SEED)
    faults = (Fault(refuse=True), Fault(deaf=True), Fault(swallow=True), Fault(delay_s=0.2), Fault())
    with FaultyProxy(series_server.process.port) as proxy:
        proxy.cut_sent_after = [chance.randrange(200_000) for _ in range(60)]
        with writing_to(house, account_at(series_server, proxy.url), answer_s=0.5) as writer:
            for _ in range(60):
                house.tick(8)
                proxy.fault = chance.choice(faults)
                time.sleep(chance.random() / 2)
            proxy.fault = Fault()
            eventually(lambda: writer.behind == 0 and not writer.failing, "everything is written")
        print(f"seed {SEED}: {proxy.connections} connections, {house.points} points")
    assert stored(series_server) == house.points


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_a_writer_killed_at_random_leaves_every_point_once(house: House, series_server: SeriesServer) -> None:
    """Another begins where the journal was told; what was written beyond is the same points again."""
    chance = random.Random(SEED)
    mark = house.folder / "journal" / "reader-store"
    for _ in range(KILLS):
        house.tick(20)
        process = _writer(house, series_server)
        time.sleep(0.6 + chance.random())
        process.send_signal(signal.SIGKILL)
        process.wait()
    process = _writer(house, series_server)
    try:
        eventually(lambda: read_mark(mark) == house.ticks, "everything is written")
    finally:
        process.kill()
        process.wait()
    assert stored(series_server) == house.points


def _writer(house: House, server: SeriesServer) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(house.folder), server.url, server.database])
