"""InfluxDB 2 answers a writer as ours was written for."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests import series_building, series_programs
from tests.series_process import ask
from tests.series_servers import INFLUX2, INFLUX27, WITHOUT_INFLUX2, SeriesServer, SeriesServers

if not INFLUX2:
    pytest.skip(WITHOUT_INFLUX2, allow_module_level=True)

of = pytest.mark.parametrize
DAY_S = 86_400


@pytest.fixture
def series_kind() -> str:
    return INFLUX27


def written(server: SeriesServer, body: bytes, **headers: str) -> tuple[int, str]:
    """Status, and its words."""
    answer = server.post(server.write_path, body, **headers)
    return answer.status, answer.json()["message"] if answer.body else ""


def stored(server: SeriesServer) -> list[float | str | bool]:
    return sorted(row.value for row in server.rows("m"))


def test_a_field_of_another_type_is_refused_with_422_and_the_good_lines_are_kept(
    series_server: SeriesServer,
) -> None:
    series_server.write(b"m,device=d v=0 0\n")
    said = written(series_server, b'm,device=d v=1 1\nm,device=d v="x" 2\nm,device=d v=3 3\n')
    assert said == (
        422,
        'failure writing points to database: partial write: field type conflict: input field "v" on'
        ' measurement "m" is type string, already exists as type float dropped=1',
    )
    assert stored(series_server) == [0, 1, 3]


@of(
    ("bad", "why"),
    [
        (b"m,device= v=2 2", "unable to parse 'm,device= v=2 2': missing tag value"),
        (b"m v=NaN 2", "unable to parse 'm v=NaN 2': invalid number"),
        (b"junk", "unable to parse 'junk': missing fields"),
    ],
)
def test_for_a_line_that_is_none_it_takes_nothing_of_the_body(
    series_server: SeriesServer, bad: bytes, why: str
) -> None:
    """1.x takes the other lines."""
    said = written(series_server, b"m,device=d v=1 1\n" + bad + b"\nm,device=d v=3 3\n")
    assert said == (400, why)
    assert stored(series_server) == []


def test_a_comment_is_taken_and_stores_nothing(series_server: SeriesServer) -> None:
    assert written(series_server, b"# gengfu\n") == (204, "")
    assert series_server.query("SHOW MEASUREMENTS") == []


def test_what_is_older_than_the_bucket_keeps_is_refused_and_the_rest_stored(
    series_server: SeriesServer,
) -> None:
    series_server.organisation.make(f"{series_server.bucket}_day", DAY_S)
    day = replace(series_server, bucket=f"{series_server.bucket}_day", database=f"{series_server.bucket}_day")
    status, why = written(day, b"m v=1 1\nm v=2 %d\n" % time.time_ns())
    assert status == 422
    assert re.search(r"partial write: dropped 1 points outside retention policy of duration 24h0m0s", why)
    assert stored(day) == [2]


def test_who_may_not_write_and_what_is_not_there(series_server: SeriesServer) -> None:
    own = series_server.bucket
    may_read = series_server.organisation.token_for(f"read bucket {own}")
    lines = b"m v=1 1\n"
    assert written(replace(series_server, token="wrong"), lines) == (401, "unauthorized access")
    assert written(replace(series_server, token=may_read), lines) == (
        403,
        "insufficient permissions for write",
    )
    assert written(replace(series_server, bucket="nope"), lines) == (404, 'bucket "nope" not found')
    assert written(replace(series_server, org="nope"), lines) == (404, 'organization name "nope" not found')
    nameless = f"/api/v2/write?bucket={own}"
    assert series_server.post(nameless, lines).json()["message"] == "Please provide either orgID or org"


def test_the_address_of_1_x_takes_lines_for_a_bucket_of_that_name_and_makes_none(
    series_server: SeriesServer,
) -> None:
    for name, said in ((series_server.bucket, (204, "")), ("nope", (404, "no dbrp mapping found"))):
        answer = series_server.post(f"/write?db={name}", b"m v=1 1\n")
        assert (answer.status, answer.json()["message"] if answer.body else "") == said
    assert stored(series_server) == [1]
    assert "nope" not in series_server.organisation.buckets()


def test_packed_lines_are_taken_and_broken_ones_are_its_own_fault(series_server: SeriesServer) -> None:
    packed = gzip.compress(b"".join(b"m v=%d %d\n" % (n, n) for n in range(9)))
    assert written(series_server, packed, Content_Encoding="gzip") == (204, "")
    assert stored(series_server) == list(range(9))
    said = written(series_server, packed[:-12], Content_Encoding="gzip")
    assert said == (500, "unable to read data: unexpected EOF")


def test_no_body_of_ours_is_too_long_for_it(series_server: SeriesServer) -> None:
    """It has no limit of its own; a proxy before it may."""
    body = b"".join(b"m,device=d%d v=1 %d\n" % (n % 7, n) for n in range(100_000))
    assert written(series_server, body) == (204, "")
    assert series_server.count("m") == 100_000


@pytest.fixture
def narrow(series_servers: SeriesServers) -> Iterator[SeriesServer]:
    """Holds very little that is not on its disk yet."""
    flags = "--storage-cache-max-memory-size=4096 --storage-cache-snapshot-memory-size=1000000"
    with series_servers.own(INFLUX27, {"flags": flags}) as server:
        yield server


def test_one_that_holds_no_more_says_500_and_so_later(narrow: SeriesServer) -> None:
    body = b"".join(b"m,device=d%d v=1 %d\n" % (n, n) for n in range(1000))
    status, why = written(narrow, body)
    assert (status, "cache-max-memory-size exceeded" in why) == (500, True)


def test_it_says_who_it_is_and_how_long_it_runs(series_server: SeriesServer) -> None:
    pinged = ask(f"{series_server.url}/ping")
    assert (pinged.status, pinged.headers["x-influxdb-build"]) == (204, "OSS")
    assert pinged.headers["x-influxdb-version"].startswith("2.")
    health = ask(f"{series_server.url}/health").json()
    assert (health["name"], health["status"]) == ("influxdb", "pass")
    figures = ask(f"{series_server.url}/metrics").body
    assert re.search(rb'^influxdb_uptime_seconds\{id="\w+"\} [0-9.e+]+$', figures, re.MULTILINE)
    assert b"process_start_time_seconds" not in figures, "it does not say when it started"


def test_every_acknowledged_point_is_there_after_a_kill_at_once(series_server: SeriesServer) -> None:
    for turn in range(5):
        series_server.write(b"".join(b"m v=1 %d\n" % (1000 * turn + n) for n in range(1000)))
        series_server.kill()
        series_server.start()
        assert series_server.count("m") == 1000 * (turn + 1)


def test_who_may_not_read_is_told_that_there_is_nothing_of_that_name(series_server: SeriesServer) -> None:
    """Never that it holds no points; but there seem to be no measurements."""
    series_server.write(b"m v=1 1\n")
    token = series_server.organisation.token_for(f"write bucket {series_server.bucket}")
    own = replace(series_server, token=token)
    own.write(b"m v=2 2\n")
    with pytest.raises(AssertionError, match=f"database not found: {own.database}"):
        own.query("SELECT v FROM m")
    assert own.query("SHOW MEASUREMENTS") == []
    flux = f'{{"query": "from(bucket: \\"{own.bucket}\\") |> range(start: 0)"}}'.encode()
    answer = own.post(f"/api/v2/query?org={own.org}", flux, Content_Type="application/json")
    assert (answer.status, "could not find bucket" in answer.json()["message"]) == (404, True)


def test_a_program_that_the_environment_names_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    find = series_programs.influx27.__wrapped__
    monkeypatch.setenv(series_programs.NAMED27, "/opt/influxd")
    assert find() == "/opt/influxd"


def test_without_a_program_it_is_said_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(series_programs.NAMED27, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(series_programs.Missing, match=r"python -m tests.series_programs influx27"):
        series_programs.influx27.__wrapped__()
    assert len(series_building.lacking()) == 4
    with pytest.raises(series_building.NotBuilt, match=r"without go .*; gcc"):
        series_building.build(tmp_path / "influxd")
    assert not list(tmp_path.iterdir())
