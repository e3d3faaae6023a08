"""`gengfu influx copy` moves a site's history to real servers, goes on where it was cut off, and says why it
does not begin."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
import urllib3

from gengfu.ports import free_port
from ingest.store.influx.copying_progress import FILE, load, save
from ingest.store.layout import DAY_NS, open_for_writing
from tests.gengfu.copied import WHERE, configured, copy, minutes, progress_of, site_in
from tests.gengfu.program import eventually, gengfu, objects, started, told_to_stop
from tests.ingest.influx.house_copying import DAY, DAYS, NOBODY, Site, hard_points, is_copied
from tests.series_servers import INFLUX16, INFLUX18, VICTORIA, SeriesServer


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_in(tmp_path) as site:
        yield site


def days_of(folder: Path) -> int:
    """How many are done."""
    return len(progress_of(folder).days) if (folder / "data" / FILE).exists() else 0


@contextmanager
def standing_before(url: str, *, lost: bytes = b"nothing", wait_s: float = 0.0) -> Iterator[str]:
    """Passes all on to a server, a little later, but lines with `lost` in them."""

    class Passing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._pass_on(b"".join(line for line in body.splitlines(keepends=True) if lost not in line))

        def do_GET(self) -> None:
            self._pass_on(None)

        def _pass_on(self, body: bytes | None) -> None:
            time.sleep(wait_s)
            reply = urllib3.request(self.command, url + self.path, body=body, retries=False)
            self.send_response(reply.status)
            for name, said in reply.headers.items():
                if name.startswith("X-"):
                    self.send_header(name, said)
            self.send_header("Content-Length", str(len(reply.data)))
            self.end_headers()
            self.wfile.write(reply.data)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    between = ThreadingHTTPServer(("127.0.0.1", free_port()), Passing)
    thread = threading.Thread(target=between.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{between.server_port}"
    finally:
        between.shutdown()
        thread.join()
        between.server_close()


@pytest.mark.parametrize("series_kind", [INFLUX18, VICTORIA])
def test_history_is_copied_and_what_may_be_deleted_is_named(
    series_server: SeriesServer, site: Site, tmp_path: Path
) -> None:
    configured(tmp_path, series_server)
    writes = hard_points(3_000)
    site.keep(*writes)
    code, out, errors = copy(tmp_path)
    assert (code, errors) == (0, "")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[:DAYS]] == ["2026-09-04", "2026-09-05", "2026-09-06"]
    assert f"on {DAYS} days are in the server and were read back there" in lines[DAYS]
    assert lines[-1].startswith("these may be deleted now: ")
    assert [name in lines[-1] for name in ("points.db,", "points.db-wal,", "points.db-shm")] == [True] * 3
    assert site.path.exists()
    assert progress_of(tmp_path).done
    is_copied(series_server, writes)


@pytest.mark.parametrize("series_kind", [INFLUX16, INFLUX18, VICTORIA])
def test_killed_at_any_moment_and_started_again_it_copies_all(
    series_server: SeriesServer, site: Site, tmp_path: Path
) -> None:
    configured(tmp_path, series_server)
    writes = hard_points(100_000)
    site.keep(*writes)
    seed = int(os.environ.get("GENGFU_TEST_SEED", "0")) or random.randrange(10**6)
    moments = random.Random(seed)
    for _ in range(4):
        with started("influx", "copy", cwd=tmp_path) as process:
            time.sleep(moments.uniform(0.8, 4.0))
            process.send_signal(signal.SIGKILL)
            process.wait()
    code, out, errors = copy(tmp_path)
    assert code == 0, (seed, out, errors)
    assert progress_of(tmp_path).done
    is_copied(series_server, writes)


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_it_goes_on_with_the_days_that_were_not_read_back(
    series_server: SeriesServer, site: Site, tmp_path: Path
) -> None:
    site.keep(*(minutes(3, 1_000, DAY + n) for n in range(12)))
    with standing_before(series_server.url, wait_s=0.4) as url:
        configured(tmp_path, replace(series_server, url=url))
        with started("influx", "copy", cwd=tmp_path) as process:
            eventually(lambda: days_of(tmp_path) > 0, "a day is copied")
            code, errors = told_to_stop(process, signal.SIGINT)
        before = days_of(tmp_path)
        assert (code, 0 < before < 12) == (130, True), errors
        code, out, errors = copy(tmp_path, "--json")
        assert code == 0
        assert f"goes on: {before} days with {before * 1_000:,} points were copied before" in errors
        *days, total = objects(out)
        assert len(days) == 12 - before
        said = total["done"], total["points"], total["series"], total["in_server"]
        assert said == (True, 12_000, 1, 12_000)
        code, out, errors = copy(tmp_path, "--json")
        assert (code, len(objects(out))) == (0, 1), "nothing is left to copy"


@pytest.mark.parametrize("series_kind", [INFLUX16])
@pytest.mark.parametrize("why", ["again", "other-server", "store-changed", "note-unreadable"])
def test_what_was_copied_counts_only_for_that_server_and_store(
    series_server: SeriesServer, site: Site, tmp_path: Path, why: str
) -> None:
    configured(tmp_path, series_server)
    site.keep(minutes(3, 100))
    assert copy(tmp_path)[0] == 0
    change: dict[str, Callable[[], object]] = {
        "again": lambda: None,
        "other-server": lambda: (
            series_server.query(f"CREATE DATABASE {series_server.database}_b"),
            (tmp_path / "gengfu.toml").write_text(
                WHERE.format(url=series_server.url, place=f'database = "{series_server.database}_b"')
            ),
        ),
        "store-changed": lambda: site.keep(minutes(4, 7)),
        "note-unreadable": lambda: (tmp_path / "data" / FILE).write_text("{"),
    }
    change[why]()
    code, out, _ = copy(tmp_path, "--json", *(("--again",) if why == "again" else ()))
    assert code == 0
    assert len(objects(out)) == 2
    if why == "other-server":
        series_server.query(f"DROP DATABASE {series_server.database}_b")


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_a_dry_run_says_what_there_is_and_sends_nothing(
    series_server: SeriesServer, site: Site, tmp_path: Path
) -> None:
    configured(tmp_path, series_server)
    site.keep(minutes(3, 100), minutes(4, 50), minutes(4, 20, DAY + 1))
    code, out, _ = copy(tmp_path, "--dry-run")
    assert (code, out.splitlines()) == (
        0,
        [
            "2026-09-04  150 points of 2 series",
            "2026-09-05  20 points of 1 series",
            f"170 points on 2 days, to {series_server.url}/write?db={series_server.database}&consistency=one",
        ],
    )
    code, out, _ = copy(tmp_path, "--dry-run", "--json")
    assert [one["points"] for one in objects(out)] == [150, 20, 170]
    assert not series_server.query("SHOW MEASUREMENTS")
    assert load(tmp_path / "data") is None


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_what_stays_behind_is_said(series_server: SeriesServer, site: Site, tmp_path: Path) -> None:
    configured(tmp_path, series_server)
    series_server.write(b'electrical,device=own:other current="much" %d\n' % (DAY * DAY_NS + 5))
    site.keep(minutes(3, 1), minutes(4, 9), minutes(NOBODY, 7))
    code, out, _ = copy(tmp_path)
    assert code == 1
    assert "1 refused by the server (gengfu deadletter list shows the last of them)" in out
    assert "7 of series that no table knows" in out
    assert "deleted now" not in out
    assert "field type conflict" in gengfu("deadletter", "list", cwd=tmp_path).stdout


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_a_damaged_block_is_named_and_the_store_is_not_to_be_deleted(
    series_server: SeriesServer, site: Site, tmp_path: Path
) -> None:
    configured(tmp_path, series_server)
    site.keep(minutes(3, 50), minutes(4, 50, DAY + 1))
    connection = open_for_writing(site.path)
    (bad,) = connection.execute("SELECT min(id) FROM block").fetchone()
    connection.execute("UPDATE block SET body = zeroblob(99) WHERE id = ?", (bad,))
    connection.close()
    for left in (0, 0, 1):  # it is said again by runs that find nothing more to copy, or another day
        if left:
            save(tmp_path / "data", msgspec.structs.replace(progress_of(tmp_path), days=("2026-09-04",)))
        code, out, _ = copy(tmp_path)
        assert code == 1
        assert f"1 blocks cannot be read and were left out: {bad}" in out
        assert "deleted" not in out


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_what_is_older_than_the_server_keeps_is_counted(
    series_server: SeriesServer, site: Site, tmp_path: Path
) -> None:
    configured(tmp_path, series_server)
    site.keep(minutes(3, 10, 20_000), minutes(3, 10, 20_001))
    policy = f"ALTER RETENTION POLICY autogen ON {series_server.database}"
    series_server.query(f"{policy} DURATION 48h SHARD DURATION 1h")
    code, out, _ = copy(tmp_path)
    assert code == 1
    assert "20 older than it keeps" in out
    assert "gengfu influx init --raw" in out
    assert "deleted now" not in out
    assert (progress_of(tmp_path).total.expired, progress_of(tmp_path).in_server) == (20, 0)
    series_server.query(f"{policy} DURATION INF")
    code, out, _ = copy(tmp_path)
    assert (code, progress_of(tmp_path).in_server) == (0, 20), "a day that is not whole there is tried again"
    assert "these may be deleted now" in out


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_a_day_that_is_not_whole_in_the_server_is_told_and_copied_again_by_the_next_run(
    series_server: SeriesServer, site: Site, tmp_path: Path
) -> None:
    site.keep(minutes(3, 10), minutes(3, 10, DAY + 1))
    at_ns = (DAY + 1) * DAY_NS + 4 * 60 * 10**9
    with standing_before(series_server.url, lost=b" %d" % at_ns) as url:
        configured(tmp_path, replace(series_server, url=url))
        code, out, _ = copy(tmp_path)
        assert code == 1
        assert "  missing    own:meter l1 current 2026-09-05T00:04:00.000000000Z: here 0.5 (quality 0)" in out
        assert "not all is there: each run tries the days again that are not whole" in out
        assert "deleted" not in out
        assert (progress_of(tmp_path).done, [*progress_of(tmp_path).days]) == (False, ["2026-09-04"])
        lost = [objects(copy(tmp_path, "--json")[1])[0][key] for key in ("day", "missing")]
        assert lost == ["2026-09-05", 1]
        (wrong,) = objects(copy(tmp_path, "--json")[1])[0]["wrong"]
        assert (wrong["ts_ns"], wrong["wanted"], wrong["found"]) == (
            at_ns,
            {"value": 0.5, "quality": 0},
            None,
        )
    with standing_before(series_server.url) as url:
        configured(tmp_path, replace(series_server, url=url))
        assert copy(tmp_path)[0] == 0
    is_copied(series_server, [minutes(3, 10), minutes(3, 10, DAY + 1)])
