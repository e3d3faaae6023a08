"""`gengfu check` on a real InfluxDB 2: what it takes, and what is to be set right where it does not."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gengfu.check_store import store_findings
from gengfu.config_store import Store
from tests.series_servers import INFLUX2, WITHOUT_INFLUX2, SeriesServer

if not INFLUX2:
    pytest.skip(WITHOUT_INFLUX2, allow_module_level=True)


@pytest.fixture(params=INFLUX2)
def series_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def told(store: Store) -> tuple[bool | None, str]:
    (finding,) = store_findings(store, Path("/nonexistent"))
    return finding.ok, finding.text


def test_it_takes_points_or_says_what_to_do(series_server: SeriesServer, tmp_path: Path) -> None:
    bucket, token = series_server.bucket, series_server.organisation.token_for
    tokens = {
        "ours": token(f"read bucket {bucket}", f"write bucket {bucket}"),
        "writer": token(f"write bucket {bucket}"),
        "reader": token(f"read bucket {series_server.bucket}"),
        "wrong": "very-secret",
    }
    for name, secret in tokens.items():
        (tmp_path / name).write_text(secret)
    store = Store(
        kind="influxdb", url=series_server.url, org=series_server.org, bucket=bucket,
        token_file=str(tmp_path / "ours"),
    )  # fmt: skip
    ok, text = told(store)
    assert (ok, text.endswith(f"takes points in {bucket}, and gives them back")) == (True, True)
    assert text.startswith("InfluxDB 2.")
    wrong = [
        ({"token_file": str(tmp_path / "reader")}, "give this token the right to read and write there"),
        ({"token_file": str(tmp_path / "writer")}, "we may write there and not read: influx auth create"),
        (
            {"token_file": str(tmp_path / "wrong")},
            f"put a token that may read and write {bucket} into",
        ),
        ({"token_file": ""}, "it wants to know who writes: set store.token_file"),
        ({"org": ""}, "InfluxDB 2 wants store.org"),
        ({"org": "nope"}, "compare store.org (nope) with `influx org list`"),
        ({"bucket": "nope"}, "make the bucket: `gengfu influx init` with a token that may"),
        (
            {"bucket": "", "org": "", "database": "nope"},
            "no bucket has this name: set store.org, store.bucket",
        ),
    ]
    for setting, does in wrong:
        ok, text = told(msgspec.structs.replace(store, **setting))
        assert (ok, does in text) == (False, True), text
        assert not any(secret in text for secret in tokens.values())
    assert series_server.query("SHOW MEASUREMENTS") == [], "asking stores nothing"
