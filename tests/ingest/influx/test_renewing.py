"""A token or password that was changed in its file is taken up without a restart."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from ingest.store.influx.server import RENEW_S, Account, Later, Server, Taken
from tests.ingest.influx.answering import answering, saying
from tests.ingest.influx.house import House, eventually, running, stored
from tests.series_servers import ADMIN, INFLUX18, PASSWORD, SeriesServers

LINE = b"m f=1 1\n"


class Gate:
    """A server that lets one token in; `asked` are the tokens it was shown."""

    def __init__(self) -> None:
        self.lets_in, self.asked = "new", list[str]()

    def __call__(self, asked: BaseHTTPRequestHandler) -> None:
        token = asked.headers.get("Authorization", "").removeprefix("Token ")
        self.asked.append(token)
        saying(b"", 204 if token == self.lets_in else 401)(asked)


class File:
    """What the configuration names: a token, or an error where it cannot be read. `reads` counts."""

    def __init__(self, url: str, token: str) -> None:
        self.account = Account(url, bucket="b", token=token)
        self.error: Exception | None = None
        self.reads, self.now_s = 0, 1_000.0

    def write(self, token: str) -> None:
        self.account = replace(self.account, token=token)

    def read(self) -> Account:
        self.reads += 1
        if self.error:
            raise self.error
        return self.account


@contextmanager
def site(in_flight: int = 1) -> Iterator[tuple[Gate, File, Server]]:
    gate = Gate()
    with answering(gate) as url:
        file = File(url, "old")
        server = Server(file.account, in_flight, renew=file.read, monotonic=lambda: file.now_s)
        yield gate, file, server
        server.close()


def test_a_denied_request_goes_out_again_with_what_the_file_holds_now() -> None:
    with site() as (gate, file, server):
        file.write("new")
        assert server.post(LINE) == Taken()
        assert server.post(LINE) == Taken()
        assert gate.asked == ["old", "new", "new"]
        assert file.reads == 1


def test_the_file_is_read_once_in_a_while_however_often_we_are_denied() -> None:
    with site() as (_, file, server):
        answers = [server.post(LINE) for _ in range(5)]
        assert all(isinstance(one, Later) and one.denied for one in answers)
        assert file.reads == 1
        file.write("new")
        file.now_s += RENEW_S - 0.1
        assert isinstance(server.post(LINE), Later)
        file.now_s += 0.2
        assert server.post(LINE) == Taken()
        assert file.reads == 2


def test_another_token_that_is_denied_too_is_tried_once() -> None:
    with site() as (gate, file, server):
        file.write("wrong")
        answer = server.post(LINE)
        assert isinstance(answer, Later)
        assert answer.denied
        assert gate.asked == ["old", "wrong"]


@pytest.mark.parametrize("error", [OSError("gone"), ValueError("empty")])
def test_a_file_that_cannot_be_read_now_is_read_later(error: Exception) -> None:
    with site() as (_, file, server):
        file.error = error
        assert isinstance(server.post(LINE), Later)
        file.error = None
        file.write("new")
        file.now_s += RENEW_S
        assert server.post(LINE) == Taken()


def test_the_file_is_not_read_where_nobody_denies_us() -> None:
    with site() as (gate, file, server):
        gate.lets_in = "old"
        assert server.post(LINE) == Taken()
        assert file.reads == 0


def test_requests_that_were_denied_at_the_same_time_all_go_out_again() -> None:
    count = 8
    together = threading.Barrier(count)

    class Slow(Gate):
        def __call__(self, asked: BaseHTTPRequestHandler) -> None:
            if asked.headers["Authorization"] == "Token old":
                together.wait(30)
            super().__call__(asked)

    gate = Slow()
    with answering(gate) as url, ThreadPoolExecutor(count) as threads:
        file = File(url, "old")
        server = Server(file.account, count, renew=file.read)
        file.write("new")
        assert list(threads.map(server.post, [LINE] * count)) == [Taken()] * count
        assert file.reads == 1
        server.close()


def test_a_real_server_whose_password_was_changed_gets_every_point_without_a_restart(
    series_servers: SeriesServers, tmp_path: Path
) -> None:
    house = House(tmp_path)
    with series_servers.own(INFLUX18, password=PASSWORD) as server:
        file = File(server.url, "")
        file.account = Account(
            server.url, database=server.database, user=server.user, password=server.password
        )
        posts = Server(file.account, 4, renew=file.read, monotonic=lambda: file.now_s)
        with running(house, posts) as writer:
            house.tick(5)
            eventually(lambda: writer.behind == 0, "it is written")
            server.query(f"SET PASSWORD FOR {ADMIN} = 'another'")
            house.tick(5)
            eventually(lambda: writer.failing, "it is noticed")
            file.account = replace(file.account, password="another")
            file.now_s += RENEW_S
            eventually(lambda: writer.behind == 0 and not writer.failing, "it goes on")
        assert stored(replace(server, password="another")) == house.points
    house.close()
