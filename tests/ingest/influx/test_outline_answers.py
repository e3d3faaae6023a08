"""What is said of a server that does not give an outline, or gives something else; and what is not asked."""

from __future__ import annotations

import json

import pytest

from ingest.store.history import Outline, outline_of
from ingest.store.influx.asking import Away, Limits, NotUnderstood, Refused
from ingest.store.influx.reading import ServerReader
from ingest.store.influx.reading_dialect import Dialect
from ingest.store.influx.server import Account
from tests.ingest.influx.answering import answering, saying
from tests.ingest.influx.house_reading import ASKED, END_NS, MS, START_NS, account_of, name, points, put
from tests.ingest.outlines import alike
from tests.series_servers import INFLUX16, SeriesServer, SeriesServers

STEP_NS = 1000 * MS
OWN = name("own:m")


def outline(url: str, dialect: Dialect) -> Outline:
    reader = ServerReader(Account(url, bucket="b", token="very-secret"), dialect, limits=Limits(answer_s=0.3))
    try:
        return reader.outline(OWN, START_NS, END_NS, STEP_NS)
    finally:
        reader.close()


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize(
    ("status", "error"), [(401, Refused), (422, Refused), (301, NotUnderstood), (503, Away)]
)
def test_what_a_status_means(dialect: Dialect, status: int, error: type[Exception]) -> None:
    with answering(saying(b"no\n such", status)) as url:
        with pytest.raises(error, match=f"{url}: HTTP {status}: no such") as told:
            outline(url, dialect)
        assert "very-secret" not in str(told.value)


def influxql(*row: object) -> bytes:
    one = {"name": "smoke", "tags": {"channel": ""}, "values": [row]}
    return json.dumps({"results": [{"series": [one]}]}).encode()


def victoria(name: object, *value: object) -> bytes:
    return json.dumps({"data": {"result": [{"metric": {"of": name}, "values": [value]}]}}).encode()


def flux(result: str, start: str, value: str) -> bytes:
    head = ",result,table,_start,_stop,_value,_field,_measurement"
    return f"{head}\n,{result},0,{start},2026-09-21T14:13:21Z,{value},current,smoke\n".encode()


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        *((one, body) for one in Dialect for body in (b"<html>", b"[1]", b'{"a": 1}', b"1,2,3\n", b"\xff\n")),
        (Dialect.INFLUXQL, b"{}\n{}"),
        (Dialect.INFLUXQL, influxql(START_NS, 1, 1)),
        (Dialect.INFLUXQL, influxql(START_NS, "many", 0, 1.0, 1.0, 1.0)),
        (Dialect.INFLUXQL, influxql("yesterday", 1, 0, 1.0, 1.0, 1.0)),
        (Dialect.INFLUXQL, influxql(START_NS - 1, 1, 0, 1.0, 1.0, 1.0)),
        (Dialect.INFLUXQL, influxql(END_NS, 1, 0, 1.0, 1.0, 1.0)),
        (Dialect.VICTORIA, victoria("count", 20_000_000)),
        (Dialect.VICTORIA, victoria("count", 20_000_000, "many")),
        (Dialect.VICTORIA, victoria("piece", 20_000_000, "1")),
        (Dialect.VICTORIA, victoria(7, 20_000_000, "1")),
        (Dialect.VICTORIA, victoria("count", START_NS / 1e9, "1")),
        (Dialect.FLUX, flux("last", "2026-09-21T14:13:20Z", "1")),
        (Dialect.FLUX, flux("count", "2026-09-21T14:13:20Z", "many")),
        (Dialect.FLUX, flux("count", "yesterday", "1")),
        (Dialect.FLUX, flux("count", "2025-09-21T14:13:20Z", "1")),
    ],
)
def test_what_is_no_answer_is_not_taken_for_an_outline(dialect: Dialect, body: bytes) -> None:
    with answering(saying(body)) as url, pytest.raises(NotUnderstood):
        outline(url, dialect)


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        (Dialect.INFLUXQL, influxql(START_NS, 2, None, 1.0, 0.5, 0.5)),
        (Dialect.VICTORIA, victoria("count", 20_000_000, "2")),
        (Dialect.FLUX, flux("count", "2026-09-21T14:13:20Z", "2")),
    ],
)
def test_what_is_an_answer_is_taken(dialect: Dialect, body: bytes) -> None:
    with answering(saying(body)) as url:
        found = outline(url, dialect)
    assert (found.begin_ns.tolist(), found.count.tolist()) == ([START_NS], [2])


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize(("step_ns", "told"), [(STEP_NS + 1, "whole milliseconds"), (MS, "11000 at most")])
def test_what_no_store_answers_is_not_asked(dialect: Dialect, step_ns: int, told: str) -> None:
    reader = ServerReader(Account("http://127.0.0.1:1", bucket="b"), dialect)
    with pytest.raises(ValueError, match=told):
        reader.outline(OWN, START_NS, END_NS, step_ns)
    reader.close()


@pytest.fixture(params=ASKED, ids=lambda one: f"{one[0]}-{one[1]}")
def asked(request: pytest.FixtureRequest) -> tuple[str, Dialect]:
    found: tuple[str, Dialect] = request.param
    return found


@pytest.fixture
def series_kind(asked: tuple[str, Dialect]) -> str:
    return asked[0]


def test_the_points_themselves_do_not_come(series_server: SeriesServer, asked: tuple[str, Dialect]) -> None:
    """An answer is as large as the pieces, however many points there are."""
    own = points(0, *((n, float(n % 50), n % 2) for n in range(50_000)))
    put(series_server, {0: OWN}, own)
    limits = Limits(most_bytes=20_000)
    reader = ServerReader(account_of(series_server, asked[1]), asked[1], limits=limits)
    end = START_NS + 50_000 * MS
    alike(reader.outline(OWN, START_NS, end, 2500 * MS), outline_of(own, START_NS, end, 2500 * MS))
    reader.close()


def test_a_server_that_gives_few_rows_at_once_gives_all(series_servers: SeriesServers) -> None:
    with series_servers.own(INFLUX16, {"http": "max-row-limit = 7"}) as server:
        own = points(0, *((n, float(n), n % 2) for n in range(50)))
        put(server, {0: OWN}, own)
        reader = ServerReader(account_of(server, Dialect.INFLUXQL), Dialect.INFLUXQL)
        end = START_NS + 50 * MS
        alike(reader.outline(OWN, START_NS, end, MS), outline_of(own, START_NS, end, MS))
        reader.close()
