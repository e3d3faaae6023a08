"""What is said of a server that does not answer, does not give, gives something else, or too much."""

from __future__ import annotations

import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler

import pytest

from gengfu.ports import free_port
from ingest.store.influx.asking import Asking, Away, Limits, NotUnderstood, Refused, TooMuch
from ingest.store.influx.reading import ServerReader
from ingest.store.influx.reading_dialect import Dialect
from ingest.store.influx.server import Account
from tests.ingest.influx.answering import answering, saying
from tests.ingest.influx.house_reading import END_NS, START_NS, name, points, put, reader_of, same
from tests.series_servers import INFLUX16, INFLUX18, VICTORIA, SeriesServer, SeriesServers

SHORT = Limits(answer_s=0.3)


def read(url: str, dialect: Dialect, limits: Limits = SHORT) -> None:
    reader = ServerReader(Account(url, bucket="b", token="very-secret"), dialect, limits=limits)
    try:
        reader.read(name("own:m"), START_NS, END_NS)
    finally:
        reader.close()


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, Refused),
        (403, Refused),
        (404, Refused),
        (400, Refused),
        (301, NotUnderstood),
        (503, Away),
        (429, Away),
    ],
)
def test_what_a_status_means(dialect: Dialect, status: int, error: type[Exception]) -> None:
    with answering(saying(b"no\n such", status)) as url:
        with pytest.raises(error, match=f"{url}: HTTP {status}: no such") as told:
            read(url, dialect)
        assert "very-secret" not in str(told.value)


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("body", [b"<html>", b"[1]", b'{"a": 1}', b"a,b,c\n1,2,3\n", b"\xff\n", b"{}\n{}"])
def test_what_is_no_answer_is_not_taken_for_no_points(dialect: Dialect, body: bytes) -> None:
    with answering(saying(body)) as url, pytest.raises(NotUnderstood):
        read(url, dialect)


@pytest.mark.parametrize("dialect", list(Dialect))
def test_an_answer_without_end_is_not_taken_into_memory(dialect: Dialect) -> None:
    with answering(saying(b" " * 3_000_000)) as url, pytest.raises(TooMuch, match="more than 100000 bytes"):
        read(url, dialect, Limits(most_bytes=100_000))


def test_of_a_page_no_more_than_its_beginning_is_taken() -> None:
    with answering(saying(b"x" * 3_000_000)) as url, Asking(Account(url, bucket="b"), SHORT) as asking:
        assert asking.beginning("/metrics", 100) == b"x" * 100
        assert asking.beginning("/metrics", 100) == b"x" * 100
    with answering(saying(b"x", 404)) as url, Asking(Account(url, bucket="b"), SHORT) as asking:
        assert asking.beginning("/metrics", 100) == b""


def test_what_is_shown_of_a_web_page_is_its_title() -> None:
    page = b"\n<!DOCTYPE html><html><head><style>a{}</style>\n<title> Sign\n in </title></head></html>"
    with answering(saying(page, 401)) as url, pytest.raises(Refused) as told:
        read(url, Dialect.FLUX)
    assert str(told.value) == f"{url}: HTTP 401: a web page, 'Sign in'"


def test_nobody_and_one_who_says_nothing_are_away() -> None:
    with pytest.raises(Away, match="no answer from the server"):
        ServerReader.open(Account(f"http://127.0.0.1:{free_port()}", bucket="b"))
    silent = threading.Event()

    def wait(_: BaseHTTPRequestHandler) -> None:
        silent.wait(5)

    with answering(wait) as url:
        with pytest.raises(Away):
            read(url, Dialect.FLUX)
        silent.set()


def test_one_who_says_a_little_at_a_time_is_away() -> None:
    over = threading.Event()

    def drip(asked: BaseHTTPRequestHandler) -> None:
        asked.send_response(200)
        asked.end_headers()
        while not over.wait(0.02):
            try:
                asked.wfile.write(b" ")
            except OSError:
                return

    with answering(drip) as url:
        with pytest.raises(Away, match=r"no whole answer within 0\.3 s"):
            read(url, Dialect.INFLUXQL, Limits(whole_s=0.3))
        over.set()


@pytest.mark.parametrize(
    ("kind", "dialect", "user"),
    [
        (INFLUX16, Dialect.INFLUXQL, Account("", user="admin", password="geheim")),
        (INFLUX18, Dialect.INFLUXQL, Account("", token="admin:geheim")),
        (INFLUX18, Dialect.FLUX, Account("", token="admin:geheim")),
    ],
)
def test_who_may_not_read_is_refused_and_who_may_is_not(
    series_servers: SeriesServers, kind: str, dialect: Dialect, user: Account
) -> None:
    with series_servers.own(kind, password="geheim") as server:
        own = points(0, (0, 1.5, 0))
        put(server, {0: name("own:m")}, own)
        account = replace(user, url=server.url, bucket=server.bucket)
        wrong = replace(account, token="admin:wrong") if user.token else replace(account, password="wrong")
        reader = ServerReader(account, dialect)
        same(reader.read(name("own:m"), START_NS, END_NS), own)
        reader.close()
        reader = ServerReader(wrong, dialect)
        with pytest.raises(Refused, match="HTTP 401"):
            reader.read(name("own:m"), START_NS, END_NS)
        reader.close()


@pytest.mark.parametrize("series_kind", [INFLUX16, INFLUX18])
def test_a_database_that_is_not_there_is_refused(series_server: SeriesServer) -> None:
    reader = ServerReader(Account(series_server.url, database="none"), Dialect.INFLUXQL)
    with pytest.raises(Refused, match="database not found: none"):
        reader.read(name("own:m"), START_NS, END_NS)
    reader.close()


def test_a_server_that_gives_few_rows_at_once_gives_all(series_servers: SeriesServers) -> None:
    with series_servers.own(INFLUX16, {"http": "max-row-limit = 7"}) as server:
        own = points(0, *((n, float(n), n % 2) for n in range(50)))
        put(server, {0: name("own:m")}, own)
        reader = reader_of(server, Dialect.INFLUXQL)
        same(reader.read(name("own:m"), START_NS, END_NS), own)
        reader.close()


@pytest.mark.parametrize("series_kind", [VICTORIA])
def test_what_is_too_much_for_one_answer_comes_in_several(series_server: SeriesServer) -> None:
    own = points(0, *((10 * n, float(n), n % 2) for n in range(5_000)))
    put(series_server, {0: name("own:m")}, own)
    account = Account(series_server.url, bucket="any")
    reader = ServerReader(account, Dialect.VICTORIA, limits=Limits(most_bytes=10_000))
    same(reader.read(name("own:m"), START_NS, END_NS), own)
    reader.close()
