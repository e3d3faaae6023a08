"""What the writer says about itself: in the log, as figures, and whether it is well."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from ingest.store.influx.putting import SHORT_BYTES
from ingest.store.influx.refusals import TOLD_EVERY_S
from ingest.store.influx.server import PROBE, Account, Answer, Later, Refused, Server, Taken
from ingest.store.influx.writer import LAST_ANSWERS_S, Posts
from tests.ingest.influx.forgetful import Clock
from tests.ingest.influx.house import PATIENCE_S, House, account_at, eventually, running, stored
from tests.ingest.influx.house_series import METRICS, device_of
from tests.series_servers import ADMIN, INFLUX16, INFLUX18, PASSWORD, SeriesServer, SeriesServers


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


class Told:
    """Answers what it is told to."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.sizes: list[int] = []

    def post(self, lines: bytes) -> Answer:
        self.sizes.append(lines.count(b"\n"))
        return self.answer

    def life(self) -> str:
        return ""

    def close(self) -> None:
        pass


def test_a_server_that_is_back_and_denies_us_is_another_trouble_than_one_that_is_away(house: House) -> None:
    """Or somebody would see to the server while the token is wrong."""
    server = Told(Later("no answer"))
    house.tick()
    with capture_logs() as logs, running(house, server) as writer:
        eventually(lambda: len(logs) == 1, "the silence is told")
        server.answer = Later("HTTP 401: expired", denied=True)
        eventually(lambda: len(logs) == 2, "the denial is told")
        server.answer = Taken()
        eventually(lambda: not writer.failing, "it goes on")
    assert [one["event"] for one in logs] == ["store_waits", "store_waits", "store_goes_on"]
    assert "see to the server" in logs[0]["do"]
    assert "another secret in its file is used within a minute" in logs[1]["do"]
    assert logs[1]["error"] == "HTTP 401: expired"


def test_a_database_that_cannot_be_read_is_not_blamed_on_the_server(house: House) -> None:
    server = Told(Taken())
    house.tick()
    with capture_logs() as logs, running(house, server) as writer:
        eventually(lambda: writer.behind == 0, "it is written")
        with house.engine.begin() as connection:
            connection.execute(text("ALTER TABLE registry_change RENAME TO away"))
        house.tick()
        eventually(lambda: writer.failing, "it is noticed")
        with house.engine.begin() as connection:
            connection.execute(text("ALTER TABLE away RENAME TO registry_change"))
        eventually(lambda: not writer.failing and writer.behind == 0, "it goes on")
    assert "see to the database" in logs[0]["do"]
    assert len(logs) == 2


