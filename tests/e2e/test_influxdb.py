"""The real service with points in a real InfluxDB: fires are told without it, points come when it is back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.service import RunningService
from gengfu.clock import now_us
from simulators.block import plan_block
from tests.e2e.site import Site, eventually, phones_in_a_thread, register, uid_of
from tests.series_servers import INFLUX2, INFLUX16, SeriesServer
from tests.series_sites import store_section

REPORTS = 30
POINTS = 4
"""Of one current report."""


class OnInfluxdb(RunningService):
    """`gengfu up` with its points on `server`."""

    def __init__(self, folder: Path, server: SeriesServer) -> None:
        super().__init__(folder)
        self.config.write_text(self.config.read_text() + store_section(server, folder))


@pytest.fixture(params=[INFLUX16, *INFLUX2])
def series_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def here(tmp_path: Path, series_server: SeriesServer) -> Iterator[Site]:
    service, block = OnInfluxdb(tmp_path, series_server), plan_block(8, 3)
    with ExitStack() as stack:
        phones = stack.enter_context(phones_in_a_thread())
        stack.callback(service.stop)
        register(service, block, phones)
        service.start()
        yield Site(service, block, phones)


def report(here: Site, begin: int) -> None:
    """So many reports of every monitor."""
    at_ms = now_us() // 1000
    monitors = [device.dwelling for device in here.block.devices if device.kind == "electrical"]
    here.publish(
        here.current(home, at_ms + n, n, 1.0 + n / 100)
        for n in range(begin, begin + REPORTS)
        for home in monitors
    )


def monitors(here: Site) -> int:
    return sum(1 for device in here.block.devices if device.kind == "electrical")


def test_fires_are_told_while_the_server_is_away_and_its_points_come_when_it_is_back(
    here: Site, series_server: SeriesServer
) -> None:
    report(here, 1)
    wanted = monitors(here) * REPORTS * POINTS
    eventually(lambda: series_server.count("electrical") == wanted, "the points are there")
    home = here.block.dwellings[1].code
    detector, monitor = uid_of(here.detector(home)), uid_of(here.monitor(home))

    series_server.kill()
    report(here, 1 + REPORTS)
    eventually(lambda: not here.service.healthy("store"), "the store process says that it waits")
    here.publish([here.smoke(home)])
    eventually(lambda: here.incident_of(home) is not None, "the fire is an incident")
    incident = here.incident_of(home)
    assert incident is not None
    eventually(lambda: here.told(incident).keys() >= here.expected_at_once(home), "all are told")

    series_server.start()
    eventually(lambda: series_server.count("electrical") == 2 * wanted, "what was missed is there")
    eventually(lambda: here.service.healthy("store"), "and all is well")
    eventually(lambda: series_server.count("smoke") > 0, "so is the fire, which goes by another request")
    rows = {row for row in series_server.rows("smoke") if row.field == "smoke_alarm"}
    assert {(dict(row.tags)["device"], row.value) for row in rows} == {(detector, 1.0)}
    of_monitor = [row for row in series_server.rows("electrical") if dict(row.tags)["device"] == monitor]
    assert {dict(row.tags).get("channel") for row in of_monitor} == {"l1"}
    assert len(of_monitor) == 2 * REPORTS * POINTS
    assert not (here.service.data / "points.db").exists()
