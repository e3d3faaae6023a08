"""`gengfu influx copy` says why it does not begin, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gengfu.folder import lock
from gengfu.ports import free_port
from ingest.store.embedded import EmbeddedStore
from ingest.store.influx.copying_progress import load
from tests.gengfu.copied import WHERE, configured, copy, minutes, site_in
from tests.ingest.influx.house_copying import Site
from tests.series_servers import INFLUX16, SeriesServer


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with site_in(tmp_path) as site:
        yield site


def test_without_a_server_it_says_what_to_set(tmp_path: Path) -> None:
    code, _, errors = copy(tmp_path)
    assert code == 1
    assert 'store.kind = "influxdb"' in errors


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_without_an_embedded_store_there_is_nothing_to_copy(
    series_server: SeriesServer, tmp_path: Path
) -> None:
    configured(tmp_path, series_server)
    code, _, errors = copy(tmp_path)
    assert (code, "there is no embedded store here" in errors) == (1, True)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_a_server_that_takes_no_points_is_refused_with_its_words(
    series_server: SeriesServer, site: Site, tmp_path: Path
) -> None:
    site.keep(minutes(3, 10))
    (tmp_path / "gengfu.toml").write_text(WHERE.format(url=series_server.url, place='database = "not_there"'))
    code, _, errors = copy(tmp_path)
    assert (code, "takes no points: HTTP 404" in errors) == (1, True)
    assert "not_there" in errors
    (tmp_path / "gengfu.toml").write_text(
        WHERE.format(url=f"http://127.0.0.1:{free_port()}", place='database = "a"')
    )
    code, _, errors = copy(tmp_path)
    assert (code, "no answer" in errors, "Traceback" in errors) == (1, True, False)
    assert load(tmp_path / "data") is None


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_two_at_once_are_refused(series_server: SeriesServer, site: Site, tmp_path: Path) -> None:
    configured(tmp_path, series_server)
    site.keep(minutes(3, 10))
    with lock(tmp_path / "data", "influx-copy"):
        code, _, errors = copy(tmp_path)
    assert (code, "influx-copy already runs here" in errors) == (1, True)


@pytest.mark.parametrize("series_kind", [INFLUX16])
def test_while_the_service_still_has_the_embedded_store_open_it_is_refused(
    series_server: SeriesServer, site: Site, tmp_path: Path
) -> None:
    """It was configured anew and not started anew: what comes in would be left behind."""
    configured(tmp_path, series_server)
    site.keep(minutes(3, 10))
    store = EmbeddedStore(site.path, keep_days=100_000)
    with lock(tmp_path / "data", "store"):
        code, _, errors = copy(tmp_path)
        assert (code, "the service still writes to" in errors) == (1, True)
        store.close()
        assert copy(tmp_path)[0] == 0, "a service that has it not open may run"
