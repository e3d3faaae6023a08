"""What the writer says about itself: in the log, as figures, and whether it is well."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from ingest.store.influx.putting import SHORT_BYTES
from ingest.store.influx.server import Account, Answer, Later, Server, Taken
from tests.ingest.influx.forgetful import Clock
from tests.ingest.influx.house import House, account_at, eventually, running, stored
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
    assert "start the service again" in logs[1]["do"]
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
