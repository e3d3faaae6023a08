"""When the devices of a dwelling were last heard, as its page says it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.facade_sighted import Sighted, sighted
from console.values_gate import Gate
from ingest.store.histories import Histories
from ingest.store.history import SeriesUnread
from tests.console.values_house import DETECTOR, METER, House


@pytest.fixture
def house(database: str, tmp_path: Path) -> Iterator[House]:
    house = House(database, tmp_path)
    yield house
    house.close()


def newest(house: House, gate: Gate | None = None) -> Sighted:
    return sighted(house.engine, house.histories, gate or Gate(), [METER, DETECTOR])


def test_it_is_the_newest_point_of_any_series_of_the_device(house: House) -> None:
    house.says(1, 41.0, ago_s=90)
    house.says(4, 7.0, ago_s=30)
    assert newest(house) == Sighted({METER: house.now_us - 30_000_000}, False)


def test_the_page_says_since_when_and_that_nothing_came_yet(house: House) -> None:
    house.says(4, 7.0, ago_s=125)
    with house.console() as reader:
        page = reader.client.get(f"/dwelling/{house.dwellings['501']}/devices").text
    assert f'data-since-us="{house.now_us - 125_000_000}">2:05<' in page
    assert "还没有数据" in page
    assert "读不全" not in page


def away() -> Histories:
    def far() -> object:
        raise SeriesUnread("the server does not answer")

    return Histories(far)  # type: ignore[arg-type]


def test_where_the_store_is_away_or_busy_or_none_the_page_says_that_it_cannot_know(house: House) -> None:
    house.histories = away()
    assert newest(house) == Sighted({}, True)
    with house.console() as reader:
        page = reader.client.get(f"/dwelling/{house.dwellings['501']}/devices").text
    assert "无法得知" in page
    assert "读不全" in page
    house.histories = None
    assert newest(house) == Sighted({}, True)
    gate = Gate(1)
    with gate.entered():
        house.histories = away()
        assert newest(house, gate) == Sighted({}, True)


def test_a_store_that_breaks_breaks_no_page(house: House) -> None:
    def far() -> object:
        raise RuntimeError

    house.histories = Histories(far)  # type: ignore[arg-type]
    assert newest(house) == Sighted({}, True)
