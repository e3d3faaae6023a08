"""`gengfu check` says what InfluxDB 1.x would refuse and which index it has, as far as the server says it."""

from __future__ import annotations

import pytest

from gengfu.check_store_limits import LARGE, Limits1, dedup_told, limits_of, limits_told, retention_told
from ingest.store.influx.asking import Asking
from ingest.store.influx.server import Account
from tests.series_servers import INFLUX16, INFLUX18, SeriesServer, SeriesServers

NONE = {"max-values-per-tag": 0, "max-series-per-database": 0}
BOUNDED = {"max-values-per-tag": 100_000, "max-series-per-database": 0}


def asked(server: SeriesServer) -> Limits1 | None:
    with Asking(Account(server.url, database=server.database)) as asking:
        return limits_of(asking, server.database)


@pytest.mark.parametrize("index", ["inmem", "tsi1"])
def test_a_newer_server_says_its_index_and_how_many_series_it_has(
    series_servers: SeriesServers, index: str
) -> None:
    with series_servers.own(INFLUX18, {"data": f'index-version = "{index}"'}) as server:
        server.write(b"m,device=a f=1 1\nm,device=b f=1 1\nm,device=a f=1 1000000000000000000\n")
        server.query("CREATE DATABASE other")
        server.post("/write?db=other", b"m,device=c f=1 1\n")
        found = asked(server)
    assert found
    assert (found.index, found.series) == ({index: 2}, 2), "of another database nothing"
    assert found.bounds["max-values-per-tag"] == 100_000


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_an_older_server_says_its_limits_and_no_index(series_server: SeriesServer) -> None:
    series_server.write(b"m,device=a f=1 1\n")
    found = asked(series_server)
    assert found
    assert (found.index, found.series) == ({}, 1)
    assert "max-values-per-tag is 100000" in limits_told(found, "g").text


@pytest.mark.parametrize("kind", [INFLUX16, INFLUX18])
@pytest.mark.parametrize("index", ["inmem", "tsi1"])
def test_limits_hold_for_the_index_in_memory_alone(
    series_servers: SeriesServers, kind: str, index: str
) -> None:
    """What the texts rest on, on real servers."""
    settings = f'index-version = "{index}"\nmax-values-per-tag = 3'
    with series_servers.own(kind, {"data": settings}) as server:
        lines = [b"m,device=%d f=1 1\n" % n for n in range(6)]
        statuses = [server.post(server.write_path, line).status for line in lines]
    assert statuses == ([204] * 3 + [400] * 3 if index == "inmem" else [204] * 6)


@pytest.mark.parametrize(
    ("limits", "ok", "text"),
    [
        (Limits1(NONE), True, "g may grow; it does not say its index-version: tsi1 keeps its memory small"),
        (Limits1(NONE, {"tsi1": 4}, 10**7), True, "g may grow: its index is tsi1"),
        (Limits1(NONE, {"inmem": 4}, LARGE - 1), True, "g may grow; its index is inmem"),
        (
            Limits1(BOUNDED, {"tsi1": 4}),
            True,
            "g may grow: its index is tsi1, for which it does not count that max-values-per-tag is 100000",
        ),
        (
            Limits1(NONE, {"inmem": 4}, LARGE),
            None,
            "its index is inmem, and so all names of 100000 series are in its memory;"
            ' set index-version = "tsi1" in [data] of its configuration, and rebuild with influx_inspect'
            " buildtsi while it is stopped",
        ),
        (
            Limits1(BOUNDED, {"tsi1": 1, "inmem": 4}),
            False,
            "max-values-per-tag is 100000: points of devices beyond are refused; set max-values-per-tag = 0,"
            ' max-series-per-database = 0 and index-version = "tsi1" in [data] of its configuration;'
            " its index is inmem in 4 and tsi1 in 1 shards",
        ),
    ],
)
def test_what_is_said(limits: Limits1, ok: bool | None, text: str) -> None:
    finding = limits_told(limits, "g")
    assert (finding.ok, finding.text) == (ok, text)


@pytest.mark.parametrize("limits", [None, Limits1({})])
def test_limits_that_nobody_may_read_are_a_note(limits: Limits1 | None) -> None:
    assert limits_told(limits, "g").ok is None


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


@pytest.mark.parametrize(
    ("flags", "ok", "text"),
    [
        ('-retentionPeriod="400d"\n', True, "it keeps 400 days (-retentionPeriod=400d)"),
        ('-storageDataPath="/a"\n', None, "it keeps 31 days (-retentionPeriod is not set), and drops"),
        ("", None, "it does not say for how long"),
    ],
)
def test_for_how_long_victoriametrics_keeps_points_is_named(flags: str, ok: bool | None, text: str) -> None:
    found = retention_told(flags)
    assert (found.ok, text in found.text) == (ok, True)
