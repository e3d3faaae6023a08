"""`gengfu replay --store` of a site whose points are in a server says what it says of the embedded store."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import typer
from sqlalchemy import insert
from typer.testing import CliRunner

from devices.database import open_database, writing
from devices.model import Metric, Quality
from devices.schema import series
from gengfu.ports import free_port
from ingest.store.embedded import EmbeddedStore
from ingest.store.history import Series
from ingest.store.points import Points
from tests.gengfu.program import objects
from tests.gengfu.replay.files import EIGHT_S, clock
from tests.gengfu.replay.running import Run, told
from tests.ingest.influx.house_reading import put
from tests.series_servers import INFLUX18, VICTORIA, SeriesServer

NAMES = {
    3: Series(3, "own:m", "l1", Metric.CURRENT),
    7: Series(7, "own:n '楼", "", Metric.CURRENT),
    9: Series(9, "own:s", "", Metric.SMOKE_ALARM),
}
PLACES = '[site]\ntimezone = "Asia/Shanghai"\n'


def kept() -> Points:
    """An overload, one that is over soon, a smoke alarm; readings that are broken, late, or doubtful."""
    n = 60
    parts = []
    for slot in NAMES:
        seconds = np.arange(0, 10 * n, 10)
        value = np.where(seconds < (300 if slot == 3 else 40), 40.0, 10.0)
        if slot == 9:
            value = (seconds > 120).astype(np.float64)
        quality = np.zeros(n, np.uint32)
        value[5], quality[5] = math.nan, Quality.FAULT
        quality[7], quality[9] = Quality.TZ_ASSUMED, Quality.LATE
        parts.append(
            Points(np.full(n, slot, np.int32), (EIGHT_S + seconds) * 10**9 + slot * 10**6, value, quality)
        )
    return Points.joined(parts)


@pytest.fixture
def site(whole_app: typer.Typer, tmp_path: Path) -> Path:
    """The data folder of a site that knows these series."""
    config = tmp_path / "gengfu.toml"
    config.write_text(PLACES)
    made = CliRunner().invoke(whole_app, ["--config", str(config), "area", "list"])
    assert made.exit_code == 0, made.output
    engine = open_database(f"sqlite:///{tmp_path / 'data' / 'gengfu.db'}")
    with writing(engine) as connection:
        for slot, one in NAMES.items():
            row = {"slot": slot, "uid": one.device, "channel": one.channel, "metric": one.metric}
            connection.execute(insert(series).values(row | {"created_us": 1}))
    engine.dispose()
    return tmp_path / "data"


def told_of_server(tmp_path: Path, url: str, more: str) -> None:
    (tmp_path / "gengfu.toml").write_text(f'{PLACES}[store]\nkind = "influxdb"\nurl = "{url}"\n{more}\n')


def test_points_of_a_server_are_replayed_as_those_of_the_embedded_store(
    run: Run, site: Path, tmp_path: Path, series_server: SeriesServer
) -> None:
    store = EmbeddedStore(site / "points.db", keep_days=100_000)
    store.write(kept(), 1)
    store.close()
    put(series_server, NAMES, kept(), "electrical")
    words = (
        "--store",
        "--from",
        clock(0),
        "--until",
        clock(7 * 3600),
        "--circuits",
        tmp_path / "circuits.toml",
    )
    of_file = run(*words, "--json"), run(*words, "--device", "own:m", "--json")
    if token := series_server.token:
        (tmp_path / "token").write_text(token)
        more = f'org = "{series_server.org}"\nbucket = "{series_server.bucket}"\n'
        more += f'token_file = "{tmp_path / "token"}"'
    else:
        more = (
            'bucket = "any"' if series_server.kind == VICTORIA else f'database = "{series_server.database}"'
        )
    told_of_server(tmp_path, series_server.url, more)
    of_both = run(*words, "--json")
    for one in site.glob("points.db*"):
        one.unlink()
    of_server = run(*words, "--json"), run(*words, "--device", "own:m", "--json")
    both, alone = (objects(one.stdout)[-1]["summary"] for one in (of_both, of_server[0]))
    assert both.pop("notes")[0].startswith("points.db holds history"), "and what is in both counts once"
    assert (both, told(of_both)) == ({k: v for k, v in alone.items() if k != "notes"}, told(of_server[0]))
    assert [one.output for one in of_server] == [one.output for one in of_file]
    assert objects(of_server[0].stdout)[-1]["summary"]["readings"] == 180
    assert [line["device"] for line in told(of_server[0])][:1] == ["own:m"]
    assert (
        "nothing is stored from"
        in run(*words[:2], clock(8 * 3600), *words[3:4], clock(9 * 3600), code=1).stderr
    )


def test_a_server_that_does_not_answer_is_told_in_one_line(run: Run, site: Path, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    told_of_server(tmp_path, url, 'database = "gengfu"')
    result = run("--store", "--from", clock(0), "--until", clock(60), code=1)
    last = result.stderr.splitlines()[-1]
    assert last.startswith(f"gengfu: the series store cannot be read: {url}: no answer from the server")
    assert result.stdout == "" and "Traceback" not in result.stderr


def test_a_secret_that_is_not_there_is_told_in_one_line(run: Run, site: Path, tmp_path: Path) -> None:
    told_of_server(tmp_path, "http://127.0.0.1:1", f'bucket = "b"\ntoken_file = "{tmp_path / "none"}"')
    result = run("--store", "--from", clock(0), "--until", clock(60), code=1)
    assert "gengfu: the secret of the series store cannot be read:" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("series_kind", [INFLUX18])
def test_what_was_kept_before_the_server_is_replayed_until_it_is_copied(
    run: Run, site: Path, tmp_path: Path, series_server: SeriesServer
) -> None:
    """And it is said, on stderr and in the summary."""
    points = kept()
    points = points[np.argsort(points.ts_ns, kind="stable")]
    store = EmbeddedStore(site / "points.db", keep_days=100_000)
    store.write(points[:100], 1)
    store.close()
    put(series_server, NAMES, points[90:], "electrical")
    told_of_server(tmp_path, series_server.url, f'database = "{series_server.database}"')
    words = ("--store", "--from", clock(0), "--until", clock(7 * 3600), "--json")
    found = run(*words)
    summary = objects(found.stdout)[-1]["summary"]
    assert summary["readings"] == 180
    assert "`gengfu influx copy`" in summary["notes"][0]
    assert "note: points.db holds history" in found.stderr
    (site / "points.db").write_bytes(b"no store" * 1000)
    refused = run(*words, code=1)
    assert "points.db holds history and cannot be read" in refused.stderr
    assert "move points.db" in refused.stderr.splitlines()[-1], "what to do"