def test_a_database_that_somebody_else_writes_to_all_the_while_holds_no_point_up(house: House) -> None:
    """Names are only read."""
    server = Told(Taken())
    house.tick(3)
    with closing(sqlite3.connect(house.folder / "gengfu.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with running(house, server) as writer:
            eventually(lambda: writer.behind == 0, "everything is written")
        other.execute("ROLLBACK")
    assert writer.points == house.points


@pytest.mark.parametrize("series_kind", [INFLUX16])
@pytest.mark.parametrize("in_flight", [1, 64])
@pytest.mark.parametrize("packed", [False, True])
def test_with_one_request_at_once_or_many_packed_or_not_every_point_is_there(
    house: House, series_server: SeriesServer, in_flight: int, packed: bool
) -> None:
    house.tick(300)
    account = replace(account_at(series_server), gzip=packed)
    writer = house.writer(Server(account, in_flight), in_flight=in_flight)
    eventually(lambda: not writer.run_once() and writer.behind == 0, "everything is written")
    writer.close()
    assert stored(series_server) == house.points


@pytest.mark.parametrize("kind", [INFLUX16, INFLUX18])
def test_a_password_that_holds_no_longer_is_waited_for(
    house: House, series_servers: SeriesServers, kind: str
) -> None:
    with series_servers.own(kind, password=PASSWORD) as server, capture_logs() as logs:
        account = Account(server.url, database=server.database, user=server.user, password=server.password)
        with running(house, Server(account, 4)) as writer:
            house.tick(5)
            eventually(lambda: writer.behind == 0, "it is written")
            server.query(f"SET PASSWORD FOR {ADMIN} = 'another'")
            house.tick(5)
            eventually(lambda: writer.failing, "it is noticed")
            other = replace(server, password="another")
            other.query(f"SET PASSWORD FOR {ADMIN} = '{PASSWORD}'")
            eventually(lambda: writer.behind == 0, "it goes on")
        assert stored(server) == house.points
    assert "HTTP 401" in logs[0]["error"]


def test_what_a_slow_line_takes_is_remembered_and_tried_again_later(house: House) -> None:
    """Each load would else begin with bodies that cannot get there in time."""

    class Slow(Told):
        most_bytes = SHORT_BYTES

        def post(self, lines: bytes) -> Answer:
            self.sizes.append(len(lines))
            return Taken() if len(lines) <= self.most_bytes else Later("late")

    clock, server = Clock(), Slow(Taken())
    writer = house.writer(server, monotonic=clock)

    def loads(times: int) -> None:
        for _ in range(times):
            house.tick(100)
            while writer.behind:
                writer.run_once()
                clock.now_s += 1

    loads(10)
    assert max(server.sizes) > 3 * SHORT_BYTES
    assert writer.points == house.points
    server.sizes.clear()
    loads(1)
    assert max(server.sizes) < 2 * SHORT_BYTES
    server.most_bytes = 10**9
    loads(20)
    writer.close()
    assert max(server.sizes) > 3 * SHORT_BYTES


class Refusing(Told):
    """Refuses what comes from one device, for itself, and takes comments."""

    def post(self, lines: bytes) -> Answer:
        if device_of(0).encode() in lines:
            return Refused("HTTP 400: max-series-per-database limit exceeded")
        return super().post(lines)


def test_values_that_are_refused_are_told_once_and_again_while_it_goes_on(house: House) -> None:
    clock = Clock()
    writer = house.writer(Refusing(Taken()), monotonic=clock)

    def loads(times: int) -> None:
        for _ in range(times):
            house.tick()
            while writer.behind:
                writer.run_once()
                clock.now_s += 1

    with capture_logs() as logs:
        loads(5)
        assert [one["event"] for one in logs] == ["store_refuses_values"]
        assert logs[0]["error"] == "HTTP 400: max-series-per-database limit exceeded"
        assert logs[0]["refused"] == len(METRICS)
        clock.now_s += TOLD_EVERY_S
        loads(5)
    writer.close()
    assert [one["refused"] for one in logs] == [4, 6 * 4]
    assert "gengfu deadletter list" in logs[1]["do"]


def test_what_was_refused_is_not_counted_as_written(house: House) -> None:
    house.tick(3)
    writer = house.writer(Refusing(Taken()))
    with capture_logs():
        while writer.run_once():
            pass
    writer.close()
    assert writer.refused == house.refused() == 3 * len(METRICS)
    assert writer.points == house.points - writer.refused


class Silent(Told):
    """Gives no answer to anything but comments before it is closed."""

    def __init__(self) -> None:
        super().__init__(Later("closed"))
        self.closed = threading.Event()

    def post(self, lines: bytes) -> Answer:
        self.closed.wait(PATIENCE_S)
        return super().post(lines)

    def close(self) -> None:
        self.closed.set()


def ends_soon(house: House, server: Posts, is_under_way: Callable[[], bool]) -> None:
    """The writer is told to stop while it is at a load; it ends, and nothing of the load is passed."""
    house.tick(100)
    writer, stop = house.writer(server), threading.Event()
    thread = threading.Thread(target=writer.run, args=(stop,))
    thread.start()
    eventually(is_under_way, "it has begun")
    stop.set()
    thread.join(LAST_ANSWERS_S + PATIENCE_S / 4)
    assert not thread.is_alive()
    assert (writer.points, writer.refused, house.refused()) == (0, 0, 0)


def test_a_silent_server_does_not_keep_a_writer_from_ending(house: House) -> None:
    server = Silent()
    with capture_logs() as logs:
        ends_soon(house, server, lambda: house.journal.next_seq > 100)
    assert logs == [], "it is no trouble"


def test_a_load_of_refused_values_does_not_keep_a_writer_from_ending(house: House) -> None:
    """The rest is found again after the next start."""

    class Slow(Told):
        def post(self, lines: bytes) -> Answer:
            time.sleep(0.05)
            self.sizes.append(len(lines))
            return Taken() if lines == PROBE else Refused("HTTP 400: no")

    server = Slow(Taken())
    with capture_logs():
        ends_soon(house, server, lambda: len(server.sizes) > 20)
    house.tick()
    after = house.writer(Told(Taken()))
    while after.run_once():
        pass
    after.close()
    assert after.points == house.points
