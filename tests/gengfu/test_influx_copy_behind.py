"""`gengfu influx copy` says that files may be deleted only when what they hold is in the server now."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gengfu.copied import configured, copy, minutes, progress_of, site_in
from tests.gengfu.program import gengfu, objects
from tests.ingest.influx.house_copying import DAY, NOBODY, Site, is_copied
from tests.series_servers import INFLUX16, VICTORIA, SeriesServer, SeriesServers

TODAY = time.time_ns() // (86_400 * 10**9)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_in(tmp_path) as site:
        yield site


@pytest.mark.parametrize("series_kind", [INFLUX16])
@pytest.mark.parametrize("gone", ["DROP DATABASE {0}", "DROP MEASUREMENT smoke"])
def test_days_that_were_copied_and_are_gone_are_copied_anew(
    series_server: SeriesServer, site: Site, tmp_path: Path, gone: str
) -> None:
    configured(tmp_path, series_server)
    writes = [minutes(1, 50), minutes(3, 50), minutes(3, 50, DAY + 1)]
    site.keep(*writes)
    assert copy(tmp_path)[0] == 0
    code, out, _ = copy(tmp_path)
    assert (code, "2 of these days by an earlier run" in out) == (0, True)
    series_server.query(gone.format(series_server.database))
    series_server.query(f"CREATE DATABASE {series_server.database}")
    code, out, errors = copy(tmp_path)
    assert code == 0
    assert "2026-09-04 was copied, and is not there any more as it was: it is copied anew" in errors
    is_copied(series_server, writes)


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_what_stays_behind_may_be_accepted(series_server: SeriesServer, site: Site, tmp_path: Path) -> None:
    configured(tmp_path, series_server)
    site.keep(minutes(4, 9), minutes(NOBODY, 7))
    for _ in range(2):
        code, out, _ = copy(tmp_path)
        assert (code, "--accept" in out, "deleted now" in out) == (1, True, False)
        assert not progress_of(tmp_path).done
    code, out, _ = copy(tmp_path, "--accept")
    assert code == 0
    assert "except for what stays behind, which was accepted, these may be deleted now" in out
    assert progress_of(tmp_path).done


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_what_was_refused_is_tried_again_and_kept_as_a_dead_letter_once(
    series_server: SeriesServer, site: Site, tmp_path: Path
) -> None:
    configured(tmp_path, series_server)
    series_server.write(b'electrical,device=own:other current="much" %d\n' % (DAY * 86_400 * 10**9 + 5))
    site.keep(minutes(3, 30))
    for _ in range(2):
        code, out, _ = copy(tmp_path)
        assert code == 1
        (cause,) = [line for line in out.splitlines() if line.startswith("  refused")]
        assert cause.startswith("  refused    30: HTTP 400: partial write: field type conflict: ")
        assert "; the first: electrical,channel=l1,device=own:meter current=0" in cause
    letters = objects(gengfu("deadletter", "list", "--json", cwd=tmp_path).stdout)
    assert sum("field type conflict" in str(one) for one in letters) == 30
    series_server.query("DROP MEASUREMENT electrical")
    code, out, _ = copy(tmp_path)
    assert (code, progress_of(tmp_path).in_server) == (0, 30)
    is_copied(series_server, [minutes(3, 30)])


def test_what_victoriametrics_drops_for_its_age_is_named_with_the_flag(
    series_servers: SeriesServers, site: Site, tmp_path: Path
) -> None:
    site.keep(minutes(3, 30, TODAY - 50), minutes(3, 30, TODAY - 2))
    with series_servers.own(VICTORIA, {"flags": "-retentionPeriod=31d"}) as server:
        configured(tmp_path, server)
        code, out, errors = copy(tmp_path)
    assert code == 1
    assert "the server keeps 31 days (-retentionPeriod=31d): what is older stays behind" in errors
    assert "30 older than it keeps" in out
    assert "start it with a longer -retentionPeriod" in out
    assert "MISSING" not in out
    assert progress_of(tmp_path).in_server == 30


@pytest.mark.parametrize("series_kind", [INFLUX16])
@pytest.mark.slow
def test_a_database_that_somebody_holds_is_waited_for(
    series_server: SeriesServer, site: Site, tmp_path: Path
) -> None:
    configured(tmp_path, series_server)
    series_server.write(b'electrical,device=own:other current="much" %d\n' % (DAY * 86_400 * 10**9 + 5))
    site.keep(minutes(3, 3), minutes(4, 3))
    held = sqlite3.connect(tmp_path / "data" / "gengfu.db", isolation_level=None, check_same_thread=False)
    held.execute("BEGIN IMMEDIATE")
    threading.Timer(45.0, lambda: held.execute("ROLLBACK")).start()  # longer than devices.database waits
    code, out, errors = copy(tmp_path)
    held.close()
    assert code == 1, "something is refused"
    assert "waits for our database: database is locked" in errors
    assert "3 points of" in out
