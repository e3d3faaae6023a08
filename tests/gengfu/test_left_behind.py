"""Pages of a site that was given a server and has not copied its history yet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from devices.model import Metric
from gengfu.config import Config
from gengfu.config_store import Store
from gengfu.histories_here import histories_of
from gengfu.ports import free_port
from ingest.store.embedded import EmbeddedStore
from ingest.store.history import Series
from ingest.store.points import Points
from tests.ingest.influx.house_reading import put
from tests.series_servers import INFLUX18, SeriesServer

METER = Series(1, "own:m", "l1", Metric.CURRENT)
BEGIN_NS = 1_790_000_000 * 10**9


def minutes(first: int, end: int) -> Points:
    at = BEGIN_NS + np.arange(first, end) * 60 * 10**9
    n = len(at)
    return Points(np.ones(n, np.int32), at, np.arange(first, end, dtype=np.float64), np.zeros(n, np.uint32))


def keep(folder: Path, points: Points) -> None:
    store = EmbeddedStore(folder / "points.db", keep_days=40_000)
    store.write(points, 1)
    store.close()


@pytest.fixture
def site(tmp_path: Path, series_server: SeriesServer) -> Config:
    """100 minutes in the data folder, and the last 10 of them and 20 more in the server."""
    put(series_server, {1: METER}, minutes(90, 120), "electrical")
    keep(tmp_path, minutes(0, 100))
    store = Store(kind="influxdb", url=series_server.url, database=series_server.database)
    return Config(data=str(tmp_path), store=store)


@pytest.mark.parametrize("series_kind", [INFLUX18])
def test_pages_show_both_and_each_point_once(site: Config) -> None:
    histories = histories_of(site)
    found = histories.excerpt(METER, BEGIN_NS, BEGIN_NS + 10**13)
    assert found.points.value.tolist() == list(range(120))
    assert found.lacks == ""
    sketch = histories.outline(METER, BEGIN_NS, BEGIN_NS + 120 * 60 * 10**9, 600 * 10**9)
    assert sketch.outline.count.tolist() == [10] * 12
    assert histories.latest([METER]).points.value.tolist() == [119.0]


@pytest.mark.parametrize("series_kind", [INFLUX18])
def test_a_file_that_cannot_be_read_keeps_nobody_from_what_the_server_has(site: Config) -> None:
    (site.data_dir / "points.db").write_bytes(b"no store" * 1000)
    found = histories_of(site).excerpt(METER, BEGIN_NS, BEGIN_NS + 10**13)
    assert found.points.value.tolist() == list(range(90, 120))
    assert found.lacks.startswith("points.db holds history and cannot be read")
    assert "move points.db" in found.lacks


def test_without_the_server_it_is_said_that_it_is_away(tmp_path: Path) -> None:
    keep(tmp_path, minutes(0, 100))
    store = Store(kind="influxdb", url=f"http://127.0.0.1:{free_port()}", database="g")
    found = histories_of(Config(data=str(tmp_path), store=store)).excerpt(METER, BEGIN_NS, BEGIN_NS + 10**13)
    assert "no answer" in found.lacks
