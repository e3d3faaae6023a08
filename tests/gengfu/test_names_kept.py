"""A retired device keeps its name as long as a store may hold points of its series."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from devices.model import Metric
from gengfu.config import Config
from gengfu.config_store import Store
from gengfu.ingest_steps import freeing_of
from gengfu.names_kept import names_kept_days
from gengfu.store_account import target_of
from ingest.freeing import DAY_US
from ingest.store.influx.copying_progress import Progress, save
from ingest.store.reader import SeriesReader
from tests.gengfu.test_check_history import keep
from tests.ingest.redelivering import NOW_US
from tests.ingest.test_freeing import Site, hear

SERVER = Store(kind="influxdb", url="http://h:8086", database="g", token_file="/nonexistent/t")


def having(**other: Any) -> Store:
    return msgspec.structs.replace(SERVER, **other)


@pytest.mark.parametrize(
    ("store", "days"),
    [
        (Store(keep_days=3, keep_names_days=0), 3),
        (SERVER, 400),
        (having(keep_days=900), 400),
        (having(keep_names_days=3, recent_days=20), 20),
        (having(keep_names_days=0), None),
    ],
)
def test_names_are_kept_as_long_as_points_may_be(store: Store, days: float | None, tmp_path: Path) -> None:
    assert names_kept_days(store, tmp_path) == days


def test_no_name_goes_while_the_history_in_the_data_folder_is_not_in_the_server(tmp_path: Path) -> None:
    keep(tmp_path, 10)
    assert names_kept_days(SERVER, tmp_path) is None
    reader = SeriesReader.open(tmp_path / "points.db")
    save(tmp_path, Progress(target=target_of(SERVER), position=reader.position, done=True))
    reader.close()
    assert names_kept_days(SERVER, tmp_path) == 400
    assert names_kept_days(having(database="other"), tmp_path) is None, "it is in another server"
    (tmp_path / "points.db").write_bytes(b"damaged" * 1_000)
    assert names_kept_days(SERVER, tmp_path) is None, "nobody knows"


def freed_after(site: Site, store: Store, days: int) -> list[int]:
    """Slots that go when the service is started with this store and so many days have passed."""
    config = Config(data=str(site.folder), store=store)
    freeing = freeing_of(config, site.index, site.intake.stamps, site.rules)
    return freeing.due(NOW_US + days * DAY_US) if freeing else []


def test_a_retired_device_is_let_go_when_its_last_point_is_gone_from_the_configured_store(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path)
    hear(site, "d1", b'{"smoke": 0}')
    hear(site, "d2", b'{"smoke": 0}')
    site.alter("d1", retired_us=NOW_US)
    site.go()
    gone = [site.slots()["d1", Metric.SMOKE_ALARM]]
    assert freed_after(site, Store(), 37) == []
    assert freed_after(site, Store(), 40) == gone
    assert freed_after(site, SERVER, 40) == []
    assert freed_after(site, SERVER, 407) == []
    assert freed_after(site, SERVER, 410) == gone
    assert freed_after(site, having(keep_names_days=0), 20_000) == []
    site.down()
