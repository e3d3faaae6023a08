"""A journal that is full while a real server is away: what is in the server in the end is what was sent, less
what was counted as shed, for every device."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.journal_files import read_mark
from tests.ingest.influx.house import House, Room, account_at, eventually, stored_of_each, writing_to
from tests.ingest.influx.house_series import METRICS, device_of
from tests.series_servers import INFLUX2, INFLUX16, INFLUX18, VICTORIA, SeriesServer

SMALL = Room(segment_bytes=16_000, max_bytes=128_000, reserve_bytes=1 << 20)
SETTLED_S = {VICTORIA: 10.0}
"""VictoriaMetrics loses what it took up to 9 s before it is killed; others nothing."""


SLOW = pytest.mark.slow
KINDS = [INFLUX16, *(pytest.param(kind, marks=SLOW) for kind in (INFLUX18, *INFLUX2, VICTORIA))]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path, room=SMALL)
    yield house
    house.close()


@pytest.mark.parametrize("series_kind", KINDS)
def test_of_every_device_all_is_in_the_server_but_what_was_shed(
    house: House, series_kind: str, series_server: SeriesServer
) -> None:
    """Twice: what is shed the second time is not what was shed the first."""
    mark = house.folder / "journal" / "reader-store"
    settled_s = SETTLED_S.get(series_kind, 1.0)
    with writing_to(house, account_at(series_server), settled_s=settled_s) as writer, capture_logs():
        for outage in range(2):
            house.tick(20)
            eventually(lambda: writer.behind == 0, "the server takes points")
            series_server.kill()
            _until_shed(house, len(house.shed) + 50)
            series_server.start()
            eventually(lambda: _is_stored_again(house), f"there is room again after outage {outage + 1}")
        house.tick(20)
        eventually(lambda: read_mark(mark) == house.journal.next_seq - 1, "everything has settled")
    sent = house.ticks * len(METRICS)
    shed = len(house.shed) * len(METRICS)
    assert shed > 0
    assert stored_of_each(series_server) == {device_of(n): sent - shed for n in range(house.devices)}


def _until_shed(house: House, ticks: int) -> None:
    """Goes on as ingest does, which makes snapshots."""
    while len(house.shed) < ticks:
        house.tick()
        if house.journal.is_pressed:
            house.snapshot()


def _is_stored_again(house: House) -> bool:
    time.sleep(0.05)
    house.snapshot()
    house.tick()
    return house.ticks - 1 not in house.shed
