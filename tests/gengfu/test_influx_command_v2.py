"""`gengfu influx init` on a real InfluxDB 2: buckets, their retention, and tasks that fill them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.store.influx.organisation import RIGHTS
from tests.gengfu.program import gengfu
from tests.series_servers import INFLUX2, WITHOUT_INFLUX2, Row, SeriesServer

if not INFLUX2:
    pytest.skip(WITHOUT_INFLUX2, allow_module_level=True)

DAY_S = 86_400
MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS


@pytest.fixture(params=INFLUX2)
def series_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def init(folder: Path, server: SeriesServer, *more: str, token: str = "") -> tuple[int, list[str], str]:
    """`token` is for this command alone; the site's own may write and read its bucket."""
    own = (f"{right} bucket {server.bucket}" for right in ("write", "read"))
    (folder / "own").write_text(server.organisation.token_for(*own))
    (folder / "more").write_text(token or server.organisation.token_for(*RIGHTS))
    (folder / "gengfu.toml").write_text(
        f'[store]\nkind = "influxdb"\nurl = "{server.url}"\norg = "{server.org}"\n'
        f'bucket = "{server.bucket}"\ntoken_file = "own"\n'
    )
    done = gengfu("influx", "init", *more, cwd=folder)
    return done.returncode, done.stdout.splitlines(), done.stderr


LARGE = ("--token-file", "more")


def test_buckets_and_tasks_are_made_once_and_what_is_there_keeps_its_time_unless_asked(
    series_server: SeriesServer, tmp_path: Path
) -> None:
    name, organisation = series_server.bucket, series_server.organisation
    code, out, _ = init(tmp_path, series_server, *LARGE, "--dry-run")
    assert (code, [line for line in out if line.startswith(("bucket", "task"))]) == (
        0,
        [
            f"bucket {name}_minutes: 260w",
            f"bucket {name}_hours: INF",
            f"task gengfu_{name}_minutes",
            f"task gengfu_{name}_hours",
        ],
    )
    assert organisation.tasks() == []
    assert f"{name}_minutes" not in organisation.buckets()
    left = f"left    bucket {name} keeps INF, not 400d; --change sets it, and what is older is deleted"
    assert out[-1] == left
    assert init(tmp_path, series_server, *LARGE)[:2] == (code, out), "it does what it said"
    assert init(tmp_path, series_server, *LARGE)[:2] == (0, [left])
    assert [organisation.keeps(one) for one in (name, f"{name}_minutes", f"{name}_hours")] == [
        0,
        1820 * DAY_S,
        0,
    ]
    code, out, _ = init(tmp_path, series_server, *LARGE, "--change", "--json")
    assert [json.loads(line)["made"] for line in out] == [f"bucket {name}: 400d"]
    assert organisation.keeps(name) == 400 * DAY_S
    assert init(tmp_path, series_server, *LARGE)[:2] == (0, ["all is there"])


def test_a_token_that_may_not_is_told_what_is_missing(series_server: SeriesServer, tmp_path: Path) -> None:
    code, out, error = init(tmp_path, series_server)
    assert (code, out) == (1, [])
    assert "the token may not write buckets. Make one that may (influx auth create --org centre" in error
    assert list(series_server.organisation.buckets()) == [series_server.bucket, "unused"]


def test_a_site_that_names_a_database_is_told_of_buckets(series_server: SeriesServer, tmp_path: Path) -> None:
    (tmp_path / "gengfu.toml").write_text(
        f'[store]\nkind = "influxdb"\nurl = "{series_server.url}"\ndatabase = "{series_server.database}"\n'
    )
    done = gengfu("influx", "init", cwd=tmp_path)
    assert done.returncode == 1
    assert "set store.org, store.bucket and store.token_file" in done.stderr


def averages(server: SeriesServer, one: str) -> Iterator[Row]:
    """What stands in the bucket of minutes or hours."""
    database = f"{server.bucket}_{one}"
    for series in server.query(f'SELECT * FROM "{database}".autogen.smoke GROUP BY *'):
        tags = tuple(sorted((key, value) for key, value in series["tags"].items() if value))
        for time_ns, *values in series["values"]:
            for name, value in zip(series["columns"][1:], values, strict=True):
                if value is not None:
                    yield Row("smoke", tags, name, value, time_ns)


def of(minutes: list[Row], at_ns: int, *tags: tuple[str, str]) -> dict[str, object]:
    return {row.field: row.value for row in minutes if row.time_ns == at_ns and row.tags == tags}


def test_the_tasks_make_averages_of_what_is_written_and_of_what_comes_late(
    series_server: SeriesServer, tmp_path: Path
) -> None:
    """They are run here as the server would at the minute, for nobody waits for that in a test."""
    assert init(tmp_path, series_server, *LARGE)[0] == 0
    minute_ns = time.time_ns() // MINUTE_NS * MINUTE_NS - 5 * MINUTE_NS
    hour_ns = time.time_ns() // HOUR_NS * HOUR_NS - 3 * HOUR_NS
    device, channel = ("device", "own:a"), ("channel", "l1")
    rows = [(minute_ns, 10), (minute_ns + 59 * 10**9, 40), (hour_ns, 1), (hour_ns + 50 * MINUTE_NS, 3)]
    lines = [f"smoke,device=own:a voltage={value},voltage_quality=8i {at}" for at, value in rows]
    lines += [f"smoke,channel=l1,device=own:a voltage=7 {minute_ns}", f'text v="of somebody" {minute_ns}']
    lines += [f"smoke,device=own:a voltage=1000 {time.time_ns() + MINUTE_NS // 2}"]
    series_server.write("\n".join(lines).encode())
    for one in ("minutes", "hours"):
        series_server.organisation.run(f"gengfu_{series_server.bucket}_{one}")
    minutes, hours = list(averages(series_server, "minutes")), list(averages(series_server, "hours"))
    assert of(minutes, minute_ns, device) == {"mean_voltage": 25, "min_voltage": 10, "max_voltage": 40}
    assert of(minutes, minute_ns, channel, device) == {"mean_voltage": 7, "min_voltage": 7, "max_voltage": 7}
    assert len(minutes) == 6, "neither of quality, nor of a minute that is not over, nor of three hours ago"
    assert of(hours, hour_ns, device) == {"mean_voltage": 2, "min_voltage": 1, "max_voltage": 3}
    late = f"smoke,device=own:a voltage=70 {minute_ns + 10**9}\nsmoke,device=own:a voltage=8 {hour_ns + 1}"
    series_server.write(late.encode())
    for one in ("minutes", "hours"):
        series_server.organisation.run(f"gengfu_{series_server.bucket}_{one}")
    assert of(list(averages(series_server, "minutes")), minute_ns, device) == {
        "mean_voltage": 40, "min_voltage": 10, "max_voltage": 70,
    }  # fmt: skip
    assert of(list(averages(series_server, "hours")), hour_ns, device)["mean_voltage"] == 4
