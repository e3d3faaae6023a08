"""`gengfu influx init` lays out real servers, says what it cannot, and deletes nothing unasked."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from gengfu.ports import free_port
from ingest.store.influx.layout import Found, Kept, missing, seconds
from tests.gengfu.program import gengfu
from tests.series_servers import INFLUX16, INFLUX18, VICTORIA, SeriesServer, SeriesServers

START_NS = 1_790_000_000_000_000_000


def init(folder: Path, server: SeriesServer, *more: str, bucket: bool = False) -> tuple[int, str, str]:
    where = f'bucket = "{server.bucket or "any"}"\norg = "-"' if bucket else f'database = "{server.database}"'
    (folder / "gengfu.toml").write_text(f'[store]\nkind = "influxdb"\nurl = "{server.url}"\n{where}\n')
    done = gengfu("influx", "init", *more, cwd=folder)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("series_kind", [INFLUX16, INFLUX18])
def test_a_database_gets_its_retention_and_averages_once(series_server: SeriesServer, tmp_path: Path) -> None:
    series_server.query(f"DROP DATABASE {series_server.database}")
    assert init(tmp_path, series_server, "--dry-run")[1].startswith("database ")
    assert series_server.database not in str(series_server.query("SHOW DATABASES"))
    code, out, _ = init(tmp_path, series_server)
    assert code == 0
    assert out.count("retention policy ") == 3
    policies = series_server.query(f"SHOW RETENTION POLICIES ON {series_server.database}")[0]["values"]
    kept = {row[0]: (row[1], row[4]) for row in policies}
    assert kept["raw"] == ("9600h0m0s", True), "points are written there"
    assert (kept["minutes"][0], kept["hours"][0]) == ("43680h0m0s", "0s")
    assert init(tmp_path, series_server) == (0, "all is there\n", "")


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_the_server_makes_averages_of_what_is_written(series_server: SeriesServer, tmp_path: Path) -> None:
    """The query is run here as the server would at the minute, for nobody waits for that in a test."""
    assert init(tmp_path, series_server)[0] == 0
    now_ns = time.time_ns() // 60_000_000_000 * 60_000_000_000
    lines = "".join(f"smoke,device=own:a voltage={n} {now_ns - n * 1_000_000_000}\n" for n in range(1, 60))
    series_server.write(lines.encode())
    queries = series_server.query("SHOW CONTINUOUS QUERIES")
    ours = next(one for one in queries if one["name"] == series_server.database)
    statement = next(row[1] for row in ours["values"] if row[0] == "gengfu_minutes")
    body = (
        statement.split(" BEGIN ")[1]
        .removesuffix(" END")
        .replace("GROUP BY", "WHERE time > now() - 1h GROUP BY")
    )
    series_server.query(body)
    (found,) = series_server.query(f'SELECT * FROM "{series_server.database}"."minutes"."smoke" GROUP BY *')
    row = dict(zip(found["columns"], found["values"][0], strict=True))
    assert found["tags"] == {"device": "own:a"}
    assert (row["min_voltage"], row["mean_voltage"], row["max_voltage"]) == (1, 30, 59)


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_another_retention_is_set_only_when_asked_for(series_server: SeriesServer, tmp_path: Path) -> None:
    init(tmp_path, series_server)
    code, out, _ = init(tmp_path, series_server, "--raw", "30d", "--json")
    assert (code, [list(json.loads(line)) for line in out.splitlines()]) == (0, [["left"]])
    assert "--change" in out
    code, out, _ = init(tmp_path, series_server, "--raw", "30d", "--change", "--json")
    assert "ALTER RETENTION POLICY" in json.loads(out)["statement"]
    assert init(tmp_path, series_server, "--raw", "30d")[1] == "all is there\n"


@pytest.mark.parametrize("series_kind", [VICTORIA])
def test_other_servers_are_explained(series_server: SeriesServer, tmp_path: Path) -> None:
    code, out, _ = init(tmp_path, series_server, bucket=True)
    assert code == 0
    assert "-retentionPeriod=400d" in out


def test_where_nobody_answers_it_says_so_and_gives_no_advice_on_buckets(tmp_path: Path) -> None:
    nobody = SeriesServer(INFLUX18, f"http://127.0.0.1:{free_port()}", "g")
    code, out, error = init(tmp_path, nobody)
    assert (code, out) == (1, "")
    wanted = f"gengfu: {nobody.url}: no answer from the server: nothing listens there (Connection refused)\n"
    assert error == wanted


def test_who_may_not_lay_out_is_told_in_the_servers_words(
    series_servers: SeriesServers, tmp_path: Path
) -> None:
    with series_servers.own(INFLUX18, password="geheim-1") as server:
        code, out, error = init(tmp_path, server)
    assert (code, out) == (1, "")
    words = "unable to parse authentication credentials"
    assert error == f"gengfu: {server.url} refuses 'SHOW DATABASES': {words}\n"


def test_without_a_server_it_says_what_to_set(tmp_path: Path) -> None:
    done = gengfu("influx", "init", cwd=tmp_path)
    assert done.returncode == 1
    assert 'store.kind = "influxdb"' in done.stderr


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_a_time_that_is_none_is_refused_before_anything_is_made(
    series_server: SeriesServer, tmp_path: Path
) -> None:
    code, _, error = init(tmp_path, series_server, "--raw", "a year")
    assert code == 1
    assert "'a year': a time such as 400d, 52w or INF is wanted" in error
    assert "raw" not in str(series_server.query(f"SHOW RETENTION POLICIES ON {series_server.database}"))


@pytest.mark.parametrize(
    ("length", "wanted"),
    [("400d", 34_560_000), ("9600h0m0s", 34_560_000), ("INF", 0), ("0s", 0), ("1w2d", 777_600)],
)
def test_lengths_are_understood_as_influxdb_writes_them(length: str, wanted: int) -> None:
    assert seconds(length) == wanted


def test_a_name_cannot_leave_its_quotes() -> None:
    steps, _ = missing('a"; DROP DATABASE b', Kept(), Found(), change=False)
    assert steps[0].statement == 'CREATE DATABASE "a\\"; DROP DATABASE b"'


@pytest.mark.parametrize("series_kind", [INFLUX16, INFLUX18])
def test_points_that_were_written_before_stay_where_they_are_read(
    series_server: SeriesServer, tmp_path: Path
) -> None:
    """A service that was started before `init`: its points are in the default policy, and stay there."""
    series_server.write(b"smoke,device=own:a smoke_alarm=1.0 %d\n" % START_NS)
    code, out, _ = init(tmp_path, series_server)
    assert code == 0
    assert "retention policy autogen, where points of ours are and more are written, keeps for ever" in out
    assert "retention policy raw" not in out
    queries = str(series_server.query("SHOW CONTINUOUS QUERIES"))
    assert queries.count(f"FROM {series_server.database}.autogen./.*/") == 2
    assert series_server.count("smoke") == 1, "found without a policy, as pages look for it"
    code, out, _ = init(tmp_path, series_server, "--raw", "1200d", "--change")
    assert code == 0
    assert init(tmp_path, series_server, "--raw", "1200d") == (0, "all is there\n", "")
    assert series_server.count("smoke") == 1
    policies = series_server.query(f"SHOW RETENTION POLICIES ON {series_server.database}")[0]["values"]
    assert {row[0]: row[1] for row in policies}["autogen"] == "28800h0m0s"


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_points_in_a_policy_that_is_the_default_no_more_are_told(
    series_server: SeriesServer, tmp_path: Path
) -> None:
    init(tmp_path, series_server)
    name = series_server.database
    old = f"/write?db={name}&rp=autogen"
    assert series_server.post(old, b"smoke,device=own:a smoke_alarm=1.0 %d" % START_NS).status == 204
    left = init(tmp_path, series_server)[1]
    assert left.startswith("left    retention policy autogen has points of ours, which nothing reads there")
    statement = left[left.index("SELECT") : left.index(" WHERE")] + " GROUP BY *"
    series_server.query(statement)
    assert series_server.count("smoke") == 1, "what it says copies them"


def test_queries_that_read_another_policy_are_made_anew_only_when_asked_for() -> None:
    query = "CREATE CONTINUOUS QUERY q ON g BEGIN SELECT mean(*) INTO g.m.:MEASUREMENT FROM g.raw./.*/ END"
    policies = {"autogen": "0s", "raw": "9600h0m0s", "minutes": "0s", "hours": "0s"}
    queries = dict.fromkeys(("gengfu_minutes", "gengfu_hours"), query)
    found = Found(["g"], policies, queries, "autogen", ["autogen"])
    kept = Kept("INF", "INF", "INF")
    steps, left = missing("g", kept, found, change=False)
    assert (steps, len(left)) == ([], 2)
    assert "reads raw, points are in autogen" in left[0]
    steps, left = missing("g", kept, found, change=True)
    assert (left, [one.statement.split()[0] for one in steps]) == ([], ["DROP", "CREATE"] * 2)
    assert missing("g", kept, found, change=False, configured="raw")[0] == []
