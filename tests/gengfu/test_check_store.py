"""`gengfu check` proves on real servers that points can be written, and says what to do where they cannot."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gengfu.check_store import dedup_told, limits_told, store_findings
from gengfu.config_store import Store
from ingest.probes.finding import Finding
from tests.series_servers import INFLUX16, INFLUX18, VICTORIA, SeriesServer, SeriesServers


def told(store: Store) -> dict[str, tuple[bool | None, str]]:
    return {one.name: (one.ok, one.text) for one in store_findings(store)}


def at(server: SeriesServer, **more: str) -> Store:
    plain = Store(kind="influxdb", url=server.url, database=server.database)
    return msgspec.structs.replace(plain, **more)


def test_of_the_embedded_store_nothing_is_said() -> None:
    assert told(Store()) == {}


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_a_server_that_takes_points_is_named_with_its_limits(series_server: SeriesServer) -> None:
    found = told(at(series_server))
    ok, text = found["series store"]
    assert (ok, text.split(" at ")[0]) == (True, "InfluxDB 1.6.7~rc0")
    assert text.endswith(f"takes points in {series_server.database}")
    ok, text = found["series store limits"]
    assert ok is False
    assert "max-values-per-tag is 100000" in text
    assert "set max-values-per-tag = 0, max-series-per-database = 0" in text
    assert series_server.query("SHOW MEASUREMENTS") == [], "asking stores nothing"


def test_a_server_without_limits_is_well(series_servers: SeriesServers) -> None:
    none = {"data": "max-values-per-tag = 0\nmax-series-per-database = 0"}
    with series_servers.own(INFLUX16, none) as server:
        assert told(at(server))["series store limits"][0] is True


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_what_is_missing_is_named(series_server: SeriesServer) -> None:
    ok, text = told(at(series_server, database="nowhere"))["series store"]
    assert ok is False
    assert "CREATE DATABASE nowhere" in text
    ok, text = told(at(series_server, database="", bucket="b"))["series store"]
    assert ok is False
    assert "use database for InfluxDB 1.x" in text


def test_wrong_credentials_are_named_and_not_shown(series_servers: SeriesServers, tmp_path: Path) -> None:
    secret = tmp_path / "p"
    with series_servers.own(INFLUX16, password="geheim-1") as server:
        for password, well in (("geheim-1", True), ("wrong-2", False)):
            secret.write_text(f"{password}\n")
            found = told(at(server, user="admin", password_file=str(secret)))
            assert found["series store"][0] is well
            assert password not in str(found)
        assert "compare user, password or token" in found["series store"][1]
        assert found["series store limits"][0] is None, "nobody may read them"


def test_nobody_at_home_is_a_problem_and_not_a_crash() -> None:
    found = told(Store(kind="influxdb", url="http://127.0.0.1:9", database="g"))
    assert list(found) == ["series store"]
    assert found["series store"][0] is False
    assert "see whether it runs" in found["series store"][1]


def test_a_secret_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for file in ("missing", "empty"):
        store = Store(kind="influxdb", url="http://h", bucket="b", token_file=str(tmp_path / file))
        (finding,) = store_findings(store)
        assert finding.ok is False
        assert file in finding.text


@pytest.mark.parametrize("series_kind", [INFLUX18, VICTORIA])
def test_newer_servers_are_asked_the_newer_way(series_server: SeriesServer) -> None:
    bucket = series_server.bucket or "any"
    found = told(Store(kind="influxdb", url=series_server.url, org="-", bucket=bucket))
    assert found["series store"][0] is True
    name = {INFLUX18: "InfluxDB 1.8.10", VICTORIA: "VictoriaMetrics"}[series_server.kind]
    assert found["series store"][1].startswith(name)
    if series_server.kind == VICTORIA:
        assert found["series store repeats"] == (True, "points of one series within 1ms are one")


@pytest.mark.parametrize(
    ("flags", "ok"),
    [
        ('-dedup.minScrapeInterval="1ms"\n', True),
        ("-a=b\n-dedup.minScrapeInterval=30s\n", True),
        ('-dedup.minScrapeInterval="0s"\n', False),
        ("-x=y\n", False),
    ],
)
def test_victoriametrics_has_to_know_repeats(flags: str, ok: bool) -> None:
    assert dedup_told(flags).ok is ok


def test_limits_that_nobody_may_read_are_a_note() -> None:
    assert limits_told(None, "g").ok is None
    assert limits_told({"max-values-per-tag": 0, "max-series-per-database": 0}, "g") == Finding(
        "series store limits", True, "g may grow; index-version = tsi1 keeps its memory small"
    )
