"""Writing to and reading from a real InfluxDB 2, where it differs from others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.store.influx.asking import Refused as NotGiven
from ingest.store.influx.reading import ServerReader
from ingest.store.influx.reading_dialect import Dialect
from ingest.store.influx.server import Account, Later, Refused, Server, Taken
from tests.ingest.influx.house import House, account_at, eventually, stored, writing_to
from tests.ingest.influx.house_reading import END_NS, START_NS, name, points, put, same
from tests.series_servers import INFLUX2, WITHOUT_INFLUX2, SeriesServer

if not INFLUX2:
    pytest.skip(WITHOUT_INFLUX2, allow_module_level=True)

LINE = b"m v=1 1\n"


@pytest.fixture(params=INFLUX2)
def series_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def posted(account: Account, lines: bytes = LINE) -> Taken | Refused | Later:
    server = Server(account, 1)
    answer = server.post(lines)
    server.close()
    return answer


@pytest.mark.parametrize("packed", [False, True])
def test_what_is_refused_is_the_bodys_and_what_is_denied_is_ours(
    series_server: SeriesServer, packed: bool
) -> None:
    account = replace(account_at(series_server), gzip=packed)
    assert posted(account) == Taken()
    for bad, why in ((b'm v="x" 2\n', "field type conflict"), (b"m v=NaN 2\n", "invalid number")):
        answer = posted(account, LINE + bad)
        assert isinstance(answer, Refused)
        assert why in answer.why
    for wrong in (replace(account, token="no"), replace(account, bucket="no"), replace(account, org="no")):
        answer = posted(wrong)
        assert isinstance(answer, Later)
        assert answer.denied


def test_it_does_not_say_when_it_started_and_is_taken_at_its_word(series_server: SeriesServer) -> None:
    """It needs not: see tests/test_series_influx2.py."""
    server = Server(account_at(series_server), 1)
    assert server.life() == ""
    server.close()


def test_a_site_that_names_a_database_writes_and_reads_the_bucket_of_that_name(
    series_server: SeriesServer,
) -> None:
    own = points(0, (0, 1.5, 0), (1, 2.5, 8))
    account = Account(series_server.url, database=series_server.bucket, token=series_server.token)
    assert posted(account, b"smoke,device=own:m current=7 %d\n" % (END_NS - 1)) == Taken()
    put(series_server, {0: name("own:m")}, own)
    reader = ServerReader.open(account)
    same(reader.read(name("own:m"), START_NS, END_NS - 1), own)
    assert len(reader.read(name("own:m"), START_NS, END_NS)) == 3
    reader.close()


@pytest.mark.parametrize(
    ("dialect", "words"),
    [(Dialect.FLUX, "HTTP 404: .*could not find bucket"), (Dialect.INFLUXQL, "database not found")],
)
def test_who_may_not_read_is_refused_and_not_told_that_nothing_is_there(
    series_server: SeriesServer, dialect: Dialect, words: str
) -> None:
    put(series_server, {0: name("own:m")}, points(0, (0, 1.5, 0)))
    may_write = series_server.organisation.token_for(f"write bucket {series_server.bucket}")
    for token, why in ((may_write, words), ("wrong", "HTTP 401: .*unauthorized")):
        reader = ServerReader(replace(account_at(series_server), token=token), dialect)
        with pytest.raises(NotGiven, match=why):
            reader.read(name("own:m"), START_NS, END_NS)
        reader.close()


def test_a_token_that_holds_no_longer_is_waited_for(tmp_path: Path, series_server: SeriesServer) -> None:
    organisation = series_server.organisation
    token = organisation.token_for(f"write bucket {series_server.bucket}")
    house, account = House(tmp_path), replace(account_at(series_server), token=token)
    with capture_logs() as logs, writing_to(house, account) as writer:
        house.tick(5)
        eventually(lambda: writer.behind == 0, "it is written")
        organisation.switch(token, on=False)
        house.tick(5)
        eventually(lambda: writer.failing, "it is noticed")
        organisation.switch(token, on=True)
        eventually(lambda: writer.behind == 0, "it goes on")
    assert stored(series_server) == house.points
    assert logs[0]["error"].startswith("HTTP 403: ")
    assert "token is inactive" in logs[0]["error"]
    assert house.refused() == 0
    house.close()
